"""The table of states is complete, says what the API really shows, and is what the reference page says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from syncd.booking.results import Appointment
from syncd.booking.states import TABLE, Standing, page, standing
from syncd.model.booking import Booking, BookingState, Meeting, RoomState
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.web.appointments import booking_content
from tests.environment import ROOT
from tests.simulation import town
from tests.simulation.town import NOW, at

MEETING = Meeting(
    id="abcdefgh1234",
    uid="abcdefgh1234@syncd",
    offer="talk",
    form=Form.PHONE,
    caseworker="anna",
    room=None,
    room_state=RoomState.NONE,
    interval=Interval.at(at(9), 30),
    zone=town.ZONE,
    before=0,
    after=0,
    wanted=True,
    desired_generation=1,
    applied_generation=0,
)
SETTLED = {"applied_generation": 1}
ROOM = {"room": "r1", "room_state": RoomState.PENDING, "form": Form.IN_PERSON}
SAMPLES: dict[Standing, tuple[BookingState, dict[str, Any]]] = {
    Standing.HELD: (BookingState.HELD, {"desired_generation": 0, "wanted": False}),
    Standing.PENDING: (BookingState.PENDING, {}),
    Standing.ROOM_PENDING: (BookingState.PENDING, ROOM),
    Standing.CONFIRMED: (BookingState.CONFIRMED, SETTLED),
    Standing.MOVED: (BookingState.PENDING, SETTLED | {"desired_generation": 2}),
    Standing.ROOM_MISSING: (BookingState.CONFIRMED, SETTLED | {"room_state": RoomState.MISSING, "attention": "x"}),
    Standing.CONFLICT: (BookingState.CONFIRMED, SETTLED | {"conflict": True, "attention": "x"}),
    Standing.ATTENTION: (BookingState.PENDING, {"attention": "x"}),
    Standing.FAILED: (BookingState.PENDING, {"interval": Interval.at(NOW - timedelta(hours=1), 30)}),
    Standing.CANCELLED: (BookingState.CANCELLED, {"wanted": False, "desired_generation": 2}),
    Standing.EXPIRED: (BookingState.EXPIRED, {"desired_generation": 0, "wanted": False}),
    Standing.NO_SHOW: (BookingState.NO_SHOW, SETTLED),
}


def appointment(state: BookingState, changes: dict[str, Any]) -> Appointment:
    return Appointment(Booking("b", MEETING.id, "portal", state, NOW, "ref"), replace(MEETING, **changes))


def field(content: dict[str, Any], path: str) -> str:
    value: Any = content
    for part in path.split("."):
        value = value[part]
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("which", list(Standing))
def test_the_api_shows_what_the_table_says(which: Standing) -> None:
    made, shown = appointment(*SAMPLES[which]), TABLE[which]
    content = booking_content(made, town.directory(), NOW)

    assert which is standing(made.booking, made.meeting, NOW)
    assert dict(shown.api) == {name: field(content, name) for name in shown.api}
    assert (which, shown.da) == (content["standing"], (content["say"] or {"da": ""})["da"])


def test_every_combination_stands_somehow_and_what_has_ended_comes_first() -> None:
    changes = product((True, False), RoomState, (None, "x"), (0, 1), (at(9), NOW - timedelta(days=1)))
    for conflict, room, attention, applied, start in changes:
        meeting = replace(
            MEETING,
            conflict=conflict,
            room_state=room,
            attention=attention,
            applied_generation=applied,
            interval=Interval.at(start, 30),
        )
        for state in BookingState:
            found = standing(Booking("b", "m", "portal", state, NOW), meeting, NOW)
            assert found in TABLE
            assert (found.value == state.value) or state in (BookingState.PENDING, BookingState.CONFIRMED)


def test_every_row_says_everything() -> None:
    assert set(Standing) == set(TABLE) == set(SAMPLES)
    for shown in TABLE.values():
        assert all((shown.when, shown.api, shown.caseworker, shown.page, shown.then))
        assert bool(shown.da) == bool(shown.en)


def test_the_reference_page_is_the_table() -> None:
    assert page() == (ROOT / "docs/reference/states.md").read_text(encoding="utf-8")
