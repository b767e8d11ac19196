"""From when to when one instance lasts (RFC 5545 3.6.1, 3.8.2.2, 3.8.5.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from syncd.adapters.caldav.ics.event import Event
from syncd.adapters.caldav.ics.values import Length, When, at
from syncd.model.busy import Occurrence
from syncd.model.interval import Interval

_NOTHING: Final = timedelta(0)
_NO_LENGTH: Final = Length(0, _NOTHING)
_ONE_DAY: Final = Length(1, _NOTHING)


class Placed(NamedTuple):
    """An instance where it is now.

    :param begin, end: UTC.
    :param original: where the rule put it (UTC); None for a single event.
    """

    event: Event
    all_day: bool
    begin: datetime
    end: datetime
    original: datetime | None

    def touches(self, window: Interval) -> bool:
        """Whether it has a part inside *window*; what lasts no time has none."""
        return self.begin < window.end and window.start < self.end and self.begin < self.end

    def occurrence(self, window: Interval) -> Occurrence | None:
        """The occurrence; None when it is cancelled or has no part in *window*."""
        event = self.event
        if event.kind is None or not self.touches(window):
            return None
        return Occurrence(
            uid=event.uid,
            original_start=self.original,
            interval=Interval(self.begin, self.end),
            busy=event.kind,
            all_day=self.all_day,
            recurring=self.original is not None,
            categories=event.categories,
            guest=event.guest,
            stamp=event.stamp,
        )


def length_of(event: Event) -> Length:
    """How long each instance lasts: by DTEND exactly, by DURATION nominally (RFC 5545 3.8.5.3).

    Without either a date lasts its day and a time no time (3.6.1); a DTEND equal to its DTSTART date, which is wrong
    but common, means that day.
    """
    start, end = event.start, event.end
    if end is None:
        length = event.length or _NO_LENGTH
        return _ONE_DAY if start.is_date and length == _NO_LENGTH else length
    if start.is_date and end.is_date:
        return Length((end.wall - start.wall).days or 1, _NOTHING)
    exact = end.utc - start.utc
    walls = end.wall - start.wall
    if exact <= _NOTHING < walls and end.clock is start.clock:
        exact = walls  # it begins in the gap of the spring night; the length on the clock is kept
    return Length(0, exact)


def placed(
    event: Event, start: When, length: Length, original: datetime | None, begin: datetime | None = None
) -> Placed:
    """The instance of *event* at *start*, of which *begin* is the instant when that is known already.

    What ends before it begins (against 3.8.2.2) blocks from the earlier to the later, dates with their last day.
    """
    begin = begin or start.utc
    end = length.end(start.wall, start.clock, begin)
    if end < begin:
        begin, end = end, at(start.wall + timedelta(days=1), start.clock) if start.is_date else begin
    return Placed(event, start.is_date, begin, end, original)
