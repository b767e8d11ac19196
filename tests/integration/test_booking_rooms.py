"""Which meetings need a room, what they ask of it, and what a room's no means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from syncd.booking.rooms import needs_room, requirement_of
from syncd.errors import SlotGone
from syncd.model.booking import RoomState
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form, RoomRequirement
from syncd.publish.moving import like
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.server import NONE, Server
from tests.simulation.town import NOW, at

MINUTE = timedelta(minutes=1)


@pytest.fixture
def server() -> Server:
    return Server(Random(1), lambda: NOW, once_by_uid=True, faults=NONE)


@pytest.fixture
def office(migrated_sqlite_url: str, server: Server) -> Iterator[Office]:
    opened = Office.open(migrated_sqlite_url, calendar=server.inner, port=server)
    yield opened
    opened.store.close()


def test_a_room_that_said_no_is_not_asked_again_and_is_free_for_others(office: Office, server: Server) -> None:
    made = office.book(at(9))
    now = office.settle(NOW)
    for _ in range(2):
        room = office.meeting(made.meeting.id).room
        assert room is not None
        server.decline(room, made.meeting.uid, office.entries(room, made.meeting)[0].key)
        now = office.settle(now, passes=5)

    meeting = office.meeting(made.meeting.id)
    assert (None, RoomState.MISSING) == (meeting.room, meeting.room_state)
    assert [[], []] == [office.standing(room) for room in ("r1", "r2")]
    assert office.book(at(9), "bo", now=now).meeting.room in ("r1", "r2")


def test_who_sits_among_others_needs_a_room_for_a_call(office: Office) -> None:
    rules = town.rulebook(town.offer(open_plan_forms=frozenset({Form.PHONE})))
    meeting = office.hold(at(9), form=Form.PHONE).meeting
    anna = replace(office.directory.caseworkers["anna"], open_plan=True)
    among = replace(office.directory, caseworkers={**office.directory.caseworkers, "anna": anna})

    assert needs_room(among, rules, meeting)
    assert not needs_room(office.directory, rules, meeting)
    assert not needs_room(among, rules, replace(meeting, caseworker="who left"))


def test_a_meeting_of_an_offer_that_is_gone_asks_for_a_room_like_its_own(office: Office) -> None:
    meeting = replace(office.hold(at(9)).meeting, offer="gone")

    assert like(office.directory.rooms["r1"]) == requirement_of(
        office.directory, office.rulebook, replace(meeting, room="r1")
    )
    assert RoomRequirement() == requirement_of(office.directory, office.rulebook, replace(meeting, room=None))


def test_a_room_that_another_meeting_is_leaving_can_be_booked_before_its_calendar_knows(office: Office) -> None:
    made = office.book(at(9))
    now = office.settle(NOW)
    left = office.meeting(made.meeting.id).room
    (other,) = {"r1", "r2"} - {left}
    office.keeper.pin(made.meeting.id, other, "staff", now)

    held = office.hold(at(9), "bo", now=now)

    assert left == held.meeting.room
    assert office.desk.book(CLIENT, held.booking.id, "citizen", now).meeting.wanted


@pytest.mark.parametrize(("minutes", "refused"), [(-10, False), (0, True)])
def test_closed_hours_may_take_the_buffer_of_a_hold_but_not_its_time(
    office: Office, minutes: int, refused: bool
) -> None:
    office.rulebook = town.rulebook(town.offer(before=10))
    held = office.hold(at(9))
    start = at(9) + minutes * MINUTE
    office.calendar.put("anna", "closed", [Occurrence("closed", None, Interval.at(start, 10), BusyType.UNAVAILABLE)])
    office.sync(NOW)

    with pytest.raises(SlotGone) if refused else nullcontext():
        assert "citizen" == office.desk.book(CLIENT, held.booking.id, "citizen", NOW).booking.citizen
