"""Wall clocks and instants: the only module that adds a time zone to a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
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


@lru_cache(maxsize=256)
def offsets(start: int, end: int, zone: str) -> tuple[tuple[int, int, int], ...]:
    """The stretches of one UTC offset between two epoch seconds: (begin, end, seconds east of Greenwich).

    Between the stretches clocks jump. A wall clock reading is ``instant + offset``, read as if it were UTC.
    """
    stretches: list[tuple[int, int, int]] = []
    begin = start
    while begin < end:
        offset, until = _offset(begin, zone), begin
        while until < end and _offset(min(until + _DAY, end), zone) == offset:
            until = min(until + _DAY, end)
        if until < end:
            until = _jump(until, min(until + _DAY, end), zone)
        stretches.append((begin, until, offset))
        begin = until
    return tuple(stretches)


_DAY = 24 * 60 * 60


def _offset(seconds: int, zone: str) -> int:
    away = datetime.fromtimestamp(seconds, ZoneInfo(zone)).utcoffset()
    return 0 if away is None else away // timedelta(seconds=1)


def _jump(before: int, after: int, zone: str) -> int:
    """The first second with another offset than *before*; clocks jump at most once in between."""
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
    return after


def zulu(at: datetime) -> str:
    """A moment in UTC as answers and statements tell it: ISO 8601 with ``Z`` (RFC 3339, 5.6)."""
    return at.isoformat().replace("+00:00", "Z")
