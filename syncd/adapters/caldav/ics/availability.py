"""VAVAILABILITY: when somebody may be booked at all (RFC 7953)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.event import Event, Reader, read_event, read_uid, written
from syncd.adapters.caldav.ics.groups import expand_all
from syncd.adapters.caldav.ics.kind import FBTYPES
from syncd.adapters.caldav.ics.lines import Component
from syncd.adapters.caldav.ics.values import Length, When, duration
from syncd.model.busy import BusyType
from syncd.model.interval import Interval, merge, subtract

LOWEST = 10


@dataclass(frozen=True, slots=True)
class Availability:
    """One VAVAILABILITY.

    :param start, end: the time it speaks of; None for no limit.
    :param kind: how the time outside its AVAILABLE parts blocks.
    :param rank: 1 goes before 9; without PRIORITY, or with 0, it comes last (RFC 7953 3.1).
    """

    uid: str
    start: When | None
    end: When | None
    length: Length | None
    kind: BusyType
    rank: int
    open: tuple[Event, ...]

    @property
    def first(self) -> datetime | None:
        """Begin (UTC); None for no limit."""
        return self.start.utc if self.start else None

    @property
    def last(self) -> datetime | None:
        """End (UTC); None for no limit."""
        if self.start is not None and self.length is not None:
            return self.length.end(self.start.wall, self.start.clock, self.start.utc)
        return self.end.utc if self.end else None


def read_availability(component: Component, reader: Reader) -> Availability:
    """Read one VAVAILABILITY with its AVAILABLE parts.

    :raises Unparsable: a time or rule that cannot be read.
    """
    start, end, length = (component.first(name) for name in ("DTSTART", "DTEND", "DURATION"))
    priority = component.value("PRIORITY")
    return Availability(
        uid=read_uid(component),
        start=reader.when(start) if start else None,
        end=reader.when(end) if end else None,
        length=duration(length.rpartition(":")[2]) if length and not end else None,
        kind=FBTYPES.get(component.value("BUSYTYPE") or "BUSY-UNAVAILABLE", BusyType.BUSY),
        rank=int(priority) if priority in "123456789" and priority else LOWEST,
        open=tuple(read_event(part, reader) for part in component.parts if part.name == "AVAILABLE"),
    )


def closed(
    found: Iterable[Availability], reader: Reader, window: Interval, budget: Budget
) -> list[tuple[Interval, Availability]]:
    """The time in *window* that is not open, each span with the VAVAILABILITY that closes it (RFC 7953 5).

    Of two that speak of the same time, the one with the higher priority decides (RFC 7953 4).
    """
    undecided, result = [window], []
    for one in sorted(found, key=lambda each: each.rank):
        span = _clipped(one, window)
        if span is None:
            continue
        mine = [part for free in undecided if (part := free.clip(span))]
        expanded = expand_all(one.open, reader.home, window, budget)
        hours = merge(occurrence.interval for group in expanded for occurrence in group.occurrences)
        budget.step(len(mine) + len(hours))
        result += [(part, one) for part in without(mine, hours)]
        undecided = without(undecided, [span])
    return result


def without(spans: Sequence[Interval], blocks: Sequence[Interval]) -> list[Interval]:
    """What is left of *spans* without *blocks*; the blocks are sorted and disjoint."""
    left: list[Interval] = []
    for span in spans:
        start = bisect_right(blocks, span.start, key=attrgetter("end"))
        end = bisect_left(blocks, span.end, key=attrgetter("start"))
        left += subtract(span, blocks[start:end])
    return left


def _clipped(one: Availability, window: Interval) -> Interval | None:
    start = max(one.first or window.start, window.start)
    end = min(one.last or window.end, window.end)
    return Interval(start, end) if start < end else None


def availability_written(one: Availability) -> Iterator[str]:
    """The content lines we remember of it."""
    yield "BEGIN:VAVAILABILITY"
    if one.uid:
        yield f"UID:{one.uid}"
    if one.start is not None:
        yield one.start.written("DTSTART")
    if one.end is not None:
        yield one.end.written("DTEND")
    if one.length is not None:
        yield one.length.written("DURATION")
    yield f"PRIORITY:{one.rank % LOWEST}"
    yield f"BUSYTYPE:{next(word for word, kind in FBTYPES.items() if kind is one.kind)}"
    for event in one.open:
        yield from written(event, "AVAILABLE")
    yield "END:VAVAILABILITY"
