"""The simulated Exchange server as a process: filled from a file, told what to do over HTTP, judged by the schemas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.contract.exchange_client import ANNA, BO, PASSWORD, ROOM, USER, utc
from tests.contract.test_exchange_simulator_faults import ENVELOPE, SYNC, VIEW
from tests.environment import shared
from tests.servers.exchange.process import Remote, exchange_process

WEEKLY = {"kind": "Weekly", "start": "2026-11-30", "days": ["Monday"], "times": 4}
TOWN = {
    "accounts": [{"name": USER, "password": PASSWORD, "impersonates": True}],
    "applications": [{"client_id": "app", "secret": "geheim"}],
    "mailboxes": [{"email": ANNA, "name": "Anna Holm"}, {"email": BO}],
    "rooms": [{"email": ROOM, "name": "Lokale 1", "delay": 0.05}],
    "room_lists": [{"email": "rum@byhavn.example", "members": [ROOM]}],
    "groups": [{"email": "job@byhavn.example", "members": [ANNA, BO]}],
    "entries": [
        {
            "email": ANNA,
            "start": utc(8).isoformat(),
            "end": utc(9).isoformat(),
            "Subject": "Teammøde",
            "UID": "team@byhavn.example",
            "recurrence": WEEKLY,
            "skipped": [utc(8, 7).isoformat()],
            "moved": [[utc(8, 14).isoformat(), utc(12, 15).isoformat()]],
        }
    ],
}
SPAN = {"start": utc(0).isoformat(), "end": utc(0, 40).isoformat()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder, schemas = tmp_path_factory.mktemp("exchange"), shared("reference/ews-xsd").resolve()
    with exchange_process(folder, TOWN, schemas) as running:
        yield running
        assert running.tell("state")["violations"] == []


def ask(server: Remote, body: str) -> requests.Response:
    text = ENVELOPE.format(mailbox=ANNA, body=body.replace("{more}", ""))
    headers = {"Content-Type": "text/xml"}
    return requests.post(server.url, text.encode(), auth=(USER, PASSWORD), headers=headers, timeout=10)


def calendar(server: Remote, email: str = ANNA) -> list[tuple[str, str]]:
    return [(one["start"], one["kind"]) for one in server.tell("calendar", email=email, **SPAN)]


def test_a_town_file_fills_it(server):
    assert server.tell("state")["mailboxes"] == sorted([ANNA, BO, ROOM])
    assert calendar(server) == [
        (utc(8).isoformat(), "Occurrence"),
        (utc(12, 15).isoformat(), "Exception"),
        (utc(8, 21).isoformat(), "Occurrence"),
    ]
    assert ask(server, VIEW).text.count("<t:ItemId") == 3


def test_the_humans_hand_reaches_it_over_http(server):
    email = {"email": BO}
    uid = server.tell("outlook/book", **email, start=utc(8).isoformat(), end=utc(9).isoformat(), rooms=[ROOM])
    server.tell("settle")
    server.tell("outlook/move", **email, uid=uid, start=utc(10).isoformat())
    server.tell("outlook/shorten", **email, uid=uid, minutes=30)
    server.tell("outlook/categorize", **email, uid=uid, names=["Selvbook"])
    server.tell("settle")

    [mine] = server.tell("calendar", **email, **SPAN)
    assert (mine["start"], mine["end"]) == (utc(10).isoformat(), utc(10.5).isoformat())
    assert (mine["categories"], mine["attendees"][0]["response"]) == (["Selvbook"], "Accept")
    assert calendar(server, ROOM) == [(utc(10).isoformat(), "Single")]
    server.tell("outlook/delete", **email, uid=uid)
    server.tell("settle")
    assert (calendar(server, BO), calendar(server, ROOM)) == ([], [])


def test_faults_policies_and_expiry_are_told_over_http(server):
    server.tell("fault", kind="http", operation="FindItem", mailbox=ANNA, times=1, status=503)
    assert [ask(server, VIEW).status_code for _ in range(2)] == [503, 200]
    server.tell("fault", kind="busy")
    assert "ErrorServerBusy" in ask(server, SYNC).text
    server.tell("clear")
    state = ask(server, SYNC).text.partition("<m:SyncState>")[2].partition("<")[0]
    follow = SYNC.replace("<m:MaxCh", f"<m:SyncState>{state}</m:SyncState><m:MaxCh")
    assert "NoError" in ask(server, follow).text
    server.tell("expire", email=ANNA)
    assert "ErrorInvalidSyncStateData" in ask(server, follow).text
    server.tell("policy", email=ROOM, processing="AutoUpdate")
    server.tell("policy", email=ROOM, processing="AutoAccept")
    assert server.tell("subscriptions", late=1, twice=True, drop="*") == {"alive": 0, "lost": 0}


def test_what_cannot_be_done_is_said(server):
    for action, asked, why in (
        ("nothing", {}, "no action is called nothing"),
        ("fault", {"kind": "weather"}, "no fault is called weather"),
        ("outlook/sing", {}, "no gesture is called sing"),
        ("outlook/move", {"email": ANNA, "uid": "x", "start": utc(0).isoformat()}, "ErrorItemNotFound"),
        ("policy", {"email": ROOM, "colour": "red"}, "no colour"),
        ("settings", {"weather": "fine"}, "no setting weather"),
    ):
        with pytest.raises(ValueError, match=why):
            server.tell(action, **asked)


def test_the_whole_server_is_set(server):
    assert server.tell("settings", minute=0.5, schemes=["Basic"])["schemes"] == ["Basic"]
    assert server.tell("settings", minute=60, schemes=["NTLM", "Basic"])["minute"] == 60


def test_people_and_lists_come_and_go(server):
    server.tell("mailbox", email="ny@byhavn.example", name="Ny")
    server.tell("mailbox", email="rum@byhavn.example", room=True, max_minutes=60)
    server.tell("group", email="alle@byhavn.example", members=[ANNA])
    assert len(server.tell("state")["mailboxes"]) == 5
    server.tell("mailbox", email="ny@byhavn.example", remove=True)
    assert "ny@byhavn.example" not in server.tell("state")["mailboxes"]


def test_the_list_of_categories_is_outlooks(server):
    assert server.tell("outlook/category_list", email=ANNA) == []
    names = ["Rød kategori", "Ude & væk"]
    assert server.tell("outlook/category_list", email=ANNA, names=names) == names


def test_it_ends_when_told_to(tmp_path: Path):
    with exchange_process(tmp_path, {}) as running:
        assert running.tell("state")["url"] == running.url
    with pytest.raises(requests.ConnectionError):
        running.tell("state")
