"""What several nodes on one PostgreSQL can do that one cannot, and what it costs to deal work out to them.

Nodes are meant to be machines of their own, and here all of them, the database and whoever asks share the cores of one.
How many times as much three nodes do as one is therefore measured with a fixed share of a core for each node, the same
alone and among three, by a control group; without it the cores of this machine would be measured and not syncd. Where
no control groups can be made the figures say so. What is not limited is PostgreSQL, which all nodes have in common, and
the clients. "No change" means that every calendar was read once before: a first reading costs three times as much.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from syncd.dispatch.engine import Engine, Lane, prepare
from tests.bench import quota
from tests.bench.figure import Figure
from tests.bench.nodes_course import Plan, nodes_needed, played
from tests.bench.nodes_town import Rates, Town, crowd, rates, taken_over, town
from tests.postgres import Cluster
from tests.system.service import Service, wait_for

NAME = "nodes"
JOBS = 1000
HANDS = 8
AT_ONCE = 50
PATIENCE = 300.0


LATENCY = 0.1
"""Seconds that the calendar side takes for each look."""
WATCHED = 30.0
PEOPLE = [f"p{number:04}" for number in range(320)]
LOOKING = 0.3
"""Cores that a node may use in the measurement of looks: about what 40 looks a second take, which is what one node
does with four workers at a tenth of a second each."""
BOOKING = 0.15
"""The same in the measurement of bookings, so that three of them, PostgreSQL and clients fit on a machine of two."""
WORKERS = 4
"""`sync.workers`, as it is by itself."""
CLIENTS = 12
MANY = 2000
CITY = 20_000
UNREAD = 90.0
"""Seconds for which no calendar of a city may be unread, though a node is gone: a round and a half."""


def run() -> list[Figure]:
    """The engine alone, then whole nodes: looking, taking over, booking, and an organisation of thousands."""
    return [*_engine(), *_looking(), *_booking(), *_thousands()]


def _engine() -> list[Figure]:
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


def _share(cores: float) -> tuple[float | None, str]:
    """The share of a node, and how to say so."""
    return (cores, f" with {cores} cores") if quota.possible() else (None, " (not limited: no control groups)")


def _looking() -> list[Figure]:
    """More calendars than three nodes can look at in a second; then one of the three is killed."""
    cores, said = _share(LOOKING)
    with tempfile.TemporaryDirectory() as folder, town(Path(folder), PEOPLE, LATENCY, 1) as place:
        place.start(1, "worker", quota=cores)
        one = _settled(place)
        place.start(2, "worker", quota=cores)
        three = _settled(place)
        worst = taken_over(place, place.started[1], 60)
    at = f"no-change looks at {1000 * LATENCY:.0f} ms"
    return [
        Figure(f"{at}, one node{said}", one.looks, "looks/s", more_is_better=True),
        Figure(f"{at}, three such nodes, times as many", three.looks / one.looks, "x", 2.2, more_is_better=True),
        Figure(f"{at}, three such nodes: questions for each look", three.questions / three.looks, "x", 1.05),
        Figure("CPU of a node alone for each look, all else included", 1000 * one.cores / one.looks, "ms"),
        Figure("CPU of three nodes for each look, all else included", 1000 * three.cores / three.looks, "ms"),
        Figure("CPU of PostgreSQL for each look, three nodes", 1000 * three.database / three.looks, "ms"),
        Figure("a node of three is killed: no calendar unread for longer than", worst, "s", 60),
    ]


def _settled(place: Town) -> Rates:
    wait_for(place.read, "a first reading of all calendars", 400)
    time.sleep(5)
    return rates(place, WATCHED)


def _booking() -> list[Figure]:
    """Clients ask one of three nodes that answer, then all three; a fourth, not limited, writes into calendars."""
    cores, said = _share(BOOKING)
    with tempfile.TemporaryDirectory() as folder, town(Path(folder), PEOPLE[:100], 0, 30) as place:
        place.start(1, "worker")
        nodes = place.start(3, "api", quota=cores)
        wait_for(lambda: len(nodes[0].slots(caseworker=PEOPLE[99])) > 0, "times on offer")
        starts = sorted({slot["start"] for slot in nodes[0].slots()})
        found = []
        for number, asked in enumerate((nodes[:1], nodes)):
            cpu, below = place.spent(), place.database_spent()
            rate = crowd(CLIENTS, WATCHED, partial(_booked, asked, starts, number))
            found.append((rate, place.spent() - cpu, place.database_spent() - below))
    (one, *_), (three, cpu, below) = found
    return [
        Figure(f"bookings, one node{said}", one, "/s", more_is_better=True),
        Figure("bookings, three such nodes, times as many", three / one, "x", 1.5, more_is_better=True),
        Figure("CPU of the nodes for each booking, hold included", 1000 * cpu / WATCHED / three, "ms"),
        Figure("CPU of PostgreSQL for each booking, hold included", 1000 * below / WATCHED / three, "ms"),
    ]


def _thousands() -> list[Figure]:
    """Two nodes look at thousands of calendars once a minute each; what that costs, and what a city therefore needs."""
    people = [f"p{number:05}" for number in range(MANY)]
    with tempfile.TemporaryDirectory() as folder, town(Path(folder), people, LATENCY, 60) as place:
        place.start(2, "all")
        wait_for(place.read, "a first reading of all calendars", 400)
        time.sleep(60)
        quiet = rates(place, 60)
        oldest = place.nodes.unserved()
        memory = place.memory()
    cost = quiet.cores / quiet.looks
    alike = played(Plan(MANY, 2, WORKERS, 60, LATENCY, cost))
    of = f"{MANY:,} calendars, two nodes"
    return [
        Figure(f"{of}: looks", quiet.looks, "looks/s", MANY / 60 * 0.98, more_is_better=True),
        Figure(f"{of}: a calendar was last read at most so long ago", oldest, "s", 120),
        Figure(f"{of}, played: the same", alike.oldest, "s"),
        Figure(f"{of}: memory of one node", memory / 1e6, "MB"),
        Figure(f"{of}: CPU of the nodes for each look, all else included", 1000 * cost, "ms"),
        Figure(f"{of}: CPU of PostgreSQL for each look", 1000 * quiet.database / quiet.looks, "ms"),
        Figure(f"{of}: transactions for each look", quiet.transactions / quiet.looks, "x"),
        *_city(cost),
    ]


def _city(cost: float) -> list[Figure]:
    """What twenty thousand calendars need, played with what a look was seen to cost."""
    found = []
    for workers in (WORKERS, 4 * WORKERS):
        nodes = nodes_needed(Plan(CITY, 1, workers, 60, LATENCY, cost), UNREAD)
        course = played(Plan(CITY, nodes, workers, 60, LATENCY, cost, gone=1))
        of = f"{CITY:,} calendars, workers = {workers}, played"
        found += [
            Figure(f"{of}: nodes for {UNREAD:.0f} s though one is gone", nodes, "nodes"),
            Figure(f"{of}: a calendar is unread for so long at most, one node gone", course.oldest, "s"),
        ]
    return found


def _booked(nodes: list[Service], starts: list[str], town: int, number: int) -> bool:
    node, turn = nodes[number % len(nodes)], number + town * 10_000
    start, person = starts[turn % len(starts)], PEOPLE[turn // len(starts) % 100]
    hold = node.post("/holds", {"offer": "samtale", "start": start, "form": "phone", "caseworker": person})
    if hold.status_code != 201:
        return False
    citizen = {"reference": f"c{town}-{number}"}
    return node.post("/bookings", {"hold": hold.json()["id"], "citizen": citizen}).status_code == 201


def _spent(conninfo: str) -> tuple[float, float]:
    """Seconds of our CPU beyond what waiting costs, and of the clock."""
    done: list[str] = []

    def perform(name: str) -> bool:
        done.append(name)
        return True

    prepare(conninfo)
    engine = Engine(conninfo, perform)
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
