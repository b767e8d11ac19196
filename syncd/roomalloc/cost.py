"""What a placement costs: the lexicographic order in which rooms, and plans, are preferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from syncd.roomalloc.day import Day, Seat, Standing, stretch
from syncd.roomalloc.layout import bits

Cost: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """How far the allocator goes.

    :param moves: most meetings moved for one new one: the length of a certificate's chain.
    :param told: most announced meetings among them.
    :param nodes: placements tried in one repair search before it says no.
    :param crowded: share of the day's room time taken from which fragmentation counts before walking.
    """

    moves: int = 3
    told: int = 3
    nodes: int = 1_000
    crowded: float = 0.5


def cost(day: Day, seat: Seat, room: int, crowded: bool = False, row: int | None = None) -> Cost:
    """The price of a free room for *seat*: smaller is better, the room's number decides last.

    In order: waste, 0 when preferred, floors to walk, unusable minutes beside it, loose sides, smaller gap, number;
    on a *crowded* day the gaps come before preference and walking.

    :param row: what the room holds besides the meeting, when that differs from *day*.
    """
    ask = seat.ask
    waste, unpreferred, floors = day.layout.standing_cost(ask.requirement, ask.floor, ask.teams)[room]
    lost, loose, gap = day.gaps(room, seat.first, seat.last, row)
    if crowded:
        return waste, lost, loose, gap, unpreferred, floors, room
    return waste, unpreferred, floors, lost, loose, gap, room


def best(day: Day, seat: Seat, rooms: int, crowded: bool, rows: Mapping[int, int] | None = None) -> Cost:
    """The price of the cheapest of a set of rooms that are all free for *seat*; its number comes last.

    :param rows: what rooms hold besides the meeting, where that differs from *day*.
    :raises ValueError: there are no rooms.
    """
    ask, known = seat.ask, rows or {}
    for alike in day.layout.ranked(ask.requirement, ask.floor, ask.teams, not crowded):
        if among := rooms & alike:  # what comes first in a price is the same for all of them, and dearer for all others
            return min([cost(day, seat, room, crowded, known.get(room)) for room in bits(among)])
    raise ValueError("no room to choose from")


def price(day: Day, placed: Sequence[tuple[Seat, int]]) -> Cost:
    """What it costs to give these meetings these rooms, all at once.

    In order: announced meetings moved, meetings moved, then the differences in waste, walking and unusable minutes,
    then the rooms' numbers. A meeting without a room so far is new, not moved.
    """
    told = moved = waste = walk = 0
    for seat, room in placed:
        prices = day.layout.standing_cost(seat.ask.requirement, seat.ask.floor, seat.ask.teams)
        waste, walk = waste + prices[room][0], walk + prices[room][1] + prices[room][2]
        if seat.room >= 0:
            moved += 1
            told += seat.standing is Standing.ANNOUNCED
            waste, walk = waste - prices[seat.room][0], walk - prices[seat.room][1] - prices[seat.room][2]
    return told, moved, waste, walk, _lost(day, placed), *(room for _, room in placed)


def _lost(day: Day, placed: Sequence[tuple[Seat, int]]) -> int:
    """How many more minutes become unusable."""
    going = {seat.id for seat, _ in placed}
    lost = 0
    for room in {room for _, room in placed} | {seat.room for seat, _ in placed if seat.room >= 0}:
        rest, row = day.rest[room], 0
        for other in day.inside[room].values():
            if other.id not in going:
                row |= stretch(other.first, other.last + rest)
        for seat, to in placed:
            if to == room:
                row |= stretch(seat.first, seat.last + rest)
        lost += unusable(day, room, row) - unusable(day, room, day.rows[room])
    return lost


def unusable(day: Day, room: int, row: int) -> int:
    """Minutes between meetings of the room, or beside its hours, that are too short for any meeting."""
    full = row | day.walls[room]
    least, lost, step = day.shortest + day.rest[room], 0, 0
    while full:
        gap = (full & -full).bit_length() - 1
        lost += gap if gap < least and step else 0
        full >>= gap
        taken = (~full & (full + 1)).bit_length() - 1
        full >>= taken
        step += gap + taken
    return lost * day.grid
