"""The real booking parts put together over a database and a calendar server in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import update

from syncd.adapters.memory import MemoryCalendar
from syncd.booking.desk import Desk
from syncd.booking.handover import Handover
from syncd.booking.keep_rooms import RoomKeeper
from syncd.booking.reconcile import Reconciler
from syncd.booking.results import Appointment
from syncd.booking.sight import Limits
from syncd.model.booking import Meeting
from syncd.model.busy import BusyType, Occurrence
from syncd.model.directory import Directory
from syncd.model.entry import Entry
from syncd.model.interval import Interval
from syncd.model.offer import Form, Rulebook
from syncd.ports import CalendarPort
from syncd.publish import Publisher, PublishSettings
from syncd.store import Store, Tx
from syncd.store.instants import epoch
from syncd.store.tables import MailboxRow
from syncd.sync.engine import Engine
from syncd.sync.timing import Pace
from tests.simulation import town

CLIENT = "portal"


@dataclass
class Office:
    """One installation: its database, its calendars and its people."""

    store: Store
    directory: Directory = field(default_factory=town.directory)
    rulebook: Rulebook = field(default_factory=town.rulebook)
    calendar: MemoryCalendar = field(default_factory=MemoryCalendar)
    limits: Limits = field(default_factory=Limits)
    port: CalendarPort | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.ports: Mapping[str, CalendarPort] = {"server": self.port or self.calendar}
        self.publisher = Publisher(self.store, lambda: self.directory, PublishSettings(timedelta(days=30)), rules=self)
        self.desk = Desk(self.store, self.publisher, lambda: self.directory, lambda: f"id{next(self.numbers):04d}")
        self.reconciler = Reconciler(
            self.store,
            lambda: self.ports,
            lambda: self.directory,
            lambda: self.rulebook,
            self.limits,
            lambda: 0.5,
        )
        self.handover = Handover(self.store, self.publisher, lambda: self.directory)
        self.keeper = RoomKeeper(self.store, lambda: self.directory, lambda: self.rulebook)
        self.engine = Engine(self.store, self.ports, self.directory, Pace())

    def within(self, _tx: Tx) -> Rulebook:
        """The rules in force, as a publisher asks for them."""
        return self.rulebook

    @classmethod
    def open(cls, url: str, now: datetime = town.NOW, **parts: Any) -> Office:
        """An office over a database with the newest schema, its calendars read once."""
        office = cls(Store(url), **parts)
        office.engine.prepare()
        office.believe(now)
        return office

    def believe(self, now: datetime) -> None:
        """All calendars count as read a moment ago, and empty: what a first pass would find, without its cost."""
        window = {"covered_start": epoch(now) - 86_400, "covered_end": epoch(now) + 90 * 86_400}
        with self.store.begin() as tx:
            tx.session.execute(update(MailboxRow).values(as_of=epoch(now), full_at=epoch(now), **window))

    def sync(self, now: datetime) -> None:
        """One pass over every calendar."""
        for mailbox in self.directory.mailboxes:
            self.engine.sync_mailbox(mailbox, now, force=True)

    def settle(self, now: datetime, passes: int = 3) -> datetime:
        """Passes of sync and reconcile, a minute apart; returns the time of the last one."""
        for _ in range(passes):
            self.sync(now)
            self.reconciler.run_due(now)
            now += timedelta(minutes=1)
        return now

    def hold(self, start: datetime, person: str | None = "anna", **more: Any) -> Appointment:
        """Hold a talk."""
        form, citizen, now = more.get("form", Form.IN_PERSON), more.get("citizen"), more.get("now", town.NOW)
        return self.desk.hold(CLIENT, "talk", start, person, form, citizen, now)

    def book(self, start: datetime, person: str | None = "anna", **more: Any) -> Appointment:
        """Hold and book a talk for a citizen."""
        held = self.hold(start, person, **more)
        citizen, now = str(more.get("citizen") or f"citizen-{start:%d%H%M}"), more.get("now", town.NOW)
        return self.desk.book(CLIENT, held.booking.id, citizen, now)

    def see(self, booking_id: str, now: datetime = town.NOW) -> Appointment:
        """The booking as its client sees it now."""
        return self.desk.booking(CLIENT, booking_id, now)

    def meeting(self, meeting_id: str) -> Meeting:
        """The meeting as the database has it."""
        with self.store.read() as tx:
            found = tx.meetings.get(meeting_id)
        assert found is not None
        return found

    def entries(self, mailbox: str, meeting: Meeting) -> tuple[Entry, ...]:
        """What stands in one calendar under the meeting's UID."""
        return self.calendar.find(self.directory.mailboxes[mailbox], meeting.uid)

    def standing(self, mailbox: str) -> list[Interval]:
        """All times of one calendar, sorted."""
        things = self.calendar._calendar(mailbox).things.values()
        return sorted(o.interval for thing in things for o in thing.occurrences if not thing.cancelled)

    def event(self, mailbox: str, start: datetime, minutes: int = 60, key: str = "other") -> None:
        """Somebody puts an event of their own into a calendar."""
        event = Occurrence(key, None, Interval.at(start, minutes), BusyType.BUSY)
        self.calendar.put(mailbox, key, [event])
