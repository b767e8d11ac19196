"""At which times a site has a room for a meeting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from typing import TypeAlias

from syncd.model.directory import Room
from syncd.model.offer import RoomRequirement
from syncd.model.zones import days, instant, midnight
from syncd.roomalloc import rank
from syncd.slots.grid import Cells, Grid, Span, runs
from syncd.store.instants import epoch, span

Week: TypeAlias = tuple[tuple[time | None, time | None] | None, ...]
"""From and to when a room is open, by weekday; None: not at all."""


@dataclass(frozen=True, slots=True)
class RoomTime:
    """One room whose calendar can be trusted.

    :param taken: cells that events (turnover included) and claims take.
    :param covered: where its calendar is known, in epoch seconds.
    """

    room: Room
    taken: Cells
    covered: Span
    closures: Sequence[Span]


def with_room(grid: Grid, rooms: Iterable[RoomTime], requirement: RoomRequirement, minutes: int, zone: str) -> Cells:
    """The starts at which one of *rooms*, all of one site, can take a meeting of *minutes*.

    It agrees with `syncd.roomalloc.rank.choose`, which names the room once somebody takes the time.
    """
    found = 0
    for each in rooms:
        if rank.suits(each.room, requirement):
            found |= _startable(grid, each, minutes, zone)
    return found


def _startable(grid: Grid, each: RoomTime, minutes: int, zone: str) -> Cells:
    """The starts at which this room is open, known and free until its turnover is over."""
    length = grid.count(minutes)
    free = runs(grid.everything & ~each.taken, length + grid.count(each.room.turnover))
    known = grid.between(each.covered[0], each.covered[1] - (minutes + each.room.turnover) * 60 + 1)
    open_cells = runs(grid.everything & ~grid.touched(each.closures), length)
    return free & known & open_cells & _opening(grid, each.room, minutes, zone)


def _opening(grid: Grid, room: Room, minutes: int, zone: str) -> Cells:
    """The starts between opening and closing time of their day."""
    if room.opens is None and room.closes is None and not room.hours:
        return grid.everything
    return _open_starts(grid, tuple(room.open_on(day) for day in range(7)), minutes, zone)


@lru_cache(maxsize=256)
def _open_starts(grid: Grid, week: Week, minutes: int, zone: str) -> Cells:
    found = 0
    for day in days(span(grid.base, grid.end), zone):
        hours = week[day.weekday()]
        if hours is None:
            continue
        opens, closes = hours
        begins = epoch(instant(day, opens, zone) if opens is not None else midnight(day, zone))
        ends = epoch(midnight(day + timedelta(days=1), zone))
        if closes is not None:
            ends = min(ends, epoch(instant(day, closes, zone)) - minutes * 60 + 1)
        found |= grid.between(begins, ends)
    return found
