"""A client by others, npm's ews-javascript-api, works with the simulated server and sees what exchangelib sees."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.exchange_client import ANNA, PASSWORD, ROOM, USER, account_of, at, house, plain, utc
from tests.environment import not_covered, program
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.model import Address

FOREIGN = Path(__file__).resolve().parent.parent / "servers" / "exchange" / "foreign"


@pytest.fixture(scope="module")
def server() -> Iterator[ExchangeServer]:
    with house() as running:
        yield running


@pytest.fixture(scope="module")
def seen_by_others(server: ExchangeServer) -> dict[str, Any]:
    """What the JavaScript client did and saw: a meeting with a room, moved by an hour, and three days of a series."""
    node = program("node", "nodejs")
    if not (FOREIGN / "node_modules" / "ews-javascript-api").is_dir():
        not_covered("ews-javascript-api is not installed", "bash setup/node-clients")
    server.world.room_lists["rum@byhavn.example"] = (Address("rum@byhavn.example", "Rum"), [ROOM])
    asked = {
        "url": server.url,
        "user": USER,
        "password": PASSWORD,
        "mailbox": ANNA,
        "room": ROOM,
        "subject": "Samtale",
        "series": "Daglig",
        "start": f"{utc(8):%FT%TZ}",
        "end": f"{utc(9):%FT%TZ}",
        "from": f"{utc(0):%FT%TZ}",
        "until": f"{utc(0, 10):%FT%TZ}",
    }
    ran = subprocess.run(
        [str(node), str(FOREIGN / "client.js")],
        input=json.dumps(asked),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert isinstance(answer, dict)
    server.settle()
    return answer


def text(moment: Any) -> str:
    return f"{moment:%FT%TZ}"


def test_it_creates_and_finds_a_meeting_and_a_series(seen_by_others):
    assert [(one["subject"], one["start"], one["kind"]) for one in seen_by_others["calendar"]] == [
        ("Samtale", text(utc(8)), "Single"),
        ("Daglig", text(utc(12)), "Occurrence"),
        ("Daglig", text(utc(12, 1)), "Occurrence"),
        ("Daglig", text(utc(12, 2)), "Occurrence"),
    ]


def test_it_moves_a_meeting_and_reads_it_back(seen_by_others):
    assert seen_by_others["edited"] == {"start": text(utc(9)), "body": "Hej", "rooms": [ROOM]}


def test_it_follows_changes_and_finds_the_rooms(seen_by_others):
    assert (seen_by_others["changes"], seen_by_others["rooms"]) == (["Create", "Create"], [ROOM])


def test_exchangelib_sees_the_same_calendar_and_the_same_busy_time(seen_by_others, server):
    anna = account_of(server)

    view = list(anna.calendar.view(at(0), at(0, 10), max_items=100).only("subject", "start", "end", "id"))
    spans = [(text(plain(one.start)), text(plain(one.end))) for one in view]

    assert {one["id"] for one in seen_by_others["calendar"]} == {one.id for one in view}
    assert [(one["start"], one["end"]) for one in seen_by_others["busy"]] == spans
    assert anna.calendar.get(subject="Samtale").resources[0].response_type == "Accept"
