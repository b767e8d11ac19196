"""The figures of the page for facilities: how rooms were used over a period, and what was wanted beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from syncd.booking.room_usage import Ground, open_minutes, uses_of, wishes
from syncd.model.directory import MailboxId, Room
from syncd.model.zones import days
from syncd.roomalloc.demand import Shortage, shortages
from syncd.roomalloc.layout import Space
from syncd.roomalloc.usage import FEWEST, Held, Usage, Use, heat_map, measure, spare_seats

LEADS = (0, 1, 3, 7, 14, 21)
"""Upper bounds, in days, of the steps between booking and meeting; the last step has none."""


@dataclass(frozen=True, slots=True)
class Peak:
    """When most rooms were in use at once. :param minute: of the local day, when that began."""

    rooms: int
    day: date
    minute: int


@dataclass(frozen=True, slots=True)
class RoomRow:
    """One room. :param booked: share of its bookable time; None when it had none."""

    room: Room
    meetings: int
    booked: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything one page shows. :param heat: per (weekday, half-hour) the median share of rooms in use.

    :param spare: per number of empty seats (meetings, of them avoidable). :param leads: meetings per step of `LEADS`.
    :param tracked: whether somebody notes who did not come. :param hours: (booked, bookable).
    """

    usage: Usage
    rooms: tuple[RoomRow, ...]
    peak: Peak | None
    heat: Mapping[tuple[int, int], float]
    spare: Mapping[int, tuple[int, int]]
    leads: tuple[int, ...]
    shortages: tuple[Shortage, ...]
    tracked: bool
    hours: tuple[float, float]


def figures(ground: Ground, site: str, rooms: Sequence[Room]) -> Figures:
    """The figures of *rooms*, which are all of one site."""
    spaces, uses = [Space.of(room) for room in rooms], list(uses_of(ground, rooms))
    bookable = dict(open_minutes(ground, rooms))
    kept = [use for use in uses if use.held is not Held.RELEASED]
    zone = ground.directory.sites[site].zone
    local = [day for day in days(ground.window, zone) if any((room.id, day) in bookable for room in rooms)]
    heat = heat_map(uses, local)
    return Figures(
        usage=measure(spaces, uses, bookable),
        rooms=_rows(rooms, kept, bookable),
        peak=peak(use for use in uses if use.held is Held.HELD),
        heat={cell: number / len(rooms) for cell, number in heat.items()},
        spare=spare_seats(uses, spaces),
        leads=_leads(kept),
        shortages=shortages(wishes(ground, site)),
        tracked=any(use.held is Held.NO_SHOW for use in uses),
        hours=(sum(use.end - use.start for use in kept) / 60, sum(bookable.values()) / 60),
    )


def peak(uses: Iterable[Use]) -> Peak | None:
    """The first moment at which most rooms were in use; None when none ever was."""
    edges: dict[date, list[tuple[int, int]]] = {}
    for use in uses:
        edges.setdefault(use.day, []).extend([(use.start, 1), (use.end, -1)])
    found: Peak | None = None
    for day, changes in sorted(edges.items()):
        now = 0
        for minute, change in sorted(changes):
            now += change
            if found is None or now > found.rooms:
                found = Peak(now, day, minute)
    return found


def _rows(
    rooms: Sequence[Room], kept: Sequence[Use], bookable: Mapping[tuple[MailboxId, date], int]
) -> tuple[RoomRow, ...]:
    """Per room, the most used first."""
    number, taken, whole = Counter(use.room for use in kept), Counter[str](), Counter[str]()
    for use in kept:
        taken[use.room] += use.end - use.start
    for (room_id, _), minutes in bookable.items():
        whole[room_id] += minutes
    rows = [
        RoomRow(room, number[room.id], taken[room.id] / whole[room.id] if whole[room.id] else None) for room in rooms
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.booked or 0), row.room.name)))


def _leads(kept: Iterable[Use]) -> tuple[int, ...]:
    """Meetings by the days from booking to meeting; steps with fewer than `FEWEST` count as none."""
    steps = Counter(
        next((n for n, most in enumerate(LEADS) if use.lead_days <= most), len(LEADS))
        for use in kept
        if use.lead_days is not None
    )
    return tuple(steps[n] if steps[n] >= FEWEST else 0 for n in range(len(LEADS) + 1))
