"""A lock that serves threads in the order they came.

SQLite has one writer at a time. Waiting inside SQLite is unfair (a pool of ten writers had a p99 of over a
second, one writer 30 to 56 ms), so the threads of a process queue here and SQLite never sees a contest.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from syncd.errors import StoreError


class Turns:
    """First come, first served; not re-entrant."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._holder: int | None = None

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Hold the turn for the block.

        :param patience: seconds to wait for it.
        :raises StoreError: the turn did not come in time.
        :raises RuntimeError: this thread holds it already; a transaction inside a transaction is a defect.
        """
        self._take(patience)
        try:
            yield
        finally:
            self._pass_on()

    def refuse_mine(self) -> None:
        """:raises RuntimeError: this thread holds the turn."""
        if self._holder == threading.get_ident():
            raise RuntimeError("this thread has a write transaction open already")

    def _take(self, patience: float) -> None:
        me = threading.get_ident()
        self.refuse_mine()
        with self._guard:
            if self._holder is None:
                self._holder = me
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._queue.append(ticket)
        if ticket.acquire(timeout=patience) or not self._withdraw(ticket):
            self._holder = me
            return
        raise StoreError(
            f"The database was busy with other changes for {patience:g} seconds; nothing was changed. Try again."
        )

    def _withdraw(self, ticket: threading.Lock) -> bool:
        """Leave the queue; False when the turn came at the last moment and is ours after all."""
        with self._guard:
            if ticket not in self._queue:
                return False
            self._queue.remove(ticket)
            return True

    def _pass_on(self) -> None:
        with self._guard:
            if self._queue:
                self._holder = 0  # nobody's id; the next in line writes its own when it wakes
                self._queue.popleft().release()
            else:
                self._holder = None
