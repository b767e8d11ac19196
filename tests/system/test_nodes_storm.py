"""Nodes die, freeze and are cut off while clients book: nothing acknowledged is lost, and no calendar is left alone.

`make nodes-storm` plays the short one, `make test-long` the long one. The judge (`tests.system.history`) shares no code
with the product.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.servers.proxy import proxy
from tests.servers.wire import wire
from tests.system.calendars import KINDS
from tests.system.history import Journal, Verdict, judge
from tests.system.nodes import Nodes, running
from tests.system.nodes_storm import LostWrites, NodesStorm, standing
from tests.system.storm import at_rest, made

SEED = int(os.environ.get("SYNCD_SEED", "1"))
SECONDS = float(os.environ.get("SYNCD_STORM_SECONDS", "inf"))
"""After which no more bookings are begun and nothing is struck any more; what happened until then is judged."""

PEOPLE = int(os.environ.get("SYNCD_STORM_PEOPLE", "60"))
"""Of the long storm, and two rooms for three of them; ten thousand bookings need all sixty."""

RATE = 3.5
"""Bookings in a second that clients of the long storm ask for. Twelve clients that ask without a pause fill two cores,
on which three nodes, PostgreSQL, calendars and clients live together, and what is measured is the machine."""


def storm(
    folder: Path,
    url: str,
    *,
    people: int,
    rooms: int,
    bookings: int,
    kills: int,
    clients: int = 6,
    rate: float = float("inf"),
) -> dict[str, float]:
    """One storm over three nodes, of which one has a clock ten minutes ahead and one ten minutes behind; judged.

    Calendars are read every two seconds, and those in which nothing happens after five such rounds.

    Whatever it comes to, *folder* then holds the journal, each node's log, all strikes (`storm.log`), and what stood in
    the end; if promises were broken or it could not be judged, the database, too.
    """
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
        between.rule = losing = LostWrites(0.05, SEED)
        raging = NodesStorm(
            nodes.all[0],
            journal,
            SEED,
            bookings,
            clients,
            SECONDS,
            rate,
            nodes=nodes,
            wires={0: first, 1: second},
            log=folder / "storm.log",
            each_minute=between.seen.clear,
        )
        try:
            with running(nodes):
                raging.rage(kills)
                between.calm()
                for node in nodes.all:
                    node.wait_until_ready()
                with suppress(AssertionError):  # the judge will tell what never came to rest
                    at_rest(nodes.all[2], journal, 1200)
                calendars = {owner: server.texts(owner) for owner in (*names, *places)}
                verdict = _judged(folder, journal, standing(nodes, made(journal)), calendars)
            verdict.broken += raging.broken()
            overlaps = sum(node.log.count('"claims.overlap"') for node in nodes.all)
            verdict.broken += ["two claims overlapped"] * overlaps
            taken = sum(node.log.count('"node.taken_over"') for node in nodes.all)
            found = {**verdict.counted, **raging.struck, "taken over": taken, "lost writes": losing.lost}
            raging.note(str(found))
            told = [f"SYNCD_SEED={SEED} make nodes-storm; all is in {folder}", str(found), *verdict.broken]
            assert not verdict.broken, "\n".join(told)
        except BaseException:
            raging.note(f"broken or not judged; the database is in {nodes.keep()}")
            raise
    return {**found, "longest unserved, s": round(raging.worst, 1)}


def _judged(
    folder: Path,
    journal: Journal,
    bookings: dict[str, dict[str, Any] | None],
    calendars: dict[str, list[str]],
) -> Verdict:
    """The judge's verdict, which is written down with what it was asked to judge."""
    verdict = judge(journal.lines(), bookings.get, calendars)
    said = {"broken": verdict.broken, "bookings": bookings, "calendars": calendars}
    (folder / "judged.json").write_text(json.dumps(said, indent=1))
    return verdict


@pytest.mark.programme
@pytest.mark.timeout(1800)
def test_ten_kills_of_three_nodes_lose_nothing(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        counted = storm(tmp_path, postgres_url, people=8, rooms=4, bookings=300, kills=10)
        print(f"\nnodes storm: {counted}")
    assert counted["acknowledged"] > 100
    assert counted["taken over"] > 0


@pytest.mark.long
@pytest.mark.timeout(10_800)
def test_a_hundred_kills_freezes_and_cuts_of_three_nodes_in_ten_thousand_bookings_lose_nothing(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nnodes storm: {tmp_path / 'storm.log'}", flush=True)
        size = {"people": PEOPLE, "rooms": PEOPLE * 2 // 3, "bookings": 10_000, "kills": 55}
        counted = storm(tmp_path, postgres_url, **size, clients=12, rate=RATE)
        print(f"\nnodes storm: {counted}")
    if SECONDS < float("inf") or PEOPLE < 60:
        return  # a part of it: what came of it was judged and told, and is not the whole
    assert sum(counted[kind] for kind in ("kill", "freeze", "sleep", "cut")) >= 100
    assert counted["acknowledged"] > 8_000
