"""A day of Exchange in minutes: every twentieth request fails, people move things, and nothing drifts or grows."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.clock import FixedClock
from syncd.model.interval import Interval
from syncd.observe import logs
from syncd.store import Store
from syncd.sync.engine import Engine
from syncd.sync.plan import Limits
from syncd.sync.timing import Pace
from tests.bench.bench_ews import directory, simulated

NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
PEOPLE = [f"p{number}" for number in range(6)]
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop"},
    {"kind": "half"},
    {"kind": "garbled"},
    {"kind": "busy", "back_off_ms": 20},
    {"kind": "fault", "code": "ErrorInternalServerTransientError"},
    {"kind": "sync_expired", "operation": "SyncFolderItems"},
)


class Day:
    """The hands of people on a server that is a process of its own."""

    def __init__(self, server: dict[str, str]) -> None:
        self.server = server
        self.dice = random.Random(4)
        self.session = requests.Session()

    def say(self, action: str, **asked: Any) -> Any:
        """Tell the server; it may refuse what Outlook refuses."""
        answer = self.session.post(f"{self.server['control']}{action}", json=asked, timeout=30)
        return answer.json() if answer.ok else None

    def shown(self, person: str, window: Interval) -> list[dict[str, Any]]:
        asked = {"start": window.start.isoformat(), "end": window.end.isoformat()}
        found: list[dict[str, Any]] = self.say("calendar", email=f"{person}@syncd.test", **asked)
        return found

    def gesture(self, window: Interval) -> None:
        """Somebody books, moves or deletes something."""
        person = self.dice.choice(PEOPLE)
        email = f"{person}@syncd.test"
        start = window.start + timedelta(hours=self.dice.randrange(24, 24 * 20))
        there = self.shown(person, window)
        if there and (len(there) > 60 or self.dice.random() < 0.5):
            one = self.dice.choice(there)
            if self.dice.random() < 0.5:
                self.say("outlook/delete", email=email, uid=one["uid"], original=one["original"])
            else:
                self.say("outlook/move", email=email, uid=one["uid"], start=start.isoformat(), original=one["original"])
            return
        series = {"kind": "Daily", "start": start.date().isoformat(), "times": 6}
        more = {"recurrence": series} if self.dice.random() < 0.3 else {}
        end = (start + timedelta(minutes=45)).isoformat()
        self.say("outlook/book", email=email, start=start.isoformat(), end=end, **more)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    logs.configure("critical", "json")
    with simulated(tmp_path, PEOPLE, 5) as server:
        yield Day(server)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_a_day_with_five_per_cent_faults_leaves_no_drift_and_no_growth(day: Day, migrated_sqlite_url: str):
    for fault in FAULTS:
        day.say("fault", chance=0.05 / len(FAULTS), **fault)
    port = EwsCalendar(EwsAccount("main", day.server["url"], "ntlm", "DOM\\svc", "geheim", streaming=False))
    store = Store(migrated_sqlite_url)
    pace = Pace(horizon_days=21, limits=Limits(share=1.0, least=10_000), full_every=timedelta(hours=6))
    engine = Engine(store, {"main": port}, directory(PEOPLE), pace)
    with contextlib.closing(port), contextlib.closing(store):
        window, sizes = Interval(NOW, NOW + timedelta(days=21)), []
        for minute in range(24 * 60):
            now = NOW + timedelta(minutes=minute)
            day.gesture(window)
            engine.sync_many(PEOPLE, FixedClock(now))
            if minute % 120 == 0:
                sizes.append(_megabytes())
        day.say("clear")
        end = NOW + timedelta(days=1)
        for _ in range(2):
            engine.sync_many(PEOPLE, FixedClock(end), force=True)

        assert _drift(day, store, window) == []
        assert sizes[-1] - sizes[3] < 12, sizes


def _drift(day: Day, store: Store, window: Interval) -> list[str]:
    """People whose mirror is not their calendar."""
    with store.read() as tx:
        held = tx.mailboxes.occurrences(PEOPLE, window)
    found = []
    for person in PEOPLE:
        shown = sorted((one["start"], one["end"]) for one in day.shown(person, window))
        mirrored = sorted((one.interval.start.isoformat(), one.interval.end.isoformat()) for one in held[person])
        found += [person] if shown != mirrored else []
    return found


def _megabytes() -> float:
    """What this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
