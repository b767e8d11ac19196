"""How many requests one client may send: a bucket each, refilled steadily."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock
from time import monotonic

MOST = 20_000
"""So many clients are remembered; beyond that those who have been quiet are forgotten."""
BURST_SECONDS = 10
"""A client that was quiet may send what this many seconds refill at once."""


class Pace:
    """Counts requests by client; forgets everything at a restart, which does no harm.

    :param clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, client: str, per_minute: int) -> int:
        """Count one request of *client*.

        :param per_minute: how many it may send in the long run.
        :returns: 0 when it may be served; else after how many whole seconds it may be sent again (nothing is counted).
        """
        rate, most = per_minute / 60, max(1.0, per_minute / 60 * BURST_SECONDS)
        with self._lock:
            now = self._clock()
            level, then = self._buckets.get(client, (most, now))
            level = min(most, level + (now - then) * rate)
            served = level >= 1
            self._buckets[client] = (level - 1 if served else level, now)
            if len(self._buckets) > MOST:
                quiet = now - BURST_SECONDS
                self._buckets = {one: bucket for one, bucket in self._buckets.items() if bucket[1] > quiet}
        return 0 if served else math.ceil((1 - level) / rate)
