"""Reading many Exchange mailboxes from the simulated server, which runs as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.clock import FixedClock
from syncd.errors import Throttled
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Site
from syncd.observe import logs
from syncd.store import Store
from syncd.sync.engine import Engine
from syncd.sync.timing import Pace
from tests.bench.figure import Figure
from tests.environment import ROOT
from tests.servers.processes import DIE_WITH_PARENT

NAME = "ews"
ZONE = "Europe/Copenhagen"
NOW = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
MANY = 2000
FULL, EACH = 200, 300
THROTTLED = 100


def run() -> list[Figure]:
    """The first reading of full calendars, then quiet passes over many, in peace and under throttling."""
    return [*_first(), *_quiet()]


def _first() -> list[Figure]:
    title = f"{FULL} mailboxes of {EACH} entries"
    with office(FULL, EACH) as (engine, boxes, _):
        wall, cpu = passed(engine, boxes)
        held = _occurrences(engine, boxes)
        assert held == FULL * EACH, held
        quiet, _ = passed(engine, boxes)
    return [
        Figure(f"{title}: first reading", wall, "s", 60.0),
        Figure(f"{title}: first reading, our CPU per mailbox", 1000 * cpu / FULL, "ms"),
        Figure(f"{title}: nothing changed", quiet, "s"),
    ]


def _quiet() -> list[Figure]:
    title = f"{MANY} mailboxes, nothing changed"
    with office(MANY, 1) as (engine, boxes, server):
        passed(engine, boxes)
        walls, cpus = zip(*(passed(engine, boxes) for _ in range(3)), strict=True)
        for box in boxes[:THROTTLED]:
            asked = {"kind": "busy", "mailbox": f"{box}@syncd.test", "back_off_ms": 20_000}
            requests.post(f"{server['control']}fault", json=asked, timeout=10).raise_for_status()
        slowed, _ = passed(engine, boxes)
        longest = _refused(engine, boxes[:THROTTLED])
    return [
        Figure(f"{title}: our CPU per mailbox", 1000 * min(cpus) / MANY, "ms", 3.0),
        Figure(f"{title}: one pass", min(walls), "s"),
        Figure(f"{title}, {THROTTLED} of them throttled for 20 s: one pass", slowed, "s", 2 * max(walls) + 1),
        Figure("a mailbox in its pause: longest a thread is held", 1000 * longest, "ms", 50.0),
    ]


@contextmanager
def office(mailboxes: int, entries: int) -> Iterator[tuple[Engine, list[str], dict[str, str]]]:
    """An engine over a new database and a new server with so many mailboxes and entries in each."""
    logs.configure("error", "json")
    names = [f"p{number}" for number in range(mailboxes)]
    with tempfile.TemporaryDirectory() as folder, simulated(Path(folder), names, entries) as server:
        store = Store(f"sqlite:///{folder}/syncd.db")
        store.upgrade()
        account = EwsAccount("main", server["url"], "ntlm", "DOM\\svc", "geheim", streaming=False)
        port = EwsCalendar(account)
        engine = Engine(store, {"main": port}, directory(names), Pace(workers=8))
        engine.prepare()
        try:
            yield engine, names, server
        finally:
            port.close()
            store.close()


@contextmanager
def simulated(folder: Path, names: Sequence[str], entries: int) -> Iterator[dict[str, str]]:
    """The simulator as a process; its addresses."""
    town = {
        "accounts": [{"name": "svc", "password": "geheim", "impersonates": True}],
        "mailboxes": [{"email": f"{name}@syncd.test"} for name in names],
        "entries": [_entry(f"{name}@syncd.test", number) for name in names for number in range(entries)],
    }
    (folder / "town.json").write_text(json.dumps(town))
    command = [*DIE_WITH_PARENT, sys.executable, "-m", "tests.servers.exchange", "--town", str(folder / "town.json")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _entry(email: str, number: int) -> dict[str, str]:
    start = NOW + timedelta(days=number // 6 + 1, hours=number % 6)
    return {"email": email, "start": start.isoformat(), "end": (start + timedelta(minutes=45)).isoformat()}


def directory(names: Sequence[str]) -> Directory:
    """One site with these people."""
    site = Site("hq", "Jobcenter", ZONE)
    boxes = [Mailbox(name, MailboxKind.PERSON, "main", f"{name}@syncd.test", ZONE) for name in names]
    people = {box.id: Caseworker(box.id, box.id, box, "hq") for box in boxes}
    return Directory.of("Town", {"hq": site}, people, {})


def passed(engine: Engine, boxes: Sequence[str]) -> tuple[float, float]:
    """One pass over all; seconds of wall clock and of our own CPU."""
    began, busy = time.perf_counter(), time.process_time()
    engine.sync_many(boxes, FixedClock(NOW))
    return time.perf_counter() - began, time.process_time() - busy


def _occurrences(engine: Engine, boxes: Sequence[str]) -> int:
    from syncd.sync.timing import window

    with engine._store.read() as tx:
        return sum(len(found) for found in tx.mailboxes.occurrences(boxes, window(NOW, 60)).values())


def _refused(engine: Engine, boxes: Sequence[str]) -> float:
    """The longest that a call for a mailbox in its pause takes."""
    port = engine._ports["main"]
    longest = 0.0
    for box in boxes:
        began = time.perf_counter()
        try:
            port.find(engine.watched(box), "m@syncd")
        except Throttled:
            longest = max(longest, time.perf_counter() - began)
    return longest
