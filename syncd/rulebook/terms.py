"""The words of a rules file: weekdays, clock times, spans, people and names, checked as they are read."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from syncd.section import did_you_mean

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_DAY = 24 * 60
DAYS_AHEAD = 366


def _weekday(word: str) -> int:
    if word not in WEEKDAYS:
        raise ValueError(f"'{word}' is not a weekday{did_you_mean(word, WEEKDAYS)}; weekdays are {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(word)


def _weekdays(value: object) -> object:
    """``"mon-thu"``, ``"mon, wed"`` or ``["mon", "wed"]`` as sorted names."""
    words = re.split(r"[,\s]+", value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return value
    found: set[int] = set()
    for word in words:
        first, dash, last = str(word).lower().partition("-")
        begin, end = _weekday(first), _weekday(last if dash else first)
        found |= {day % 7 for day in range(begin, end + (1 if begin <= end else 8))}
    return tuple(WEEKDAYS[day] for day in sorted(found))


def _some_day(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("names no weekday")
    return value


def _span(value: object) -> object:
    """``"09:00-12:00"`` as a pair of times."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split("-")]
    if len(parts) != 2:
        raise ValueError(f"'{value}' is not a span of time; write it like 09:00-12:00")
    return tuple(parts)


Span = Annotated[
    tuple[time, time],
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d *- *\d\d:\d\d$"}),
]
Spans = tuple[Span, ...]
Weekdays = Annotated[
    tuple[str, ...],
    BeforeValidator(_weekdays),
    AfterValidator(_some_day),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Who = Annotated[
    tuple[str, ...],
    Field(
        min_length=1,
        description="Caseworker ids, team:NAME, competence:NAME, site:NAME or everyone.",
        examples=[["team:job"]],
    ),
]


def _naive(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("should be a wall-clock time without a zone; the site's zone holds")
    return value


Wall = Annotated[time, AfterValidator(_naive)]


def _url_name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", value):
        raise ValueError("an offer's name is small letters a-z, digits and dashes, for it stands in URLs")
    return value


OfferName = Annotated[str, AfterValidator(_url_name)]
