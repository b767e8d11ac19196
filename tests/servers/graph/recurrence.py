"""patternedRecurrence: the dates of a series, on the wall clock of its zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tests.servers.graph.wire import bad

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKS = ("first", "second", "third", "fourth", "last")
KINDS = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly")
_FAR = timedelta(days=3650)


def dates(recurrence: dict[str, Any]) -> Iterator[date]:
    """All dates of the rule, oldest first; an endless one ends after ten years.

    :raises GraphError: the pattern is none of those that are played here.
    """
    pattern, span = recurrence["pattern"], recurrence["range"]
    first = date.fromisoformat(span["startDate"])
    last = date.fromisoformat(span["endDate"]) if span["type"] == "endDate" else first + _FAR
    left = span["numberOfOccurrences"] if span["type"] == "numbered" else None
    for one in _pattern(pattern, first):
        if one > last or left == 0:
            return
        left = left - 1 if left is not None else None
        yield one


def _pattern(pattern: dict[str, Any], first: date) -> Iterator[date]:
    kind, interval = pattern["type"], pattern["interval"]
    if kind not in KINDS:
        raise bad(f"The recurrence pattern '{kind}' is not played here.")
    one = first
    while True:
        if _hits(kind, interval, pattern, first, one):
            yield one
        one += timedelta(days=1)


def _hits(kind: str, interval: int, pattern: dict[str, Any], first: date, one: date) -> bool:
    if kind == "daily":
        return (one - first).days % interval == 0
    if kind == "weekly":
        start = first - timedelta(days=first.weekday())
        return ((one - start).days // 7) % interval == 0 and DAYS[one.weekday()] in pattern["daysOfWeek"]
    months = (one.year - first.year) * 12 + one.month - first.month
    if kind == "relativeMonthly":
        last = (one + timedelta(days=7)).month != one.month
        week = last if pattern["index"] == "last" else (one.day - 1) // 7 == WEEKS.index(pattern["index"])
        return months % interval == 0 and week and DAYS[one.weekday()] in pattern["daysOfWeek"]
    if kind == "absoluteYearly":
        return (one.day, one.month) == (pattern["dayOfMonth"], pattern["month"]) and months // 12 % interval == 0
    return bool(one.day == pattern["dayOfMonth"] and months % interval == 0)


def weekly(first: date, times: int | None = None, until: date | None = None, interval: int = 1) -> dict[str, Any]:
    """The recurrence of something that comes each week on the weekday of *first*."""
    pattern = {
        "type": "weekly",
        "interval": interval,
        "daysOfWeek": [DAYS[first.weekday()]],
        "firstDayOfWeek": "monday",
    }
    span: dict[str, Any] = {"type": "noEnd", "startDate": str(first)}
    if times is not None:
        span |= {"type": "numbered", "numberOfOccurrences": times}
    elif until is not None:
        span |= {"type": "endDate", "endDate": str(until)}
    return {"pattern": pattern, "range": span}
