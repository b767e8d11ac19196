"""From instants to a day of a site and back: occupants become seats, moments decide how firmly they sit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import gcd

from syncd.model.directory import MailboxId, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import RoomRequirement
from syncd.model.zones import instant, midnight, whole_days
from syncd.roomalloc.day import SHORTEST, Ask, Day, Seat, Span, Standing
from syncd.roomalloc.layout import Layout, Space

FINEST = 5
"""Minutes of the finest grid: times between its lines take the whole step."""
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Timing:
    """When a site's rooms are told, and when they stand for good.

    :param announce_days: days before the meeting's day at whose beginning people are told; None: at booking.
    :param freeze: wall-clock time on the working day before; from then on no room of the day changes.
    """

    announce_days: int | None = 2
    freeze: time = time(12)

    def problems(self) -> list[str]:
        """What cannot be right in it, one sentence each."""
        if self.announce_days is not None and self.announce_days < 1:
            return [f"announce_days: {self.announce_days} would tell people after the rooms of their day are frozen"]
        return []


@dataclass(frozen=True, slots=True)
class Occupant:
    """What takes a room, as the store knows it.

    :param interval: the meeting itself, without anybody's buffers or turnover.
    :param pinned: staff want exactly this room. :param foreign: not a meeting of ours.
    """

    id: str
    room: MailboxId
    interval: Interval
    requirement: RoomRequirement = RoomRequirement()
    floor: int = 0
    teams: tuple[str, ...] = ()
    pinned: bool = False
    foreign: bool = False


def standing(day: date, now: datetime, zone: str, timing: Timing, holidays: Collection[date] = ()) -> Standing:
    """How firmly the meetings of a local *day* have their rooms at *now*."""
    if now >= frozen_at(day, zone, timing, holidays):
        return Standing.FIXED
    if timing.announce_days is None or now >= midnight(day - timedelta(days=timing.announce_days), zone):
        return Standing.ANNOUNCED
    return Standing.TENTATIVE


def announced_at(day: date, zone: str, timing: Timing, holidays: Collection[date] = ()) -> datetime | None:
    """When people are told the rooms of a local *day*, never later than they are frozen; None: at booking."""
    if timing.announce_days is None:
        return None
    return min(frozen_at(day, zone, timing, holidays), midnight(day - timedelta(days=timing.announce_days), zone))


def frozen_at(day: date, zone: str, timing: Timing, holidays: Collection[date] = ()) -> datetime:
    """From when on no booking moves a meeting of a local *day*."""
    return instant(working_day_before(day, holidays), timing.freeze, zone)


def working_day_before(day: date, holidays: Collection[date] = ()) -> date:
    """The last day from Monday to Friday before *day* that is no holiday."""
    before = day - timedelta(days=1)
    while before.weekday() > 4 or before in holidays:
        before -= timedelta(days=1)
    return before


def site_day(
    site: Site,
    day: date,
    rooms: Iterable[Room],
    occupants: Iterable[Occupant],
    standing: Standing,
    *,
    closures: Mapping[MailboxId, Sequence[Interval]] | None = None,
    unknown: Mapping[MailboxId, Sequence[Interval]] | None = None,
    shortest: int = SHORTEST,
    starts: int = 15,
) -> Day:
    """The rooms of *site* on a local *day* with everybody in them.

    Occupants of rooms elsewhere, or outside the day, are skipped.

    :param standing: of all meetings that are neither pinned nor foreign; see `standing`.
    :param unknown: spans of a room's time that its calendar does not cover; never promised.
    :param shortest, starts: minutes of the shortest offer and of its grid, for the fragmentation.
    """
    window = whole_days(day, day, site.zone)
    here = {room.id: room for room in rooms if room.site == site.id}
    inside = [o for o in occupants if o.room in here and o.interval.overlaps(window)]
    spans = {o.id: minutes(window, o.interval) for o in inside}
    blocked = {
        id: [
            minutes(window, span)
            for spans in (closures, unknown)
            for span in (spans or {}).get(id, ())
            if span.overlaps(window)
        ]
        for id in here
    }
    hours = {
        id: (_hours(room, day, site, window),) for id, room in here.items() if room.opens or room.closes or room.hours
    }
    result = Day(
        Layout(Space.of(room) for room in here.values()),
        hours=hours,
        blocked=blocked,
        grid=_grid(
            starts, [*spans.values(), *(span for open_spans in hours.values() for span in open_spans)], here.values()
        ),
        length=window.duration // MINUTE,
        shortest=shortest,
        starts=starts,
    )
    result.standing = standing
    number = result.layout.number
    result.add_all((_seat(result, o, spans[o.id], standing), number[o.room]) for o in inside)
    return result


def _seat(day: Day, occupant: Occupant, span: Span, standing: Standing) -> Seat:
    if occupant.foreign:
        return day.stranger(occupant.id, occupant.room, *span)
    ask = Ask(occupant.id, *span, occupant.requirement, occupant.floor, frozenset(occupant.teams))
    return day.seat(ask, Standing.FIXED if occupant.pinned else standing)


def ask_of(
    site: Site,
    day: date,
    id: str,
    interval: Interval,
    requirement: RoomRequirement,
    floor: int = 0,
    teams: Collection[str] = (),
) -> Ask:
    """The meeting in minutes of its local *day*."""
    return Ask(id, *minutes(whole_days(day, day, site.zone), interval), requirement, floor, frozenset(teams))


def minutes(window: Interval, interval: Interval) -> Span:
    """The interval in whole minutes after the beginning of *window*, cut to it, rounded outward."""
    part = interval.clip(window) or window
    return (part.start - window.start) // MINUTE, -((window.start - part.end) // MINUTE)


def start_of(window: Interval, minute: int) -> datetime:
    """The instant a number of minutes after the beginning of *window*."""
    return window.start + minute * MINUTE


def _hours(room: Room, day: date, site: Site, window: Interval) -> Span:
    hours = room.open_on(day.weekday())
    if hours is None:
        return 0, 0
    opens = instant(day, hours[0], site.zone) if hours[0] else window.start
    closes = instant(day, hours[1], site.zone) if hours[1] else window.end
    return minutes(window, Interval(opens, closes)) if opens < closes else (0, 0)


def _grid(starts: int, spans: Iterable[Span], rooms: Iterable[Room]) -> int:
    """The coarsest grid on which everything lies, but never finer than `FINEST`."""
    step = gcd(starts, *(minute for span in spans for minute in span), *(room.turnover for room in rooms))
    return max(step, FINEST)
