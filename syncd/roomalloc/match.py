"""Tier 2: at which instants one more meeting could be matched to a room at all.

A necessary condition (Hall): it settles most refusals at once and for good, it never proves a slot.
"""

from __future__ import annotations

from syncd.roomalloc.day import Day, Seat, Standing
from syncd.roomalloc.layout import bits


def may_fit(day: Day, seat: Seat) -> bool:
    """Whether no instant rules *seat* out, however many meetings were moved; False is final."""
    if not seat.eligible:
        return False
    rest = min(day.rest[room] for room in bits(seat.eligible))
    return all(seat.eligible & reachable(day, step) for step in range(seat.first, min(seat.last + rest, day.steps)))


def reachable(day: Day, step: int) -> int:
    """The rooms that exchanges of meetings could empty at *step*, each meeting moved for this instant only.

    A room is reachable when nobody is in it, or when its meeting may be moved and suits a reachable room: the
    alternating paths of the matching of all active meetings, which their present rooms already are.
    """
    found = day.known.reach.get(step)
    if found is None:
        found = day.known.reach[step] = _reachable(day, step)
    return found


def _reachable(day: Day, step: int) -> int:
    rooms = day.all & ~day.columns[step]
    least = min(day.rest, default=0)
    present: list[tuple[int, int]] = []
    for seat in day.seats.values():
        if seat.standing is not Standing.FIXED and seat.first <= step < seat.last + day.rest[seat.room]:
            if step >= seat.last + least or day.tangled >> seat.room & 1:
                rooms |= 1 << seat.room  # elsewhere it might rest for less; too generous is right for a filter
            else:
                present.append((1 << seat.room, seat.eligible))
    return _spread(rooms, present)


def _spread(rooms: int, present: list[tuple[int, int]]) -> int:
    """Add the rooms whose meeting suits a room of the set, until nothing changes."""
    while True:
        stuck = []
        for own, eligible in present:
            if eligible & rooms:
                rooms |= own
            else:
                stuck.append((own, eligible))
        if len(stuck) == len(present):
            return rooms
        present = stuck
