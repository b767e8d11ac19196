"""Who runs what when: the small port behind which one node's threads and many nodes' engine look alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

SLOWEST = 300.0
"""Seconds that one unit of work, such as one call to a slow calendar server, may take at the very most."""


class Scope(StrEnum):
    """Where a task runs when many nodes serve together; a single node runs them all."""

    EACH = "each"
    """On every node: what looks after the process itself."""
    WORKERS = "workers"
    """On every node that works: it takes rows that wait, and the database deals them out."""
    ONE = "one"
    """On one of them, the same as long as it lives: it listens to a server, or remembers what it saw last."""
    ANY = "any"
    """Once for all nodes each time, on whichever has a hand free, never twice at a time."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something done again and again.

    :param seconds: pause between two starts; :param jitter: up to this many seconds earlier or later.
    :param run: the work; it is given a function to call after each unit of it, to show that it goes on.
    :param apart: it has a thread of its own, so that no amount of other work delays it.
    :param queue: for `Scope.ANY`: tasks of one queue run one after the other on each node; empty: they need not.
    """

    name: str
    seconds: float
    run: Callable[[Callable[[], None]], object]
    jitter: int = 0
    apart: bool = False
    scope: Scope = Scope.ANY
    queue: str = ""


class Dispatcher(Protocol):
    """Runs tasks again and again, never the same one twice at a time; a task that fails is logged and goes on."""

    def every(self, task: Task) -> None:
        """Run *task* now and then, beginning at once; a task of the same name is replaced."""
        ...

    def start(self) -> None:
        """Begin to run tasks."""
        ...

    def stop(self, seconds: float) -> bool:
        """Start nothing new and wait up to *seconds* for what runs here; True when all has ended."""
        ...

    def late(self) -> list[str]:
        """Names of tasks that have shown no progress for long, though they should have."""
        ...
