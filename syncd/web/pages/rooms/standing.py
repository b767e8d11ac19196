"""How a room stands at an instant, for doors, displays and the page of rooms: pure, and never a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from syncd.booking.room_board import Kind, RoomBoard
from syncd.model.directory import Room, Site
from syncd.model.interval import Interval
from syncd.model.zones import instant, wall_clock

SOON = timedelta(minutes=15)


class Look(StrEnum):
    """What a glance should tell."""

    FREE = "free"
    SOON = "soon"
    """Free, but not for long."""
    BUSY = "busy"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """Its calendar cannot be read: whatever we know, it may be taken."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One room now. :param until: when that ends today; None when it stays so for the rest of the day.

    :param next: what takes it next. :param reason: why it is closed, when somebody said so.
    """

    room: Room
    look: Look
    until: datetime | None = None
    next: Interval | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """The rooms of a floor."""

    number: int
    rooms: tuple[Standing, ...]


def standing(board: RoomBoard, site: Site, now: datetime) -> Standing:
    """How the room stands."""
    room, following = board.room, board.next_after(now)
    shut = next(
        (bar for bar in board.bars if bar.kind is Kind.CLOSED and bar.interval.start <= now < bar.interval.end), None
    )
    if shut is not None:
        taken = board.taken_at(now)
        return Standing(room, Look.CLOSED, taken.end if taken else shut.interval.end, following, shut.reason)
    if not is_open(room, site, now):
        return Standing(room, Look.CLOSED)
    if (taken := board.taken_at(now)) is not None:
        return Standing(room, Look.BUSY, taken.end, following)
    if not board.known:
        return Standing(room, Look.UNKNOWN, next=following)
    if following is None:
        return Standing(room, Look.FREE)
    return Standing(room, Look.SOON if following.start - now <= SOON else Look.FREE, following.start, following)


def is_open(room: Room, site: Site, now: datetime) -> bool:
    """Whether the room's own hours hold now."""
    hours = hours_of(room, site, wall_clock(now, site.zone).date())
    return hours is not None and hours.start <= now < hours.end


def hours_of(room: Room, site: Site, day: date) -> Interval | None:
    """When the room is open that day; None when it is not."""
    found = room.open_on(day.weekday())
    if found is None:
        return None
    opens, closes = found
    start = instant(day, opens, site.zone) if opens else instant(day, datetime.min.time(), site.zone)
    end = (
        instant(day, closes, site.zone) if closes else instant(day + timedelta(days=1), datetime.min.time(), site.zone)
    )
    return Interval(start, end)


def by_floor(found: list[Standing]) -> list[Floor]:
    """Floor by floor, from the lowest; the order within stays."""
    ordered = sorted(found, key=lambda one: one.room.floor)
    return [Floor(number, tuple(some)) for number, some in groupby(ordered, key=lambda one: one.room.floor)]


def tally(found: list[Standing]) -> dict[str, int]:
    """How many rooms stand in each way."""
    return {look.value: sum(one.look is look for one in found) for look in Look}
