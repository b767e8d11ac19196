"""The VTIMEZONE of an IANA zone, as calendar programs like it: one yearly rule per change (RFC 5545 3.6.5)."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from syncd.model.zones import clock

YEARS = 6
"""How many years of changes are looked at to recognise a yearly rule."""

DAYS = "MO", "TU", "WE", "TH", "FR", "SA", "SU"


@dataclass(frozen=True, slots=True)
class Change:
    """Clocks are set: ``local`` is what they showed before, in the offset before."""

    local: datetime
    before: timedelta
    after: timedelta
    name: str
    summer: bool


@lru_cache(maxsize=256)
def vtimezone(zone: str, year: int) -> bytes:
    """The component for entries of *year* and the years after it, ready to be put into a VCALENDAR.

    It begins one year earlier, so that the entry never lies before the first rule.
    """
    tz = clock(zone)
    start = datetime(year - 1, 1, 1, tzinfo=UTC)
    changes = _changes(tz, start, start.replace(year=start.year + YEARS))
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone}"]
    lines += _observance(_standing(tz, start), None)
    for kind in (True, False):
        same = [change for change in changes if change.summer is kind]
        for change, rule in _ruled(same):
            lines += _observance(change, rule)
    return "\r\n".join([*lines, "END:VTIMEZONE", ""]).encode()


def _standing(tz: tzinfo, at: datetime) -> Change:
    """What holds at *at*, as if it had just begun."""
    local = at.astimezone(tz)
    offset = local.utcoffset() or timedelta()
    return Change(local.replace(tzinfo=None), offset, offset, local.tzname() or "", bool(local.dst()))


def _changes(tz: tzinfo, start: datetime, end: datetime) -> list[Change]:
    """All changes of offset between two instants, found day by day and then to the second."""
    found: list[Change] = []
    day = start
    while day < end:
        following = day + timedelta(days=1)
        if _offset(tz, day) != _offset(tz, following):
            found.append(_change(tz, day, following))
        day = following
    return found


def _change(tz: tzinfo, low: datetime, high: datetime) -> Change:
    """The change between two instants with different offsets."""
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(tz, middle) == _offset(tz, low) else (low, middle)
    before, after = _offset(tz, low), _offset(tz, high)
    local = high.astimezone(tz)
    return Change((high + before).replace(tzinfo=None), before, after, local.tzname() or "", bool(local.dst()))


def _offset(tz: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(tz).utcoffset() or timedelta()


def _ruled(changes: list[Change]) -> list[tuple[Change, str | None]]:
    """One yearly rule for all of them when they follow one, else each by itself."""
    alike = len({(c.local.time(), c.before, c.after, c.name) for c in changes}) == 1
    if alike and len(changes) >= YEARS:
        rules = [{_last_weekday(c), _nth_weekday(c), _same_date(c)} for c in changes]
        if common := sorted(set.intersection(*rules) - {None}, key=str):
            return [(changes[0], common[0])]
    return [(change, None) for change in changes]


def _last_weekday(change: Change) -> str | None:
    length = calendar.monthrange(change.local.year, change.local.month)[1]
    return _rule(change, "-1") if change.local.day > length - 7 else None


def _nth_weekday(change: Change) -> str | None:
    return _rule(change, str((change.local.day - 1) // 7 + 1))


def _same_date(change: Change) -> str | None:
    return f"FREQ=YEARLY;BYMONTH={change.local.month};BYMONTHDAY={change.local.day}"


def _rule(change: Change, nth: str) -> str:
    return f"FREQ=YEARLY;BYDAY={nth}{DAYS[change.local.weekday()]};BYMONTH={change.local.month}"


def _observance(change: Change, rule: str | None) -> list[str]:
    kind = "DAYLIGHT" if change.summer else "STANDARD"
    lines = [f"BEGIN:{kind}", f"DTSTART:{change.local:%Y%m%dT%H%M%S}"]
    lines += [f"RRULE:{rule}"] if rule else []
    lines += [f"TZOFFSETFROM:{_hours(change.before)}", f"TZOFFSETTO:{_hours(change.after)}"]
    return [*lines, f"TZNAME:{change.name}", f"END:{kind}"]


def _hours(offset: timedelta) -> str:
    minutes = int(abs(offset).total_seconds()) // 60
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}{minutes % 60:02}"
