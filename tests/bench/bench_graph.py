"""Reading many mailboxes of Microsoft 365 from the simulated service, which runs as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.adapters.graph.rows import PAGES
from syncd.adapters.graph.wire import occurrence
from syncd.daemon.garbage import leave_out, look_seldom
from syncd.observe import logs
from syncd.store import Store
from syncd.sync.engine import Engine
from syncd.sync.timing import Pace, window
from tests.bench.bench_ews import NOW, ZONE, directory, passed
from tests.bench.figure import Figure
from tests.bench.graph_cloud import BODY
from tests.environment import ROOT
from tests.servers.processes import DIE_WITH_PARENT

NAME = "graph"
FULL, EACH, PART = 60, 300, 2
MANY = 1000
LATENCY = 0.15
ADDED = ("msal", "httpx2", "httpcore2", "msgspec", "truststore")
"""Distributions that nothing but the adapter needs."""


def run() -> list[Figure]:
    """Decoding alone, the first reading of full calendars, quiet rounds over many, and what it weighs."""
    return [*_decoding(), *_first(True), *_first(False), *_quiet(), *_rounds(), *_weight()]


def _decoding() -> list[Figure]:
    rows = [_event(number) for number in range(1000)]
    page = json.dumps({"value": rows, "@odata.deltaLink": "x"}).encode()
    decode = min(_timed(lambda: PAGES.decode(page)) for _ in range(7))
    decoded = PAGES.decode(page).value
    words = min(_timed(lambda: [occurrence(row, ZONE, (), None) for row in decoded]) for _ in range(7))
    size = f"{len(page) / 1000 / 1000:.1f} kB"
    return [
        Figure(f"an event of {size}: decoded", decode * 1000, "µs", 10.0),
        Figure(f"an event of {size}: decoded and in our words", (decode + words) * 1000, "µs"),
    ]


def _first(packs: bool) -> list[Figure]:
    with office(FULL, EACH, packs=packs) as (engine, boxes):
        passed(engine, boxes[:PART])  # loads libraries, which a thousand mailboxes do once, too
        look_seldom()  # as the service does when it has started
        leave_out()
        parts = [boxes[at : at + PART] for at in range(PART, FULL, PART)]
        cpu = min(passed(engine, part)[1] for part in parts)
        with engine._store.read() as tx:
            held = sum(len(found) for found in tx.mailboxes.occurrences(boxes, window(NOW, 60)).values())
        assert held == FULL * EACH, held
    scaled, sent = cpu * 1000 / PART, "packed, as Microsoft sends them" if packs else "as they are"
    text = f"first reading, {EACH} entries each, {sent}: our CPU for 1,000 mailboxes, the best of {len(parts)}"
    return [Figure(text, scaled, "s", 20.0)]


def _quiet() -> list[Figure]:
    with office(MANY, 1) as (engine, boxes):
        passed(engine, boxes)
        cpu = min(passed(engine, boxes)[1] for _ in range(3))
    return [Figure(f"{MANY} mailboxes, nothing changed: our CPU per mailbox", 1000 * cpu / MANY, "ms", 2.0)]


def _rounds() -> list[Figure]:
    figures = []
    for most, target in ((4, 75.0), (16, 20.0)):
        with office(MANY, 1, latency=LATENCY, most=most) as (engine, boxes):
            passed(engine, boxes)
            wall, _ = passed(engine, boxes)
        text = f"{MANY} mailboxes, {LATENCY * 1000:.0f} ms away, {most} requests at a time: one round"
        figures.append(Figure(text, wall, "s", target))
    return figures


def _weight() -> list[Figure]:
    line = (
        "import time; from syncd.daemon.garbage import look_seldom; look_seldom(); "  # as syncd's first line does
        "import syncd.daemon.parts; began = time.process_time(); "
        "import syncd.adapters.graph.calendar; print(time.process_time() - began)"
    )
    starts = [float(subprocess.check_output([sys.executable, "-c", line], cwd=ROOT)) for _ in range(5)]
    known = [file for name in ADDED for file in files(name) or ()]
    size = sum(Path(str(file.locate())).stat().st_size for file in known if Path(str(file.locate())).is_file())
    return [
        Figure("the adapter's libraries, installed", size / 1e6, "MB", 5.0),
        Figure("a start with a mailbox in the cloud, CPU more", min(starts), "s", 0.1),
    ]


@contextmanager
def office(
    mailboxes: int, entries: int, *, latency: float = 0.0, most: int = 16, packs: bool = True
) -> Iterator[tuple[Engine, list[str]]]:
    """An engine over a new database and a new service with so many mailboxes and entries in each."""
    logs.configure("error", "json")
    names = [f"p{number}" for number in range(mailboxes)]
    with tempfile.TemporaryDirectory() as folder, cloud(mailboxes, entries, latency, packs) as base:
        store = Store(f"sqlite:///{folder}/syncd.db")
        store.upgrade()
        account = GraphAccount("main", "t", "app-1", (Credential(secret="s"),), base, base, first=4, most=most)
        port = GraphCalendar(account)
        engine = Engine(store, {"main": port}, directory(names), Pace(workers=most))
        engine.prepare()
        try:
            yield engine, names
        finally:
            port.close()
            store.close()


@contextmanager
def cloud(mailboxes: int, entries: int, latency: float, packs: bool) -> Iterator[str]:
    """The simulator as a process; its address."""
    sent = "packed" if packs else "plain"
    asked: Sequence[str] = [str(mailboxes), str(entries), str(latency), NOW.isoformat(), sent]
    command = [*DIE_WITH_PARENT, sys.executable, "-m", "tests.bench.graph_cloud", *asked]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _timed(work: object) -> float:
    assert callable(work)
    began = time.process_time()
    work()
    return time.process_time() - began


def _event(number: int) -> dict[str, object]:
    when = {"timeZone": "UTC", "dateTime": f"2026-12-{number % 28 + 1:02}T09:00:00.0000000"}
    person = {"emailAddress": {"name": "Bo Berg", "address": "bo@byhavn.example"}}
    return {
        "@odata.etag": f'W/"{number}"',
        "id": f"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{number:064}",
        "type": "singleInstance",
        "subject": "Møde",
        "bodyPreview": BODY[:255],
        "body": {"contentType": "html", "content": BODY},
        "start": when,
        "end": {**when, "dateTime": when["dateTime"].replace("09", "10", 1)},
        "showAs": "busy",
        "sensitivity": "private",
        "categories": ["Gul"],
        "isAllDay": False,
        "isCancelled": False,
        "iCalUId": f"040000008200E00074C5B7101A82E008{number:048}",
        "organizer": person,
        "attendees": [{**person, "type": "required", "status": {"response": "none"}}] * 4,
    }
