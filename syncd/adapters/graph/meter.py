"""How many requests are under way at once: more as long as all goes well, half as many when the tenant is throttled.

Additive increase, multiplicative decrease. Microsoft's own papers have contradicted each other on whether four
requests at a time are allowed for each mailbox or for the application; this is right under either reading.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from syncd.errors import Transient

SPELL = 30.0
"""Seconds: two mailboxes throttled within it are a sign that the application is too fast, one is its own affair."""
REST = 5.0
"""Seconds in which the limit is halved once at most: one burst has many refusals."""


class Meter:
    """Places for requests; thread-safe.

    :param first: places at the start. :param most: never more than these.
    :param elapsed: a clock that only runs forward, in seconds.
    """

    def __init__(self, first: int, most: int, elapsed: Callable[[], float] = time.monotonic) -> None:
        self.most = max(most, 1)
        self._limit = float(min(max(first, 1), self.most))
        self._elapsed = elapsed
        self._free = Condition()
        self._out = 0
        self._throttled: dict[str, float] = {}
        self._halved = float("-inf")

    @property
    def limit(self) -> int:
        """Places there are now."""
        return int(self._limit)

    @contextmanager
    def place(self, seconds: float) -> Iterator[None]:
        """Hold a place for one request, waiting at most *seconds* for it.

        :raises Transient: all were taken for too long.
        """
        with self._free:
            if not self._free.wait_for(lambda: self._out < self.limit, max(seconds, 0.0)):
                raise Transient("All places for requests to Microsoft Graph are taken; it is tried again later.")
            self._out += 1
        try:
            yield
        finally:
            with self._free:
                self._out -= 1
                self._free.notify()

    def went_well(self) -> None:
        """A request was answered; a whole round of good answers adds one place."""
        with self._free:
            if self._limit < self.most:
                before = self.limit
                self._limit = min(self._limit + 1.0 / self._limit, float(self.most))
                if self.limit > before:
                    self._free.notify()

    def throttled(self, mailbox: str) -> None:
        """The server asked for a pause for *mailbox*; when it is not the only one, everybody goes slower."""
        now = self._elapsed()
        with self._free:
            self._throttled = {one: at for one, at in self._throttled.items() if now - at < SPELL} | {mailbox: now}
            if len(self._throttled) > 1 and now - self._halved >= REST:
                self._limit, self._halved = max(self._limit / 2, 1.0), now
