"""What a caseworker makes of our entry is hers: her series, her copy, what she takes back out of the bin (Exchange)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.booking import texts
from syncd.errors import SlotGone
from syncd.model.booking import BookingState
from tests.integration.test_ews_rooms import Hall, hall
from tests.servers.exchange.recurrence import Recurrence
from tests.simulation.office import CLIENT
from tests.simulation.town import NOW, at

__all__ = ["hall"]
ANNA = "anna@example.org"
DAYS = 4


def booked(hall: Hall):
    """A meeting that stands in its calendars, and what Exchange has of it in Anna's."""
    made = hall.book(at(9))
    hall.reconciler.run_due(NOW)
    hall.later(passes=3)
    [item] = hall.exchange.world.box(ANNA).folder("calendar")
    return made, item


def repeating(hall: Hall):
    """The same, made a series of four days by her."""
    made, item = booked(hall)
    world = hall.exchange.world
    with world.lock:
        item.recurrence = Recurrence("Daily", at(9).date(), times=DAYS)
        world.touch(world.box(ANNA), item)
    hall.later(passes=4)
    return made, item


def again(hall: Hall, item, hours: int = 0) -> None:
    """The same entry once more in her calendar, so many hours later, under another id; a copy has no UID."""
    world = hall.exchange.world
    with world.lock:
        values = {name: value for name, value in item.values.items() if not hours or name not in ("UID", "Attendees")}
        values |= {name: item.values[name] + timedelta(hours=hours) for name in ("Start", "End")}
        copy = world.add(world.box(ANNA), "calendar", "CalendarItem", values)
        copy.extended.update(item.extended)
        world.touch(world.box(ANNA), copy)


def shown(hall: Hall):
    return [one.start for one in hall.exchange.outlook.calendar(ANNA, at(0), at(0) + timedelta(days=DAYS + 1))]


def days(hour: int = 9):
    return [at(hour) + timedelta(days=day) for day in range(DAYS)]


def told(hall: Hall, made) -> str:
    return hall.meeting(made.meeting.id).attention or ""


def refused(hall: Hall, when) -> bool:
    try:
        held = hall.hold(when, now=hall.time[0])
    except SlotGone:
        return True
    hall.desk.cancel(CLIENT, held.booking.id, hall.time[0])
    return False


def test_a_series_she_makes_of_our_entry_is_not_touched_and_a_person_is_told(hall):
    made, item = repeating(hall)
    hall.exchange.outlook.move(ANNA, item.uid, at(14), original=at(9))
    hall.later(passes=4)

    assert texts.SERIES in told(hall, made)
    assert [at(14), *days()[1:]] == shown(hall)


def test_her_series_outlives_the_booking_and_takes_its_time(hall):
    made, _ = repeating(hall)
    hall.desk.cancel(CLIENT, made.booking.id, hall.time[0])
    hall.later(passes=4)

    assert days() == shown(hall)
    assert texts.SERIES_STAYS in told(hall, made)
    assert refused(hall, days()[0])
    assert refused(hall, days()[1])


def test_a_series_that_is_single_again_is_ours_again(hall):
    made, item = repeating(hall)
    world = hall.exchange.world
    with world.lock:
        item.recurrence = None
        world.touch(world.box(ANNA), item)
    hall.later(passes=1)
    hall.later(minutes=15, passes=2)

    assert "" == told(hall, made)
    assert BookingState.CONFIRMED is hall.see(made.booking.id).booking.state


def test_what_she_deletes_and_brings_back_stays_and_a_person_is_told(hall):
    made, item = booked(hall)
    hall.exchange.outlook.delete(ANNA, item.uid)
    hall.later(passes=6)
    assert BookingState.CANCELLED is hall.see(made.booking.id).booking.state

    again(hall, item)
    hall.later(passes=6)

    assert [at(9)] == shown(hall)
    assert texts.BROUGHT_BACK in told(hall, made)
    assert BookingState.CANCELLED is hall.see(made.booking.id).booking.state
    assert refused(hall, at(9))

    hall.exchange.outlook.delete(ANNA, item.uid)
    hall.later(minutes=15, passes=2)
    assert "" == told(hall, made)
    assert not refused(hall, at(9))


def test_a_copy_she_makes_is_an_appointment_of_her_own(hall):
    made, item = booked(hall)
    room = made.meeting.room

    again(hall, item, hours=5)
    hall.later(passes=4)

    assert made.meeting.interval == hall.meeting(made.meeting.id).interval
    assert [at(9), at(14)] == shown(hall)
    assert hall.meeting(made.meeting.id).settled
    assert refused(hall, at(14))

    hall.desk.cancel(CLIENT, made.booking.id, hall.time[0])
    hall.later(passes=6)
    assert [at(14)] == shown(hall)
    assert [] == hall.room_times(room)
    assert refused(hall, at(14))
    assert not refused(hall, at(9))


@pytest.mark.parametrize("moved", [True, False])
def test_the_entry_she_moves_is_followed_as_ever(hall, moved):
    made, item = booked(hall)
    if moved:
        hall.exchange.outlook.move(ANNA, item.uid, at(14))
    hall.later(passes=4)

    assert at(14 if moved else 9) == hall.meeting(made.meeting.id).interval.start
