"""The town's calendar server is a real one, with real rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx2
import pytest

from syncd.demo import radicale, town
from syncd.demo.children import ChildFailed, child, port, wait_until
from syncd.demo.groupware import Groupware
from syncd.model.interval import Interval

PASSWORDS = {"syncd": "s3", "anna": "a1", "bo": "b2"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[radicale.CalendarServer]:
    folder = tmp_path_factory.mktemp("radicale")
    everything = town.calendars(date(2026, 11, 18))
    radicale.lay_out(folder, {owner: everything[owner] for owner in ("anna", "bo")}, PASSWORDS)
    with radicale.serve(folder, PASSWORDS) as running:
        yield running


def _status(server: radicale.CalendarServer, account: str, owner: str, method: str = "GET") -> int:
    answer = httpx2.request(method, server.collection(owner), auth=(account, PASSWORDS[account]))
    return answer.status_code


def test_the_service_account_reads_every_calendar_and_people_only_their_own(server: radicale.CalendarServer) -> None:
    assert 200 == _status(server, "syncd", "anna")
    assert 200 == _status(server, "anna", "anna")
    assert 403 == _status(server, "bo", "anna")
    assert 401 == httpx2.get(server.collection("anna")).status_code


def test_every_object_laid_out_is_served(server: radicale.CalendarServer) -> None:
    expected = town.calendars(date(2026, 11, 18))["anna"]

    listed = httpx2.request("PROPFIND", server.collection("anna"), auth=("anna", "a1"), headers={"Depth": "1"}).text

    assert len(expected) == listed.count(".ics</href>")
    assert "Supervision" in httpx2.get(f"{server.collection('anna')}supervision-anna.ics", auth=("anna", "a1")).text


def test_a_person_adds_and_drags_an_event_in_their_calendar_program(server: radicale.CalendarServer) -> None:
    anna = Groupware(server.collection("anna"), "anna", "a1")
    nine, noon = (Interval.at(datetime(2027, 1, 4, hour, tzinfo=UTC), 45) for hour in (9, 12))

    anna.add(nine, "Frisør", "Europe/Copenhagen")
    (before,) = anna.items(nine)
    anna.move(before, noon, "Europe/Copenhagen")
    (after,) = anna.items(noon)

    assert (nine.start, noon.start) == (before.start, after.start)
    assert before.uid == after.uid
    assert before.etag != after.etag
    assert [] == anna.items(nine)
    with pytest.raises(httpx2.HTTPStatusError, match="412"):
        anna.move(before, nine, "Europe/Copenhagen")
    anna.close()


def test_calendars_that_exist_already_are_left_alone(tmp_path: Path) -> None:
    radicale.lay_out(tmp_path, {"anna": {"one.ics": "1"}}, PASSWORDS)
    radicale.lay_out(tmp_path, {"anna": {"two.ics": "2"}}, PASSWORDS)

    assert ["one.ics"] == [file.name for file in tmp_path.glob("collections/collection-root/anna/kalender/*.ics")]


def test_a_program_that_ends_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with (
        pytest.raises(ChildFailed, match=r"(?s)it ended with exit code 3.*no luck"),
        child("it", ["sh", "-c", "echo no luck; exit 3"], log) as process,
    ):
        wait_until("it", lambda: False, process, log, 10)


def test_a_taken_port_is_not_chosen(server: radicale.CalendarServer) -> None:
    taken = int(server.url.rstrip("/").rpartition(":")[2])

    assert taken != port(taken)
