"""Half-open spans of UTC time and their arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

_START = attrgetter("start")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """``start`` is inside, ``end`` is not (RFC 5545: DTEND is exclusive); both in UTC, never empty."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError(f"interval bounds must be UTC: {self.start!r}, {self.end!r}")
        if self.start >= self.end:
            raise ValueError(f"interval must not be empty: {self.start} .. {self.end}")

    @classmethod
    def at(cls, start: datetime, minutes: int) -> Interval:
        """The interval that begins at *start* and lasts *minutes*."""
        return cls(start, start + timedelta(minutes=minutes))

    @property
    def duration(self) -> timedelta:
        """Exact length."""
        return self.end - self.start

    def overlaps(self, other: Interval) -> bool:
        """Whether the two share an instant; touching is not overlapping."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Interval) -> bool:
        """Whether *other* lies wholly inside."""
        return self.start <= other.start and other.end <= self.end

    def clip(self, window: Interval) -> Interval | None:
        """The part inside *window*, or None."""
        start, end = max(self.start, window.start), min(self.end, window.end)
        return Interval(start, end) if start < end else None

    def padded(self, before: timedelta, after: timedelta) -> Interval:
        """The interval with its buffers."""
        return Interval(self.start - before, self.end + after)


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted, disjoint cover of the same instants; touching intervals become one."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=_START):
        if merged and interval.start <= merged[-1].end:
            if interval.end > merged[-1].end:
                merged[-1] = Interval(merged[-1].start, interval.end)
        else:
            merged.append(interval)
    return merged


def subtract(span: Interval, blocks: Sequence[Interval]) -> list[Interval]:
    """What is left of *span* without *blocks*, which are sorted by start (overlaps allowed)."""
    left: list[Interval] = []
    start = span.start
    for block in blocks:
        if block.end <= start:
            continue
        if block.start >= span.end:
            break
        if block.start > start:
            left.append(Interval(start, block.start))
        start = max(start, block.end)
    if start < span.end:
        left.append(Interval(start, span.end))
    return left


def intersect(one: Sequence[Interval], other: Sequence[Interval]) -> list[Interval]:
    """The instants in both; each argument is sorted and disjoint."""
    common: list[Interval] = []
    i = j = 0
    while i < len(one) and j < len(other):
        if part := one[i].clip(other[j]):
            common.append(part)
        if one[i].end <= other[j].end:
            i += 1
        else:
            j += 1
    return common
