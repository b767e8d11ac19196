"""One node's clock: APScheduler with a bounded thread pool over our own due rows.

Traps (reference, reliability 1): a 3.x job store must not be shared by processes, so it lives in memory and the
database decides what is due; cron triggers are fragile around clock changes, so all triggers are UTC intervals.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from time import monotonic

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from syncd.clock import Clock
from syncd.errors import SyncdError
from syncd.observe.logs import frames, log
from syncd.observe.metrics import TASK_FAILURES

SLOWEST = 300.0
"""Seconds that one unit of work, such as one call to a slow calendar server, may take at the very most."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something done again and again.

    :param seconds: pause between two starts; :param jitter: up to this many seconds earlier or later.
    :param run: the work; it is given a function to call after each unit of it, to show that it goes on.
    :param apart: it has a thread of its own, so that no amount of other work delays it.
    """

    name: str
    seconds: float
    run: Callable[[Callable[[], None]], object]
    jitter: int = 0
    apart: bool = False


class LocalDispatcher:
    """Runs tasks in threads, never the same one twice at a time."""

    def __init__(self, threads: int, clock: Clock) -> None:
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(threads), "apart": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
            timezone=UTC,
        )
        self._beats: dict[str, tuple[float, float]] = {}
        self._again: set[str] = set()
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def every(self, task: Task) -> None:
        """Run *task* now and then, beginning at once; a task of the same name is replaced."""
        self._beat(task)
        self._scheduler.add_job(
            lambda: self._fence(task),
            "interval",
            seconds=task.seconds,
            jitter=task.jitter or None,
            id=task.name,
            executor="apart" if task.apart else "default",
            next_run_time=self._clock.now(),
            replace_existing=True,
        )

    def soon(self, name: str) -> None:
        """Run the task *name* as soon as a thread is free; a hint, never needed for correctness."""
        with self._lock:
            if name in self._running:
                self._again.add(name)
                return
        try:
            self._scheduler.modify_job(name, next_run_time=self._clock.now())
        except JobLookupError:
            log.debug("dispatch.hint_ignored", task=name)

    def start(self) -> None:
        """Begin to run tasks."""
        self._scheduler.start()

    def stop(self, seconds: float) -> bool:
        """Start nothing new and wait up to *seconds* for what runs; True when all has ended."""
        if self._scheduler.running:
            self._scheduler.pause()
        deadline = monotonic() + seconds
        while self._running and monotonic() < deadline:
            threading.Event().wait(0.02)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        return not self._running

    def late(self) -> list[str]:
        """Names of tasks that have shown no progress for five of their own pauses and `SLOWEST`."""
        now = monotonic()
        return [name for name, (beat, pause) in self._beats.items() if now - beat > 5 * pause + SLOWEST]

    def _beat(self, task: Task) -> None:
        self._beats[task.name] = (monotonic(), task.seconds)

    def _fence(self, task: Task) -> None:
        with self._lock:
            self._running.add(task.name)
        try:
            task.run(lambda: self._beat(task))
        except SyncdError as error:
            TASK_FAILURES.labels(task.name).inc()
            log.error("task.failed", task=task.name, error=type(error).__name__, says=str(error))
        except Exception as error:
            # The scheduler's fence: a defect in one run must not end the task for good.
            TASK_FAILURES.labels(task.name).inc()
            log.error("task.defect", task=task.name, error=type(error).__name__, where=frames(error))
        finally:
            with self._lock:
                self._running.discard(task.name)
                again = task.name in self._again
                self._again.discard(task.name)
            self._beat(task)
        if again and self._scheduler.running:
            self.soon(task.name)
