"""Whether an object that cannot be read lies, provably, outside the time that matters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from syncd.adapters.caldav.ics.event import Reader, read_periods
from syncd.adapters.caldav.ics.lines import Component, calendars
from syncd.adapters.caldav.ics.reading import ReadObject
from syncd.adapters.caldav.ics.refusal import Unparsable
from syncd.adapters.caldav.ics.zones import Clocks
from syncd.model.interval import Interval
from syncd.model.zones import clock

MARGIN: Final = timedelta(days=3)
"""More than any two clocks on earth, or a broken time zone, can differ by."""

_ENDLESS: Final = ("RRULE", "DURATION")


def read_outside(data: bytes, zone: str, window: Interval) -> ReadObject | None:
    """What is certain of an object that `read_object` refuses, if it proves that it does not touch *window*.

    Nothing begins before its DTSTART, RDATE and the like, whatever its rule says; and without a rule or DURATION
    nothing ends after its DTEND. The answer has no occurrences, and an empty memory, which `recall_object` refuses:
    so the object is fetched and judged again as soon as the window comes near. None when there is no such proof:
    dates that cannot be read, a text cut short, or other components that take time.
    """
    try:
        roots, blocks = calendars(data)
        parts = [part for root in roots for part in root.parts]
        reader = Reader(Clocks(blocks), clock(zone))
        if not parts or any(part.name in ("VFREEBUSY", "VAVAILABILITY") for part in parts):
            return None
        events = [part for part in parts if part.name == "VEVENT"]
        moments = [list(_moments(event, reader)) for event in events]
        if not events or not all(moments):
            return None
        first = min(moment for each in moments for moment in each) - MARGIN
        last = max(moment for each in moments for moment in each) + MARGIN
    except (Unparsable, OverflowError):
        return None
    ends = not any(name in event.lines for event in events for name in _ENDLESS)
    if window.end <= first or (ends and last <= window.start):
        return ReadObject("", (), b"", first, last if ends else None)
    return None


def _moments(event: Component, reader: Reader) -> Iterator[datetime]:
    """Every moment of one event that bounds its time; none at all without DTSTART.

    RECURRENCE-ID bounds nothing: the override is where its DTSTART says.
    """
    if "DTSTART" not in event.lines:
        return
    for name in ("DTSTART", "DTEND"):
        yield from (reader.when(rest).utc for rest in event.lines.get(name, []))
    for _, extra in read_periods(event, "RDATE", reader):
        yield extra.start.utc
        if extra.end is not None:
            yield extra.end.utc
        if extra.length is not None:
            yield extra.length.end(extra.start.wall, extra.start.clock, extra.start.utc)
