"""Open deadlines: how many talks they ask for until when, and which of them fell in an outage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncd.model.dfdg import Deadline, Words
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.model.zones import whole_days
from syncd.publish.guard import Demand
from syncd.publish.statement import disturbances
from syncd.store import Tx

DAYS = 14
"""How far ahead each day is looked at by itself; what lies beyond is looked at as one."""
CONSIDERED = timedelta(days=1)
"""An outage that reaches into so much before the end of a deadline may have cost a citizen the time to book."""


def demands(deadlines: Sequence[Deadline], words: Words, today: date) -> list[Demand]:
    """How many talks of each offer must be possible until each day, so that all open deadlines can be kept. Pure.

    Whoever must have her talk by Tuesday can use no later time: numbers add up over the days.
    """
    last = today + timedelta(days=DAYS)
    found: list[Demand] = []
    for kind, offers in words.offers.items():
        days = sorted(max(one.latest, today) for one in deadlines if one.kind == kind and one.open)
        near = [day for day in sorted(set(days)) if day <= last]
        looked = [*near, *([days[-1]] if days and days[-1] > last else [])]
        for offer in offers[:1]:
            found += [Demand(offer, day, sum(one <= day for one in days)) for day in looked]
    return found


def demanded(tx: Tx, words: Words, today: date) -> list[Demand]:
    """The demands of the deadlines we know."""
    return demands(tx.dfdg.deadlines(since=today), words, today)


@dataclass(frozen=True, slots=True)
class PerDay:
    """How many open deadlines end on one day, by type of talk."""

    day: date
    open: Mapping[int, int]


def per_day(deadlines: Sequence[Deadline]) -> list[PerDay]:
    """Open deadlines by the day they end on."""
    days = sorted({one.until for one in deadlines if one.open})
    return [
        PerDay(
            day, {kind: sum(one.until == day and one.kind == kind for one in deadlines if one.open) for kind in kinds}
        )
        for day in days
        if (kinds := sorted({one.kind for one in deadlines if one.open and one.until == day}))
    ]


@dataclass(frozen=True, slots=True)
class Hit:
    """A deadline in whose last day nothing could be booked for a while. :param outages: when."""

    deadline: Deadline
    outages: tuple[Interval, ...]


def in_outages(tx: Tx, book: Rulebook, words: Words, since: date, zone: str, now: datetime) -> list[Hit]:
    """Deadlines that end on *since* or later, and in whose last day nothing could be booked for a while.

    That is: syncd was not running, or calendars could not be trusted (`syncd.publish.statement`). What is still ahead
    is left out.
    """
    hits = []
    for one in tx.dfdg.deadlines(since=since, only_open=False):
        ends = whole_days(one.until, one.until, zone).end
        offers = [name for name in words.offers.get(one.kind, ()) if name in book.offers][:1]
        if offers and ends - CONSIDERED < now:
            found = disturbances(tx, book, Interval(ends - CONSIDERED, min(ends, now)), offers)
            hits += [Hit(one, tuple(each.span for each in found))] if found else []
    return hits
