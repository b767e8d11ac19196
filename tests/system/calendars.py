"""The kinds of calendar server that the whole service is tried on; a new one is a class and a line here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

from tests.servers.cyrus import cyrus
from tests.servers.dav import DavServer
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.model import Sight
from tests.servers.graph import GraphServer
from tests.servers.graph.world import Event
from tests.servers.radicale import radicale
from tests.servers.sabredav import sabredav
from tests.servers.xandikos import xandikos
from tests.system.history import spans

_PROPFIND = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
_TIME = re.compile(r"((?:DTSTART|DTEND)[^\r\n]*?:)(\d{8}T\d{6})")
SERVICE, PASSWORD = "svc-syncd", "geheim"


class Calendars(Protocol):
    """A server as the service's configuration names it, and a hand in its calendars that knows nothing of syncd."""

    @property
    def url(self) -> str:
        """Where clients find it."""

    @property
    def password(self) -> str:
        """Of the account below; empty without one."""

    def at(self, url: str) -> Self:
        """The same server, found elsewhere (through a proxy)."""

    def account(self) -> str:
        """The lines of ``[calendars.main]``."""

    def place(self, owner: str) -> str:
        """The line that names somebody's calendar in configuration; empty where the address is enough."""

    def make_calendar(self, owner: str) -> object:
        """A calendar for a person, or for a room, whose names begin with ``lokale``."""

    def texts(self, owner: str) -> list[str]:
        """All entries of a calendar as iCalendar."""

    def drag(self, owner: str, by: timedelta) -> datetime:
        """Move the only entry of a calendar; returns its new start."""


@dataclass(frozen=True)
class Dav:
    """A CalDAV server, by plain WebDAV."""

    dav: DavServer

    @property
    def url(self) -> str:
        """See `Calendars`."""
        return self.dav.url

    @property
    def password(self) -> str:
        """See `Calendars`."""
        return self.dav.password

    def at(self, url: str) -> Dav:
        """See `Calendars`."""
        return Dav(replace(self.dav, url=url))

    def account(self) -> str:
        """See `Calendars`."""
        login = f'username = "{self.dav.username}"\npassword = {{file = "password"}}' if self.dav.username else ""
        return f'adapter = "caldav"\nurl = "{self.url}"\n{login}'

    def place(self, owner: str) -> str:
        """See `Calendars`."""
        return f'url = "{self.dav.home}{owner}/"'

    def make_calendar(self, owner: str) -> object:
        """See `Calendars`."""
        return self.dav.make_calendar(owner)

    def texts(self, owner: str) -> list[str]:
        """See `Calendars`."""
        return [text for href in self._hrefs(owner) if (text := self.dav.get(href)) is not None]

    def drag(self, owner: str, by: timedelta) -> datetime:
        """See `Calendars`."""
        (href,) = self._hrefs(owner)
        text = self.dav.get(href)
        assert text is not None

        def later(match: re.Match[str]) -> str:
            return f"{match[1]}{datetime.strptime(match[2], '%Y%m%dT%H%M%S') + by:%Y%m%dT%H%M%S}"

        head = text[: text.index("BEGIN:VEVENT")]
        changed = head + _TIME.sub(later, text[len(head) :])
        self.dav.put(href, changed)
        ((start, _),) = spans(changed)
        return start

    def _hrefs(self, owner: str) -> list[str]:
        listing = self.dav.request("PROPFIND", f"{self.dav.home}{owner}/", _PROPFIND, Depth="1").text
        return [href for href in re.findall(r"<(?:\w+:)?href>([^<]+)</", listing) if href.endswith(".ics")]


@dataclass(frozen=True)
class Exchange:
    """The simulated Exchange server, by the hand of its Outlook.

    :param beyond: a proxy stands between: neither NTLM, which belongs to a connection, nor streams get through it.
    """

    exchange: ExchangeServer
    url: str
    beyond: bool = False
    password: str = PASSWORD

    def at(self, url: str) -> Exchange:
        """See `Calendars`."""
        return replace(self, url=f"{url}EWS/Exchange.asmx", beyond=True)

    def account(self) -> str:
        """See `Calendars`."""
        login = f'username = "{SERVICE}"\npassword = {{file = "password"}}'
        special = '\news = {auth = "basic", streaming = false}' if self.beyond else ""
        return f'adapter = "ews"\nurl = "{self.url}"\n{login}{special}'

    def place(self, owner: str) -> str:
        """See `Calendars`."""
        return ""

    def make_calendar(self, owner: str) -> object:
        """See `Calendars`."""
        make = self.exchange.room if owner.startswith("lokale") else self.exchange.mailbox
        return make(_address(owner), owner)

    def texts(self, owner: str) -> list[str]:
        """See `Calendars`."""
        return [_event(one.start, one.end) for one in self._seen(owner)]

    def drag(self, owner: str, by: timedelta) -> datetime:
        """See `Calendars`."""
        (one,) = self._seen(owner)
        start = one.start.astimezone(UTC) + by
        self.exchange.outlook.move(_address(owner), str(one.values["UID"]), start)
        return start

    def _seen(self, owner: str) -> list[Sight]:
        now = datetime.now(UTC)
        return self.exchange.outlook.calendar(_address(owner), now - timedelta(days=1), now + timedelta(days=60))


@dataclass(frozen=True)
class Graph:
    """The simulated Microsoft Graph, by the hand of its Outlook."""

    graph: GraphServer
    url: str
    password: str = PASSWORD

    def at(self, url: str) -> Graph:
        """See `Calendars`; the links in answers lead there, too."""
        self.graph.url = f"{url}v1.0"
        return replace(self, url=url)

    def account(self) -> str:
        """See `Calendars`."""
        root = self.url.rstrip("/")
        reach = f'secret = {{file = "password"}}, graph_url = "{root}", login_url = "{root}"'
        return f'adapter = "graph"\ngraph = {{tenant = "tenant-1", client_id = "{SERVICE}", {reach}}}'

    def place(self, owner: str) -> str:
        """See `Calendars`."""
        return ""

    def make_calendar(self, owner: str) -> object:
        """See `Calendars`."""
        make = self.graph.room if owner.startswith("lokale") else self.graph.mailbox
        return make(_address(owner), owner)

    def texts(self, owner: str) -> list[str]:
        """See `Calendars`."""
        return [_event(*one.whole().span()) for one in self._seen(owner)]

    def drag(self, owner: str, by: timedelta) -> datetime:
        """See `Calendars`."""
        (one,) = self._seen(owner)
        start, end = one.whole().span()
        self.graph.outlook.change(one, start=start + by, end=end + by)
        return start + by

    def _seen(self, owner: str) -> list[Event]:
        with self.graph.world.lock:
            self.graph.world.settle()
            events = self.graph.world.boxes[_address(owner)].events.values()
            return [one for one in events if not one.values.get("isCancelled")]


def _address(owner: str) -> str:
    return f"{owner}@example.dk"


def _event(start: datetime, end: datetime) -> str:
    times = (f"{name}:{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for name, moment in (("DTSTART", start), ("DTEND", end)))
    return "\r\n".join(["BEGIN:VEVENT", *times, "END:VEVENT"])


Kind = Callable[[Path], AbstractContextManager[Calendars]]


def _dav(kind: Callable[[Path], AbstractContextManager[DavServer]]) -> Kind:
    @contextmanager
    def running(folder: Path) -> Iterator[Calendars]:
        with kind(folder) as server:
            yield Dav(server)

    return running


@contextmanager
def _exchange(_folder: Path) -> Iterator[Calendars]:
    with ExchangeServer() as server:
        server.account(SERVICE, PASSWORD, impersonates=True)
        yield Exchange(server, server.url)


@contextmanager
def _graph(_folder: Path) -> Iterator[Calendars]:
    with GraphServer() as server:
        server.door.application(SERVICE, PASSWORD)
        yield Graph(server, server.base)


KINDS: dict[str, Kind] = {
    "radicale": _dav(radicale),
    "exchange": _exchange,
    "graph": _graph,
    "xandikos": _dav(xandikos),
    "cyrus": _dav(lambda _folder: cyrus()),
    "sabredav": _dav(sabredav),
}
ROOMLESS = {"cyrus"}
"""One user of Cyrus may have a UID in one calendar only, and ours has the room's calendar, too: talks by telephone."""
