"""Somebody else's hand in the plan: a foreign booking, a closure, a decline; put right at once where possible."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from syncd.model.directory import MailboxId
from syncd.roomalloc.allocate import Move, direct, free_rooms
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import Ask, Day, Seat, Standing
from syncd.roomalloc.layout import bits, suits
from syncd.roomalloc.repair import Plan, find

FAR = 8
"""Moves when a meeting has lost its room; more never helped in the simulations."""
LONG = 20_000
"""Placements tried then: this is not waited for by a citizen."""


@dataclass(frozen=True, slots=True)
class Task:
    """A meeting that no room could be found for: a person must decide.

    :param lost: the room it had. :param other_starts: starts that day (minutes) at which a suitable room is free.
    :param unsuitable: rooms free at its time that lack something, with what they lack.
    """

    meeting: str
    lost: MailboxId
    other_starts: tuple[int, ...]
    unsuitable: tuple[tuple[MailboxId, str], ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of a repair: who moves, and what is left to people."""

    moves: tuple[Move, ...] = ()
    tasks: tuple[Task, ...] = ()


def upset(day: Day) -> tuple[str, ...]:
    """Own meetings that cannot stay: a foreign booking stands in their room, or the room is closed or unsuitable."""
    own = [seat for seat in day.seats.values() if not seat.foreign]
    return tuple(sorted(seat.id for seat in own if not seat.eligible >> seat.room & 1 or _overrun(day, seat)))


def _overrun(day: Day, seat: Seat) -> bool:
    """Whether something foreign, or an earlier own meeting, overlaps it; exact minutes, turnover included."""
    if not day.tangled >> seat.room & 1:
        return False
    rest = day.layout.spaces[seat.room].turnover
    start, end = seat.ask.start, seat.ask.end
    return any(
        other is not seat
        and (other.foreign or (other.ask.start, other.id) < (start, seat.id))
        and start < other.ask.end + rest
        and other.ask.start < end + rest
        for other in day.inside[seat.room].values()
    )


def settle(day: Day, displaced: Collection[str], policy: Policy) -> Settled:
    """Find other rooms for the *displaced* meetings and carry that out on *day*.

    Any number of tentative meetings may move for them, then announced ones (counted in `Move.told`); pinned and
    frozen ones never. The hardest to place come first. Who finds none stays out of the day and becomes a task.
    """
    before = {seat.id: seat.room for seat in day.seats.values()}
    told = {seat.id for seat in day.seats.values() if seat.standing is not Standing.TENTATIVE}
    homeless = sorted((day.remove(id) for id in displaced), key=lambda seat: (seat.eligible.bit_count(), seat.id))
    tasks = []
    for seat in homeless:
        plan = _refuge(day, seat, policy)
        if plan is None:
            tasks.append(_task(day, seat))
            continue
        day.shift(plan.moves)
        day.add(seat, plan.room)
    names = [space.id for space in day.layout.spaces]
    moved = [seat for seat in day.seats.values() if before[seat.id] != seat.room]
    moves = [Move(s.id, names[before[s.id]], names[s.room], s.id in told) for s in moved]
    return Settled(tuple(sorted(moves, key=lambda move: move.meeting)), tuple(tasks))


def _refuge(day: Day, seat: Seat, policy: Policy) -> Plan | None:
    """A room for a meeting that has lost its own: tentative ones give way first, however many."""
    far = replace(policy, moves=FAR, nodes=LONG)
    return (
        direct(day, seat, policy)
        or find(day, seat, replace(policy, told=0))
        or find(day, seat, replace(far, told=0), any_will_do=True)
        or find(day, seat, replace(far, told=FAR), any_will_do=True)
    )


def _task(day: Day, seat: Seat) -> Task:
    """The options a person has."""
    return Task(seat.id, day.layout.spaces[seat.room].id, other_starts(day, seat.ask), unsuitable(day, seat))


def other_starts(day: Day, ask: Ask, most: int = 5) -> tuple[int, ...]:
    """The nearest starts of the day (minutes after its midnight) at which a suitable room is free, in order."""
    length = ask.end - ask.start
    others = []
    for start in range(0, day.steps * day.grid - length, max(day.grid, 15)):
        moved = Ask(ask.id, start, start + length, ask.requirement, ask.floor, ask.teams)
        if start != ask.start and free_rooms(day, moved):
            others.append(start)
    return tuple(sorted(sorted(others, key=lambda start: (abs(start - ask.start), start))[:most]))


def unsuitable(day: Day, seat: Seat) -> tuple[tuple[MailboxId, str], ...]:
    """Rooms that are open and free at its time but lack something."""
    shut = 0
    for column in day.shut_columns[seat.first : seat.last]:
        shut |= column
    free = day.free(seat.first, seat.last, day.all & ~shut)
    want = seat.ask.requirement
    found = []
    for room in bits(free):
        space = day.layout.spaces[room]
        if not suits(space, want):
            lacks = sorted(want.features - space.features)
            if space.capacity < want.seats:
                lacks.insert(0, f"{want.seats - space.capacity} seats")
            if want.step_free and not space.step_free:
                lacks.append("step-free access")
            found.append((space.id, ", ".join(lacks)))
    return tuple(found)
