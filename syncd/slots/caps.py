"""Caps: no more meetings of a kind in a day or week than the rules allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from syncd.model.directory import MailboxId
from syncd.model.offer import Offer
from syncd.model.policy import Policy
from syncd.model.zones import midnight, wall_clock
from syncd.slots.grid import DAY, Cells, Grid


class Taken(NamedTuple):
    """A meeting that counts against caps: booked, or held and not run out. *start* in epoch seconds."""

    caseworker: MailboxId
    offer: str
    start: int
    meeting: str
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Cap:
    """At most *most* meetings, or minutes of them, per local day or ISO week.

    :param offer: counts meetings of this offer only; ``""`` for all.
    :param personal: counts each caseworker's meetings by themselves.
    :param timed: counts minutes, not meetings.
    """

    most: int
    weekly: bool
    offer: str
    personal: bool
    timed: bool = False

    def counts(self, taken: Taken, who: MailboxId) -> bool:
        """Whether a meeting counts when *who* is asked for another."""
        return self.offer in ("", taken.offer) and (not self.personal or taken.caseworker == who)

    def weight(self, taken: Taken) -> int:
        """How much of the cap a meeting uses up."""
        return taken.minutes if self.timed else 1

    def allows(self, used: int, minutes: int) -> bool:
        """Whether one more meeting of so many minutes fits beside what is *used*."""
        return used + (minutes if self.timed else 1) <= self.most


def caps_of(offer: Offer, policy: Policy) -> list[Cap]:
    """The caps that hold for one caseworker's meetings of *offer*."""
    rules = (
        (policy.per_day, False, "", True),
        (policy.per_week, True, "", True),
        (offer.per_day, False, offer.name, True),
        (offer.per_week, True, offer.name, True),
        (offer.offer_per_day, False, offer.name, False),
        (offer.offer_per_week, True, offer.name, False),
    )
    timed = ((policy.minutes_per_day, False), (policy.minutes_per_week, True))
    return [Cap(most, weekly, name, personal) for most, weekly, name, personal in rules if most is not None] + [
        Cap(most, weekly, "", True, timed=True) for most, weekly in timed if most is not None
    ]


def period(instant: int, weekly: bool, zone: str) -> tuple[int, int, int]:
    """The local day or ISO week in which *instant* (epoch seconds) lies."""
    return _period(wall_clock(datetime.fromtimestamp(instant, UTC), zone).date(), weekly)


def _period(day: date, weekly: bool) -> tuple[int, int, int]:
    year, week, _ = day.isocalendar()
    return (year, week, 0) if weekly else (day.year, day.month, day.day)


def within_caps(
    grid: Grid, starts: Cells, caps: Iterable[Cap], taken: Iterable[Taken], who: MailboxId, zone: str, minutes: int
) -> Cells:
    """Those of *starts* on days and in weeks where one more meeting (of *minutes*) of *who* breaks no cap."""
    listed = list(taken)
    for cap in caps:
        if starts:
            starts &= ~_full(grid, cap, [item for item in listed if cap.counts(item, who)], zone, minutes)
    return starts


def _full(grid: Grid, cap: Cap, counted: Iterable[Taken], zone: str, minutes: int) -> Cells:
    """The cells in which the cap leaves no place for another meeting."""
    if not cap.allows(0, minutes):
        return grid.everything
    numbers: Counter[tuple[int, int, int]] = Counter()
    for item in counted:
        numbers[period(item.start, cap.weekly, zone)] += cap.weight(item)
    found = 0
    for key, number in numbers.items():
        if not cap.allows(number, minutes):
            found |= _cells_of(grid, cap.weekly, zone).get(key, 0)
    return found


@lru_cache(maxsize=64)
def _cells_of(grid: Grid, weekly: bool, zone: str) -> dict[tuple[int, int, int], Cells]:
    """The cells of each local day or ISO week."""
    found: dict[tuple[int, int, int], Cells] = {}
    for start, end, day in _days(grid, zone):
        key = _period(day, weekly)
        found[key] = found.get(key, 0) | grid.between(start, end)
    return found


def _days(grid: Grid, zone: str) -> list[tuple[int, int, date]]:
    """The local days the grid touches: begin and end (epoch seconds), and their date."""
    first = wall_clock(datetime.fromtimestamp(grid.base, UTC), zone).date()
    count = (grid.end - grid.base) // DAY + 2
    dates = [first + timedelta(days=n) for n in range(count)]
    edges = [int(midnight(day, zone).timestamp()) for day in [*dates, dates[-1] + timedelta(days=1)]]
    return list(zip(edges, edges[1:], dates, strict=False))
