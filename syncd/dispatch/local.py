"""One node's clock: APScheduler with a bounded thread pool over our own due rows.

Traps (reference, reliability 1): a 3.x job store must not be shared by processes, so it lives in memory and the
database decides what is due; cron triggers are fragile around clock changes, so all triggers are UTC intervals.
"""

from __future__ import annotations

import threading
from datetime import UTC
from time import monotonic

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from syncd.clock import schedule_time
from syncd.dispatch.port import Task
from syncd.dispatch.runs import Runs


class LocalDispatcher:
    """Runs tasks in threads; it is alone, so that every `Scope` is here."""

    def __init__(self, threads: int, runs: Runs | None = None) -> None:
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(threads), "apart": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
            timezone=UTC,
        )
        self._runs = runs or Runs()

    def every(self, task: Task) -> None:
        """See `Dispatcher`."""
        self._runs.expect(task)
        self._scheduler.add_job(
            lambda: self._runs.run(task),
            "interval",
            seconds=task.seconds,
            jitter=task.jitter or None,
            id=task.name,
            executor="apart" if task.apart else "default",
            next_run_time=schedule_time(),
            replace_existing=True,
        )

    def start(self) -> None:
        """See `Dispatcher`."""
        self._scheduler.start()

    def stop(self, seconds: float) -> bool:
        """See `Dispatcher`."""
        if self._scheduler.running:
            self._scheduler.pause()
        deadline = monotonic() + seconds
        while self._runs.any and monotonic() < deadline:
            threading.Event().wait(0.02)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        return not self._runs.any

    def late(self) -> list[str]:
        """See `Dispatcher`."""
        return self._runs.late()
