"""A thousand calendars mirrored by one process: its memory, and what a pass costs in which nothing changed.

``SYNCD_BENCH_EVENTS=1000`` makes it a million events.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from tests.bench.figure import Figure
from tests.bench.paper_server import paper_server

NAME = "mirror"
CALENDARS = 1000
EVENTS = int(os.environ.get("SYNCD_BENCH_EVENTS", "200"))


def run() -> list[Figure]:
    """Once with all calendars in one home, once with a home for each, which costs a request for each."""
    with paper_server(CALENDARS, EVENTS) as url:
        home, own = (measured(url, layout) for layout in ("home", "own"))
    title = f"{CALENDARS:,} calendars of {EVENTS:,}"
    events = CALENDARS * EVENTS
    return [
        Figure(f"{title}: resident at most, first pass included", home["most MB"], "MB", 300),
        Figure(f"{title}: resident afterwards", home["kept MB"], "MB", 300),
        Figure(f"{title}: … of it before anything was read", home["start MB"], "MB"),
        Figure(f"{title}: first pass, our CPU per event", 1000 * home["first"] / events, "ms"),
        Figure(f"{title}: database, per event", 2**20 * home["file MB"] / events, "bytes"),
        Figure(f"{title}: nothing changed, one home, our CPU per calendar", 1000 * home["quiet"] / CALENDARS, "ms", 3),
        Figure(f"{title}: … requests", home["requests"], "requests"),
        Figure(
            f"{title}: nothing changed, a home each, our CPU per calendar", 1000 * own["quiet"] / CALENDARS, "ms", 3
        ),
        Figure(f"{title}: … requests", own["requests"], "requests"),
    ]


def measured(url: str, layout: str) -> dict[str, float]:
    """What `mirror_reader` found, in a process and a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        words = [url, layout, str(CALENDARS), str(EVENTS), folder]
        command = [sys.executable, "-m", "tests.bench.mirror_reader", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the reader failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found
