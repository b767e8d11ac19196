"""How fast slots are answered: over HTTP on loopback, warm and first after a change, and in the process alone."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from syncd.clock import SystemClock
from syncd.model.interval import Interval
from syncd.publish import Publisher, PublishSettings
from syncd.store import Store
from tests.bench import slot_town
from tests.bench.curve import Curve
from tests.bench.figure import Figure
from tests.environment import ROOT

NAME = "slots"
CLIENTS, EACH = 4, 400
RIVALS_ONE = 22.0
"""Easy!Appointments' month call (days only), measured on a like machine (reference/peers.md 4.1), in ms."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One line of the table of targets; milliseconds."""

    people: int
    events: int
    target: float
    tail: float | None
    rounds: int
    rooms: int = 0

    @property
    def called(self) -> str:
        """How the figures name it."""
        who = "one caseworker" if self.people == 1 else f"pool of {self.people:,}"
        return f"28 days × {who} × {self.events:,} events" + (f", {self.rooms} rooms" if self.rooms else "")


WORKLOADS = (
    Workload(1, 100, 2, 8, 300),
    Workload(1, 5000, 3, None, 60),
    Workload(100, 100, 8, None, 60),
    Workload(1000, 200, 40, None, 12),
    Workload(1, 100, 10, None, 60, rooms=60),
)


def run() -> list[Figure]:
    """Every workload in a fresh database behind a fresh server."""
    figures: list[Figure] = []
    for load in WORKLOADS:
        figures += _measured(load)
    return figures


def _measured(load: Workload) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        store = slot_town.fill(url, load.people, load.rooms, load.events)
        with _serving(url, load) as port:
            client = Client(port, load)
            slots = len(json.loads(client.ask())["slots"])
            warm = _timed(client.ask, load.rounds)
            fresh = _after_changes(store, client, load)
            figures = [
                Figure(f"{load.called}, warm, p50 ({slots} slots)", _ms(warm, 50), "ms", load.target, _rival(load)),
                *([Figure(f"{load.called}, warm, p99", _ms(warm, 99), "ms", load.tail)] if load.tail else []),
                Figure(f"{load.called}, first after a change, p50", _ms(fresh, 50), "ms"),
                Figure(f"{load.called}, one event changed until it is readable, p95", _ms(fresh, 95), "ms", 50),
                Figure(f"{load.called}, in the process, nothing remembered, p50", _alone(store, load), "ms"),
            ]
            if load is WORKLOADS[0]:
                figures.append(_crowd(port, load))
        store.close()
    return figures


def _rival(load: Workload) -> float | None:
    return RIVALS_ONE if load is WORKLOADS[0] else None


class Client:
    """One connection that asks one question again and again."""

    def __init__(self, port: int, load: Workload) -> None:
        start, end = slot_town.window(SystemClock().now())
        query = {"from": start.isoformat(), "to": end.isoformat()}
        if load.people == 1:
            query["caseworker"] = "p0000"
        offer = "talk" if load.rooms else "call"
        self._path = f"/api/v1/offers/{offer}/slots?{urlencode(query)}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self) -> bytes:
        """The body of the answer."""
        self._connection.request("GET", self._path, headers={"Authorization": f"Bearer {slot_town.TOKEN}"})
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body!r}")
        return body


@contextmanager
def _serving(url: str, load: Workload) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "tests.bench.slot_town", url, str(load.people), str(load.rooms), str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _await(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")


def _timed(work: Callable[[], object], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times


def _after_changes(store: Store, client: Client, load: Workload) -> list[float]:
    """From the commit of one changed event, by another process, until the new answer is read."""
    times = []
    for number in range(max(10, load.rounds // 6)):
        slot_town.change(store, f"p{number % load.people:04d}", number)
        times += _timed(client.ask, 1)
    return times


def _alone(store: Store, load: Workload) -> float:
    """A publisher that remembers nothing, without HTTP."""
    everybody = slot_town.directory(load.people, load.rooms)
    now = SystemClock().now()
    asked = Interval(*slot_town.window(now))

    def once() -> None:
        publisher = Publisher(store, lambda: everybody, PublishSettings())
        publisher.answer("talk" if load.rooms else "call", asked, now)

    once()
    return _ms(_timed(once, max(3, load.rounds // 12)), 50)


def _crowd(port: int, load: Workload) -> Figure:
    """Several clients at once, each a process of its own."""
    with ProcessPoolExecutor(CLIENTS) as pool:
        list(pool.map(_many, [(port, load, 5)] * CLIENTS))
        began = time.perf_counter()
        list(pool.map(_many, [(port, load, EACH)] * CLIENTS))
        rate = CLIENTS * EACH / (time.perf_counter() - began)
    return Figure(f"{CLIENTS} clients at once, {load.called}", round(rate), "answers/s", 800, more_is_better=True)


def _many(task: tuple[int, Workload, int]) -> None:
    port, load, rounds = task
    client = Client(port, load)
    for _ in range(rounds):
        client.ask()


def _ms(times: list[float], percent: int) -> float:
    ranked = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    return round(1000 * ranked[percent - 1], 2)


def curves() -> list[Curve]:
    """How the work of one answer grows with events, caseworkers and horizon; in the process, nothing remembered."""
    by_events = [(float(n), _grown(1, n)) for n in (50, 100, 500, 1000, 2500, 5000)]
    by_people = [(float(n), _grown(n, 100)) for n in (1, 10, 50, 100, 250, 500)]
    by_days = [(float(n), _grown(20, 100, days=n)) for n in (7, 14, 28, 42, 56)]
    cold = "nothing remembered"
    return [
        Curve("One caseworker, 28 days", "events", "ms", {cold: by_events}),
        Curve("Pool with 100 events each, 28 days", "caseworkers", "ms", {cold: by_people}),
        Curve("Pool of 20 with 100 events each", "days", "ms", {cold: by_days}),
    ]


def _grown(people: int, events: int, days: int = slot_town.DAYS) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = slot_town.fill(f"sqlite:///{folder}/bench.db", people, 0, events)
        everybody, now = slot_town.directory(people, 0), SystemClock().now()
        start, _ = slot_town.window(now)
        asked = Interval(start, start + timedelta(days=days))

        def once() -> None:
            Publisher(store, lambda: everybody, PublishSettings()).answer("call", asked, now)

        once()
        figure = round(1000 * min(_timed(once, 5)), 2)
        store.close()
    return figure
