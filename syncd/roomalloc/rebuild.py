"""Arrange a day better while nobody was told: less waste, then less walking, with few moves."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.roomalloc.allocate import Move, moves_of
from syncd.roomalloc.cost import unusable
from syncd.roomalloc.day import Day, Seat, Standing, stretch
from syncd.roomalloc.layout import bits

ROUNDS = 4
"""Passes over the day; later ones hardly find anything."""


@dataclass(frozen=True, slots=True, order=True)
class Total:
    """What a day's arrangement costs; compared field by field.

    :param waste: capacity classes above need, twice, plus surplus features.
    :param walking: meetings outside a preferred room, plus floors.
    :param unusable: minutes in gaps too short for any meeting.
    """

    waste: int
    walking: int
    unusable: int


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A better arrangement: who moves, and what the day costs before and after."""

    moves: tuple[Move, ...]
    before: Total
    after: Total


def total(day: Day) -> Total:
    """What the present arrangement of our own meetings costs."""
    prices = [_price(day, seat, seat.room) for seat in day.seats.values() if not seat.foreign]
    lost = sum(unusable(day, room, row) for room, row in enumerate(day.rows))
    return Total(sum(waste for waste, _ in prices), sum(walking for _, walking in prices), lost)


def rebuild(day: Day) -> Rebuilt | None:
    """A cheaper arrangement of the tentative meetings, everybody else staying; None when none is found.

    Meetings move to free rooms one by one, or change rooms in pairs, each time to a gain in waste, or at equal waste
    in walking. Nobody is moved for gaps alone: every move is a write in somebody's calendar. *day* is not changed.
    """
    trial = day.copy()
    tentative = [seat for seat in trial.seats.values() if seat.standing is Standing.TENTATIVE]
    tentative.sort(key=lambda seat: (seat.eligible.bit_count(), seat.first - seat.last, seat.first, seat.id))
    for _ in range(ROUNDS):
        if not sum([_moved(trial, seat) or _swapped(trial, seat) for seat in tentative]):
            break
    rooms = {seat.id: seat.room for seat in tentative}
    moves = [(id, room) for id, room in sorted(rooms.items()) if day.seats[id].room != room]
    return Rebuilt(moves_of(day, moves), total(day), total(trial)) if moves else None


def _price(day: Day, seat: Seat, room: int) -> tuple[int, int]:
    """Waste and walking."""
    waste, unpreferred, floors = day.layout.standing_cost(seat.ask.requirement, seat.ask.floor, seat.ask.teams)[room]
    return waste, unpreferred + floors


def _moved(day: Day, seat: Seat) -> bool:
    """Whether *seat* found a cheaper free room."""
    free = day.free(seat.first, seat.last, seat.eligible)
    if not free:
        return False
    price, room = min((_price(day, seat, room), room) for room in bits(free))
    if price >= _price(day, seat, seat.room):
        return False
    day.shift([(seat.id, room)])
    return True


def _swapped(day: Day, seat: Seat) -> bool:
    """Whether *seat* changed rooms with one other meeting, to the gain of both together."""
    for room in bits(seat.eligible & ~day.tangled & ~(1 << seat.room)):
        others = day.clashes(seat.first, seat.last).get(room, ())
        if len(others) == 1 and _agreed(day, seat, others[0]):
            day.shift([(seat.id, room), (others[0].id, seat.room)])
            return True
    return False


def _agreed(day: Day, one: Seat, two: Seat) -> bool:
    """Whether the two may, fit and gain when they change rooms."""
    if two.standing is not Standing.TENTATIVE or not two.eligible >> one.room & 1:
        return False
    now = _price(day, one, one.room), _price(day, two, two.room)
    then = _price(day, one, two.room), _price(day, two, one.room)
    if (then[0][0] + then[1][0], then[0][1] + then[1][1]) >= (now[0][0] + now[1][0], now[0][1] + now[1][1]):
        return False
    return not day.tangled >> one.room & 1 and _fits_without(day, one, two) and _fits_without(day, two, one)


def _fits_without(day: Day, seat: Seat, other: Seat) -> bool:
    """Whether *seat* fits into the room of *other* once that has left."""
    rest = day.rest[other.room]
    row = day.rows[other.room] & ~stretch(other.first, other.last + rest)
    return not row & stretch(seat.first, seat.last + rest)
