"""A small jobcentre over a real database, a real engine and calendars in memory, for tests of what is on offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from syncd.adapters.memory import MemoryCalendar
from syncd.booking.desk import Desk
from syncd.booking.results import Appointment
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Room, Site
from syncd.model.eligibility import STAFF, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Answer, Form, Rulebook
from syncd.model.verdict import Verdict
from syncd.model.zones import instant
from syncd.publish import Publisher, PublishSettings
from syncd.rulebook import apply_text, parse
from syncd.store import Store
from syncd.sync.engine import Engine
from syncd.sync.timing import Pace

ZONE = "Europe/Copenhagen"
TODAY = date(2026, 11, 23)
"""A Monday."""
NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""07:30 on the site's clocks."""

RULES = """
holidays = {public = false, constitution_day = false, christmas_eve = false, new_years_eve = false}

[offers.talk]
title = {da = "Samtale", en = "Talk"}
minutes = {in-person = 60, phone = 30}
who = ["team:job"]
step = 30
horizon_days = 14

[offers.call]
title = {da = "Opkald"}
minutes = {phone = 30}
who = ["everyone"]
step = 30
before = 10
after = 20
notice = 60
horizon_days = 14

[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "09:00"
to = "12:00"
"""


def wall(clock: str, day: date = TODAY) -> datetime:
    """The instant at which the site's clocks show *clock* on *day*."""
    return instant(day, time.fromisoformat(clock), ZONE)


def directory() -> Directory:
    """Anna and Bo of team job, Cara of team youth; two rooms, the larger one with a screen."""
    site = Site("hq", "Torvet 1", ZONE)

    def box(name: str, kind: MailboxKind = MailboxKind.PERSON) -> Mailbox:
        return Mailbox(name, kind, "server", f"{name}@example.dk", ZONE)

    people = {
        name: Caseworker(name, name.title(), box(name), "hq", 0, teams)
        for name, teams in (("anna", ("job",)), ("bo", ("job",)), ("cara", ("youth",)))
    }
    room = MailboxKind.ROOM
    rooms = {
        "r1": Room("r1", "R1", box("r1", room), "hq", capacity=2),
        "r2": Room("r2", "R2", box("r2", room), "hq", capacity=4, features=frozenset({"screen"})),
    }
    return Directory.of("Town", {"hq": site}, people, rooms)


@dataclass
class Town:
    """One installation."""

    store: Store
    people: Directory = field(default_factory=directory)
    calendar: MemoryCalendar = field(default_factory=MemoryCalendar)
    now: datetime = NOW

    def __post_init__(self) -> None:
        numbers = count(1)
        self.keys = count(1)
        self.publisher = Publisher(self.store, lambda: self.people, PublishSettings(timedelta(minutes=15)))
        self.engine = Engine(self.store, {"server": self.calendar}, self.people, Pace())
        self.desk = Desk(self.store, self.publisher, lambda: self.people, lambda: f"id{next(numbers):04d}")

    @classmethod
    def open(cls, url: str, rules: str = RULES, people: Directory | None = None) -> Town:
        """A town whose calendars were read a moment ago."""
        town = cls(Store(url), people or directory())
        town.engine.prepare()
        town.apply(rules)
        town.sync()
        return town

    def rules(self) -> Rulebook:
        """The rules in force."""
        with self.store.read() as tx:
            number, text = tx.rules.newest() or (0, "")
        return parse(text, self.people, number)

    def apply(self, text: str) -> int:
        """Put rules in force."""
        return apply_text(self.store, text, self.people, "test", self.now)

    def sync(self, *names: str) -> None:
        """One pass over these calendars, or all."""
        for name in names or self.people.mailboxes:
            self.engine.sync_mailbox(name, self.now, force=True)

    def event(
        self,
        who: str,
        start: str,
        end: str,
        busy: BusyType = BusyType.BUSY,
        day: date = TODAY,
        *,
        sync: bool = True,
        **more: Any,
    ) -> str:
        """Somebody puts an event into a calendar; its key."""
        key = f"event-{next(self.keys)}"
        uid = str(more.pop("uid", key))
        interval = Interval(wall(start, day), wall(end, day))
        self.calendar.put(who, key, [Occurrence(uid, None, interval, busy, **more)])
        if sync:
            self.sync(who)
        return key

    def answer(self, offer: str = "talk", day: date = TODAY, days: int = 1, **more: Any) -> Answer:
        """What is on offer on *day*."""
        window = Interval(wall("00:00", day), wall("00:00", day + timedelta(days=days)))
        return self.publisher.answer(offer, window, self.now, **more)

    def times(self, who: str = "anna", form: Form = Form.PHONE, offer: str = "talk", day: date = TODAY) -> str:
        """The starts on offer with one caseworker, on the site's clocks."""
        found = self.answer(offer, day, caseworker=who, form=form)
        return " ".join(_clock(slot.interval.start) for slot in found.slots)

    def why(
        self,
        start: str,
        who: str = "anna",
        form: Form = Form.PHONE,
        offer: str = "talk",
        day: date = TODAY,
        whom: Whom = STAFF,
    ) -> Verdict:
        """The verdict on one time."""
        return self.publisher.why(offer, who, wall(start, day), self.now, form, whom=whom)

    def hold(self, start: str, who: str | None = "anna", form: Form = Form.PHONE, offer: str = "talk") -> Appointment:
        """A citizen chooses a time."""
        return self.desk.hold("portal", offer, wall(start), who, form, None, self.now)

    def book(self, start: str, who: str | None = "anna", form: Form = Form.PHONE, offer: str = "talk") -> Appointment:
        """A citizen books a time."""
        held = self.hold(start, who, form, offer)
        return self.desk.book("portal", held.booking.id, f"citizen-{held.booking.id}", self.now)

    def stale(self) -> None:
        """Time passes without any calendar being read."""
        self.now += timedelta(minutes=16)

    def refuse(self, who: str) -> None:
        """So much vanishes from a calendar that it is not believed."""
        with self.store.begin() as tx:
            tx.mailboxes.refuse(who, "7 of 9 vanished", self.now)

    def unreadable(self, who: str) -> None:
        """Something in a calendar cannot be understood."""
        self.calendar.put(who, "broken", [])
        self.calendar.spoil(who, "broken")
        self.sync(who)

    def forget(self, who: str) -> None:
        """A calendar has to be read from the beginning."""
        with self.store.begin() as tx:
            tx.mailboxes.forget(who)

    def installation(self) -> str:
        """Our id in stamps."""
        with self.store.read() as tx:
            return tx.settings.installation()

    def stamp(self, made: Appointment) -> Stamp:
        """The stamp our entry of this meeting carries."""
        return Stamp(self.installation(), made.meeting.id, made.meeting.desired_generation, "x")


def _clock(at: datetime) -> str:
    from syncd.model.zones import wall_clock

    return f"{wall_clock(at, ZONE):%H:%M}"
