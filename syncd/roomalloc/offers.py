"""Which starts of a day may be published: every one of them with a certificate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from syncd.model.offer import RoomRequirement
from syncd.roomalloc.cost import Policy, best
from syncd.roomalloc.day import Ask, Day, Seat
from syncd.roomalloc.match import may_fit
from syncd.roomalloc.repair import find

PROOF = 300
"""Placements tried per key when publishing: there are hundreds of keys, and what needs more is hardly ever there."""
NEAR = 120
"""Minutes within which a better start hides one that leaves a hole."""


@dataclass(frozen=True, slots=True)
class Want:
    """A kind of meeting: what it asks of its room, and its length in minutes."""

    requirement: RoomRequirement
    minutes: int


@dataclass(slots=True)
class Offered:
    """The publishable starts (minutes after the site's midnight) of each kind of meeting.

    :param direct: starts with a room that is free as it is. :param moving: those that need moves.
    :param counts: keys by how they were settled: direct, moves, impossible (proven), unfound (search said no).
    """

    direct: dict[Want, set[int]] = field(default_factory=dict)
    moving: dict[Want, set[int]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def starts(self, want: Want) -> set[int]:
        """All starts that may be published for *want*."""
        return self.direct[want] | self.moving[want]


def publishable(day: Day, wants: Iterable[Want], starts: Sequence[int], policy: Policy) -> Offered:
    """Settle every (kind, start) of the day in three tiers; caseworkers share the answers.

    Tier 1 looks for a free room, tier 2 (`match`) settles what is impossible, tier 3 searches for moves. The kinds
    with the fewest rooms and the longest meetings come first: what was proven for one holds for all that are easier.
    """
    offered, past = Offered(), Past()
    policy = replace(policy, nodes=min(policy.nodes, PROOF))
    hardest = sorted(set(wants), key=lambda w: (day.layout.suiting(w.requirement).bit_count(), -w.minutes))
    for want in hardest:
        offered.direct[want], offered.moving[want] = set(), set()
        for start in starts:
            seat = day.seat(Ask("", start, start + want.minutes, want.requirement))
            how = settle(day, seat, policy, past)
            offered.counts[how] += 1
            if how == "direct":
                offered.direct[want].add(start)
            elif how == "moves":
                offered.moving[want].add(start)
    return offered


@dataclass(slots=True)
class Past:
    """What was found out about other keys of the same state of a day: (eligible rooms, first step, last step)."""

    proven: list[tuple[int, int, int]] = field(default_factory=list)
    refuted: list[tuple[int, int, int]] = field(default_factory=list)


def settle(day: Day, seat: Seat, policy: Policy, past: Past) -> str:
    """Whether a meeting can be promised: ``direct``, ``moves``, ``impossible`` (proven), ``unfound`` (search said no).

    :param past: remembers what is proven and refuted; belongs to this state of the day.
    """
    rooms, first, last = seat.eligible, seat.first, seat.last
    if not rooms:
        return "impossible"
    if day.free(first, last, rooms):
        return "direct"
    if not may_fit(day, seat):
        return "impossible"
    # A room for longer, or from fewer rooms, is a room for this one; and the other way about.
    if any(r & rooms == r and f <= first and last <= t for r, f, t in past.proven):
        return "moves"
    if any(r & rooms == rooms and first <= f and t <= last for r, f, t in past.refuted):
        return "unfound"
    if find(day, seat, policy, any_will_do=True):
        past.proven.append((rooms, first, last))
        return "moves"
    past.refuted.append((rooms, first, last))
    return "unfound"


def shaped(day: Day, want: Want, starts: Iterable[int], policy: Policy, near: int = NEAR) -> set[int]:
    """The starts left on offer when busy days are shaped; a site's choice, see docs/howto/rooms.md.

    On a day fuller than ``policy.crowded`` a start that leaves a gap too short for any meeting, or that needs moves,
    is hidden while a better one lies within *near* minutes.
    """
    all_starts = set(starts)
    if day.fill < policy.crowded:
        return all_starts
    good = {start for start in all_starts if leaves_no_hole(day, want, start, policy)}
    return good | {start for start in all_starts if not any(abs(start - other) <= near for other in good)}


def leaves_no_hole(day: Day, want: Want, start: int, policy: Policy) -> bool:
    """Whether the room that a meeting at *start* would get is free and keeps no unusable gap beside it."""
    seat = day.seat(Ask("", start, start + want.minutes, want.requirement))
    free = day.free(seat.first, seat.last, seat.eligible)
    if not free:
        return False
    room = best(day, seat, free, day.fill >= policy.crowded)[-1]
    return day.gaps(room, seat.first, seat.last)[0] == 0
