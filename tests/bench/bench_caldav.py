"""Reading many calendars from real CalDAV servers, beside vdirsyncer in the same run; start-up counts for nobody."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tests.bench.caldav_load import Load, loaded_cyrus, loaded_radicale, loaded_xandikos, text
from tests.bench.caldav_reader import Task
from tests.bench.figure import Figure
from tests.servers.dav import DavServer

NAME = "caldav"
LARGE = Load(20, 500)
SMALL = Load(20, 100)
VDIRSYNCER = str(Path(sys.executable).parent / "vdirsyncer")
CONFIG = """
[general]
status_path = "{folder}/status"
[pair town]
a = "remote"
b = "local"
collections = {names}
conflict_resolution = "a wins"
[storage remote]
type = "caldav"
url = "{url}"
username = "{username}"
password = "{password}"
[storage local]
type = "filesystem"
path = "{folder}/files"
fileext = ".ics"
"""


def run() -> list[Figure]:
    """All servers, one after the other."""
    figures = _radicale()
    for name, loaded in (("Xandikos", loaded_xandikos), ("Cyrus", loaded_cyrus)):
        figures += _quiet(name, loaded)
    return figures


def _radicale() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, loaded_radicale(LARGE, Path(name)) as server:
        first, nothing, change = Rival(server, LARGE, Path(name) / "rival").passes()
        ours = _read(server, LARGE)
        moved = _read(server, LARGE, only_transfer=True)["first"]
    title = f"Radicale, {LARGE.calendars} calendars of {LARGE.events}"
    start, quiet, news = ours["first"], ours["nothing"], ours["change"]
    return [
        Figure(f"{title}: first pass, wall clock", start[0], "s", first[0] / 1.3, first[0]),
        Figure(f"{title}: first pass, client CPU of the transfer", moved[1], "s", first[1] / 4, first[1]),
        Figure(f"{title}: first pass, client CPU, parsed and expanded", start[1], "s", first[1] / 2, first[1]),
        Figure(f"{title}: first pass, requests", start[2], "requests"),
        Figure(f"{title}: nothing changed", quiet[0], "s", nothing[0] / 3, nothing[0]),
        Figure(f"{title}: nothing changed, requests", quiet[2], "requests", float(LARGE.calendars)),
        Figure(f"{title}: nothing changed, our CPU per calendar", 1000 * quiet[1] / LARGE.calendars, "ms", 3.0),
        Figure(f"{title}: one event changed", news[0], "s", change[0], change[0]),
        Figure(f"{title}: one event changed, requests beyond a quiet pass", news[2] - quiet[2], "requests", 2.0),
    ]


def _quiet(name: str, loaded: Callable[[Load, Path], AbstractContextManager[DavServer]]) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, loaded(SMALL, Path(folder)) as server:
        _, nothing, _ = Rival(server, SMALL, Path(folder) / "rival").passes()
        quiet = _read(server, SMALL)["nothing"]
    title = f"{name}, {SMALL.calendars} calendars of {SMALL.events}"
    return [
        Figure(f"{title}: nothing changed", quiet[0], "s", nothing[0] / 20, nothing[0]),
        Figure(f"{title}: nothing changed, requests", quiet[2], "requests", float(SMALL.calendars)),
    ]


def _read(server: DavServer, load: Load, *, only_transfer: bool = False) -> dict[str, list[float]]:
    """syncd in a new process: seconds of wall clock and CPU, and requests, of each of its passes, without imports."""
    task = Task(server, load.names, only_transfer).as_json()
    _, _, output = measured([sys.executable, "-m", "tests.bench.caldav_reader", task])
    found: dict[str, list[float]] = json.loads(output)
    assert only_transfer or found["groups"][0] == load.calendars * load.events
    return found


class Rival:
    """vdirsyncer with a calendar folder of its own."""

    def __init__(self, server: DavServer, load: Load, folder: Path) -> None:
        self.server, self.load, self.folder = server, load, folder
        (folder / "files").mkdir(parents=True)
        user = {"username": server.username or "nobody", "password": server.password or "none"}
        config = CONFIG.format(folder=folder, names=json.dumps(load.names), url=server.url, **user)
        (folder / "config").write_text(config)

    def passes(self) -> list[tuple[float, float]]:
        """Wall clock and CPU of a first pass, one with nothing changed and one with one event changed.

        The time that vdirsyncer takes merely to start is taken off: a daemon starts once.
        """
        self._run("discover", answers="y\n" * (2 * self.load.calendars))
        start, first, nothing = self._run("--version"), self._run("sync"), self._run("sync")
        name = self.load.names[3]
        self.server.put(f"{self.server.home}{name}/e4.ics", text(name, 4).replace("Privat", "Andet"))
        files = sum(1 for _ in (self.folder / "files").rglob("*.ics"))
        assert files == self.load.calendars * self.load.events
        return [(wall - start[0], cpu - start[1]) for wall, cpu in (first, nothing, self._run("sync"))]

    def _run(self, *words: str, answers: str = "") -> tuple[float, float]:
        wall, cpu, _ = measured([VDIRSYNCER, "-c", str(self.folder / "config"), *words], answers)
        return wall, cpu


def measured(command: Sequence[str], answers: str = "") -> tuple[float, float, str]:
    """Run a command; seconds of wall clock and of CPU, and its output."""
    before, began = _children(), time.perf_counter()
    done = subprocess.run(command, input=answers, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return wall, _children() - before, done.stdout


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
