"""Bookings of another planner are rehearsed, taken over once, and reported row by row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.booking.importing import Foreign, Importer, Outcome
from syncd.model.booking import BookingState
from syncd.model.offer import Form
from tests.integration.cli_office import MEMORY, Office, beside_other_tests
from tests.simulation import office as simulated
from tests.simulation.town import NOW, at

DAY = (datetime.now(UTC) + timedelta(days=3)).date()
CLIENT = '[clients.portal]\ntoken_sha256 = "' + "0" * 64 + '"\n'


@pytest.fixture(scope="module", autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path, calendars=MEMORY + CLIENT)
    assert 0 == made.syncd("offers", "apply", made.rules).code
    assert 0 == made.syncd("sync").code
    return made


def outcomes(done: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["outcome"] for one in done["rows"]]


def test_a_table_is_rehearsed_then_taken_over_and_known_the_second_time(office: Office) -> None:
    table = office.folder / "old.csv"
    table.write_text(
        "source;offer;caseworker;form;start;citizen\n"
        f"p-1;samtale;anna;in-person;{DAY}T10:00;borger-1\n"
        f"p-2;samtale;Anna@example.dk;phone;{DAY}T11:00;borger-2\n"
        f"p-3;samtale;anna;phone;{DAY}T11:00;borger-3\n"
        f"p-4;samtale;nobody;phone;{DAY}T12:00;borger-4\n"
        "p-5;samtale;anna;phone;2020-01-01T12:00;borger-5\n"
        f"p-6;nothing;anna;phone;{DAY}T13:00;borger-6\n"
        "p-7;samtale;anna;phone;tomorrow;borger-7\n"
        f"p-8;samtale;anna;phone;{DAY}T14:00;010203-1234\n"
    )
    line = ("bookings", "import", table, "--client", "portal", "--json")
    refused = [str(Outcome.REFUSED)] * 6

    rehearsed = office.syncd(*line)
    assert (1, False) == (rehearsed.code, rehearsed.json["kept"])
    assert [str(Outcome.TAKEN_OVER)] * 2 + refused == outcomes(rehearsed.json)
    assert [] == office.syncd("bookings", "--json").json

    assert [str(Outcome.TAKEN_OVER)] * 2 + refused == outcomes(office.syncd(*line, "--for-good").json)
    assert [str(Outcome.KNOWN)] * 2 + refused == outcomes(office.syncd(*line, "--for-good").json)
    kept = office.syncd("bookings", "--json").json
    assert [("in-person", "lokale-1", "pending"), ("phone", None, "pending")] == [
        (one["form"], one["room"], one["state"]) for one in kept
    ]
    assert 2 == len(office.audit("booking.imported"))
    assert 1 == office.syncd("bookings", "import", table, "--client", "nobody").code


def test_a_calendar_file_is_taken_over_for_one_caseworker(office: Office) -> None:
    file = office.folder / "old.ics"
    stamp = f"{DAY:%Y%m%d}"
    events = "".join(
        f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\nDTSTART:{stamp}T{start}00Z\nDTEND:{stamp}T{end}00Z\n{more}END:VEVENT\n"
        for uid, start, end, more in (
            ("one", "0900", "0930", "SUMMARY:Jobsamtale med Ada Berg\n"),
            ("weekly", "1000", "1030", "RRULE:FREQ=WEEKLY\n"),
            ("free", "1100", "1130", "TRANSP:TRANSPARENT\n"),
        )
    )
    file.write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//old//\n{events}END:VCALENDAR\n")
    line = ("bookings", "import", file, "--client", "portal", "--for-good")

    assert "needs --offer and --caseworker" in office.syncd(*line).err
    done = office.syncd(*line, "--offer", "samtale", "--caseworker", "anna", "--form", "phone")

    assert (0, True) == (done.code, "1 taken over" in done.out)
    [kept] = office.syncd("bookings", "--json").json
    assert (f"{DAY}T09:00:00Z", f"{DAY}T09:30:00Z") == (kept["start"], kept["end"])
    assert "Ada" not in office.syncd("bookings").out


def test_a_file_that_cannot_be_read_changes_nothing(office: Office) -> None:
    table = office.folder / "old.csv"
    table.write_text("caseworker,start,cpr\nanna,2030-01-01,0102031234\n")

    assert "unknown columns: cpr" in office.syncd("bookings", "import", table, "--client", "portal").err
    assert 1 == office.syncd("bookings", "import", office.folder / "no.csv", "--client", "portal").code


def test_what_is_taken_over_reaches_the_calendars_keeps_its_room_and_gives_way_to_our_own(migrated_url: str) -> None:
    town = simulated.Office.open(migrated_url)
    ours = town.book(at(9))
    town.event("anna", at(11), 45)
    town.sync(NOW)
    importer = Importer(town.store, lambda: town.directory, lambda: town.rulebook, "portal")
    rows = [
        Foreign(2, "a", "talk", "anna", Form.IN_PERSON, at(9, 15)),
        Foreign(3, "b", "talk", "anna", Form.IN_PERSON, at(11), citizen="ann"),
        Foreign(4, "c", "talk", "bo", Form.IN_PERSON, at(11), room="r2"),
        Foreign(5, "d", "talk", "bo", Form.IN_PERSON, at(13), at(12)),
    ]

    reports = importer.run(rows, "cli:olga", NOW, rehearse=False)
    town.calendar.remove("anna", "other")
    town.settle(NOW)

    assert [Outcome.REFUSED, Outcome.BESIDE, Outcome.TAKEN_OVER, Outcome.REFUSED] == [one.outcome for one in reports]
    assert [ours.meeting.interval, ours.meeting.interval.__class__.at(at(11), 45)] == town.standing("anna")
    with town.store.read() as tx:
        [booking] = tx.bookings.of_citizen("portal", "ann")
        meeting = tx.meetings.get(booking.meeting)
    assert meeting is not None
    assert (BookingState.CONFIRMED, False) == (booking.state, meeting.conflict)
    assert town.standing("bo") == town.standing("r2")
    town.store.close()
