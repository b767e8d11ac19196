"""Whole nodes as processes on one PostgreSQL, with calendars in their memory, and what they cost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.bench.quota import forget, limit
from tests.postgres import Cluster
from tests.system.nodes import Nodes
from tests.system.service import Service, wait_for

TICKS = os.sysconf("SC_CLK_TCK")
OURS = f"syncd-bench-{os.getpid()}-"
"""How our control groups are named."""


class Paper:
    """Calendars that every node has in its own memory; nothing is in them."""

    url = password = ""

    def account(self) -> str:
        """See `tests.system.calendars.Calendars`."""
        return 'adapter = "memory"'

    def place(self, _owner: str) -> str:
        """See `tests.system.calendars.Calendars`."""
        return ""


@dataclass
class Town:
    """Nodes, their database, and clocks on all of them."""

    cluster: Cluster
    nodes: Nodes
    latency: float
    started: list[Service] = field(default_factory=list)

    def start(self, count: int, role: str, extra: str = "", *, quota: float | None = None) -> list[Service]:
        """So many more, all serving. :param quota: cores that each may use at most."""
        more = [self.nodes.add(role, extra=extra) for _ in range(count)]
        for node in more:
            node.module = "tests.bench.slow_node"
            node.environment = {"SYNCD_BENCH_LATENCY": str(self.latency)}
            node.start(ready=False)
        for node in more:
            node.wait_until_ready()
        for node in more if quota is not None else []:
            assert node.child is not None
            limit(node.child.pid, f"{OURS}{node.port}", quota or 1)
        self.started += more
        return more

    def read(self) -> bool:
        """Whether every calendar was read once."""
        ((unread,),) = self.nodes.ask("SELECT count(*) FROM mailboxes WHERE as_of IS NULL")
        return unread == 0

    def looks(self) -> float:
        """Passes over calendars, by all nodes since they began."""
        return sum(figure(node, "syncd_sync_duration_seconds_count") for node in self.started)

    def questions(self) -> float:
        """Calls to the calendar side, by all nodes since they began."""
        return sum(figure(node, "syncd_remote_requests_total") for node in self.started)

    def spent(self) -> float:
        """Seconds of CPU of all nodes since they began."""
        return sum(_spent(node.child.pid) for node in self.started if node.child is not None)

    def memory(self) -> float:
        """Bytes of the largest node."""
        pages = [Path(f"/proc/{node.child.pid}/statm").read_text().split()[1] for node in self.started if node.child]
        return max(map(int, pages)) * float(os.sysconf("SC_PAGE_SIZE"))

    def database_spent(self) -> float:
        """Seconds of CPU of the database server and all its processes."""
        return _spent(self.cluster._server.pid)

    def transactions(self) -> float:
        """Of the database since it began."""
        ((number,),) = self.nodes.ask("SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database")
        return float(str(number))


def figure(node: Service, name: str) -> float:
    """A metric of a node, over all its labels."""
    text = requests.get(f"{node.url}/metrics", timeout=30).text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


@dataclass(frozen=True)
class Rates:
    """What went on each second. :param questions: to the calendar side; one for each look, or something else is
    measured than looks. :param cores: of all nodes. :param database: cores of PostgreSQL.
    """

    looks: float
    questions: float
    cores: float
    database: float
    transactions: float


def rates(town: Town, seconds: float) -> Rates:
    """Watch for so long."""

    def now() -> tuple[float, ...]:
        return town.looks(), town.questions(), town.spent(), town.database_spent(), town.transactions()

    before, began = now(), time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    return Rates(*((after - first) / passed for first, after in zip(before, now(), strict=True)))


@contextmanager
def town(folder: Path, people: Sequence[str], latency: float, interval: int) -> Iterator[Town]:
    """An organisation without nodes as yet."""
    cluster = Cluster.start(durable=True)
    paper, url = Paper(), cluster.database()
    nodes = Nodes(folder, paper, url, people=tuple(people), interval=interval)  # type: ignore[arg-type]  # paper is all they need of a server
    try:
        yield Town(cluster, nodes, latency)
    finally:
        nodes.end()
        cluster.stop()
        forget(OURS)


def crowd(clients: int, seconds: float, act: Callable[[int], bool]) -> float:
    """How often *act* succeeded each second, done by so many clients at once; it is given a number of its own."""
    until, done, lock = time.monotonic() + seconds, 0, threading.Lock()
    numbers = iter(range(10**9))

    def client() -> None:
        nonlocal done
        while time.monotonic() < until:
            with lock:
                number = next(numbers)
            well = act(number)
            with lock:
                done += well

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done / seconds


def taken_over(town: Town, victim: Service, seconds: float) -> float:
    """Kill one; for how many seconds a calendar was not read at most, watched for so long."""
    wait_for(lambda: town.nodes.unserved() < 20, "all calendars to be read")
    victim.kill()
    until, worst = time.monotonic() + seconds, 0.0
    while time.monotonic() < until:
        worst = max(worst, town.nodes.unserved())
        time.sleep(1)
    return worst


def _spent(pid: int) -> float:
    """Of a process, its children that live and those that ended."""
    own = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    below = 0.0
    for child in children:
        with suppress(OSError):
            below += _spent(int(child))
    return sum(map(int, own[11:15])) / TICKS + below
