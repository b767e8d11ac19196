"""Other times that meetings could have, the nearest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby, islice

from syncd.errors import BookingError
from syncd.model.booking import Meeting
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.model.zones import wall_clock, whole_days
from syncd.publish import Publisher
from syncd.slots.table import SlotTable, Time
from syncd.store.instants import epoch, span

SEARCHED, BEFORE = timedelta(days=14), timedelta(days=2)
"""How far after a meeting another time is looked for, and how far before it."""
TIMES = 20
"""Most other times that are proposed for one meeting."""


class OtherTimes:
    """The times of some meetings whose caseworker is away; those of one offer and form share one answer.

    :param away: when the caseworker is not there.
    """

    def __init__(self, publisher: Publisher, meetings: Iterable[Meeting], away: Interval, now: datetime) -> None:
        self._publisher, self._away, self._now = publisher, away, now
        self._windows: dict[tuple[str, Form], tuple[date, date]] = {}
        for one in meetings:
            first, last = self._days(one)
            known = self._windows.get((one.offer, one.form), (first, last))
            self._windows[one.offer, one.form] = min(first, known[0]), max(last, known[1])
        self._found: dict[tuple[str, Form], tuple[SlotTable | None, Sequence[Time]]] = {}

    def of(self, meeting: Meeting) -> tuple[Slot, ...]:
        """Times of the same offer and form, the nearest first, with the same caseworker where two are as near."""
        window, start = whole_days(*self._days(meeting), meeting.zone), epoch(meeting.interval.start)
        first, last = epoch(window.start), epoch(window.end)
        table, times = self._times(meeting)
        if table is None:
            return ()
        near = [one for one in times if first <= one.start and one.end <= last and one.start != start]
        near.sort(key=lambda one: abs(one.start - start))
        return tuple(islice(self._slots(meeting, table, near, start), TIMES))

    def _slots(self, meeting: Meeting, table: SlotTable, near: Sequence[Time], start: int) -> Iterator[Slot]:
        for _, times in groupby(near, key=lambda one: abs(one.start - start)):
            found = ((one, who) for one in times for who in table.serving(one))
            for one, who in sorted(found, key=lambda each: (each[1] != meeting.caseworker, each[1])):
                interval = span(one.start, one.end)
                if who != meeting.caseworker or not interval.overlaps(self._away):
                    yield Slot(interval, who, one.form)

    def _times(self, meeting: Meeting) -> tuple[SlotTable | None, Sequence[Time]]:
        key = meeting.offer, meeting.form
        if key not in self._found:
            table = self._asked(meeting, *self._windows[key])
            self._found[key] = table, table.times() if table else ()
        return self._found[key]

    def _asked(self, meeting: Meeting, first: date, last: date) -> SlotTable | None:
        window = whole_days(first, last, meeting.zone)
        try:
            slots = self._publisher.answer(meeting.offer, window, self._now, form=meeting.form).slots
        except BookingError:
            return None
        return slots if isinstance(slots, SlotTable) else None

    def _days(self, meeting: Meeting) -> tuple[date, date]:
        """The first and last day that are searched; whole days, so that answers are remembered."""
        start, zone = meeting.interval.start, meeting.zone
        return (
            wall_clock(max(self._now, start - BEFORE), zone).date(),
            wall_clock(max(self._now, start) + SEARCHED, zone).date(),
        )
