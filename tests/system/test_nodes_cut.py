"""A node's line to the database goes silent: nothing is closed, nothing is refused, nothing arrives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from syncd.errors import StoreError
from syncd.store import Store, Tx
from tests.postgres import Cluster
from tests.servers.cable import Cable, laid, machine
from tests.servers.wire import Wire, wire
from tests.system.calendars import KINDS
from tests.system.nodes import Nodes, running
from tests.system.service import Service, wait_for

pytestmark = [pytest.mark.programme, pytest.mark.timeout(500)]
PEOPLE = ("person-00", "person-01", "person-02")
UNSERVED = 60.0


@dataclass(frozen=True)
class Line:
    """A database, and a line to it that can be cut.

    :param near: the URL beside the line. :param far: through it. :param what: it is.
    """

    near: str
    far: str
    end: Cable | Wire
    what: str


@contextmanager
def line(folder: Path) -> Iterator[Line]:
    """A cable to a machine of its own; where namespaces are forbidden, a socket that holds back what it is given.

    Either way nobody is told. Without the cable, what TCP does about silence is not played: what must end then is the
    server's patience with an idle transaction, and the client's waits for ever.
    """
    if laid():
        with machine(1) as there:
            cluster, cable = Cluster.start(inside=there.inside), there.cables[0]
            try:
                near = cluster.database()
                yield Line(near, near.partition("?")[0].replace("@/", f"@{cable.address}/"), cable, "a cable pulled")
            finally:
                cluster.stop()
    else:
        cluster = Cluster.start()
        try:
            near = cluster.database()
            with wire(folder / "wire", near) as (held, far):
                yield Line(near, far, held, "a socket held back, as network namespaces are forbidden here")
        finally:
            cluster.stop()


def tried(node: Service, number: int) -> list[str]:
    """The booking with the second person that was acknowledged, if one was."""
    try:
        start = node.slots(caseworker=PEOPLE[1])[number]["start"]
        wish = {"offer": "samtale", "start": start, "form": "phone", "caseworker": PEOPLE[1]}
        hold = node.post("/holds", wish, timeout=10)
        citizen = {"reference": f"borger-{node.port}-{number}"}
        booked = node.post("/bookings", {"hold": hold.json().get("id", ""), "citizen": citizen}, timeout=10)
    except (requests.RequestException, AssertionError):
        return []
    return [booked.json()["id"]] if booked.status_code == 201 else []


def worst(nodes: Nodes, seconds: float) -> float:
    """For how long the mailbox worst off was not read, during so many seconds."""
    until, found = time.monotonic() + seconds, 0.0
    while time.monotonic() < until:
        found = max(found, nodes.unserved())
        time.sleep(1)
    return found


def connections(nodes: Nodes) -> int:
    """How many the server keeps that came through the cable; a socket is no cable."""
    ((number,),) = nodes.ask("SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL")
    return int(str(number))


def test_a_node_with_a_silent_line_acknowledges_nothing_and_the_other_serves_all_within_a_minute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It had a calendar locked as its line went silent, so the server must find out, too, and keep none of its
    connections: nodes that come and go would use them all up.
    """
    with line(tmp_path) as wired, KINDS["graph"](tmp_path) as server:
        for owner in (*PEOPLE, "lokale-1"):
            server.make_calendar(owner)
        nodes = Nodes(tmp_path, server, wired.near, people=PEOPLE)
        far, near = nodes.add(database=wired.far), nodes.add()
        store = Store(wired.far)

        def silent(tx: Tx) -> tuple[float, int, list[str], list[str]]:
            tx.mailboxes.lock(PEOPLE[0])
            wired.end.cut()
            with ThreadPoolExecutor(1) as pool:
                watched = pool.submit(worst, nodes, UNSERVED + 10)
                refused, taken = tried(far, 30), tried(near, 40)
                unserved = watched.result()
            refused += tried(far, 31)
            kept = connections(nodes)
            wired.end.mend(broken=False)
            return unserved, kept, refused, taken

        try:
            with running(nodes):
                made = [far.book(PEOPLE[1])["id"], near.book(PEOPLE[2])["id"]]
                wait_for(lambda: nodes.unserved() < 5, "all calendars to be read")
                assert connections(nodes) > 0 or not isinstance(wired.end, Cable)
                found: list[tuple[float, int, list[str], list[str]]] = []
                with pytest.raises(StoreError), store.begin() as tx:
                    found.append(silent(tx))
                ((unserved, kept, refused, taken),) = found
                mended = time.monotonic()
                while not (again := tried(far, 50)):
                    assert time.monotonic() < mended + UNSERVED, "it takes no bookings again"
                back = time.monotonic() - mended
                made += taken + again
                wait_for(lambda: {near.state(name) for name in made} == {"confirmed"}, "confirmation")
                wait_for(lambda: '"node.was_away"' in far.log, "the one cut off to find out")
                entries = sum(len(server.texts(person)) for person in PEOPLE)
                said = f"{len(taken)} taken meanwhile, unserved for {unserved:.0f} s at most, again after {back:.0f} s"
                with capsys.disabled():
                    print(f"\nsilent line ({wired.what}): {said}")
        finally:
            store.close()
    assert [] == refused
    assert 1 == len(taken)
    assert kept == 0
    assert unserved <= UNSERVED
    assert len(made) == entries
    assert '"node.taken_over"' in near.log
