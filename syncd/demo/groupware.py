"""A calendar program as staff use it: plain CalDAV over HTTP (RFC 4791), knowing nothing of syncd."""

from __future__ import annotations

import uuid
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import httpx2
import icalendar
from lxml import etree

from syncd.model.interval import Interval
from syncd.model.zones import wall_clock

_SECONDS = 20
_HREFS = """<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/></d:prop>
<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="{start}" end="{end}"/>
</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"""


@dataclass(frozen=True, slots=True)
class Item:
    """One single event as a GET of its object shows it."""

    url: str
    etag: str
    calendar: icalendar.Calendar

    @property
    def event(self) -> Any:
        """Its VEVENT."""
        return self.calendar.walk("VEVENT")[0]

    @property
    def uid(self) -> str:
        """UID."""
        return str(self.event["UID"])

    @property
    def summary(self) -> str:
        """SUMMARY, or nothing."""
        return str(self.event.get("SUMMARY", ""))

    @property
    def start(self) -> datetime | None:
        """Begin in UTC; None for an all-day entry."""
        begins = self.event["DTSTART"].dt
        return begins.astimezone(UTC) if isinstance(begins, datetime) else None

    @property
    def end(self) -> datetime | None:
        """End in UTC; None for an all-day entry, or one that lasts no time."""
        ends = self.event["DTEND"].dt if "DTEND" in self.event else None
        return ends.astimezone(UTC) if isinstance(ends, datetime) else None

    @property
    def location(self) -> str:
        """LOCATION, or nothing."""
        return str(self.event.get("LOCATION", ""))

    @property
    def rooms(self) -> tuple[str, ...]:
        """Mail addresses of the attendees that are rooms (CUTYPE=ROOM, RFC 5545 3.2.3)."""
        invited = self.event.get("ATTENDEE", [])
        people = invited if isinstance(invited, list) else [invited]
        return tuple(str(one).removeprefix("mailto:") for one in people if one.params.get("CUTYPE") == "ROOM")


class Groupware:
    """One person's or room's calendar, opened with that account's own password."""

    def __init__(self, url: str, account: str, password: str) -> None:
        self._url = url
        self._http = httpx2.Client(auth=(account, password), timeout=_SECONDS)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def items(self, span: Interval) -> list[Item]:
        """Every single event that touches *span*: a query for the addresses, then one GET each.

        What goes between the query and its GET is gone, and left out.
        """
        query = _HREFS.format(start=f"{span.start:%Y%m%dT%H%M%SZ}", end=f"{span.end:%Y%m%dT%H%M%SZ}")
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        answer = self._asked("REPORT", self._url, content=query, headers=headers)
        hrefs = etree.fromstring(answer.content).iterfind("{DAV:}response/{DAV:}href")
        found = [self._get(urljoin(self._url, str(href.text))) for href in hrefs]
        return [item for item in found if item is not None]

    def add(self, span: Interval, summary: str, zone: str, categories: tuple[str, ...] = ()) -> str:
        """Put a new event into the calendar, as its owner would; the event's URL."""
        event = icalendar.Event()
        for name, value in (("UID", str(uuid.uuid4())), ("DTSTAMP", span.start), ("SUMMARY", summary)):
            event.add(name, value)
        event.add("DTSTART", wall_clock(span.start, zone))
        event.add("DTEND", wall_clock(span.end, zone))
        if categories:
            event.add("CATEGORIES", list(categories))
        calendar = icalendar.Calendar()
        calendar.add("VERSION", "2.0")
        calendar.add("PRODID", "-//Byhavn//somebody's telephone//DA")
        calendar.add_component(event)
        url = urljoin(self._url, f"{event['UID']}.ics")
        self._put(url, calendar, {"If-None-Match": "*"})
        return url

    def move(self, item: Item, span: Interval, zone: str) -> None:
        """Drag an event to another time, as its owner would; everything else in it stays as it is."""
        calendar = deepcopy(item.calendar)
        event = calendar.walk("VEVENT")[0]
        for name, moment in (("DTSTART", span.start), ("DTEND", span.end)):
            del event[name]
            event.add(name, wall_clock(moment, zone))
        sequence = int(event.get("SEQUENCE", 0))
        event.pop("SEQUENCE", None)
        event.add("SEQUENCE", sequence + 1)
        self._put(item.url, calendar, {"If-Match": item.etag})

    def _get(self, url: str) -> Item | None:
        answer = self._http.get(url)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        return Item(url, answer.headers["ETag"], icalendar.Calendar.from_ical(answer.text))

    def _put(self, url: str, calendar: icalendar.Calendar, condition: dict[str, str]) -> None:
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        self._asked("PUT", url, content=calendar.to_ical(), headers=headers)

    def _asked(self, method: str, url: str, **more: Any) -> httpx2.Response:
        return self._http.request(method, url, **more).raise_for_status()
