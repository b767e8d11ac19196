"""Whether the work goes on: what the watchdog of systemd is told, and when a start is complete."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic

from syncd.dispatch.port import Scope, Task
from syncd.observe import metrics
from syncd.store import Store

BEAT_SECONDS = 5.0
SCHEDULER_SECONDS = 60.0
"""A scheduler that has begun nothing for so long is dead; it has nothing to do but to begin things."""
DATABASE_SECONDS = 120.0
"""A database may be restarted or fail over; one that takes no write for longer may be ours to blame."""


class Pulse:
    """Felt by the scheduler every few seconds, in a thread of its own."""

    def __init__(self, store: Callable[[], Store], elapsed: Callable[[], float] = monotonic) -> None:
        self._store, self._elapsed = store, elapsed
        self._begun = self._written = elapsed()
        self._first = threading.Event()

    def task(self) -> Task:
        """What the dispatcher does for it."""
        return Task("pulse", BEAT_SECONDS, lambda _beat: self.beat(), apart=True, scope=Scope.EACH)

    def beat(self) -> None:
        """Note that the scheduler begins work, and that the database takes a write.

        :raises StoreError: it takes none; for the dispatcher to log.
        """
        self._begun = self._elapsed()
        self._store().ping()
        self._written = self._elapsed()
        metrics.DATABASE_SECONDS.set(self._written - self._begun)
        self._first.set()

    def felt(self, seconds: float) -> bool:
        """Wait for the first beat; False when it did not come in time."""
        return self._first.wait(seconds)

    def faults(self, late: Sequence[str]) -> list[str]:
        """What is not fresh; empty when the watchdog may be fed.

        :param late: tasks that the dispatcher has seen no progress of.
        """
        now = self._elapsed()
        found = [f"task {name} shows no progress" for name in late]
        if now - self._begun > SCHEDULER_SECONDS:
            found.append(f"the scheduler has begun nothing for {now - self._begun:.0f} s")
        if now - self._written > DATABASE_SECONDS:
            found.append(f"the database has taken no write for {now - self._written:.0f} s")
        return found
