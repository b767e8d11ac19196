"""What it costs to deal work out to several nodes: the engine's own CPU for each job, on a real PostgreSQL."""

from __future__ import annotations

import time

from sqlalchemy import make_url

from syncd.dispatch.engine import Engine, Lane, prepare
from tests.bench.figure import Figure
from tests.postgres import Cluster

NAME = "nodes"
JOBS = 1000
HANDS = 8
AT_ONCE = 50
PATIENCE = 300.0


def run() -> list[Figure]:
    """A thousand jobs that do nothing, put there and done by one node; then as long with nothing to do."""
    cluster = Cluster.start(durable=True)
    try:
        conninfo = make_url(cluster.database()).set(drivername="postgresql").render_as_string(hide_password=False)
        busy, seconds = _spent(conninfo)
    finally:
        cluster.stop()
    return [
        Figure(f"{JOBS:,} jobs dealt out and done, our CPU per job", 1000 * busy / JOBS, "ms", 3),
        Figure(f"{JOBS:,} jobs dealt out and done, by {HANDS} hands", JOBS / seconds, "jobs/s", more_is_better=True),
    ]


def _spent(conninfo: str) -> tuple[float, float]:
    """Seconds of our CPU beyond what waiting costs, and of the clock."""
    done: list[str] = []

    def perform(name: str) -> bool:
        done.append(name)
        return True

    prepare(conninfo)
    engine = Engine(conninfo, perform, HANDS)
    engine.start()
    engine.work([Lane("work", HANDS)])
    idle = _idle()
    cpu, began = time.process_time(), time.monotonic()
    for first in range(0, JOBS, AT_ONCE):
        engine.defer([(f"task-{first + number}", "work", first) for number in range(AT_ONCE)])
    while len(done) < JOBS and time.monotonic() < began + PATIENCE:
        time.sleep(0.02)
    seconds, spent = time.monotonic() - began, time.process_time() - cpu
    engine.stop(10)
    if len(done) < JOBS:
        raise RuntimeError(f"only {len(done)} of {JOBS} jobs were done in {PATIENCE:.0f} s")
    return spent - idle * seconds, seconds


def _idle() -> float:
    """Seconds of CPU that an engine without work takes in one second."""
    cpu, began = time.process_time(), time.monotonic()
    time.sleep(3)
    return (time.process_time() - cpu) / (time.monotonic() - began)
