"""What rooms were asked for and not had, without persons; and what other rooms would have made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import gcd

from syncd.model.offer import RoomRequirement
from syncd.roomalloc.allocate import carry_out, certificate, commit
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


@dataclass(frozen=True, slots=True)
class Point:
    """Recorded demand with another number of rooms of one class. :param seats: the class, :param rooms: how many."""

    seats: int
    rooms: int
    change: int
    accepted: int
    wished: int


@dataclass(slots=True)
class _Played:
    """One day as it was played. :param used: rooms that took part in it, by meetings or by moves."""

    wishes: list[Wish]
    accepted: int
    used: set[str]


def curve(
    spaces: Sequence[Space],
    wishes: Iterable[Wish],
    hours: Mapping[str, Sequence[Span]],
    policy: Policy,
    tell: Callable[[float], None] = lambda _share: None,
) -> list[Point]:
    """For each class (number of seats): what would have fitted with one room less, as it is, and with one more.

    Days never interact, and a day need not be played again when the change cannot matter in it: a room that took part
    in nothing is not missed, and where everybody got a room one more gives nobody another.

    :param hours: per room id. :param tell: hears how much is done, 0 to 1.
    """
    asked = [wish for wish in wishes if wish.outcome is not Outcome.WITHHELD]
    by_day: dict[int, list[Wish]] = {}
    for wish in asked:
        by_day.setdefault(wish.day, []).append(wish)
    grid = _grid(spaces, asked, hours)
    played, layout = [], Layout(spaces)
    for n, day in enumerate(sorted(by_day)):
        played.append(_play(layout, by_day[day], hours, policy, grid))
        tell(0.5 * (n + 1) / len(by_day))
    base, sizes = sum(day.accepted for day in played), sorted({space.capacity for space in spaces})
    points = []
    for n, seats in enumerate(sizes):
        same = [space for space in spaces if space.capacity == seats]
        least = min(same, key=lambda space: (sum(space.id in day.used for day in played), space.id))
        another = replace(min(same, key=lambda space: (len(space.features), space.id)), id=f"{same[0].id}+1")
        less = _again(played, [space for space in spaces if space is not least], hours, policy, grid, {least.id})
        more_hours = {**hours, another.id: hours[another.id.removesuffix("+1")]}
        more = _again(played, [*spaces, another], more_hours, policy, grid, None)
        for change, accepted in ((-1, less), (0, base), (1, more)):
            points.append(Point(seats, len(same) + change, change, accepted, len(asked)))
        tell(0.5 + 0.5 * (n + 1) / len(sizes))
    return points


def _again(
    played: Sequence[_Played],
    spaces: Sequence[Space],
    hours: Mapping[str, Sequence[Span]],
    policy: Policy,
    grid: int,
    gone: set[str] | None,
) -> int:
    """Accepted with other rooms. :param gone: rooms left out; None when one was added."""
    if not spaces:
        return 0
    layout, accepted = Layout(spaces), 0
    for day in played:
        matters = bool(day.used & gone) if gone is not None else day.accepted < len(day.wishes)
        accepted += _play(layout, day.wishes, hours, policy, grid).accepted if matters else day.accepted
    return accepted


def _play(
    layout: Layout, wishes: Sequence[Wish], hours: Mapping[str, Sequence[Span]], policy: Policy, grid: int
) -> _Played:
    day, result = Day(layout, hours=hours, grid=grid), _Played(list(wishes), 0, set())
    for n, wish in enumerate(wishes):
        ask = Ask(f"w{n}", wish.start, wish.start + wish.minutes, wish.requirement, wish.floor)
        proof = certificate(day, ask, policy)
        if proof:
            carry_out(day, ask, proof)
            result.accepted += 1
            result.used |= {proof.room, *(room for move in proof.moves for room in (move.origin, move.room))}
    return result


def _grid(spaces: Iterable[Space], wishes: Iterable[Wish], hours: Mapping[str, Sequence[Span]]) -> int:
    """The coarsest grid on which everything lies: the coarser, the faster; five minutes when nothing fits."""
    minutes = {minute for wish in wishes for minute in (wish.start, wish.minutes)}
    minutes |= {space.turnover for space in spaces} | {
        edge for spans in hours.values() for span in spans for edge in span
    }
    grid = gcd(60, *minutes)
    return grid if grid in (5, 10, 15, 30) else 15 if grid == 60 else 5
