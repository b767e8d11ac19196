"""A VTIMEZONE becomes a clock (RFC 5545 3.6.5)."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.expand import starts
from syncd.adapters.caldav.ics.lines import Component, components
from syncd.adapters.caldav.ics.refusal import Unparsable
from syncd.adapters.caldav.ics.rules import parse
from syncd.adapters.caldav.ics.values import Form, when

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100
MAX_CHANGES: Final = 4000
MAX_BLOCK: Final = 64 * 1024

_OFFSET: Final = re.compile(r":\s*([+-]?)(\d\d):?(\d\d):?(\d\d)?\s*$")
_TZID: Final = re.compile(r"\nTZID(?:;[^:\n]*)?:([^\n]*)", re.IGNORECASE)
_DAY: Final = timedelta(days=1)


class Change(NamedTuple):
    """From ``at`` (UTC, naive) on, clocks are ``after`` ahead of UTC; until then they were ``before``."""

    at: datetime
    before: timedelta
    after: timedelta


class DefinedZone(tzinfo):
    """A clock made of changes in order; before the first, the offset that it changes from."""

    def __init__(self, tzid: str, changes: list[Change]) -> None:
        self._tzid = tzid
        self._changes = changes
        self._instants = [change.at for change in changes]
        # A wall time belongs to the new offset once neither offset can mean an instant before the change:
        # so a time that occurs twice means the first, one in the gap keeps the offset before it (3.3.5).
        self._walls = [_moved(change.at, max(change.before, change.after)) for change in changes]

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset when this clock shows *moment*."""
        if moment is None:
            return self._changes[0].before
        return self._offset(self._walls, moment.replace(tzinfo=None))

    def dst(self, moment: datetime | None) -> timedelta:  # noqa: ARG002  (tzinfo's signature)
        """Unknown here, and never asked for."""
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str:  # noqa: ARG002  (tzinfo's signature)
        """The TZID."""
        return self._tzid

    def fromutc(self, moment: datetime) -> datetime:
        """What this clock shows at *moment*, which carries UTC's time and this zone (tzinfo's protocol)."""
        return moment + self._offset(self._instants, moment.replace(tzinfo=None))

    def _offset(self, marks: list[datetime], moment: datetime) -> timedelta:
        index = bisect_right(marks, moment)
        return self._changes[index - 1].after if index else self._changes[0].before


class Definition(NamedTuple):
    """A VTIMEZONE: its TZID, X-LIC-LOCATION, clock, and the part of its text that defines."""

    tzid: str
    location: str
    clock: tzinfo
    written: str


def defined_tzid(block: str) -> str:
    """The TZID that the inside of a VTIMEZONE defines; empty when there is none."""
    match = _TZID.search(block)
    return match[1].strip().strip('"') if match else ""


@lru_cache(maxsize=256)
def define(block: str) -> Definition:
    """Read the inside of a VTIMEZONE; cached by its text, which comes again with every object.

    :raises Unparsable: no TZID, no usable observance, or more than `MAX_CHANGES` changes.
    """
    if len(block) > MAX_BLOCK:
        raise Unparsable("a VTIMEZONE in it is longer than any real one")
    zone = components(f"\nBEGIN:VTIMEZONE{block}\nEND:VTIMEZONE")[0]
    tzid = defined_tzid(block)
    observances = [part for part in zone.parts if part.name in ("STANDARD", "DAYLIGHT")]
    budget = Budget(steps=100_000)
    changes = sorted({change for part in observances for change in _changes(part, budget)})
    if not tzid or not changes:
        raise Unparsable("a VTIMEZONE in it has no name or no usable rule")
    location = (zone.first("X-LIC-LOCATION") or "").partition(":")[2].strip()
    written = "\n".join(_written(tzid, observances))
    return Definition(tzid, location, DefinedZone(tzid, changes), written)


def _changes(observance: Component, budget: Budget) -> list[Change]:
    after = _offset(observance.first("TZOFFSETTO"))
    before = _offset(observance.first("TZOFFSETFROM") or observance.first("TZOFFSETTO"))
    onset = when(observance.first("DTSTART") or "", lambda _: None, UTC)
    walls = {onset.wall}
    for line in observance.lines.get("RDATE", []):
        params, _, values = line.rpartition(":")
        walls |= {when(f"{params}:{value}", lambda _: None, UTC).wall for value in values.split(",") if value.strip()}
    for line in observance.lines.get("RRULE", []):
        walls.update(_yearly(line.partition(":")[2], onset.wall, before, budget))
    if len(walls) > MAX_CHANGES:
        raise Unparsable(f"a VTIMEZONE in it changes more than {MAX_CHANGES} times")
    return [Change(_moved(wall, -before), before, after) for wall in walls]


def _yearly(text: str, onset: datetime, before: timedelta, budget: Budget) -> list[datetime]:
    """Onsets by RRULE from 1900 to 2100; UNTIL is in UTC, the onset on the clock before the change (3.6.5)."""
    rule = parse(text)
    until = rule.until
    low, high = max(onset, datetime(FIRST_YEAR, 1, 1)), datetime(LAST_YEAR, 1, 1)  # noqa: DTZ001  (wall clock)
    if until is not None:
        local = until.wall + before if until.form is Form.UTC else until.wall + (_DAY if until.is_date else 0 * _DAY)
        high = min(high, local)
    found: list[datetime] = []
    for wall in starts(rule, onset, low, high, budget):
        found.append(wall)
        if len(found) > MAX_CHANGES:
            raise Unparsable(f"a VTIMEZONE in it changes more than {MAX_CHANGES} times")
    return found


def _offset(line: str | None) -> timedelta:
    match = _OFFSET.search(line or "")
    if match is None:
        raise Unparsable("a UTC offset in its VTIMEZONE cannot be read")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    if offset >= _DAY:
        raise Unparsable("a UTC offset in its VTIMEZONE is longer than a day")
    return -offset if match[1] == "-" else offset


def _moved(moment: datetime, by: timedelta) -> datetime:
    """The sum, or *moment* itself at the ends of the calendar: zones are often said to begin in the year 1."""
    try:
        return moment + by
    except OverflowError:
        return moment


def _written(tzid: str, observances: list[Component]) -> list[str]:
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    for part in observances:
        lines.append(f"BEGIN:{part.name}")
        for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"):
            lines += [f"{name}{line}" for line in part.lines.get(name, [])]
        lines.append(f"END:{part.name}")
    return [*lines, "END:VTIMEZONE"]
