"""The only place that reads the wall clock; everybody else is given ``now``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

AHEAD = "SYNCD_CLOCK_AHEAD"
"""An environment variable for tests: seconds by which this machine's clock is to be wrong."""


class Clock(Protocol):
    """Tells the time; tests and the simulation bring their own."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...


def running() -> float:
    """Seconds on a clock that only runs forward, also while the process, or the whole machine, stands still."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def schedule_time() -> datetime:
    """What a scheduler that reads this machine's clock by itself sees now; only ever for handing back to it."""
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        self._wrong = timedelta(seconds=float(os.environ.get(AHEAD, "0")))

    def now(self) -> datetime:
        """Return the present instant in UTC, to the microsecond."""
        return datetime.now(UTC) + self._wrong


class ServerClock:
    """A server's clock, the same for all who ask it, carried on between two looks by a clock that only runs forward.

    What this machine's own clock shows does not matter.

    :param elapsed: the clock that only runs forward, in seconds.
    """

    def __init__(self, elapsed: Callable[[], float] = running) -> None:
        self._elapsed = elapsed
        self._shown: tuple[datetime, float] | None = None

    def look(self, ask: Callable[[], datetime]) -> None:
        """Ask the server; half of what the question took is counted as the way back."""
        before = self._elapsed()
        shown = ask()
        self._shown = shown.astimezone(UTC), (before + self._elapsed()) / 2

    def now(self) -> datetime:
        """Return the present instant in UTC, as far as the last look tells it.

        :raises RuntimeError: the server was never asked.
        """
        if self._shown is None:
            raise RuntimeError("the server's clock was never looked at")
        shown, at = self._shown
        return shown + timedelta(seconds=self._elapsed() - at)


class FixedClock:
    """A clock that stands still until it is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.at
