"""Many nodes: each node's own clock ticks, and the engine deals out what is to be done once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from time import monotonic

from syncd.clock import Clock
from syncd.dispatch.engine import Engine, Lane, prepare
from syncd.dispatch.local import LocalDispatcher
from syncd.dispatch.port import Scope, Task
from syncd.dispatch.runs import Runs
from syncd.observe.logs import log

TICK_SECONDS = 0.5
PURGE_SECONDS = 3600.0
WATCH_SECONDS = 2.0
COMMON = "work"
COMMON_HANDS = 8


class ClusterDispatcher:
    """Runs tasks together with other nodes on the same database.

    :param conninfo: of PostgreSQL, for libpq. :param clock: the database server's, the same for all nodes.
    :param keeps: whether this node is the one for a task of `Scope.ONE`.
    :param works: False for a node that only answers.
    """

    def __init__(
        self,
        conninfo: str,
        threads: int,
        clock: Clock,
        keeps: Callable[[str], bool],
        *,
        works: bool = True,
    ) -> None:
        prepare(conninfo)
        self._clock, self._keeps, self._works = clock, keeps, works
        self._runs = Runs()
        self._local = LocalDispatcher(threads, self._runs)
        self._tasks: dict[str, Task] = {}
        self._ticked: dict[str, int] = {}
        self._taken: Callable[[list[str]], None] = lambda _names: None
        self._engine = Engine(conninfo, self._perform)
        self._started = False

    @property
    def engine(self) -> Engine:
        """The engine itself, for figures and tests."""
        return self._engine

    def every(self, task: Task) -> None:
        """See `Dispatcher`."""
        if task.scope is Scope.EACH or (self._works and task.scope is Scope.WORKERS):
            self._local.every(task)
        elif self._works and task.scope is Scope.ONE:
            self._local.every(replace(task, run=self._if_kept(task)))
        elif self._works:
            self._tasks[task.name] = task
            if self._started:
                self._engine.work(self._lanes())

    def start(self) -> None:
        """See `Dispatcher`.

        :raises StoreError: the database does not answer.
        """
        if self._works:
            self._engine.start()
            self._engine.work(self._lanes())
            self._started = True
            self._local.every(Task("dispatch.tick", TICK_SECONDS, lambda _beat: self.tick()))
            self._local.every(Task("dispatch.watch", WATCH_SECONDS, lambda _beat: self.watch()))
            self._local.every(Task("dispatch.purge", PURGE_SECONDS, lambda _beat: self._engine.purge()))
        self._local.start()

    def stop(self, seconds: float) -> bool:
        """See `Dispatcher`."""
        deadline = monotonic() + seconds
        drained = self._local.stop(seconds)
        return self._engine.stop(max(0.1, deadline - monotonic())) and drained if self._started else drained

    def late(self) -> list[str]:
        """See `Dispatcher`; what runs elsewhere is for that node to tell."""
        return self._runs.late()

    def tick(self) -> int:
        """Put every task whose time has come into its queue; returns how many no other node had put there."""
        due = {name: at for name, at in self._slots().items() if self._ticked.get(name) != at}
        put = self._engine.defer((name, self._queue(name), at) for name, at in due.items()) if due else 0
        self._ticked |= due
        return put

    def watch(self) -> list[str]:
        """Let what dead nodes were doing begin anew; returns what that was."""
        if taken := self._engine.take_over():
            log.warning("dispatch.taken_over", tasks=taken)
        return taken

    def _slots(self) -> Mapping[str, int]:
        """By task, the second at which it was last to begin; spread out, so that they do not begin all at once."""
        now = self._clock.now().timestamp()
        return {task.name: _slot(task, now) for task in [*self._tasks.values()]}

    def _queue(self, name: str) -> str:
        return self._tasks[name].queue or COMMON

    def _lanes(self) -> list[Lane]:
        own = {task.queue for task in self._tasks.values() if task.queue}
        return [Lane(COMMON, COMMON_HANDS), *(Lane(queue, 1) for queue in sorted(own))]

    def _perform(self, name: str) -> bool:
        task = self._tasks.get(name)
        if task is None:
            return False  # of a node with another version or configuration; its next time is for that one
        done = self._runs.run(task)
        self._runs.excuse(name)
        return done

    def _if_kept(self, task: Task) -> Callable[[Callable[[], None]], object]:
        def run(beat: Callable[[], None]) -> None:
            if self._keeps(task.name):
                task.run(beat)

        return run


def _slot(task: Task, now: float) -> int:
    phase = _phase(task)
    return round(phase + (now - phase) // task.seconds * task.seconds)


def _phase(task: Task) -> float:
    """From 0 to its pause, always the same for the same name."""
    return int.from_bytes(sha256(task.name.encode()).digest()[:8]) / 2**64 * task.seconds
