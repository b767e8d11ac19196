"""A last look before a hold, made by a node that is not the one that reads the calendar."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.servers.proxy import Answer, Forward, Proxy, Seen, proxy
from tests.system.calendars import KINDS, Graph
from tests.system.nodes import Nodes, running
from tests.system.service import Service, wait_for

pytestmark = [pytest.mark.programme, pytest.mark.timeout(400)]
PEOPLE = ("person-00", "person-01")


@dataclass
class Looks:
    """A rule for the proxy: counts looks at each calendar, and how many of one were under way at a time."""

    seconds: float = 0.3
    made: Counter[str] = field(default_factory=Counter)
    most: int = 0
    under_way: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """See `tests.servers.proxy.Rule`."""
        whose = re.search(r"/users/([^/]+)/calendarView/delta", unquote(seen.path))
        if whose is None:
            return forward()
        with self.lock:
            self.made[whose[1]] += 1
            self.under_way[whose[1]] += 1
            self.most = max(self.most, self.under_way[whose[1]])
        time.sleep(self.seconds)
        answer = forward()
        with self.lock:
            self.under_way[whose[1]] -= 1
        return answer


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, postgres) -> Iterator[tuple[Nodes, Graph, Proxy]]:
    """Two nodes that answer and one that works; it looks at calendars now and then."""
    folder: Path = tmp_path_factory.mktemp("live")
    url = postgres.database()
    with KINDS["graph"](folder) as server, proxy(server) as between:
        assert isinstance(server, Graph)
        for owner in (*PEOPLE, "lokale-1"):
            server.make_calendar(owner)
        nodes = Nodes(folder, server.at(between.url), url, people=PEOPLE, interval=1)
        for role in ("api", "api", "worker"):
            nodes.add(role)
        with running(nodes):
            wait_for(lambda: nodes.unserved() < 30 and len(nodes.all[0].slots()) > 60, "a first reading")
            yield nodes, server, between
    postgres.drop(url)


def make_old(nodes: Nodes) -> None:
    """All mirrors are a minute old, so that a hold looks for itself."""
    nodes.ask("UPDATE mailboxes SET as_of = as_of - 60 RETURNING id")


def asked(node: Service, start: str, person: str) -> int:
    wish = {"offer": "samtale", "start": start, "form": "phone", "caseworker": person}
    return node.post("/holds", wish).status_code


def test_a_hold_at_a_node_that_reads_nothing_sees_what_was_entered_a_moment_ago(
    town: tuple[Nodes, Graph, Proxy],
) -> None:
    nodes, server, _ = town
    first, second, worker = nodes.all
    start = first.slots(caseworker=PEOPLE[0])[20]["start"]
    begins = datetime.fromisoformat(start)
    assert worker.child is not None
    worker.child.send_signal(signal.SIGSTOP)
    try:
        server.graph.outlook.book(f"{PEOPLE[0]}@example.dk", begins, begins + timedelta(minutes=30), subject="Møde")
        before = {slot["start"] for slot in second.slots(caseworker=PEOPLE[0])}
        make_old(nodes)
        refused = asked(first, start, PEOPLE[0])
        after = {slot["start"] for slot in second.slots(caseworker=PEOPLE[0])}
    finally:
        worker.child.send_signal(signal.SIGCONT)

    assert start in before  # nobody had looked
    assert 409 == refused
    assert start not in after  # the other node knows it, too


def test_calls_for_one_calendar_come_one_at_a_time_whatever_nodes_make_them(town: tuple[Nodes, Graph, Proxy]) -> None:
    """Holds at two nodes, and the third one's looks at all calendars, which come each second, too."""
    nodes, _, between = town
    between.rule = looks = Looks()
    starts = [slot["start"] for slot in nodes.all[0].slots(caseworker=PEOPLE[1])[5:65:3]]
    answers: list[int] = []
    with ThreadPoolExecutor(6) as pool:
        for number in range(0, len(starts), 5):
            make_old(nodes)
            some = enumerate(starts[number : number + 5])
            wishes = [pool.submit(asked, nodes.all[turn % 2], start, PEOPLE[1]) for turn, start in some]
            answers += [wish.result() for wish in wishes]

    assert [201] * len(starts) == answers
    assert looks.made[f"{PEOPLE[1]}@example.dk"] >= 2
    assert 1 == looks.most
