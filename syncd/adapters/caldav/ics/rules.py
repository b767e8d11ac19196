"""RRULE text becomes a rule that can be worked out (RFC 5545 3.3.10; SKIP of RFC 7529 for the Gregorian calendar)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from enum import IntEnum
from functools import lru_cache
from typing import Final

from syncd.adapters.caldav.ics.refusal import Unparsable
from syncd.adapters.caldav.ics.values import When, when


class Freq(IntEnum):
    """The period of a rule."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


LONGEST_RULE: Final = 8000
WEEKDAYS: Final = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}


@dataclass(frozen=True, slots=True)
class Rule:
    """One recurrence rule; empty tuples for absent BY parts, which are sorted.

    :param until: last moment, as written; None for none.
    :param byday: (weekday, nth); 0 for every one.
    :param skip: what becomes of February 30: "OMIT", "BACKWARD" or "FORWARD" (RFC 7529).
    :param text: the rule again, with nothing but what was understood.
    """

    freq: Freq
    text: str
    interval: int = 1
    count: int | None = None
    until: When | None = None
    bymonth: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byday: tuple[tuple[int, int], ...] = ()
    byhour: tuple[int, ...] = ()
    byminute: tuple[int, ...] = ()
    bysecond: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()
    wkst: int = 0
    skip: str = "OMIT"

    @property
    def endless(self) -> bool:
        """Whether it has neither COUNT nor UNTIL."""
        return self.count is None and self.until is None


@lru_cache(maxsize=2048)
def parse(text: str) -> Rule:
    """Read the value of an RRULE.

    Values that can mean nothing (BYDAY=0MO, BYSETPOS=0) are left out, as are X- parts; COUNT below zero, which old
    exporters write for "no end", means no end.

    :raises Unparsable: an unknown part or frequency, or a number out of range.
    """
    if len(text) > LONGEST_RULE:
        raise Unparsable("its recurrence rule is longer than any real one")
    found: dict[str, object] = {}
    kept: list[str] = []
    for part in text.upper().replace(" ", "").split(";"):
        name, equals, value = part.partition("=")
        if not part or name.startswith("X-"):
            continue
        if name not in _PARTS or not equals or not value or name in found:
            raise Unparsable("its recurrence rule has a part that is unknown, empty or repeated")
        try:
            found[name] = _PARTS[name](value)
        except (ValueError, KeyError) as error:
            raise Unparsable(f"{name} of its recurrence rule cannot be read") from error
        kept.append(part)
    if "FREQ" not in found:
        raise Unparsable("its recurrence rule has no FREQ")
    if found.pop("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise Unparsable("its recurrence rule counts in a calendar (RSCALE) that is not Gregorian")
    fields = {name.lower(): value for name, value in found.items()}
    return Rule(text=";".join(kept), **fields)  # type: ignore[arg-type]  # each was parsed for its name


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 10**9:
        raise ValueError(text)
    return number


def _count(text: str) -> int | None:
    number = int(text)
    return None if number < 0 else min(number, 10**9)


def _numbers(low: int, high: int, signed: bool = False) -> Callable[[str], tuple[int, ...]]:
    """A reader for comma lists; zero means nothing in a signed list and is dropped."""

    def read(text: str) -> tuple[int, ...]:
        numbers = {int(part) for part in text.split(",") if part}
        if signed:
            numbers.discard(0)
        if not all(low <= abs(number) <= high and (signed or number >= 0) for number in numbers):
            raise ValueError(text)
        if not numbers:
            raise ValueError(text)
        return tuple(sorted(numbers))

    return read


def _seconds(text: str) -> tuple[int, ...]:
    """BYSECOND; the leap second 60 is read as 59 (RFC 5545 3.3.12)."""
    return tuple(sorted({min(number, 59) for number in _numbers(0, 60)(text)}))


def _weekday(text: str) -> tuple[int, int] | None:
    number = text[:-2]
    if number.lstrip("+-") == "0" or (number and abs(int(number)) > 53):
        return None
    return WEEKDAYS[text[-2:]], int(number or 0)


def _weekdays(text: str) -> tuple[tuple[int, int], ...]:
    days = {day for part in text.split(",") if part and (day := _weekday(part)) is not None}
    if not days:
        raise ValueError(text)
    return tuple(sorted(days))


def _until(text: str) -> When:
    return when(f":{text}", lambda _: None, UTC)


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return read


_PARTS: Final[dict[str, Callable[[str], object]]] = {
    "FREQ": Freq.__getitem__,
    "INTERVAL": _positive,
    "COUNT": _count,
    "UNTIL": _until,
    "BYMONTH": _numbers(1, 12),
    "BYWEEKNO": _numbers(1, 53, signed=True),
    "BYYEARDAY": _numbers(1, 366, signed=True),
    "BYMONTHDAY": _numbers(1, 31, signed=True),
    "BYDAY": _weekdays,
    "BYHOUR": _numbers(0, 23),
    "BYMINUTE": _numbers(0, 59),
    "BYSECOND": _seconds,
    "BYSETPOS": _numbers(1, 200_000, signed=True),
    "WKST": WEEKDAYS.__getitem__,
    "RSCALE": str,
    "SKIP": _one_of("OMIT", "BACKWARD", "FORWARD"),
}
