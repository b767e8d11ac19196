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
        self._met: dict[str, tuple[str, str]] = {}
        self._paired: dict[str, tuple[str, str]] = {}
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
        expected = {one.place.path: one.token.ctag or self._ctag_of(one) for one in watched}
        marks = self._marks(home, CTAGS if all(expected.values()) else BOTH)
        still: list[MailboxId] = []
        for one in watched:
            item = marks.get(one.place.path.rstrip("/"))
            ctag = item.text(f"{CALENDARSERVER}getctag") if item else None
            sync = item.text(f"{DAV}sync-token") if item else None
            if (ctag and ctag == expected[one.place.path]) or (sync and sync == one.token.sync):
                still.append(one.mailbox)
                self._pair(one.place, sync, ctag)
            elif ctag:
                self._seen[one.place.path] = ctag
        return still

    def _ctag_of(self, one: Watched) -> str | None:
        """The CTag that was proved to belong to a sync-token."""
        sync, ctag = self._paired.get(one.place.path, (None, None))
        return ctag if sync == one.token.sync else None

    def _pair(self, place: Place, sync: str | None, ctag: str | None) -> None:
        """Find the CTag that belongs to a sync-token; CTags are cheaper to ask for.

        It is the one seen by a look, if the next look still meets the same token: nothing changed in between.
        The two of one answer prove nothing; a change may fall between them.
        """
        if sync and ctag:
            met = self._met.get(place.path)
            if met and met[0] == sync:
                self._paired[place.path] = met
            self._met[place.path] = (sync, ctag)

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
