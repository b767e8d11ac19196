"""Rooms of Exchange are invited, and their booking attendant's answer decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.model.booking import BookingState, RoomState
from syncd.model.directory import Directory
from syncd.model.interval import Interval
from tests.environment import shared
from tests.servers.exchange import ExchangeServer
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at, directory

MINUTE = timedelta(minutes=1)


class Hall(Office):
    """An office whose calendars are on an Exchange server."""

    exchange: ExchangeServer
    time: list[datetime]

    def later(self, minutes: int = 1, passes: int = 1) -> None:
        """Time passes, and everybody looks."""
        for _ in range(passes):
            self.time[0] += minutes * MINUTE
            self.sync(self.time[0])
            self.reconciler.run_due(self.time[0])

    def room_times(self, room: str) -> list[Interval]:
        seen = self.exchange.outlook.calendar(f"{room}@example.org", at(0), at(23))
        return [Interval(one.start, one.end) for one in seen]


def with_invited_rooms() -> Directory:
    """The town, with rooms that answer for themselves."""
    town = directory()
    rooms = {one.id: replace(one, mailbox=replace(one.mailbox, invited=True)) for one in town.rooms.values()}
    return Directory.of(town.organisation, town.sites, town.caseworkers, rooms)


@pytest.fixture
def hall(migrated_sqlite_url: str) -> Iterator[Hall]:
    time = [NOW]
    with ExchangeServer(shared("reference/ews-xsd"), clock=lambda: time[0]) as exchange:
        exchange.account("svc", "geheim", impersonates=True)
        for box in directory().mailboxes.values():
            (exchange.room if box.id.startswith("r") else exchange.mailbox)(box.address, box.id)
        port = EwsCalendar(EwsAccount("server", exchange.url, "basic", "svc", "geheim"))
        hall = Hall.open(migrated_sqlite_url, port=port, directory=with_invited_rooms())
        assert isinstance(hall, Hall)
        hall.exchange, hall.time = exchange, time
        hall.sync(NOW)
        yield hall
        port.close()
        hall.store.close()
        assert "\n".join(exchange.violations) == ""


def policy(hall: Hall, room: str):
    found = hall.exchange.world.box(f"{room}@example.org").policy
    assert found is not None
    return found


def test_a_room_that_accepts_confirms_the_booking_and_is_never_written_to(hall):
    made = hall.book(at(9))
    hall.reconciler.run_due(NOW)
    hall.later(passes=2)

    seen = hall.see(made.booking.id)
    assert (BookingState.CONFIRMED, RoomState.ACCEPTED) == (seen.booking.state, seen.meeting.room_state)
    assert [made.meeting.interval] == hall.room_times(made.meeting.room)
    created = [one for one in hall.exchange.seen if one.operation == "CreateItem"]
    assert ["anna@example.org"] == [one.mailbox for one in created]


def test_the_attendants_copy_is_our_own_and_takes_nothing_from_anybody(hall):
    made = hall.book(at(9))
    hall.later(passes=3)

    hall.later(passes=3)

    seen = hall.see(made.booking.id)
    assert seen.meeting.room == made.meeting.room
    assert not seen.meeting.conflict
    assert hall.meeting(made.meeting.id).settled


def test_a_room_that_declines_is_followed_by_the_next_candidate(hall):
    hall.exchange.outlook.book("r1@example.org", at(9), at(10))  # not yet in the mirror
    made = hall.book(at(9))
    assert made.meeting.room == "r1"

    hall.reconciler.run_due(NOW)
    hall.later(passes=4)

    seen = hall.see(made.booking.id)
    assert (BookingState.CONFIRMED, "r2") == (seen.booking.state, seen.meeting.room)
    assert [made.meeting.interval] == hall.room_times("r2")


def test_a_silent_room_is_told_to_staff_with_its_probable_cause(hall):
    policy(hall, "r1").processing = "AutoUpdate"
    made = hall.book(at(9))
    hall.reconciler.run_due(NOW)

    hall.later(minutes=10, passes=4)

    seen = hall.see(made.booking.id)
    assert seen.booking.state is BookingState.PENDING
    assert "AutoUpdate" in (seen.meeting.attention or "")
    assert "Set-CalendarProcessing r1@example.org" in (seen.meeting.attention or "")


def test_a_late_answer_confirms_too(hall):
    policy(hall, "r1").delay = 90.0
    made = hall.book(at(9))
    hall.reconciler.run_due(NOW)
    pending = hall.see(made.booking.id).booking.state

    hall.later(passes=4)

    assert BookingState.PENDING is pending
    assert BookingState.CONFIRMED is hall.see(made.booking.id).booking.state


def test_a_caseworker_who_moves_the_meeting_takes_the_room_along(hall):
    made = hall.book(at(9))
    hall.later(passes=3)
    hall.exchange.outlook.move("anna@example.org", made.meeting.uid, at(13))

    hall.later(passes=4)

    seen = hall.see(made.booking.id)
    assert seen.meeting.interval.start == at(13)
    assert [seen.meeting.interval] == hall.room_times(str(seen.meeting.room))
    assert BookingState.CONFIRMED is seen.booking.state


def test_a_cancelled_booking_frees_the_room(hall):
    made = hall.book(at(9))
    hall.later(passes=3)

    hall.desk.cancel(CLIENT, made.booking.id, hall.time[0])
    hall.later(passes=2)

    assert [] == hall.room_times("r1") == hall.room_times("r2")
    assert hall.meeting(made.meeting.id).settled


def test_a_booking_that_people_made_in_the_room_itself_is_respected(hall):
    hall.exchange.outlook.book("r1@example.org", at(9), at(10))
    hall.later()

    made = hall.book(at(9), now=hall.time[0])

    assert made.meeting.room == "r2"
