"""What was on offer when: the values of the record that can be asked afterwards."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from syncd.model.interval import Interval
from syncd.model.offer import Form

DAY = 86_400
MINUTE = 60


class Standing(StrEnum):
    """How an offer stood as a whole."""

    OPEN = "open"
    """There were times."""
    FULLY_BOOKED = "fully-booked"
    """Every calendar was known, and there was no time."""
    TEMPORARILY_CLOSED = "temporarily-closed"
    """There was no time in the calendars that could be trusted, and some could not."""
    WITHDRAWN = "withdrawn"
    """The rules no longer had it."""


class Page(NamedTuple):
    """The starts of one offer's one form on one UTC day. :param day: days since 1970."""

    offer: str
    form: Form
    day: int


@dataclass(frozen=True, slots=True)
class Since:
    """How an offer stood from an instant on.

    :param notice: minutes; what began earlier than this after the question could not be booked.
    :param rules: number of the revision of the rules.
    :param closed: reasons why calendars were left out, with how many each.
    """

    at: datetime
    standing: Standing
    notice: int
    rules: int
    closed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one offer had at one instant.

    :param watched: whether syncd was keeping the record then; without it nothing is known, and nothing could be booked.
    :param since: how the offer stood; None when it was never on record.
    :param times: starts (UTC) by form, that could have been booked at that instant.
    """

    offer: str
    at: datetime
    window: Interval
    watched: bool
    since: Since | None
    times: dict[Form, tuple[datetime, ...]]


def packed(starts: Iterable[int]) -> bytes:
    """Starts of one UTC day (epoch seconds, whole minutes), two bytes each, little-endian."""
    minutes = array("H", [at % DAY // MINUTE for at in starts])
    if sys.byteorder == "big":
        minutes.byteswap()
    return minutes.tobytes()


def unpacked(day: int, content: bytes) -> list[int]:
    """The epoch seconds that `packed` was given."""
    minutes = array("H")
    minutes.frombytes(content)
    if sys.byteorder == "big":
        minutes.byteswap()
    return [day * DAY + minute * MINUTE for minute in minutes]
