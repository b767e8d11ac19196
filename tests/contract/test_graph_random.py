"""Random edits, polls at any point, pages of any size, a service that misbehaves: the mirror ends as the calendar is.

Beside it, all along: what stood in the calendar through two polls is never free in the mirror, and what is offered
after a complete round never lies over a time that the service holds as taken.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.errors import CalendarError, TokenExpired
from syncd.model.busy import BusyType
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.entry import Entry
from syncd.model.interval import Interval
from syncd.sync.outcome import Result
from tests.contract.calendar_contract import draft
from tests.contract.mirror import Mirror
from tests.contract.published import DAYS, Published
from tests.servers.graph import GraphServer
from tests.servers.graph.recurrence import weekly
from tests.servers.graph.world import Event

ZONE = "Europe/Copenhagen"
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
DAY = timedelta(days=1)
KINDS = ("free", "tentative", "busy", "oof", "workingElsewhere", "unknown")
BUSY = {"oof": BusyType.OUT_OF_OFFICE, "workingElsewhere": BusyType.WORKING_ELSEWHERE, "unknown": BusyType.BUSY}
TROUBLE = ("throttle", "unavailable", "drop", "lose", "expired", "duplicate", "shuffle", "empty_page", "partial")

FREE_FOR_CALLS = (BusyType.FREE, BusyType.WORKING_ELSEWHERE)
FEW, MANY = range(12), range(1000, 1300)

Block = tuple[datetime, datetime, BusyType, bool]


class Life:
    """One calendar, its owner, its program and its trouble, all by one seed."""

    def __init__(self, graph: GraphServer, town: Published, seed: int) -> None:
        self.dice = random.Random(seed)
        self.graph, self.town = graph, town
        graph.world.dice = random.Random(seed)  # so that a life is the same whichever lives were before it
        self.address = f"life{seed}@byhavn.example"
        graph.mailbox(self.address)
        self.mailbox = Mailbox(f"life{seed}", MailboxKind.PERSON, "main", self.address, ZONE)
        page = self.dice.choice((1, 2, 3, 7, 50))
        self.port = GraphCalendar(
            GraphAccount("main", "t", "app-1", (Credential(secret="s"),), graph.base, graph.base, page=page)
        )
        self.mirror = Mirror()
        self.today = MONDAY
        self.ours: dict[str, Entry] = {}
        self.steady: set[Block] = set()
        self.polls = self.offered = 0

    @property
    def window(self) -> Interval:
        return Interval(self.today - 4 * DAY, self.today + 30 * DAY)

    @property
    def events(self) -> list[Event]:
        return [*self.graph.world.box(self.address).events.values()]

    def blocks(self, window: Interval) -> set[Block]:
        """What really stands in the calendar."""
        found = [one for event in self.events for one in event.instances(window.start, window.end)]
        kept = [one for one in found if not one.values.get("isCancelled") and one.span()[0] < one.span()[1]]
        names = [one.values.get("showAs", "busy") for one in kept]
        return {
            (*one.span(), BUSY.get(name) or BusyType(name), bool(one.values["isAllDay"]))
            for one, name in zip(kept, names, strict=True)
        }

    def mirrored(self, window: Interval) -> set[Block]:
        return {(o.interval.start, o.interval.end, o.busy, o.all_day) for o in self.mirror.busy(window)}

    # What happens

    def edit(self) -> None:
        acts = (self._book, self._book, self._repeat, self._change, self._change, self._date, self._drop, self._delete)
        self.dice.choice((*acts, self._move_series, self._days, self._write, self._rewrite, self._unwrite))()

    def poll(self, trouble: float) -> bool:
        """One pass, with edits between its pages; whether it ended well."""
        if self.dice.random() < trouble:
            self._meet_trouble()
        before = self.blocks(self.window)
        self.steady &= before
        try:
            self._read(trouble)
        except CalendarError:
            return False
        finally:
            self.graph.faults.clear()
        self.polls += 1
        after = self.blocks(self.window)
        missing = (self.steady & after) - self.mirrored(self.window)
        assert missing == set(), "free in the mirror, though it stood there through two polls"
        self.steady = before & after
        return True

    def settle(self) -> None:
        """Everything works again: the next round is clean."""
        while not self.poll(0.0):
            pass
        assert self.mirrored(self.window) == self.blocks(self.window)
        fresh = Mirror()
        fresh.follow(self.port, self.mailbox, self.window)
        assert self.mirror.busy(self.window) == fresh.busy(self.window)
        self.publish()

    def publish(self) -> None:
        """A pass in trouble and one in peace; afterwards nothing is offered that is taken."""
        self._meet_trouble()
        self.town.pass_over(self.port, self.mailbox.id, self.today)
        self.graph.faults.clear()
        assert self.town.pass_over(self.port, self.mailbox.id, self.today) in (Result.OK, Result.UNCHANGED)
        slots = self.town.offered(self.mailbox.id, self.today)
        taken = [
            Interval(start, end)
            for start, end, busy, _ in self.blocks(Interval(self.today, self.today + DAYS))
            if busy not in FREE_FOR_CALLS
        ]
        assert [slot for slot in slots if any(slot.overlaps(one) for one in taken)] == []
        self.offered += len(slots)

    def _meet_trouble(self) -> None:
        kind = self.dice.choice(TROUBLE)
        retry = {"retry_after": 0} if kind in ("throttle", "unavailable") else {}
        self.graph.faults.add(kind, "*", self.address, times=self.dice.randint(1, 3), **retry)

    def _read(self, trouble: float) -> None:
        client, ask = self.port.client, self.port.client.ask

        def between(*args: Any, **more: Any) -> bytes:
            answer = ask(*args, **more)
            if trouble and self.dice.random() < 0.15:
                self.edit_in_outlook()
            return answer

        client.ask = between  # type: ignore[method-assign]  # others work between its questions
        try:
            self.mirror.follow(self.port, self.mailbox, self.window, full=self.dice.random() < 0.05)
        except TokenExpired:
            self.mirror.follow(self.port, self.mailbox, self.window, full=True)
        finally:
            client.ask = ask  # type: ignore[method-assign]  # as it was

    def edit_in_outlook(self) -> None:
        self.dice.choice((self._book, self._change, self._date, self._drop, self._delete))()

    def _time(self) -> tuple[datetime, datetime]:
        start = self.today + timedelta(days=self.dice.randint(-3, 45), hours=self.dice.randint(5, 16))
        return start, start + timedelta(minutes=self.dice.choice((0, 30, 60, 1500)))

    def _book(self) -> None:
        start, end = self._time()
        self.graph.outlook.book(self.address, start, end, showAs=self.dice.choice(KINDS))

    def _days(self) -> None:
        first = (self.today + timedelta(days=self.dice.randint(-2, 40))).date()
        self.graph.outlook.days(self.address, first, first + timedelta(days=self.dice.randint(1, 4)))

    def _repeat(self) -> None:
        start, end = self._time()
        times = self.dice.choice((1, 4, 12, None))
        rule = weekly(_day(start), times, interval=self.dice.choice((1, 2)))
        self.graph.outlook.book(self.address, start, max(end, start), recurrence=rule, showAs=self.dice.choice(KINDS))

    def _change(self) -> None:
        singles = [one for one in self.events if one.recurrence is None and not one.values["isAllDay"]]
        if singles:
            start, end = self._time()
            self.graph.outlook.change(self.dice.choice(singles), start=start, end=end, showAs=self.dice.choice(KINDS))

    def _some_date(self) -> tuple[Event, date] | None:
        series = [one for one in self.events if one.recurrence is not None]
        if not series:
            return None
        event = self.dice.choice(series)
        dated = [one.original for one in event.instances(self.window.start, self.window.end) if one.original]
        return (event, self.dice.choice(dated)) if dated else None

    def _date(self) -> None:
        if found := self._some_date():
            start, end = self._time()
            changes = self.dice.choice(({"start": start, "end": end}, {"showAs": "free"}, {"isCancelled": True}))
            self.graph.outlook.change(*found, **changes)

    def _drop(self) -> None:
        if found := self._some_date():
            self.graph.outlook.drop(*found)

    def _move_series(self) -> None:
        series = [one for one in self.events if one.recurrence is not None]
        if series:
            start, end = self._time()
            self.graph.outlook.move_series(self.dice.choice(series), start, end, weekly(_day(start), 6))

    def _delete(self) -> None:
        if self.events:
            self.graph.outlook.delete(self.address, self.dice.choice(self.events))

    def _write(self) -> None:
        uid = f"m{self.dice.randint(1, 5)}@syncd"
        try:
            self.ours[uid] = self.port.create(self.mailbox, draft(uid, self._hour()))
        except CalendarError:
            self.ours.pop(uid, None)

    def _rewrite(self) -> None:
        if self.ours:
            uid = self.dice.choice(sorted(self.ours))
            generation = self.dice.randint(2, 99)
            try:
                self.ours[uid] = self.port.update(self.mailbox, self.ours[uid], draft(uid, self._hour(), generation))
            except CalendarError:
                self.ours.pop(uid, None)

    def _unwrite(self) -> None:
        if self.ours:
            uid = self.dice.choice(sorted(self.ours))
            try:
                self.port.delete(self.mailbox, self.ours.pop(uid))
            except CalendarError:
                return

    def _hour(self) -> Interval:
        return Interval.at(self._time()[0], 60)


def _day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(ZONE)).date()


@pytest.fixture(scope="module")
def graph() -> Iterator[GraphServer]:
    with GraphServer(seed=7) as server:
        server.door.application("app-1", secret="s")
        yield server


@pytest.fixture(scope="module", params=[FEW])
def town(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Published]:
    one = Published(tmp_path_factory.mktemp("town"), [f"life{seed}" for seed in request.param])
    yield one
    one.parts.close()


def live(graph: GraphServer, town: Published, seed: int, rounds: int) -> Life:
    life = Life(graph, town, seed)
    for _ in range(rounds):
        for _ in range(life.dice.randint(0, 4)):
            life.edit()
        life.poll(trouble=0.4)
        if life.dice.random() < 0.1:
            life.today += life.dice.randint(1, 6) * DAY
            life.steady = set()
        if life.dice.random() < 0.25:
            life.settle()
    life.settle()
    life.port.close()
    return life


@pytest.mark.parametrize("seed", FEW)
def test_the_mirror_ends_as_the_calendar_is_and_nothing_is_offered_that_is_taken(graph: GraphServer, town, seed: int):
    life = live(graph, town, seed, rounds=12)

    assert life.polls >= 4
    assert life.offered > 0


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("town", [MANY], indirect=True)
@pytest.mark.parametrize("first", MANY[::10])
def test_many_lives_end_the_same(graph: GraphServer, town: Published, first: int):
    assert [seed for seed in range(first, first + 10) if live(graph, town, seed, rounds=30).polls < 4] == []
