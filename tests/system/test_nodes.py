"""Several nodes as an operator runs them: processes with roles on one PostgreSQL."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.system.calendars import KINDS
from tests.system.nodes import Nodes, running
from tests.system.service import Service, wait_for

pytestmark = [pytest.mark.programme, pytest.mark.timeout(400)]
PEOPLE = tuple(f"person-{number:02d}" for number in range(6))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, postgres) -> Iterator[Nodes]:
    """One that answers, one that works, one that does both, with a clock ten minutes ahead."""
    folder: Path = tmp_path_factory.mktemp("nodes")
    url = postgres.database()
    with KINDS["graph"](folder) as server:
        for owner in (*PEOPLE, "lokale-1"):
            server.make_calendar(owner)
        made = Nodes(folder, server, url, people=PEOPLE)
        made.add("api")
        made.add("worker")
        made.add("all", ahead=600)
        with running(made):
            yield made
    postgres.drop(url)


def figure(node: Service, name: str) -> float:
    text = requests.get(f"{node.url}/metrics", timeout=5).text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


def test_what_is_booked_at_one_node_is_written_by_another_and_known_to_all(nodes: Nodes) -> None:
    api, _worker, both = nodes.all
    booked = api.book("person-00")

    wait_for(lambda: api.state(booked["id"]) == "confirmed", "confirmation")
    assert "confirmed" == both.state(booked["id"])
    assert 1 == len(api.objects("person-00"))


def test_a_node_that_only_works_answers_supervisors_and_nobody_else(nodes: Nodes) -> None:
    worker = nodes.all[1]

    answers = [requests.get(f"{worker.url}{path}", timeout=5).status_code for path in ("/readyz", "/metrics")]
    assert [200, 200, 404] == [*answers, worker.get("/offers/samtale/slots").status_code]


def test_no_answer_is_older_than_the_newest_generation_whatever_node_gives_it(nodes: Nodes) -> None:
    api, _, both = nodes.all
    for number in range(6):
        first, second = (api, both) if number % 2 else (both, api)
        start = first.slots(caseworker="person-01")[number]["start"]
        assert start in {slot["start"] for slot in second.slots(caseworker="person-01")}

        wish = {"offer": "samtale", "start": start, "form": "in-person", "caseworker": "person-01"}
        assert 201 == first.post("/holds", wish).status_code

        assert start not in {slot["start"] for slot in second.slots(caseworker="person-01")}
        assert 409 == second.post("/holds", wish).status_code


def test_a_clock_ten_minutes_off_neither_ends_holds_nor_makes_mirrors_look_young(nodes: Nodes) -> None:
    wrong = nodes.all[2]
    start = wrong.slots()[40]["start"]
    hold = wrong.post("/holds", {"offer": "samtale", "start": start, "form": "in-person", "caseworker": "person-02"})
    assert 201 == hold.status_code, hold.text

    ((ahead, left),) = nodes.ask(
        "SELECT max(as_of) - extract(epoch FROM clock_timestamp()),"
        " max(expires) - extract(epoch FROM clock_timestamp())"
        " FROM mailboxes, bookings WHERE state = 'held'"
    )
    assert (True, True) == (float(str(ahead)) < 2, 60 < float(str(left)) < 700)


def test_a_single_node_refuses_a_database_that_others_share(nodes: Nodes) -> None:
    done = nodes.all[0].command("run")

    assert 78 == done.returncode
    assert "serve this database together" in done.stderr


def test_the_nodes_are_known_and_told(nodes: Nodes) -> None:
    api = nodes.all[0]
    done = api.command("nodes")

    assert 0 == done.returncode, done.stderr
    assert [3, 1] == [done.stdout.count(word) for word in ("0.1.0", "worker")]
    report = requests.get(f"{api.url}/readyz", timeout=5).json()
    assert ["3 nodes serve together."] == [one["says"]["en"] for one in report["checks"] if one["name"] == "nodes"]


def test_a_node_that_is_asked_to_stop_ends_in_order_and_the_others_know_at_once(nodes: Nodes) -> None:
    worker = nodes.all[1]
    code, seconds = worker.stop()
    left = nodes.ask("SELECT count(*) FROM nodes WHERE role = 'worker'")
    held = nodes.ask("SELECT count(*) FROM leases WHERE node NOT IN (SELECT id FROM nodes)")
    worker.start()

    assert (0, [(0,)], [(0,)]) == (code, left, held)
    assert seconds < 12


def test_what_a_dead_and_what_a_frozen_node_did_is_done_by_the_other_within_a_minute(nodes: Nodes) -> None:
    """Last in this module: it ends the worker."""
    api, worker, both = nodes.all

    def taken_over() -> float:
        return sum(figure(node, "syncd_takeovers_total") for node in (api, both))

    before = taken_over()
    worker.kill()
    wait_for(lambda: taken_over() > before, "a take-over", 60)
    wait_for(lambda: nodes.unserved() < 10, "all mailboxes to be read", 60)

    worker.start()
    assert both.child is not None
    both.child.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    wait_for(lambda: len(nodes.ask("SELECT id FROM nodes")) == 2, "the frozen one to be given up", 60)
    wait_for(lambda: nodes.unserved() < 10, "all mailboxes to be read", 60 - (time.monotonic() - frozen))
    both.child.send_signal(signal.SIGCONT)

    wait_for(lambda: len(nodes.ask("SELECT id FROM nodes")) == 3, "it to come back", 60)
    assert figure(both, "syncd_node_away_total") >= 1
