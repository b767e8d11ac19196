"""Property values: dates, times and durations (RFC 5545 3.3.4 to 3.3.9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from typing import Final, NamedTuple

from syncd.adapters.caldav.ics.refusal import Unparsable

Clocks = Callable[[str], "tuple[tzinfo, str] | None"]
"""Answers a property's parameter text with its clock and the TZID to remember; None without a usable TZID."""

_DURATION: Final = re.compile(
    r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?", re.IGNORECASE
)
_EXTENDED: Final = re.compile(
    r":(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d)?(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?)?\s*$", re.IGNORECASE | re.ASCII
)


END: Final = datetime.fromisoformat("99991231T235959")
"""No wall clock shows a later time."""


class Form(IntEnum):
    """How a moment was written (RFC 5545 3.3.4 and 3.3.5)."""

    DATE = 0
    FLOATING = 1
    UTC = 2
    ZONED = 3


class When(NamedTuple):
    """A date or a moment, as written and as read.

    :param wall: what the clock shows (naive); midnight for a date.
    :param clock: whose clock: UTC, the TZID's, or the mailbox's for dates and floating times.
    :param tzid: the TZID to remember; empty unless ``form`` is ZONED.
    """

    wall: datetime
    clock: tzinfo
    form: Form
    tzid: str = ""

    @property
    def utc(self) -> datetime:
        """The instant; on the odd nights as RFC 5545 3.3.5 has it (first of two, offset before the gap)."""
        return at(self.wall, self.clock)

    @property
    def is_date(self) -> bool:
        """Whether it was written as a date."""
        return self.form is Form.DATE

    def seen_by(self, clock: tzinfo) -> datetime:
        """What *clock* shows at that instant (naive)."""
        if clock is self.clock:
            return self.wall
        return self.utc.astimezone(clock).replace(tzinfo=None)

    def written(self, name: str) -> str:
        """The content line that says the same, and nothing else."""
        digits = self.wall.isoformat().replace("-", "").replace(":", "")
        if self.form is Form.DATE:
            return f"{name};VALUE=DATE:{digits[:8]}"
        if self.form is Form.ZONED:
            return f'{name};TZID="{self.tzid}":{digits}'
        return f"{name}:{digits}Z" if self.form is Form.UTC else f"{name}:{digits}"


class Length(NamedTuple):
    """How long something lasts: whole days by the calendar, then exact time (RFC 5545 3.3.6)."""

    days: int
    exact: timedelta

    def end(self, wall: datetime, clock: tzinfo, start: datetime) -> datetime:
        """The instant this long after *start*, which *clock* shows as *wall*."""
        if self.days:
            start = at(wall + timedelta(days=self.days), clock)
        return start + self.exact

    @property
    def rough(self) -> timedelta:
        """About as long, never shorter: a day may have 25 hours."""
        return timedelta(hours=25 * abs(self.days)) + abs(self.exact)

    def written(self, name: str) -> str:
        """The content line that says the same."""
        seconds = int(self.exact.total_seconds())
        if self.days < 0 or seconds < 0:
            return f"{name}:-P{-self.days}DT{-seconds}S"
        return f"{name}:P{self.days}DT{seconds}S"


def at(wall: datetime, clock: tzinfo) -> datetime:
    """The instant (UTC) at which *clock* shows *wall*."""
    return wall.replace(tzinfo=clock).astimezone(UTC)


def when(rest: str, clocks: Clocks, home: tzinfo) -> When:
    """Read a DATE or DATE-TIME property: *rest* is the content line after its name.

    :param home: the mailbox's clock, for dates, floating times and zones nobody knows.
    :raises Unparsable: no date and no time.
    """
    params, _, text = rest.rpartition(":")
    try:
        return _moment(text.strip(), params, clocks, home)
    except ValueError:
        pass
    try:  # 2026-10-26T09:00:00+01:00 is not iCalendar, but means one thing only
        return _extended(rest, clocks, home)
    except ValueError as error:
        raise Unparsable("a date or time in it cannot be read") from error


def _moment(text: str, params: str, clocks: Clocks, home: tzinfo) -> When:
    digits = text[:8] + text[9:15]
    if len(text) not in (8, 15, 16):
        raise ValueError(text)
    if not digits.isdecimal() or not digits.isascii():
        raise ValueError(text)
    if len(text) == 8 or (";VALUE=DATE;" in f"{params.upper()};" and text[8] in "Tt"):
        return When(datetime.fromisoformat(text[:8]), home, Form.DATE)
    if text[8] not in "Tt":
        raise ValueError(text)
    if text[13:15] == "60":  # a leap second (RFC 5545 3.3.12)
        text = f"{text[:13]}59{text[15:]}"
    wall = datetime.fromisoformat(text[:15])
    if len(text) == 16:
        if text[15] not in "Zz":
            raise ValueError(text)
        return When(wall, UTC, Form.UTC)
    return _local(wall, params, clocks, home)


def _local(wall: datetime, params: str, clocks: Clocks, home: tzinfo) -> When:
    found = clocks(params) if params else None
    if found is None:
        return When(wall, home, Form.FLOATING)
    return When(wall, found[0], Form.ZONED, found[1])


def _extended(rest: str, clocks: Clocks, home: tzinfo) -> When:
    match = _EXTENDED.search(rest)
    if match is None:
        raise ValueError(rest)
    moment = datetime.fromisoformat(match[1] + (match[2] or "")).replace(microsecond=0)
    if not match[2]:
        return When(moment, home, Form.DATE)
    if moment.tzinfo is not None:
        return When(moment.astimezone(UTC).replace(tzinfo=None), UTC, Form.UTC)
    return _local(moment, rest[: match.start()], clocks, home)


def duration(text: str) -> Length:
    """Read a DURATION value: weeks and days are nominal, hours to seconds exact (RFC 5545 3.3.6).

    :raises Unparsable: no duration.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]):
        raise Unparsable("a DURATION in it cannot be read")
    sign = -1 if match[1] == "-" else 1
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    return Length(sign * (7 * weeks + days), sign * timedelta(hours=hours, minutes=minutes, seconds=seconds))


def day_of(moment: When, home: tzinfo) -> date:
    """The date that a DATE-TIME means where a DATE was expected.

    Exchange and others write EXDATE, RECURRENCE-ID and UNTIL of an all-day series as the local midnight, often in UTC;
    some write midnight UTC. What is midnight for the mailbox is taken first, then what was written.
    """
    if moment.is_date:
        return moment.wall.date()
    local = moment.seen_by(home)
    midnight = datetime.min.time()
    if local.time() == midnight or (moment.form is Form.UTC and moment.wall.time() != midnight):
        return local.date()
    return moment.wall.date()
