"""Named points in the work, for tests that end the process there; in production nobody watches.

A point names a moment after which something is done and something else is not yet: the calendar is written and the
database does not know, the booking is committed and its answer not sent. ``SYNCD_END_AT=reconcile.wrote:2`` kills the
process (SIGKILL) when it passes that point for the second time. See docs/operations/test-programme.md.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

POINTS = (
    "client.stored",
    "client.committed",
    "reconcile.leased",
    "reconcile.decided",
    "reconcile.wrote",
    "reconcile.acted",
    "reconcile.recorded",
    "reconcile.followed",
    "sync.read",
    "sync.applied",
)
"""All there are, so that a test of every point misses none."""
VARIABLE = "SYNCD_END_AT"

_watchers: list[Callable[[str], None]] = []


def passing(point: str) -> None:
    """Tell who watches, if anybody does, that *point* is passed."""
    for watcher in _watchers:
        watcher(point)


@contextmanager
def watched(watcher: Callable[[str], None]) -> Iterator[None]:
    """Let *watcher* hear of every point until the block ends; it may raise."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def ender(where: str) -> Callable[[str], None]:
    """A watcher that kills this process.

    :param where: ``POINT`` or ``POINT:N`` for the N-th time.
    :raises ValueError: there is no such point.
    """
    name, _, number = where.partition(":")
    if name not in POINTS:
        raise ValueError(f"{VARIABLE} names the unknown point {name!r}; known are {', '.join(POINTS)}")
    last, times = int(number or 1), count(1)

    def watch(point: str) -> None:
        if point == name and next(times) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return watch


if VARIABLE in os.environ:
    _watchers.append(ender(os.environ[VARIABLE]))
