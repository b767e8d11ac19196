"""Nodes die, freeze and are cut off while clients book: nothing acknowledged is lost, and no calendar is left alone.

`make nodes-storm` plays the short one, `make test-long` the long one. The judge (`tests.system.history`) shares no code
with the product.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.servers.proxy import proxy
from tests.servers.wire import wire
from tests.system.calendars import KINDS
from tests.system.history import Journal, judge
from tests.system.nodes import Nodes, running
from tests.system.nodes_storm import LostWrites, NodesStorm
from tests.system.storm import at_rest

SEED = int(os.environ.get("SYNCD_SEED", "1"))
UNSERVED = 60.0
SECONDS = float(os.environ.get("SYNCD_STORM_SECONDS", "inf"))
"""After which no more bookings are begun and nothing is struck any more; what happened until then is judged."""


def storm(
    folder: Path,
    url: str,
    *,
    people: int,
    rooms: int,
    bookings: int,
    kills: int,
    clients: int = 6,
) -> dict[str, float]:
    """One storm over three nodes, of which one has a clock ten minutes ahead and one ten minutes behind; judged."""
    names = tuple(f"person-{number:02d}" for number in range(people))
    places = tuple(f"lokale-{number:02d}" for number in range(rooms))
    with (
        KINDS["graph"](folder) as server,
        proxy(server) as between,
        wire(folder / "w0", url) as (first, through_first),
        wire(folder / "w1", url) as (second, through_second),
    ):
        for owner in (*names, *places):
            server.make_calendar(owner)
        nodes = Nodes(folder, server.at(between.url), url, people=names, rooms=places, interval=2)
        nodes.add(database=through_first)
        nodes.add(database=through_second, ahead=600)
        nodes.add(ahead=-600)
        journal = Journal(folder / "journal.jsonl")
        with running(nodes):
            between.rule = losing = LostWrites(0.05, SEED)
            wires = {0: first, 1: second}
            raging = NodesStorm(nodes.all[0], journal, SEED, bookings, clients, SECONDS, nodes=nodes, wires=wires)
            raging.rage(kills)
            between.calm()
            at_rest(nodes.all[2], journal, 1200)
            calendars = {owner: server.texts(owner) for owner in (*names, *places)}
            verdict = judge(journal.lines(), lambda name: nodes.all[0].get(f"/bookings/{name}").json(), calendars)
            taken = sum(node.log.count('"node.taken_over"') for node in nodes.all)
            overlaps = sum(node.log.count('"claims.overlap"') for node in nodes.all)
    found: dict[str, float] = {**verdict.counted, **raging.struck, "taken over": taken, "lost writes": losing.lost}
    found["longest unserved, s"] = round(raging.worst, 1)
    assert not verdict.broken, "\n".join([f"SYNCD_SEED={SEED} make nodes-storm", str(found), *verdict.broken])
    assert raging.worst <= UNSERVED, f"a calendar was not read for {raging.worst:.0f} s: {found}"
    assert not overlaps
    return found


@pytest.mark.programme
@pytest.mark.timeout(1800)
def test_ten_kills_of_three_nodes_lose_nothing(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = storm(tmp_path, postgres_url, people=8, rooms=4, bookings=300, kills=10)

    with capsys.disabled():
        print(f"\nnodes storm: {counted}")
    assert counted["acknowledged"] > 100
    assert counted["taken over"] > 0


@pytest.mark.long
@pytest.mark.timeout(10_800)
def test_a_hundred_kills_freezes_and_cuts_of_three_nodes_in_ten_thousand_bookings_lose_nothing(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = storm(tmp_path, postgres_url, people=40, rooms=25, bookings=10_000, kills=55, clients=12)

    with capsys.disabled():
        print(f"\nnodes storm: {counted}")
    assert counted["acknowledged"] > 2_500 or SECONDS < float("inf")
