"""What pages cost, with 60 rooms, 200 caseworkers and a year of bookings: processor time of server and client together.

On a machine with nothing else to do that is how long they take.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from syncd.daemon.garbage import leave_out, look_seldom
from syncd.model.role import Role
from syncd.observe import logs
from syncd.store import Store
from syncd.store.feeds import FeedKind
from tests.bench.figure import Figure
from tests.integration.web_town import serving
from tests.page_town import LARGE, NOW, PageTown

NAME = "pages"
TIMES, TARGET, YEAR = 40, 150.0, "from=2025-12-01&to=2026-11-29"


def run() -> list[Figure]:
    """The 95th percentile of each page, warm, over HTTP; and what is worked out beside the answers, from cold."""
    logs.configure("error", "json")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'pages.db'}")
        store.upgrade()
        town = PageTown(store, LARGE)
        with store.begin() as tx:
            cookie = tx.visits.add(NOW, subject="vera", name="Vera Holm", roles=frozenset(Role))
            wall = tx.feeds.add(FeedKind.SITE, "torvet", "bench", NOW)
            door = tx.feeds.add(FeedKind.ROOM, "lokale-001", "bench", NOW)
        with serving(town.deps()) as served, httpx2.Client(base_url=served.base, trust_env=False, timeout=60) as client:
            client.cookies.set("syncd", cookie)
            client.headers["Accept"] = "text/html"
            look_seldom()  # as the service does
            leave_out()
            yearly = list(_cold(client))
            paths = {
                "rooms now": "/rooms/now",
                "day": "/rooms/day",
                "week": "/rooms/week",
                "wall display": f"/display/{wall}",
                "door": f"/display/{door}",
                "room calendar": f"/feeds/{door}.ics",
                "supply": "/supply",
                "what the citizen sees": "/citizen",
                "why an hour has no time": "/citizen?offer=rehab&from=2026-11-30&why=2026-12-04T07:00",
                "bookings": "/bookings",
                "bookings of one state": "/bookings?state=confirmed",
                "absence": "/absence",
                "an absence of a day": "/absence/plan?caseworker=p010&from=2026-12-01T07:00&to=2026-12-01T17:00",
                "tasks": "/tasks",
                "frames": "/frames",
                "health": "/health",
                "a year's figures, known": f"/rooms/use?{YEAR}",
                "a year's what-if, known": f"/rooms/what-if?{YEAR}",
            }
            pages = [
                Figure(f"{name}: p95 of CPU time", _p95(client, path), "ms", TARGET) for name, path in paths.items()
            ]
        store.close()
    return [*pages, *yearly]


def _cold(client: httpx2.Client) -> Iterator[Figure]:
    for name, path, mark, target in (
        ("the supply of all from cold", "/supply", 'id="people"', None),
        ("a year's figures from cold", "/rooms/use", 'class="figures"', None),
        ("a year's what-if from cold", "/rooms/what-if", 'id="curve"', 20.0),
    ):
        began = time.perf_counter()
        while mark not in client.get(f"{path}?{YEAR}").text:
            time.sleep(0.2)
        yield Figure(name, round(time.perf_counter() - began, 2), "s", target)


def _p95(client: httpx2.Client, path: str) -> float:
    client.get(path).raise_for_status()
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        client.get(path)
        took.append(1000 * (time.process_time() - began))
    return round(sorted(took)[TIMES * 95 // 100], 1)
