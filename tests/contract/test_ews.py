"""The Exchange adapter keeps the contract on the simulated server, whichever way the service account proves itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from syncd.adapters.ews.account import EwsAccount, TokenSource
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.adapters.ews.look import mark_of
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.interval import Interval
from tests.contract.calendar_contract import CalendarContract
from tests.contract.hands import ZONE, weeks_later
from tests.environment import shared
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.recurrence import DAYS, Recurrence
from tests.servers.exchange.wire import EwsError

NAMES = count(1)
ROOM = "r204@syncd.test"


class EwsHand:
    """What the owner of a mailbox does in Outlook."""

    def __init__(self, server: ExchangeServer, address: str) -> None:
        self.server = server
        self.address = address
        self.uids: dict[str, str] = {}

    def put(self, name: str, interval: Interval) -> None:
        box = self.server.world.box(self.address)
        entry = box.by_uid(self.uids.get(name, "-"))
        if entry is not None and not entry.values.get("Corrupt"):
            self.server.outlook.change(self.address, entry.uid, Start=interval.start, End=interval.end)
            return
        if entry is not None:
            self.remove(name)
        self.uids[name] = self.server.outlook.book(self.address, interval.start, interval.end, Subject=name)

    def put_days(self, name: str, first: date, last: date) -> None:
        start, end = (datetime.combine(day, time(), ZoneInfo(ZONE)) for day in (first, last + timedelta(days=1)))
        self.uids[name] = self.server.outlook.book(self.address, start, end, IsAllDayEvent=True)

    def put_weekly(self, name: str, first: Interval, times: int, skip: int, moved: int, to: Interval) -> None:
        day = first.start.astimezone(ZoneInfo(ZONE)).date()
        rule = Recurrence("Weekly", day, days=(DAYS[day.weekday()],), times=times)
        uid = self.server.outlook.book(self.address, first.start, first.end, recurrence=rule)
        self.uids[name] = uid
        self.server.outlook.delete(self.address, uid, weeks_later(first, skip).start)
        try:
            self.server.outlook.move(self.address, uid, to.start, to.end, original=weeks_later(first, moved).start)
        except EwsError:  # Exchange lets no date pass its neighbours; people then make a new entry of it
            self.server.outlook.delete(self.address, uid, weeks_later(first, moved).start)
            self.server.outlook.book(self.address, to.start, to.end)

    def spoil(self, name: str) -> None:
        now = datetime(2026, 12, 1, 9, tzinfo=ZoneInfo(ZONE))
        self.uids[name] = self.server.outlook.book(self.address, now, now + timedelta(hours=1), Corrupt=True)

    def remove(self, name: str) -> None:
        self.server.outlook.delete(self.address, self.uids.pop(name))

    def move(self, uid: str, interval: Interval) -> None:
        self.server.outlook.move(self.address, uid, interval.start, interval.end)

    def rename(self, uid: str, name: str) -> None:
        """A phone stores the same entry as a new item."""
        world = self.server.world
        with world.lock:
            box = world.box(self.address)
            old = box.by_uid(uid)
            assert old is not None
            made = world.add(box, "calendar", "CalendarItem", deepcopy(old.values))
            made.extended = dict(old.extended)
            world.remove(box, old)

    def forget_history(self) -> str:
        return json.dumps([mark_of(self.server.url, self.address), "bm90aGluZw=="])


@pytest.fixture(scope="session")
def exchange() -> Iterator[ExchangeServer]:
    with ExchangeServer(shared("reference/ews-xsd")) as server:
        server.account("svc-syncd", "geheim", impersonates=True)
        server.application("app-1", "s3cret")
        server.room(ROOM, "Lokale 2.04, 1. sal")
        yield server
        assert "\n".join(server.violations) == ""


class EwsContract(CalendarContract):
    """Wanted of a subclass: ``account``, how the service account proves itself."""

    account: Callable[[ExchangeServer], EwsAccount]

    @pytest.fixture
    def hand(self, exchange: ExchangeServer) -> EwsHand:
        address = f"box{next(NAMES)}@syncd.test"
        exchange.mailbox(address)
        return EwsHand(exchange, address)

    @pytest.fixture
    def mailbox(self, hand: EwsHand) -> Mailbox:
        return Mailbox(hand.address.partition("@")[0], MailboxKind.PERSON, "main", hand.address, ZONE)

    @pytest.fixture
    def stranger(self) -> Mailbox:
        return Mailbox("nobody", MailboxKind.PERSON, "main", "nobody@syncd.test", ZONE)

    @pytest.fixture
    def port(self, exchange: ExchangeServer) -> Iterator[EwsCalendar]:
        port = EwsCalendar(self.account(exchange))
        yield port
        port.close()


class TestNtlm(EwsContract):
    def account(self, server: ExchangeServer) -> EwsAccount:
        return EwsAccount("main", server.url, "ntlm", "DOM\\svc-syncd", "geheim")


@pytest.mark.broad
class TestBasic(EwsContract):
    def account(self, server: ExchangeServer) -> EwsAccount:
        return EwsAccount("main", server.url, "basic", "svc-syncd", "geheim")


@pytest.mark.broad
class TestOAuth(EwsContract):
    def account(self, server: ExchangeServer) -> EwsAccount:
        tokens = TokenSource(server.token_url, "app-1", "s3cret", "https://exchange.test/.default")
        return EwsAccount("main", server.url, "oauth", tokens=tokens)
