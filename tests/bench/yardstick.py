"""How fast this machine and its Python are right now, so that figures of two days can be compared: divide by it."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from tests.bench.figure import Figure

ROUNDS, LOOPS, FLUSHES = 9, 100_000, 60


def figures(folder: Path) -> list[Figure]:
    """A fixed piece of Python's work in CPU time, and flushes of 4 KB to the disk of *folder*; best and median."""
    return [
        Figure("yardstick: a fixed loop in Python, CPU", round(1000 * min(_looped() for _ in range(ROUNDS)), 1), "ms"),
        Figure(
            "yardstick: a flush of 4 KB to disk, median", round(1000 * statistics.median(_flushed(folder)), 2), "ms"
        ),
    ]


def _looped() -> float:
    began, kept = time.process_time(), dict[int, int]()
    for number in range(LOOPS):
        kept[number % 1000] = number * 7 % 13
        str(number)
    return time.process_time() - began


def _flushed(folder: Path) -> list[float]:
    took = []
    with (folder / "yardstick").open("wb") as file:
        for _ in range(FLUSHES):
            file.write(b"x" * 4096)
            file.flush()
            began = time.monotonic()
            os.fdatasync(file.fileno())
            took.append(time.monotonic() - began)
    return took
