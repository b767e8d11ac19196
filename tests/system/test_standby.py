"""A warm standby as the guide describes it: the primary database dies, the second one is promoted, syncd goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.postgres import Cluster
from tests.system.calendars import KINDS
from tests.system.nodes import Nodes, running
from tests.system.service import Service, wait_for

pytestmark = [pytest.mark.programme, pytest.mark.timeout(600)]


@pytest.fixture
def servers() -> Iterator[tuple[Cluster, Cluster, str]]:
    """A primary and its standby, and the URL that finds whichever accepts writes."""
    primary = Cluster.start(durable=True)
    url = primary.database()
    standby = primary.standby()
    both = f"{url},{standby._folder}&target_session_attrs=read-write"
    try:
        yield primary, standby, both
    finally:
        standby.stop()
        primary.stop()


def test_nothing_acknowledged_is_lost_with_the_primary_and_bookings_go_on_after_one_command(
    tmp_path: Path, servers: tuple[Cluster, Cluster, str], capsys: pytest.CaptureFixture[str]
) -> None:
    primary, standby, url = servers
    with KINDS["graph"](tmp_path) as server:
        for owner in ("anna", "lokale-1"):
            server.make_calendar(owner)
        nodes = Nodes(tmp_path, server, url)
        one, two = nodes.add(), nodes.add()
        with running(nodes):
            made = [one.book(), two.book()]
            told = list(made)
            for number in range(20):
                told += _tried(nodes.all[number % 2], 20 + number)
            primary.die()
            refused = [_tried(node, 45) for node in nodes.all]
            began = time.monotonic()
            standby.promote()
            back = {node.port: _back_after(node, began) for node in nodes.all}
            wait_for(lambda: all(one.state(booking["id"]) == "confirmed" for booking in told), "confirmation", 240)

            with capsys.disabled():
                seconds = ", ".join(f"{after:.1f} s" for after in back.values())
                print(f"\nstandby: {len(told)} acknowledged before, 0 lost; bookings again after {seconds}")
            assert [[], []] == refused
            assert len(told) > 10
            assert len(told) <= len(server.texts("anna"))


def _tried(node: Service, number: int) -> list[dict[str, object]]:
    """A booking, if there was an answer and it was a yes."""
    try:
        start = node.slots()[number]["start"]
        wish = {"offer": "samtale", "start": start, "form": "phone", "caseworker": "anna"}
        hold = node.post("/holds", wish)
        body = {"hold": hold.json().get("id", ""), "citizen": {"reference": f"borger-{number}"}}
        booked = node.post("/bookings", body)
    except (requests.RequestException, AssertionError, ValueError):
        return []
    return [booked.json()] if booked.status_code == 201 else []


def _back_after(node: Service, began: float) -> float:
    """Seconds from *began* until this node took a booking again."""
    wait_for(lambda: bool(_tried(node, 3)), "a booking after the promotion", 120)
    return time.monotonic() - began
