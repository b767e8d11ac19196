"""Time that is shut to citizens, or kept for immediate booking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from syncd.model.offer import AvailabilityRule, Reserve
from syncd.slots.grid import Cells, Grid, Span
from syncd.slots.hours import dates_around, joined, weekly_spans


@lru_cache(maxsize=256)
def opening(rules: tuple[AvailabilityRule, ...], grid: Grid, zone: str) -> Cells:
    """The cells in which a site is open; everything when nothing is said of it."""
    if not rules:
        return grid.everything
    dates = dates_around(grid.base, grid.end)
    return grid.inside(joined(span for day in dates for span in weekly_spans(rules, day, zone)))


def kept(reserve: Reserve, grid: Grid, now: datetime, zone: str) -> Cells:
    """The cells that everybody else must leave to immediate booking, at *now*."""
    return grid.touched(span for span, until in _stretches(reserve, grid, zone) if now.timestamp() < until)


def released_next(reserve: Reserve, grid: Grid, now: datetime, zone: str) -> int | None:
    """When the next stretch of the grid becomes everybody's (epoch seconds); None when none will."""
    return min((until for _, until in _stretches(reserve, grid, zone) if until > now.timestamp()), default=None)


def released(reserve: Reserve, grid: Grid, now: datetime, zone: str, meeting: Span) -> int:
    """When all that is kept now of a meeting's time becomes everybody's (epoch seconds)."""
    return max(
        until
        for (start, end), until in _stretches(reserve, grid, zone)
        if now.timestamp() < until and start < meeting[1] and meeting[0] < end
    )


def _stretches(reserve: Reserve, grid: Grid, zone: str) -> Iterator[tuple[Span, int]]:
    """Each stretch of the reserve with the instant at which it is released."""
    for day in dates_around(grid.base, grid.end):
        for start, end in weekly_spans(reserve.hours, day, zone):
            yield (start, end), start - reserve.release * 60
