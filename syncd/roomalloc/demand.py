"""What rooms were asked for and not had, without persons; and what other rooms would have made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from syncd.model.offer import RoomRequirement
from syncd.roomalloc.allocate import certificate, commit
from syncd.roomalloc.catalogue import described
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import Ask, Day, Span
from syncd.roomalloc.layout import Layout, Space

STUCK = 2
"""So many more rooms without one more meeting, and the curve is flat."""


class Outcome(StrEnum):
    """What became of a wish for a room."""

    MET = "met"
    WITHHELD = "withheld"
    """A slot that was not published although a caseworker was free."""
    REFUSED = "refused"
    """A request that was turned away."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One recorded wish; names nobody. Order of arrival is the order of the records.

    :param day: any number of the local day, :param weekday: 0 is Monday. :param start: minutes after midnight.
    """

    day: int
    weekday: int
    start: int
    minutes: int
    requirement: RoomRequirement
    outcome: Outcome
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Shortage:
    """How often a kind of room was missing in an hour of the week."""

    needs: str
    weekday: int
    hour: int
    withheld: int
    refused: int


def shortages(wishes: Iterable[Wish], least: int = 5) -> tuple[Shortage, ...]:
    """Unmet wishes by kind, weekday and hour, most first; cells of fewer than *least* are left out (privacy)."""
    counts: dict[tuple[str, int, int], Counter[Outcome]] = {}
    for wish in wishes:
        if wish.outcome is not Outcome.MET:
            cell = (described(wish.requirement), wish.weekday, wish.start // 60)
            counts.setdefault(cell, Counter())[wish.outcome] += 1
    rows = [
        Shortage(*cell, count[Outcome.WITHHELD], count[Outcome.REFUSED])
        for cell, count in counts.items()
        if count.total() >= least
    ]
    return tuple(sorted(rows, key=lambda row: (-row.refused - row.withheld, row.needs, row.weekday, row.hour)))


@dataclass(slots=True)
class Outlook:
    """Recorded demand replayed with some rooms.

    :param utilisation: share of open room time taken, turnover included, over the days with demand.
    :param by_kind: (accepted, wished) per kind of requirement.
    """

    wished: int = 0
    accepted: int = 0
    moves: int = 0
    utilisation: float = 0.0
    by_kind: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Accepted of wished; 1 when nobody wished."""
        return self.accepted / self.wished if self.wished else 1.0


def what_if(
    spaces: Iterable[Space], wishes: Iterable[Wish], hours: Mapping[str, Sequence[Span]], policy: Policy
) -> Outlook:
    """Replay requests (met and refused ones; withheld slots are no requests) with these rooms instead."""
    layout, outlook = Layout(spaces), Outlook()
    days: dict[int, Day] = {}
    for n, wish in enumerate(wish for wish in wishes if wish.outcome is not Outcome.WITHHELD):
        day = days.get(wish.day)
        if day is None:
            day = days[wish.day] = Day(layout, hours=hours, grid=5)
        ask = Ask(f"w{n}", wish.start, wish.start + wish.minutes, wish.requirement, wish.floor)
        proof = certificate(day, ask, policy)
        kind = described(wish.requirement)
        accepted, wished = outlook.by_kind.get(kind, (0, 0))
        outlook.by_kind[kind] = (accepted + bool(proof), wished + 1)
        outlook.wished += 1
        if proof:
            commit(day, ask, proof)
            outlook.accepted += 1
            outlook.moves += len(proof.moves)
    outlook.utilisation = sum(day.fill for day in days.values()) / len(days) if days else 0.0
    return outlook


def rooms_needed(
    template: Space,
    others: Sequence[Space],
    wishes: Sequence[Wish],
    hours: Sequence[Span],
    policy: Policy,
    refused: float = 0.01,
    most: int = 60,
) -> list[tuple[int, Outlook]]:
    """The curve of the rooms needed: rooms like *template* beside *others*, until at most *refused* are refused.

    It ends early when more rooms of this kind do not help any more: what is refused then needs another kind.
    """
    curve: list[tuple[int, Outlook]] = []
    for count in range(most + 1):
        more = [_another(template, n) for n in range(count)]
        spaces = [*others, *more]
        if not spaces:
            continue
        outlook = what_if(spaces, wishes, {space.id: hours for space in spaces}, policy)
        curve.append((count, outlook))
        stuck = len(curve) > STUCK and outlook.accepted <= curve[-1 - STUCK][1].accepted
        if 1 - outlook.share <= refused or stuck:
            break
    return curve


def _another(template: Space, n: int) -> Space:
    return Space(
        f"{template.id}+{n:02d}",
        template.floor,
        template.capacity,
        template.features,
        template.step_free,
        template.turnover,
        template.preferred_by,
    )
