"""A jobcentre to which everything happens that upsets rooms, over a real database; what was promised is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from random import Random

from sqlalchemy import select

from syncd.booking.announce import Announcer
from syncd.booking.keep_rooms import RoomKeeper
from syncd.errors import SlotGone
from syncd.model.booking import Meeting, RoomState
from syncd.model.busy import Occurrence
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.model.task import TaskKind
from syncd.model.zones import wall_clock
from syncd.publish.standing import edges
from syncd.roomalloc import rank
from syncd.roomalloc.day import Standing
from syncd.store import Tx, meeting_rows
from syncd.store.rooms import Closed
from syncd.store.tables import AuditRow, MeetingRow
from tests.unit.publishing import ZONE, Town, wall

DAYS = (date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 27))
"""Frozen at noon today; announced already; free to be moved."""
CLOCKS = ("09:00", "09:30", "10:00", "10:30", "11:00")
PEOPLE = 7
Foreign = Mapping[str, Sequence[Occurrence]]
SIZES = (2, 3, 5)
RULES = """
holidays = {public = false, constitution_day = false, christmas_eve = false, new_years_eve = false}

[offers.talk]
title = {da = "Samtale"}
minutes = {in-person = 45}
who = ["everyone"]
step = 15
horizon_days = 14

[offers.long]
title = {da = "Lang samtale"}
minutes = {in-person = 60}
who = ["everyone"]
step = 30
horizon_days = 14
room = {seats = 3}

[offers.alarm]
title = {da = "Med alarm"}
minutes = {in-person = 30}
who = ["everyone"]
step = 15
horizon_days = 14
room = {features = ["alarm"]}

[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "09:00"
to = "12:00"
"""


def directory() -> Directory:
    """Caseworkers on two floors, rooms of three sizes, one of the small ones with an alarm."""

    def box(name: str, kind: MailboxKind) -> Mailbox:
        return Mailbox(name, kind, "server", f"{name}@example.dk", ZONE)

    people = {
        name: Caseworker(name, name, box(name, MailboxKind.PERSON), "hq", n % 2)
        for n, name in enumerate(f"p{n}" for n in range(PEOPLE))
    }
    rooms = {
        f"r{n}": Room(
            f"r{n}",
            f"R{n}",
            box(f"r{n}", MailboxKind.ROOM),
            "hq",
            n % 2,
            capacity=seats,
            features=frozenset({"alarm"}) if n in (0, 2) else frozenset(),
            opens=time(9),
            closes=time(12),
        )
        for n, seats in enumerate(SIZES)
    }
    return Directory.of("Town", {"hq": Site("hq", "Torvet 1", ZONE)}, people, rooms)


class Walk:
    """One random history. Everything is an AssertionError that breaks a promise."""

    def __init__(self, url: str, seed: int) -> None:
        self.town = Town.open(url, RULES, directory())
        self.random, self.seen = Random(seed), Counter[str]()
        self.rules = self.town.rules()
        self.keeper = RoomKeeper(self.town.store, lambda: self.town.people, lambda: self.rules)
        self.announcer = Announcer(self.town.store, lambda: self.town.people, lambda: self.rules)
        self.booked: list[str] = []
        self.told: dict[str, str | None] = {}
        self.changes: Counter[str] = Counter()
        self.pinned: set[str] = set()

    def run(self, steps: int) -> Counter[str]:
        """Play so many steps; what was met."""
        happenings: list[tuple[int, Callable[[], None]]] = [
            (10, self.some_book),
            (2, self.somebody_cancels),
            (2, self.somebody_books_a_room_directly),
            (1, self.a_room_is_closed),
            (1, self.staff_pin_a_room),
            (1, self.a_night_passes),
            (1, self.time_passes),
            (1, self.a_hold_is_forgotten),
        ]
        for _ in range(4):
            self.some_book()
        acts, weights = [act for _, act in happenings], [weight for weight, _ in happenings]
        for _ in range(steps):
            self.random.choices(acts, weights)[0]()
            self.settle()
            self.check()
        return self.seen

    def settle(self) -> None:
        """What the service does again and again."""
        kept = self.keeper.repair(self.town.now)
        self.seen["repaired"] += len(kept.moves)
        self.seen["left to people"] += len(kept.missing)
        self.seen["told"] += self.announcer.announce(self.town.now)

    def some_book(self) -> None:
        """Three in a row, on one day."""
        day = self.random.choice(DAYS)
        for _ in range(3):
            self.somebody_books(day)

    def somebody_books(self, day: date) -> None:
        """Whatever is on offer can be booked, and moves nobody who is frozen."""
        offer = self.random.choice(["talk", "talk", "long", "alarm"])
        found = list(self.town.answer(offer, day).slots)
        if not found:
            self.seen["nothing on offer"] += 1
            return
        slot = self.random.choice(found)
        before = {meeting.id: meeting.room for meeting in self.meetings()}
        try:
            held = self._hold(offer, slot)
        except SlotGone as gone:
            raise AssertionError(
                f"{offer} at {slot.interval.start} was on offer and could not be held: {gone}"
            ) from gone
        moved = [m for m in self.meetings() if before.get(m.id, m.room) != m.room]
        assert not moved or self.standing(day) is not Standing.FIXED, "a booking moved a frozen meeting"
        assert not {m.id for m in moved} & self.pinned, "a booking moved a pinned meeting"
        assert len(moved) <= 3
        self.seen["moved"] += len(moved)
        made = self.town.desk.book("portal", held, f"citizen-{held}", self.town.now)
        self.booked.append(made.booking.id)

    def _hold(self, offer: str, slot: Slot) -> str:
        start = slot.interval.start
        held = self.town.desk.hold("portal", offer, start, slot.caseworker, slot.form, None, self.town.now)
        return held.booking.id

    def a_hold_is_forgotten(self) -> None:
        """Nobody books it; its room is free again when it has run out."""
        slots = list(self.town.answer("talk", self.random.choice(DAYS)).slots)
        if slots:
            self._hold("talk", self.random.choice(slots))
            self.town.now += timedelta(minutes=11)
            self.town.sync()

    def somebody_cancels(self) -> None:
        """The time is free at once."""
        if self.booked:
            booking = self.booked.pop(self.random.randrange(len(self.booked)))
            self.town.desk.cancel("portal", booking, self.town.now)

    def somebody_books_a_room_directly(self) -> None:
        """The attendant lets it through, over ours or not."""
        start = self.random.choice(CLOCKS)
        room, day = f"r{self.random.randrange(len(SIZES))}", self.random.choice(DAYS)
        end = f"{int(start[:2]) + 1}:{start[3:]}"
        self.town.event(room, start, end, day=day)

    def a_room_is_closed(self) -> None:
        """For an hour of one day."""
        start, day = self.random.choice(CLOCKS), self.random.choice(DAYS)
        span = Interval.at(wall(start, day), 60)
        self.keeper.block(f"r{self.random.randrange(len(SIZES))}", span, "Maling", "karen", self.town.now)

    def staff_pin_a_room(self) -> None:
        """The program leaves it where it is from now on."""
        standing = [meeting for meeting in self.meetings() if meeting.room]
        if standing:
            meeting = self.random.choice(standing)
            self.keeper.pin(meeting.id, None, "karen", self.town.now)
            self.pinned.add(meeting.id)

    def a_night_passes(self) -> None:
        """Only days that nobody was told of are arranged anew."""
        before = {meeting.id: meeting for meeting in self.meetings()}
        self.seen["rearranged"] += len(self.keeper.rearrange(self.town.now, timedelta(days=7)).moves)
        for meeting in self.meetings():
            if meeting.room != before[meeting.id].room:
                day = wall_clock(meeting.interval.start, ZONE).date()
                assert self.standing(day) is Standing.TENTATIVE
                assert meeting.id not in self.pinned

    def time_passes(self) -> None:
        """Some hours, never over the first meeting."""
        later = self.town.now + timedelta(hours=self.random.choice([1, 3]))
        if later < wall("08:00", DAYS[0]):
            self.town.now = later
            self.town.sync()

    def standing(self, day: date) -> Standing:
        """How firmly the meetings of that day have their rooms now."""
        return edges(self.town.people.sites["hq"], day, self.rules).standing(self.town.now)

    def meetings(self) -> list[Meeting]:
        """All that are booked."""
        with self.town.store.read() as tx:
            rows = tx.session.execute(select(*MeetingRow.__table__.c).where(MeetingRow.wanted).order_by(MeetingRow.id))
            return [meeting_rows.meeting(row) for row in rows]

    def check(self) -> None:
        """Every booked meeting has a room of its own, or a person was told; whoever was told hears of every change."""
        with self.town.store.read() as tx:
            waiting = {task.about for task in tx.tasks.waiting(TaskKind.ROOM_NEEDED)}
            window = Interval(wall("00:00", DAYS[0]), wall("23:00", DAYS[-1]))
            closed = tx.rooms.closed(window)
            foreign = tx.mailboxes.occurrences(list(self.town.people.rooms), window)
            for meeting in self.meetings():
                assert meeting.form is Form.IN_PERSON
                if meeting.room is None:
                    assert meeting.room_state is RoomState.MISSING
                    assert f"meeting:{meeting.id}" in waiting, "nobody was told that a meeting has no room"
                else:
                    self._check_room(tx, meeting, waiting, closed, foreign)
                self._check_told(tx, meeting)

    def _check_room(
        self, tx: Tx, meeting: Meeting, waiting: set[str], closed: Sequence[Closed], foreign: Foreign
    ) -> None:
        assert meeting.room is not None
        room = self.town.people.rooms[meeting.room]
        need = self.rules.offers[meeting.offer].room
        claims = [claim for claim in tx.meetings.claims(meeting.id) if claim.mailbox == room.id]
        assert [rank.claim(room, meeting.interval)] == [claim.interval for claim in claims if claim.active]
        taken = [event for event in foreign[room.id] if event.interval.overlaps(meeting.interval)]
        shut = [one for one in closed if one.room == room.id and one.interval.overlaps(meeting.interval)]
        if meeting.id in self.pinned:
            assert not (taken or shut) or f"meeting:{meeting.id}" in waiting, "nobody was told of a pin in the way"
        else:
            assert not taken, "a meeting stayed in a room that somebody else booked"
            assert not shut, "a meeting stayed in a closed room"
            assert rank.suits(room, need)

    def _check_told(self, tx: Tx, meeting: Meeting) -> None:
        notice = tx.rooms.notice(meeting.id)
        day = wall_clock(meeting.interval.start, ZONE).date()
        assert (notice is not None) >= (self.standing(day) is not Standing.TENTATIVE and meeting.room is not None)
        if notice is None:
            return
        assert notice.room == meeting.room, "people were told of another room"
        if meeting.id in self.told and self.told[meeting.id] != meeting.room:
            self.changes[meeting.id] += 1
            self.seen["changes told"] += 1
        self.told[meeting.id] = meeting.room
        told = tx.session.scalars(
            select(AuditRow.id).where(AuditRow.meeting == meeting.id, AuditRow.action == "room.changed")
        )
        assert self.changes[meeting.id] <= len(list(told)) == notice.changes, "an announced meeting moved unnoticed"


def shaping(town: Town) -> None:
    """Let the town's only site shape busy days."""
    site = town.people.sites["hq"]
    town.people = replace(town.people, sites={"hq": replace(site, rooms=replace(site.rooms, shape=True))})
