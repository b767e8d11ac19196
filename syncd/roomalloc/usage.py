"""How rooms are used: the figures of the facilities pages (definitions: docs/reference/rooms.md)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import median

from syncd.model.directory import MailboxId
from syncd.roomalloc.layout import Space

HALF_HOUR = 30
FEWEST = 5
"""Cells with fewer meetings are not shown: they might tell of one person."""


class Held(StrEnum):
    """What became of a meeting's time in a room."""

    HELD = "held"
    NO_SHOW = "no-show"
    RELEASED = "released"
    """Cancelled before it began: its hours were given back."""


@dataclass(frozen=True, slots=True)
class Use:
    """One meeting's time in one room, without persons; minutes after the site's midnight.

    :param party: seats asked for. :param features: equipment asked for. :param floor: where the caseworker sits.
    :param forced: no smaller fitting room was free when it was given; None where that is unknown.
    :param lead_days: booking to meeting.
    :param moves: how often its room changed, :param told: how often after it had been announced.
    """

    room: MailboxId
    day: date
    start: int
    end: int
    party: int
    features: frozenset[str] = frozenset()
    floor: int = 0
    held: Held = Held.HELD
    forced: bool | None = None
    lead_days: int | None = None
    moves: int = 0
    told: int = 0
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """The figures of a set of rooms over a period; shares are 0 to 1, None when there is nothing to divide by.

    :param frequency: used room time of open room time (opening hours minus blocked periods).
    :param occupancy: people of seats, over the time in use. :param utilisation: the product of both.
    :param booked: booked room time of open room time, released time not counted.
    :param peak, peak95: most rooms in use at once, on the fullest day and on the 95th percentile of days.
    :param peak_load: peak use of average use. :param no_show: of meetings not cancelled in time.
    :param released_hours, rebooked_hours: given back before the start, and the part used again.
    :param oversized: share in a room with twice the seats or more; :param avoidable: while a smaller one was free.
    :param special_misused: hours of rooms with equipment used by meetings that asked for none of it.
    :param moves, told: room changes, and those after the announcement, per 100 meetings.
    :param floors: floors between caseworker and room, per meeting. :param lead_days: median, booking to meeting.
    """

    meetings: int
    frequency: float | None
    occupancy: float | None
    utilisation: float | None
    booked: float | None
    peak: int
    peak95: int
    peak_load: float | None
    no_show: float | None
    released_hours: float
    rebooked_hours: float
    oversized: float | None
    avoidable: float | None
    special_misused: float
    moves: float | None
    told: float | None
    floors: float | None
    lead_days: float | None


def measure(spaces: Sequence[Space], uses: Iterable[Use], open_minutes: Mapping[tuple[MailboxId, date], int]) -> Usage:
    """The figures of these rooms.

    :param open_minutes: per room and day of the period, opening hours minus blocked time.
    """
    rooms = {space.id: space for space in spaces}
    everything = [use for use in uses if use.room in rooms]
    kept = [use for use in everything if use.held is not Held.RELEASED]
    used = [use for use in kept if use.held is Held.HELD]
    own = [use for use in kept if not use.foreign]
    open_time = sum(minutes for (room, _), minutes in open_minutes.items() if room in rooms)
    frequency, seats = _share(_time(used), open_time), _share(_people(used), _seats(used, rooms))
    peaks = sorted(_peaks(used, {day for _, day in open_minutes}).values())
    peak = peaks[-1] if peaks else 0
    average = _share(_time(used), _share(open_time, len(rooms)) or 0)
    released = [use for use in everything if use.held is Held.RELEASED]
    large = [use for use in own if rooms[use.room].capacity >= 2 * use.party]
    return Usage(
        meetings=len(own),
        frequency=frequency,
        occupancy=seats,
        utilisation=frequency * seats if frequency is not None and seats is not None else None,
        booked=_share(_time(kept), open_time),
        peak=peak,
        peak95=peaks[min(len(peaks) - 1, len(peaks) * 95 // 100)] if peaks else 0,
        peak_load=_share(peak, average or 0),
        no_show=_share(sum(use.held is Held.NO_SHOW for use in own), len(own)),
        released_hours=_time(released) / 60,
        rebooked_hours=_rebooked(released, kept) / 60,
        oversized=_share(len(large), len(own)),
        avoidable=_share(sum(use.forced is False for use in large), len(own)) if _known(large) else None,
        special_misused=_time([use for use in own if rooms[use.room].features and not use.features]) / 60,
        moves=_share(100 * sum(use.moves for use in own), len(own)),
        told=_share(100 * sum(use.told for use in own), len(own)),
        floors=_share(sum(abs(rooms[use.room].floor - use.floor) for use in own), len(own)),
        lead_days=median(leads) if (leads := [u.lead_days for u in own if u.lead_days is not None]) else None,
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _time(uses: Iterable[Use]) -> int:
    return sum(use.end - use.start for use in uses)


def _people(uses: Iterable[Use]) -> int:
    return sum(use.party * (use.end - use.start) for use in uses)


def _seats(uses: Iterable[Use], rooms: Mapping[MailboxId, Space]) -> int:
    return sum(rooms[use.room].capacity * (use.end - use.start) for use in uses)


def _peaks(uses: Iterable[Use], days: Iterable[date]) -> dict[date, int]:
    """Most rooms in use at once, per day."""
    edges: dict[date, list[tuple[int, int]]] = {day: [] for day in days}
    for use in uses:
        edges.setdefault(use.day, []).extend([(use.start, 1), (use.end, -1)])
    found = {}
    for day, changes in edges.items():
        now = most = 0
        for _, change in sorted(changes):
            now += change
            most = max(most, now)
        found[day] = most
    return found


def _rebooked(released: Iterable[Use], kept: Iterable[Use]) -> int:
    """Minutes of given-back time in which the same room was used after all."""
    by_room: dict[tuple[MailboxId, date], list[Use]] = defaultdict(list)
    for use in kept:
        by_room[use.room, use.day].append(use)
    return sum(
        max(0, min(gone.end, use.end) - max(gone.start, use.start))
        for gone in released
        for use in by_room[gone.room, gone.day]
    )


def heat_map(uses: Iterable[Use], days: Iterable[date]) -> dict[tuple[int, int], float]:
    """Per (weekday, half-hour of the day) the median number of rooms in use, each counted once.

    A cell is left out when fewer than `FEWEST` meetings make it up: it might tell of one person.
    """
    listed = sorted(set(days))
    rooms: dict[tuple[date, int], set[MailboxId]] = defaultdict(set)
    meetings: Counter[tuple[int, int]] = Counter()
    for use in uses:
        if use.held is Held.HELD:
            for half in range(use.start // HALF_HOUR, -(-use.end // HALF_HOUR)):
                rooms[use.day, half].add(use.room)
                meetings[use.day.weekday(), half] += 1
    return {
        (weekday, half): float(median(len(rooms[day, half]) for day in listed if day.weekday() == weekday))
        for (weekday, half), number in sorted(meetings.items())
        if number >= FEWEST and any(day.weekday() == weekday for day in listed)
    }


def _known(large: Sequence[Use]) -> bool:
    return all(use.forced is not None for use in large)


def spare_seats(uses: Iterable[Use], spaces: Iterable[Space]) -> dict[int, tuple[int, int]]:
    """The right-size histogram: per number of empty seats (meetings, of them avoidable); small cells left out."""
    rooms = {space.id: space for space in spaces}
    found: dict[int, tuple[int, int]] = {}
    for use in uses:
        if use.held is not Held.RELEASED and not use.foreign and use.room in rooms:
            empty = rooms[use.room].capacity - use.party
            meetings, avoidable = found.get(empty, (0, 0))
            found[empty] = (meetings + 1, avoidable + (use.forced is False))
    return {empty: cell for empty, cell in sorted(found.items()) if cell[0] >= FEWEST}
