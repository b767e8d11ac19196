"""The opening hours that a calendar's owner keeps on the server: CALDAV:calendar-availability (RFC 7953 7.2.4)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urljoin

from syncd.adapters.caldav.client import Client
from syncd.adapters.caldav.discovery import Place
from syncd.adapters.caldav.multistatus import CALDAV, CALENDARSERVER, DAV, Item, propfind
from syncd.errors import AccessDenied, CalendarNotFound
from syncd.model.delta import GroupKey

KEY: Final[GroupKey] = "?calendar-availability"
"""Under which the hours stand in the mirror; no object has such a name, for names are percent-encoded."""

HERE = propfind("C:calendar-availability", "S:calendar-availability", "D:owner")
INBOX = propfind("C:schedule-inbox-URL")
KEPT = propfind("C:calendar-availability", "S:calendar-availability")


class OpeningHours:
    """Reads the hours of calendars: the calendar's own, else those on its owner's scheduling inbox."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inboxes: dict[str, str | None] = {}

    def text(self, place: Place) -> bytes | None:
        """The VAVAILABILITY that holds for a calendar; None when its owner has set none.

        :raises AccessDenied: we may not see whether there are any; unknown hours are never open ones.
        """
        own = self._item(place.url, HERE)
        if own is None:
            return None
        if found := _availability(own):
            return found
        inbox = self._inbox(place, own)
        return self._kept(place, inbox) if inbox else None

    def _kept(self, place: Place, inbox: str) -> bytes | None:
        """What the owner's inbox has; some servers call one that we may not see not there."""
        try:
            item = self._item(inbox, KEPT)
        except AccessDenied as error:
            raise AccessDenied(f"{_unseen(place)}: {error} Or take opening_hours out of the account.") from error
        if item is None:
            raise AccessDenied(
                f"{_unseen(place)}: {self._client.host} names an inbox of its owner, but does not show it to user "
                f"{self._client.account.username!r}. Give it access, or take opening_hours out of the account."
            )
        return _availability(item)

    def _inbox(self, place: Place, own: Item) -> str | None:
        """The scheduling inbox of the calendar's owner (RFC 6638 2.2); None where the server has none."""
        if place.path not in self._inboxes:
            owner = next(iter(own.hrefs(f"{DAV}owner")), None)
            principal = self._item(urljoin(place.url, owner), INBOX) if owner else None
            inbox = next(iter(principal.hrefs(f"{CALDAV}schedule-inbox-URL")), None) if principal else None
            self._inboxes[place.path] = urljoin(place.url, inbox) if inbox else None
        return self._inboxes[place.path]

    def _item(self, url: str, body: bytes) -> Item | None:
        """What a PROPFIND says of one resource; None when there is none."""
        try:
            answer, _ = self._client.multistatus("PROPFIND", url, body)
        except CalendarNotFound:
            return None
        found = answer.items[0] if answer.items else None
        if found is not None and found.refused in (401, 403):
            raise AccessDenied(f"{self._client.host} does not show it to user {self._client.account.username!r}.")
        return found


def _unseen(place: Place) -> str:
    return f"The opening hours of {place.path} cannot be read"


def _availability(item: Item) -> bytes | None:
    text = item.text(f"{CALDAV}calendar-availability") or item.text(f"{CALENDARSERVER}calendar-availability")
    return text.encode() if text else None
