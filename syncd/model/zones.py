"""Wall clocks and instants: the only module that adds a time zone to a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

from syncd.model.interval import Interval


def known(zone: str) -> bool:
    """Whether *zone* is an IANA name this machine knows."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def clock(zone: str) -> ZoneInfo:
    """The clocks of IANA zone *zone*, for code that converts many times at once; loaded once, then shared.

    :raises ZoneInfoNotFoundError: no such zone (see `known`).
    """
    return ZoneInfo(zone)


def instant(day: date, wall: time, zone: str) -> datetime:
    """The UTC instant at which clocks in *zone* show *wall* on *day*.

    RFC 5545 3.3.5 settles the two odd nights: a time that occurs twice means the first one,
    a time that never occurs is read with the offset before the gap.
    """
    return datetime.combine(day, wall, ZoneInfo(zone)).astimezone(UTC)


def wall_clock(moment: datetime, zone: str) -> datetime:
    """What clocks in *zone* show at *moment*; the result is aware, never add to it."""
    return moment.astimezone(ZoneInfo(zone))


def midnight(day: date, zone: str) -> datetime:
    """The UTC instant at which *day* begins in *zone*."""
    return instant(day, time(), zone)


def whole_days(first: date, last: date, zone: str) -> Interval:
    """From the beginning of *first* to the end of *last*, in *zone*."""
    return Interval(midnight(first, zone), midnight(last + timedelta(days=1), zone))


def days(window: Interval, zone: str) -> list[date]:
    """The dates in *zone* that *window* touches, in order."""
    first = wall_clock(window.start, zone).date()
    last = wall_clock(window.end - timedelta(microseconds=1), zone).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@cache
def tzdata() -> str:
    """The release of the time zone rules in use, such as ``2025b``; kept with what they turned into an instant."""
    for folder in TZPATH:
        path = Path(folder, "tzdata.zi")
        if path.is_file():
            with path.open(encoding="ascii", errors="replace") as rules:
                return rules.readline().removeprefix("# version ").strip()
    return version("tzdata")
