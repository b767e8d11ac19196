"""Days and times that somebody typed, or that a form of ours carried: only those of years that everything can count."""

from __future__ import annotations

from datetime import date, datetime

YEARS = range(1970, 2200)


def typed_day(text: str) -> date:
    """A date.

    :raises ValueError: it is none of these years.
    """
    return _within(date.fromisoformat(text), text)


def typed_time(text: str) -> datetime:
    """A date with a time, and the offset when it has one.

    :raises ValueError: it is none of these years.
    """
    found = datetime.fromisoformat(text)
    _within(found.date(), text)
    return found


def _within(day: date, text: str) -> date:
    if day.year not in YEARS:
        raise ValueError(text)
    return day
