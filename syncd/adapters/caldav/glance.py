"""One look at a whole calendar home that tells which of its calendars did not change at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from syncd.adapters.caldav.changes import Token
from syncd.adapters.caldav.client import Client
from syncd.adapters.caldav.discovery import Discovery, Place
from syncd.adapters.caldav.multistatus import CALENDARSERVER, DAV, Item, canonical, propfind
from syncd.errors import AccessDenied, CalendarError, CalendarNotFound, NotACalendar
from syncd.model.delta import Since
from syncd.model.directory import Mailbox, MailboxId

CTAGS = propfind("S:getctag")
BOTH = propfind("S:getctag", "D:sync-token")


@dataclass(frozen=True, slots=True)
class Watched:
    """A calendar and the marks it had when it was last read."""

    mailbox: MailboxId
    place: Place
    token: Token


class Glance:
    """Compares the CTags (or sync-tokens) of all calendars of a home, asked for in one request.

    It is only ever used to say "nothing changed". A CTag seen here, before a calendar is read, goes into the token
    that reading ends with: whatever it counts, the reading has seen.
    """

    def __init__(self, client: Client, discovery: Discovery) -> None:
        self._client = client
        self._discovery = discovery
        self._seen: dict[str, str] = {}
        self._useless: set[str] = set()

    def unchanged(self, asked: Collection[tuple[Mailbox, Since]]) -> frozenset[MailboxId]:
        """Those of *asked* that surely did not change; a server in trouble is met again by whoever reads it."""
        homes: dict[str, list[Watched]] = defaultdict(list)
        for mailbox, since in asked:
            place = self._discovery.known(mailbox)
            token = Token.decode(since.token, place) if place else None
            if place and token:
                homes[urljoin(place.url, "..")].append(Watched(mailbox.id, place, token))
        # A home with one calendar is read by one request anyway.
        return frozenset(
            one for home, watched in homes.items() if len(watched) > 1 for one in self._look(home, watched)
        )

    def take(self, place: Place) -> str | None:
        """The CTag of a calendar as last seen, once."""
        return self._seen.pop(place.path, None)

    def _look(self, home: str, watched: list[Watched]) -> list[MailboxId]:
        if home in self._useless:
            return []
        marks = self._marks(home, CTAGS if all(w.token.ctag for w in watched) else BOTH)
        still: list[MailboxId] = []
        for one in watched:
            item = marks.get(one.place.path.rstrip("/"))
            if item is None:
                continue
            ctag, sync = item.text(f"{CALENDARSERVER}getctag"), item.text(f"{DAV}sync-token")
            if (ctag and ctag == one.token.ctag) or (one.token.ctag is None and sync and sync == one.token.sync):
                still.append(one.mailbox)
            elif ctag:
                self._seen[one.place.path] = ctag
        return still

    def _marks(self, home: str, body: bytes) -> Mapping[str, Item]:
        """The calendars directly below *home*, by canonical path without the last slash."""
        try:
            answer, _ = self._client.multistatus("PROPFIND", home, body, depth="1")
        except (AccessDenied, CalendarNotFound, NotACalendar):
            # A home that is not ours to list; the calendars are read one by one.
            self._useless.add(home)
            return {}
        except CalendarError:
            return {}
        return {canonical(item.href).rstrip("/"): item for item in answer.items if item.status == 200}
