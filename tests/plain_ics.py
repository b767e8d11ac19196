"""Busy times the plain way, with icalendar and recurring-ical-events: rival in the benchmark, witness in properties."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from syncd.model.interval import Interval


def parsed(texts: Iterable[bytes]) -> list[Any]:
    """Each text as icalendar's objects."""
    return [icalendar.Calendar.from_ical(text) for text in texts]


def spans(calendars: Iterable[Any], zone: str, window: Interval) -> list[tuple[datetime, datetime]]:
    """Begin and end (UTC) of each instance that touches *window* and blocks, in order; floating times are in *zone*."""
    tz = ZoneInfo(zone)
    start, end = (moment.astimezone(tz) for moment in (window.start, window.end))
    found: list[tuple[datetime, datetime]] = []
    for calendar in calendars:
        for event in recurring_ical_events.of(calendar).between(start, end):
            if event.get("STATUS") == "CANCELLED" or event.get("TRANSP") == "TRANSPARENT":
                continue
            found.append((_utc(event["DTSTART"].dt, tz), _utc(event["DTEND"].dt, tz)))
    return sorted((a, b) for a, b in found if a < b and a < window.end and b > window.start)


def _utc(moment: date, tz: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=tz).astimezone(UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=tz)).astimezone(UTC)
