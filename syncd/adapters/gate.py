"""Who may ask now: one call at a time for each mailbox, and pauses that bind only whom the server named."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, RLock

from syncd.errors import AccessDenied, Throttled, Transient

LOCKOUT = 60.0
"""Seconds in which nobody knocks again after the service account was refused: directories lock accounts that do."""


class Gate:
    """Keeps calls for one mailbox apart, and away from a server that asked for a pause.

    Nobody ever sleeps here: a mailbox in its pause is refused at once, so that the thread can serve another.

    :param elapsed: a clock that only runs forward, in seconds.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._guard = Lock()
        self._locks: defaultdict[str, RLock] = defaultdict(RLock)
        self._pauses: dict[str, float] = {}
        self._shut: tuple[float, str] | None = None
        self.refusals = 0

    @contextmanager
    def turn(self, mailbox: str, seconds: float) -> Iterator[None]:
        """Be the only one who speaks for *mailbox*, waiting at most *seconds* for the one before.

        :raises Throttled: the server asked for a pause that is not over.
        :raises AccessDenied: the service account was refused a moment ago.
        :raises Transient: the call before does not end.
        """
        self.demand(mailbox)
        with self._guard:
            lock = self._locks[mailbox]
        if not lock.acquire(timeout=max(seconds, 0.0)):
            raise Transient(f"Another call for {mailbox} does not end; it is tried again later.")
        try:
            yield
        finally:
            lock.release()

    def demand(self, mailbox: str) -> None:
        """Go on only when nobody asked us to wait.

        :raises Throttled, AccessDenied: somebody did.
        """
        now = self._elapsed()
        with self._guard:
            shut, until = self._shut, self._pauses.get(mailbox, 0.0)
        if shut is not None and shut[0] > now:
            raise AccessDenied(shut[1])
        if until > now:
            raise Throttled(f"The server asked for a pause for {mailbox}; {until - now:.0f} s are left.", until - now)

    def pause(self, mailbox: str, seconds: float) -> None:
        """The server asked to be left alone with *mailbox*."""
        with self._guard:
            self._pauses[mailbox] = max(self._pauses.get(mailbox, 0.0), self._elapsed() + seconds)

    def refused(self, reason: str) -> None:
        """The server did not believe who we are; all other mailboxes share that account."""
        with self._guard:
            self.refusals += 1
            self._shut = (self._elapsed() + LOCKOUT, reason)

    def welcome(self) -> None:
        """The server believes us."""
        with self._guard:
            self._shut = None
