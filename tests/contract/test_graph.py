"""The Graph adapter keeps the contract on the simulated service, and every answer is as Microsoft's metadata has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.adapters.graph.rounds import mark_of
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.interval import Interval
from tests.contract.calendar_contract import WINDOW, CalendarContract
from tests.contract.hands import ZONE, weeks_later
from tests.environment import shared
from tests.servers.graph import GraphServer
from tests.servers.graph.recurrence import weekly
from tests.servers.graph.world import Event

NAMES = count(1)
NO_ZONE = {"dateTime": "2026-12-01T09:00:00.0000000", "timeZone": "tzone://Microsoft/Custom"}


class GraphHand:
    """What the owner of a mailbox does in Outlook."""

    def __init__(self, server: GraphServer, address: str) -> None:
        self.server = server
        self.address = address
        self.events: dict[str, Event] = {}

    def put(self, name: str, interval: Interval) -> None:
        event = self.events.get(name)
        if event is not None:
            event.raw = {}
            self.server.outlook.change(event, start=interval.start, end=interval.end)
        else:
            self.events[name] = self.server.outlook.book(self.address, interval.start, interval.end, subject=name)

    def put_days(self, name: str, first: date, last: date) -> None:
        self.events[name] = self.server.outlook.days(self.address, first, last + timedelta(days=1))

    def put_weekly(self, name: str, first: Interval, times: int, skip: int, moved: int, to: Interval) -> None:
        outlook, dates = self.server.outlook, [_day(weeks_later(first, n)) for n in (0, skip, moved)]
        event = outlook.book(self.address, first.start, first.end, recurrence=weekly(dates[0], times))
        self.events[name] = event
        outlook.drop(event, dates[1])
        outlook.change(event, dates[2], start=to.start, end=to.end)

    def spoil(self, name: str) -> None:
        start = WINDOW.start + timedelta(hours=30)
        self.events[name] = self.server.outlook.book(self.address, start, start + timedelta(hours=1))
        self.events[name].raw = {"start": NO_ZONE}

    def remove(self, name: str) -> None:
        self.server.outlook.delete(self.address, self.events.pop(name))

    def move(self, uid: str, interval: Interval) -> None:
        self.server.outlook.change(self._own(uid), start=interval.start, end=interval.end)

    def rename(self, uid: str, name: str) -> None:
        """A phone stores the same entry as a new event."""
        old, world = self._own(uid), self.server.world
        with world.lock:
            box = world.box(self.address)
            made = world.add(box, {**old.values, "transactionId": None}, old.zone)
            made.extended = dict(old.extended)
            world.remove(box, old)

    def forget_history(self) -> str:
        link = f"{self.server.url}/users/{self.address}/calendarView/delta?$deltatoken=nothing"
        mark = mark_of(self.server.url, self.address)
        return json.dumps([mark, link, WINDOW.start.isoformat(), WINDOW.end.isoformat()])

    def _own(self, uid: str) -> Event:
        events = self.server.world.box(self.address).events.values()
        return next(one for one in events if uid in one.extended.values())


def _day(interval: Interval) -> date:
    return interval.start.astimezone(ZoneInfo(ZONE)).date()


@pytest.fixture(scope="module")
def graph() -> Iterator[GraphServer]:
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml")) as server:
        server.door.application("app-1", secret="s3cret")
        yield server
        assert server.validator is not None
        assert server.validator.violations == []


@pytest.fixture(scope="module")
def port(graph: GraphServer) -> Iterator[GraphCalendar]:
    secret = (Credential(secret="s3cret"),)
    port = GraphCalendar(GraphAccount("main", "tenant-1", "app-1", secret, graph.base, graph.base, page=3))
    yield port
    port.close()


class TestGraph(CalendarContract):
    @pytest.fixture
    def hand(self, graph: GraphServer) -> GraphHand:
        address = f"box{next(NAMES)}@syncd.test"
        graph.mailbox(address)
        return GraphHand(graph, address)

    @pytest.fixture
    def mailbox(self, hand: GraphHand) -> Mailbox:
        return Mailbox(hand.address.partition("@")[0], MailboxKind.PERSON, "main", hand.address, ZONE)

    @pytest.fixture
    def stranger(self) -> Mailbox:
        return Mailbox("nobody", MailboxKind.PERSON, "main", "nobody@syncd.test", ZONE)
