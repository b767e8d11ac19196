"""What the CalDAV benchmark reads: calendars of a believable mix, laid into servers without asking them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from syncd.model.interval import Interval
from tests.contract.hands import calendar_text, event_text, local, weeks_later
from tests.servers.cyrus import cyrus
from tests.servers.dav import DavServer
from tests.servers.radicale import radicale
from tests.servers.xandikos import xandikos

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
WINDOW = Interval(MONDAY, MONDAY + timedelta(weeks=8))
CACHE = Path(os.environ.get("SYNCD_BENCH_CACHE", "/var/tmp/syncd-bench"))
"""Radicale needs minutes to see ten thousand objects for the first time; it is let to remember them."""


@dataclass(frozen=True)
class Load:
    """So many calendars of so many objects."""

    calendars: int
    events: int

    @property
    def names(self) -> list[str]:
        return [f"box{n:02}" for n in range(self.calendars)]


def text(calendar: str, number: int) -> str:
    """One object: six of seven single events, the seventh a series with an exception and a moved instance."""
    uid = f"{calendar}-{number}"
    start = Interval.at(MONDAY + timedelta(days=number * 13 % 120, hours=7 + number % 9), 30 + 15 * (number % 5))
    if number % 7:
        return calendar_text(event_text(uid, start))
    rule = f"RRULE:FREQ=WEEKLY;COUNT=30\r\nEXDATE{local(weeks_later(start, 3).start)}"
    moved = weeks_later(start, 5)
    other = event_text(uid, Interval.at(moved.start + timedelta(hours=1), 45), f"RECURRENCE-ID{local(moved.start)}")
    return calendar_text(event_text(uid, start, rule) + other)


@contextmanager
def loaded_radicale(load: Load, folder: Path) -> Iterator[DavServer]:
    """Radicale with everything on disk and in its own cache."""
    kept = CACHE / f"radicale-{load.calendars}x{load.events}"
    if not kept.exists():
        _seed_radicale(load, CACHE / "unfinished", kept)
    subprocess.run(["cp", "-a", str(kept / "collections"), str(folder)], check=True)
    with radicale(folder) as server:
        yield server


def _seed_radicale(load: Load, work: Path, kept: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    for name in load.names:
        calendar = work / "collections" / "collection-root" / "syncd" / name
        calendar.mkdir(parents=True)
        (calendar / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR"}))
        for number in range(load.events):
            (calendar / f"e{number}.ics").write_bytes(text(name, number).encode())
    # Two processes fill one cache: reading each object for the first time is what takes long.
    halves = [load.names[::2], load.names[1::2]]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda half: _warm(work, half[0], half[1]), enumerate(halves)))
    work.rename(kept)


def _warm(work: Path, number: int, names: list[str]) -> None:
    folder = work / f"server{number}"
    folder.mkdir()
    (folder / "collections").symlink_to(work / "collections")
    # Asking for the sync-token makes Radicale write its history of each object, once.
    body = '<propfind xmlns="DAV:"><prop><getetag/><sync-token/></prop></propfind>'
    with radicale(folder) as server:
        for name in names:
            url = f"{server.url}syncd/{name}/"
            headers = {"Depth": "1", "Content-Type": "application/xml"}
            requests.request("PROPFIND", url, data=body, headers=headers, auth=("syncd", "secret"), timeout=600)


@contextmanager
def loaded_xandikos(load: Load, folder: Path) -> Iterator[DavServer]:
    """Xandikos with one commit for each calendar."""
    with xandikos(folder) as server:
        for name in load.names:
            server.make_calendar(name)
            calendar = folder / "calendars" / "syncd" / "calendars" / name
            for number in range(load.events):
                (calendar / f"e{number}.ics").write_bytes(text(name, number).encode())
            git = ["git", "-C", str(calendar), "-c", "user.name=bench", "-c", "user.email=bench@syncd.test"]
            subprocess.run([*git, "add", "-A"], check=True)
            subprocess.run([*git, "commit", "-qm", "load"], check=True)
        yield server


@contextmanager
def loaded_cyrus(load: Load, _: Path) -> Iterator[DavServer]:
    """Cyrus; every object goes in by its front door."""
    with cyrus() as server:
        for name in load.names:
            path = server.make_calendar(name)
            with requests.Session() as session:
                session.auth = server.auth
                session.headers["Content-Type"] = "text/calendar; charset=utf-8"
                for number in range(load.events):
                    url = f"{server.url.removesuffix('dav/principals/')}{path[1:]}e{number}.ics"
                    session.put(url, data=text(name, number).encode(), timeout=30).raise_for_status()
        yield server


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall clock and of our own processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu
