"""The CalDAV adapter keeps the contract on real servers, each a process of its own on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from syncd.adapters.caldav.calendar import CaldavCalendar
from syncd.adapters.caldav.changes import Token
from syncd.adapters.caldav.client import CaldavAccount
from syncd.adapters.caldav.discovery import Place
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.interval import Interval
from tests.contract.calendar_contract import WINDOW, CalendarContract
from tests.contract.hands import ZONE, DavHand, calendar_text, lines_text
from tests.servers.cyrus import cyrus
from tests.servers.dav import DavServer
from tests.servers.radicale import radicale
from tests.servers.sabredav import sabredav
from tests.servers.xandikos import xandikos

NAMES = count(1)


class CaldavContract(CalendarContract):
    """Wanted of a subclass: a fixture ``server``."""

    @pytest.fixture
    def hand(self, server: DavServer) -> Iterator[DavHand]:
        path = server.make_calendar(f"box{next(NAMES)}")
        yield DavHand(server, path)
        # Cyrus lets a UID stand only once in all calendars of a user.
        server.delete(path)

    @pytest.fixture
    def mailbox(self, server: DavServer, hand: DavHand) -> Mailbox:
        name = hand.path.rstrip("/").rpartition("/")[2]
        return Mailbox(name, MailboxKind.PERSON, "main", f"{name}@syncd.test", ZONE)

    @pytest.fixture
    def stranger(self, server: DavServer) -> Mailbox:
        return Mailbox("nobody", MailboxKind.PERSON, "main", "nobody@syncd.test", ZONE, f"{server.home}nobody/")

    @pytest.fixture
    def port(self, server: DavServer, hand: DavHand) -> Iterator[CaldavCalendar]:
        port = CaldavCalendar(CaldavAccount("main", server.url, server.username or None, server.password or None))
        yield port
        port.close()

    @pytest.fixture(autouse=True)
    def _garbage_token(self, port: CaldavCalendar, mailbox: Mailbox, hand: DavHand) -> None:
        mark = Place.at(hand.server.url.rstrip("/") + hand.path).mark
        hand.garbage = Token(mark, None, "http://example.invalid/never-issued").encode() or ""

    def test_an_unreadable_object_far_away_is_no_trouble_until_the_window_comes_near(self, port, mailbox, hand, mirror):
        times = "DTSTART:20310601T090000Z\r\nDTEND:20310601T090030Z\r\nRRULE:FREQ=SECONDLY"
        hand.server.put(f"{hand.path}far.ics", calendar_text(lines_text("far", times)))

        mirror.follow(port, mailbox, WINDOW)
        before = dict(mirror.unreadable)
        mirror.follow(port, mailbox, Interval(WINDOW.start, datetime(2031, 7, 1, tzinfo=UTC)))

        assert before == {}
        assert len(mirror.unreadable) == 1


@pytest.fixture(scope="session")
def radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="session")
def xandikos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    with xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture(scope="session")
def cyrus_server() -> Iterator[DavServer]:
    with cyrus() as server:
        yield server


@pytest.fixture(scope="session")
def sabredav_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    with sabredav(tmp_path_factory.mktemp("sabredav")) as server:
        yield server


class TestRadicale(CaldavContract):
    @pytest.fixture
    def server(self, radicale_server: DavServer) -> DavServer:
        return radicale_server


class TestXandikos(CaldavContract):
    @pytest.fixture
    def server(self, xandikos_server: DavServer) -> DavServer:
        return xandikos_server


@pytest.mark.broad
class TestCyrus(CaldavContract):
    @pytest.fixture
    def server(self, cyrus_server: DavServer) -> DavServer:
        return cyrus_server


@pytest.mark.broad
class TestSabreDav(CaldavContract):
    @pytest.fixture
    def server(self, sabredav_server: DavServer) -> DavServer:
        return sabredav_server
