"""What every adapter needs against servers that answer late, twice or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import local

LONGEST_PAUSE = 3600.0
"""Seconds; a server that asks for more is asked again after an hour."""


@dataclass(slots=True)
class Call:
    """One call of the port: when it must be over, and what it cost.

    :param ends: on the monotonic clock, in seconds.
    :param requests: HTTP requests sent so far, retries and authentication rounds included.
    """

    ends: float
    requests: int = 0

    def remaining(self) -> float:
        """Seconds left; negative when it should be over."""
        return self.ends - time.monotonic()


class Calls(local):
    """The call each thread is in; calls may nest, the outermost one sets the deadline."""

    def __init__(self) -> None:
        self._current: Call | None = None

    @contextmanager
    def begin(self, seconds: float) -> Iterator[Call]:
        """Open a call that lasts at most *seconds*, or join the one already open in this thread."""
        outer = self._current
        call = outer or Call(time.monotonic() + seconds)
        self._current = call
        try:
            yield call
        finally:
            self._current = outer

    @property
    def current(self) -> Call | None:
        """The open call of this thread."""
        return self._current


def retry_after(value: str | None, now: datetime, default: float = 60.0) -> float:
    """Seconds to wait by a Retry-After header (RFC 9110 10.2.3: seconds or a date), within bounds.

    What cannot be read means *default*.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return default
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 1.0), LONGEST_PAUSE)
