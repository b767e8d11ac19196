"""Commands about rooms, over calendars in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.cli.opening import parts_of
from syncd.model.offer import Form
from tests.integration.cli_office import Office, beside_other_tests


@pytest.fixture(autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """One caseworker, one room, one meeting in it a few days ahead."""
    opened = Office(tmp_path)
    assert 0 == opened.syncd("offers", "apply", opened.rules).code
    assert 0 == opened.syncd("sync").code
    return opened


def booked(office: Office, days: int = 6) -> str:
    """The booking's id."""
    now = datetime.now(UTC).replace(microsecond=0)
    ahead = now + timedelta(days=days)
    start = next(
        slot["start"]
        for slot in office.syncd("slots", "samtale", "--form", "in-person", "--to", f"{ahead:%Y-%m-%d}", "--json").json[
            "slots"
        ][::-1]
    )
    with parts_of(office.config) as parts:
        held = parts.desk.hold("portal", "samtale", datetime.fromisoformat(start), "anna", Form.IN_PERSON, None, now)
        return parts.desk.book("portal", held.booking.id, "borger-1", now).booking.id


def test_a_room_is_pinned_explained_and_let_go(office: Office) -> None:
    booking = booked(office)

    assert "lokale-1: moves 0" in office.syncd("rooms", "why", booking).out
    assert ["lokale-1"] == [reason["room"] for reason in office.syncd("rooms", "why", booking, "--json").json]
    assert "stays in lokale-1" in office.syncd("rooms", "pin", booking).out
    assert "may be moved" in office.syncd("rooms", "unpin", booking).out
    assert "was not pinned" in office.syncd("rooms", "unpin", booking).out


def test_what_is_not_there_is_said(office: Office) -> None:
    for command in (("why", "nobody"), ("pin", "nobody"), ("unpin", "nobody")):
        done = office.syncd("rooms", *command)
        assert 1 == done.code
        assert "no booking 'nobody'" in done.err
    assert "no room 'kosteskab'" in office.syncd("rooms", "pin", booked(office), "--room", "kosteskab").err
    done = office.syncd("rooms", "block", "kosteskab", "--from", "2030-01-01", "--to", "2030-01-02")
    assert (1, True) == (done.code, "There is no room 'kosteskab'. Rooms are: lokale-1." in done.err)
    assert "no site 'maanen'" in office.syncd("rooms", "usage", "--site", "maanen").err


def test_blocking_the_only_room_leaves_the_meeting_to_a_person(office: Office) -> None:
    booking = booked(office)
    (line,) = office.syncd("bookings", "--json").json
    done = office.syncd(
        "rooms", "block", "lokale-1", "--from", line["start"], "--to", line["end"], "--reason", "Maling"
    )

    assert "lokale-1 is closed; 0 meeting(s) have another room" in done.out
    assert "no room was found" in done.out
    (line,) = office.syncd("bookings", "--attention", "--json").json
    assert (booking, None, "missing") == (line["id"], line["room"], line["room_state"])


def test_a_plan_for_a_day_moves_nobody(office: Office) -> None:
    booked(office)
    ahead = datetime.now(UTC) + timedelta(days=6)

    assert "nobody moves" in office.syncd("rooms", "plan", "--day", f"{ahead:%Y-%m-%d}").out
    assert {"torvet": []} == office.syncd("rooms", "plan", "--day", f"{ahead:%Y-%m-%d}", "--json").json


def test_usage_and_what_if_tell_figures_and_nobody(office: Office) -> None:
    booked(office)
    today = datetime.now(UTC).date()
    window = ("--from", str(today), "--to", str(today + timedelta(days=14)))
    figures = office.syncd("rooms", "usage", *window, "--json").json["figures"]

    assert (1, 1, 0) == (figures["meetings"], figures["peak"], figures["moves"])
    assert "frequency" in office.syncd("rooms", "usage", *window).out
    found = office.syncd("rooms", "what-if", "torvet", "--without", "lokale-1", *window, "--json").json
    assert (1, 0) == (found["now"]["share"], found["then"]["share"])
    assert "with today's rooms: 1 of 1" in office.syncd("rooms", "what-if", "torvet", "--like", "lokale-1", *window).out
    assert "no room kosteskab" in office.syncd("rooms", "what-if", "torvet", "--without", "kosteskab").err
