"""Certificates: the proof that a meeting can be taken on, its commitment, and what a cancellation sets free."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from syncd.errors import SlotGone
from syncd.model.directory import MailboxId
from syncd.roomalloc.cost import Cost, Policy, best, cost
from syncd.roomalloc.day import Ask, Day, Seat, Standing
from syncd.roomalloc.layout import bits
from syncd.roomalloc.repair import Plan, find

DEFAULT = Policy()
CLASS = 2
"""Waste of a room one capacity class too large: for less nobody is moved after a cancellation."""


@dataclass(frozen=True, slots=True)
class Move:
    """One meeting that changes rooms.

    :param origin: empty for one that lacks a room. :param told: its room was announced, so people must hear of it.
    """

    meeting: str
    origin: MailboxId
    room: MailboxId
    told: bool = False


@dataclass(frozen=True, slots=True)
class Certificate:
    """A concrete room for a meeting, and the concrete moves that free it, all at once.

    It proves the slot for the state of the day it was made from and no other: `commit` tests it again.
    """

    room: MailboxId
    moves: tuple[Move, ...] = ()
    cost: Cost = field(default=(), compare=False)

    @property
    def told(self) -> int:
        """How many people must be told of another room."""
        return sum(move.told for move in self.moves)


def certificate(
    day: Day, ask: Ask, policy: Policy = DEFAULT, standing: Standing = Standing.TENTATIVE
) -> Certificate | None:
    """How *ask* can have a room now: a free one by the order of `cost`, else by at most ``policy.moves`` moves.

    None means: not to be promised. With a day all of whose meetings are fixed no move is ever made.
    """
    seat = day.seat(ask, standing)
    plan = direct(day, seat, policy) or find(day, seat, policy)
    return certify(day, plan) if plan else None


def direct(day: Day, seat: Seat, policy: Policy) -> Plan | None:
    """Tier 1: the best room that is free as it is."""
    free = day.free(seat.first, seat.last, seat.eligible)
    if not free:
        return None
    price = best(day, seat, free, day.fill >= policy.crowded)
    return Plan(price[-1], (), price)


def certify(day: Day, plan: Plan) -> Certificate:
    """The plan in the words of the outside."""
    return Certificate(day.layout.spaces[plan.room].id, moves_of(day, plan.moves), plan.cost)


def moves_of(day: Day, moves: Sequence[tuple[str, int]]) -> tuple[Move, ...]:
    """The moves with the names of rooms, as the day stands before them."""
    names = [space.id for space in day.layout.spaces]
    seats = day.seats
    return tuple(
        Move(id, names[seats[id].room], names[room], seats[id].standing is Standing.ANNOUNCED) for id, room in moves
    )


def objection(day: Day, ask: Ask, proof: Certificate) -> str | None:
    """Why the certificate does not hold on *day* as it is now; None when it does.

    Tests the outcome from the ground up, trusting nothing that the search believed.
    """
    number, going = day.layout.number, {move.meeting: move for move in proof.moves}
    if proof.room not in number or any(move.room not in number for move in proof.moves):
        return "a room of the plan is not at this site any more"
    arriving = [(day.seat(ask), number[proof.room])]
    for move in proof.moves:
        seat = day.seats.get(move.meeting)
        if seat is None or seat.room != number.get(move.origin, -1):
            return f"meeting {move.meeting} is no longer in {move.origin}"
        if seat.standing is Standing.FIXED:
            return f"meeting {move.meeting} must stay in {move.origin}"
        arriving.append((seat, number[move.room]))
    return _collision(day, arriving, going.keys())


def _collision(day: Day, arriving: Sequence[tuple[Seat, int]], going: Collection[str]) -> str | None:
    for n, (seat, room) in enumerate(arriving):
        name, rest = day.layout.spaces[room].id, day.rest[room]
        if not seat.eligible >> room & 1:
            return f"room {name} does not suit meeting {seat.id} at its time"
        others = [o for o in day.inside[room].values() if o.id not in going]
        others += [o for o, to in arriving[:n] if to == room]
        if any(o.first < seat.last + rest and seat.first < o.last + rest for o in others):
            return f"room {name} is taken at the time of meeting {seat.id}"
    return None


def commit(day: Day, ask: Ask, proof: Certificate, standing: Standing = Standing.TENTATIVE) -> None:
    """Carry the certificate out on *day*: all moves at once, then the meeting; nothing happens if it is stale.

    :raises SlotGone: the day has changed so that it does not hold any more.
    """
    wrong = objection(day, ask, proof)
    if wrong:
        raise SlotGone(f"The time is not free any more: {wrong}. Nothing was changed; choose another one.")
    carry_out(day, ask, proof, standing)


def carry_out(day: Day, ask: Ask, proof: Certificate, standing: Standing = Standing.TENTATIVE) -> None:
    """`commit` without the test, for whoever made the certificate from this very state of *day*."""
    number = day.layout.number
    day.shift([(move.meeting, number[move.room]) for move in proof.moves])
    day.add(day.seat(ask, standing), number[proof.room])


def pull(day: Day, left: Seat) -> Move | None:
    """After *left* has gone from its room: the one meeting that gains most by taking its place.

    Only out of rooms that are larger or better equipped than it needs, and only while nobody was told.
    """
    gains = []
    for seat in day.seats.values():
        touches = seat.first < left.last and left.first < seat.last
        if (
            touches
            and seat.standing is Standing.TENTATIVE
            and day.free(seat.first, seat.last, seat.eligible) >> left.room & 1
        ):
            prices = day.layout.standing_cost(seat.ask.requirement, seat.ask.floor, seat.ask.teams)
            saved = prices[seat.room][0] - prices[left.room][0]
            if saved >= CLASS:
                gains.append((-saved, -seat.last + seat.first, seat.id))
    return moves_of(day, [(min(gains)[-1], left.room)])[0] if gains else None


def free_rooms(day: Day, ask: Ask) -> tuple[MailboxId, ...]:
    """The rooms that are free for *ask* as they are, best first."""
    seat = day.seat(ask)
    ranked = sorted(cost(day, seat, room) for room in bits(day.free(seat.first, seat.last, seat.eligible)))
    return tuple(day.layout.spaces[price[-1]].id for price in ranked)
