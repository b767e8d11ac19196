"""How fast times are booked over HTTP, and how syncd lives with a hundred thousand bookings.

Every hold and every booking is durable (``synchronous=FULL``, fsync) and carries an Idempotency-Key of its own. The
calendars count as looked at: what a live look costs is the calendar server's to say.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as wall
from pathlib import Path

from syncd.booking.reconcile import Reconciler
from syncd.clock import SystemClock
from syncd.config import token_digest
from syncd.model.zones import instant
from syncd.publish import RulesInForce
from syncd.store import Store
from tests.bench import book_town, slot_town, yardstick
from tests.bench.figure import Figure
from tests.environment import ROOT
from tests.postgres import Cluster

NAME = "bookings"
PEOPLE, ROOMS = 300, 60
CLIENTS = 8
PAIRS, ROOMY = 800, 240
CALM, RATE = 200, 10
CROWD = 100_000

Wanted = tuple[str, str, str]
"""Caseworker, start and form of a meeting to be booked."""


def run() -> list[Figure]:
    """Both databases, each fresh and behind a fresh server; then the crowd on SQLite."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        figures += yardstick.figures(Path(folder))
        cluster = Cluster.start(durable=True)
        stack.callback(cluster.stop)
        for name, url, bare, rate in (
            ("SQLite", f"sqlite:///{folder}/bench.db", f"sqlite:///{folder}/floor.db", 120),
            ("PostgreSQL", cluster.database(), cluster.database(), 180),
        ):
            figures += _booked(name, url, rate, _floor(bare))
        figures += _crowded(Path(folder))
    return figures


def _floor(url: str) -> tuple[float, float]:
    """Pairs a second, and CPU seconds for each, of the least that can hold and book (`tests.bench.book_floor`)."""
    pairs = [(f"p{n:04d}", "2030-01-01T09:00:00Z", "phone") for n in range(PAIRS)]
    with _serving(url, "tests.bench.book_floor") as (port, spent):
        before = spent()
        rate = len(pairs) / _together(port, pairs)
        return rate, (spent() - before) / len(pairs)


def _booked(name: str, url: str, rate: int, floor: tuple[float, float]) -> list[Figure]:
    """:param floor: what `_floor` measured on the same kind of database just before."""
    store = slot_town.fill(url, PEOPLE, ROOMS, 0)
    days = slot_town.first_day(SystemClock().now())
    starts = [instant(days + timedelta(days=1), wall(9), slot_town.ZONE) + timedelta(minutes=30 * n) for n in range(18)]
    phone = [(f"p{n % PEOPLE:04d}", _iso(starts[n // PEOPLE]), "phone") for n in range(PAIRS)]
    rooms = [(f"p{n % PEOPLE:04d}", _iso(starts[4 + n // ROOMS]), "in-person") for n in range(ROOMY)]
    calm = [(f"p{n % PEOPLE:04d}", _iso(starts[10 + n // PEOPLE]), "phone") for n in range(CALM)]
    with _serving(url) as (port, spent):
        _together(port, [(f"p{n:04d}", _iso(starts[17]), "phone") for n in range(2 * CLIENTS)])
        before = spent()
        fast = len(phone) / _together(port, phone)
        cpu = (spent() - before) / len(phone)
        before = spent()
        roomy = len(rooms) / _together(port, rooms)
        roomy_cpu = (spent() - before) / len(rooms)
        waits = _paced(port, calm)
    store.close()
    return [
        Figure(
            f"{name}: hold + book, no room, {CLIENTS} clients (rival: a bare FastAPI)",
            *(round(fast), "/s", rate, round(floor[0])),
            more_is_better=True,
        ),
        Figure(f"{name}: … the server's CPU for each", round(1000 * cpu, 1), "ms", None, round(1000 * floor[1], 1)),
        Figure(f"{name}: hold + book, a room out of {ROOMS}, one day", round(roomy), "/s", 25, more_is_better=True),
        Figure(f"{name}: … the server's CPU for each", round(1000 * roomy_cpu, 1), "ms"),
        Figure(f"{name}: hold + book at {RATE}/s, p50", round(1000 * statistics.median(waits), 1), "ms"),
        Figure(f"{name}: hold + book at {RATE}/s, p99", round(1000 * _percentile(waits, 99), 1), "ms", 80),
    ]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _serving(url: str, module: str = "tests.bench.book_town") -> Iterator[tuple[int, Callable[[], float]]]:
    """A server's port, and how much CPU time (seconds) it has spent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", module, url, str(PEOPLE), str(ROOMS), str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    try:
        _listening(port)
        yield port, lambda: _cpu(process.pid)
    finally:
        process.kill()
        process.wait()


def _cpu(pid: int) -> float:
    """User and system time of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _listening(port: int, path: str = "/livez") -> float:
    """Wait until the server answers 200; returns how long that took, in seconds."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.02)
    raise TimeoutError(f"nobody answers at port {port}")


class Client:
    """One connection that holds and books."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def pair(self, wanted: Wanted) -> str:
        """Hold and book; the booking's id."""
        caseworker, start, form = wanted
        offer = "call" if form == "phone" else "talk"
        held = self.post("/holds", {"offer": offer, "start": start, "form": form, "caseworker": caseworker})
        made = self.post("/bookings", {"hold": held["id"], "citizen": {"reference": uuid.uuid4().hex}})
        return str(made["id"])

    def post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        """POST with a key of its own."""
        key = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
        return self._ask("POST", path, json.dumps(body), key)

    def get(self, path: str) -> dict[str, object]:
        """GET below /api/v1."""
        return self._ask("GET", path, None, {})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> dict[str, object]:
        self._connection.request(
            method, f"/api/v1{path}", body, {"Authorization": f"Bearer {slot_town.TOKEN}", **headers}
        )
        answer = self._connection.getresponse()
        content: dict[str, object] = json.loads(answer.read())
        if answer.status not in (200, 201):
            raise RuntimeError(f"{answer.status} {content}")
        return content


def _together(port: int, wanted: Sequence[Wanted]) -> float:
    """Book all, `CLIENTS` side by side; returns the seconds."""
    shares = [wanted[n::CLIENTS] for n in range(CLIENTS)]

    def work(share: Sequence[Wanted]) -> None:
        client = Client(port)
        for one in share:
            client.pair(one)

    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, shares))
    return time.monotonic() - began


def _paced(port: int, wanted: Sequence[Wanted], each: Callable[[Client, Wanted], object] = Client.pair) -> list[float]:
    """Book one after the other at `RATE` a second, whatever the answers take; returns each pair's seconds."""
    began = time.monotonic()

    def work(number: int) -> float:
        due = began + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        client = Client(port)
        asked = time.monotonic()
        each(client, wanted[number])
        return time.monotonic() - asked

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(work, range(len(wanted))))


def _percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


CONFIG = """
organisation = "Bench"
database = "sqlite:///crowd.db"
rules_file = "offers.toml"
caseworkers_file = "people.csv"

[http]
listen = "127.0.0.1:{port}"

[calendars.memory]
adapter = "memory"

[sites.hq]
name = "HQ"

[clients.bench]
token_sha256 = "{token}"
"""


def _crowded(folder: Path) -> list[Figure]:
    """A service that knows a hundred thousand settled meetings: its start, a sweep, and writing new ones back."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    token = token_digest(slot_town.TOKEN)
    (folder / "syncd.toml").write_text(CONFIG.format(port=port, token=token), encoding="utf-8")
    (folder / "offers.toml").write_text(slot_town.RULES, encoding="utf-8")
    people = [f"p{n:04d}" for n in range(PEOPLE)]
    lines = "\n".join(f"{one},{one},{one}@x.dk,hq" for one in people)
    (folder / "people.csv").write_text(f"id,name,address,site\n{lines}\n", encoding="utf-8")
    first = instant(slot_town.first_day(SystemClock().now()), wall(9), slot_town.ZONE)
    store = slot_town.fill(f"sqlite:///{folder}/crowd.db", PEOPLE, 0, 0)
    book_town.crowd(store, people, CROWD, first)
    cpu, wall_seconds, strayed = _swept(store)
    store.close()
    with _daemon(folder):
        _listening(port, "/readyz")  # the first start puts rules and mailboxes in force
    with _daemon(folder):
        ready = _listening(port, "/readyz")
    return [
        Figure(f"sweep over {CROWD:,} settled meetings, CPU", round(cpu, 2), "s", 10),
        Figure(f"sweep over {CROWD:,} settled meetings, wall clock ({strayed} strayed)", round(wall_seconds, 2), "s"),
        Figure(f"restart to ready with {CROWD:,} bookings", round(ready, 2), "s", 5),
        *_written_back(folder),
    ]


def _swept(store: Store) -> tuple[float, float, int]:
    everybody = slot_town.directory(PEOPLE, 0)
    rules = RulesInForce(store, lambda: everybody)
    reconciler = Reconciler(store, dict, lambda: everybody, rules)
    began, cpu = time.monotonic(), time.process_time()
    strayed = reconciler.sweep(SystemClock().now())
    return time.process_time() - cpu, time.monotonic() - began, strayed


@contextmanager
def _daemon(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "syncd", "run", "--config", str(folder / "syncd.toml")]
    # What is installed is compiled already; a shell that forbids it would have every start compile anew.
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, cwd=ROOT, env=compiled, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _written_back(folder: Path) -> list[Figure]:
    """From the answer to a booking until every calendar was seen to hold it; over calendars in memory."""
    for name in ("crowd.db", "crowd.db-wal", "crowd.db-shm"):
        (folder / name).unlink(missing_ok=True)
    port = int((folder / "syncd.toml").read_text().split("127.0.0.1:")[1].split('"')[0])
    day = slot_town.first_day(SystemClock().now()) + timedelta(days=1)
    starts = [instant(day, wall(9), slot_town.ZONE) + timedelta(minutes=30 * n) for n in range(18)]
    wanted = [(f"p{n % PEOPLE:04d}", _iso(starts[n // PEOPLE]), "phone") for n in range(CALM)]
    with _daemon(folder):
        _listening(port, "/readyz")
        time.sleep(5)  # every calendar is read once
        waits: list[float] = []

        def follow(client: Client, one: Wanted) -> None:
            booking = client.pair(one)
            answered = time.monotonic()
            while client.get(f"/bookings/{booking}")["calendars"] != "written":
                time.sleep(0.05)
            waits.append(time.monotonic() - answered)

        _paced(port, wanted, follow)
    return [
        Figure(f"write-back at {RATE}/s, p50", round(statistics.median(waits), 2), "s"),
        Figure(f"write-back at {RATE}/s, p95", round(_percentile(waits, 95), 2), "s", 2),
    ]
