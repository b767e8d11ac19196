"""Windows, pauses and full passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.errors import AccessDenied, CalendarNotFound, Throttled, Transient
from syncd.model.mirror import MailboxStatus
from syncd.sync.timing import LOCKOUT, LONGEST, Pace, chance, full_is_due, pause, poll_is_due, window
from tests.rough_server import NOW

MINUTE = timedelta(minutes=1)


def test_the_window_moves_once_a_day_and_has_room_for_every_zone() -> None:
    monday = window(datetime(2026, 3, 2, 0, 0, tzinfo=UTC), 60)

    assert monday == window(datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), 60)
    assert datetime(2026, 2, 26, tzinfo=UTC) == monday.start
    assert datetime(2026, 5, 3, tzinfo=UTC) == monday.end
    assert monday.end + timedelta(days=1) == window(datetime(2026, 3, 3, tzinfo=UTC), 60).end


def test_each_failure_doubles_the_pause_up_to_a_quarter_of_an_hour() -> None:
    pauses = [pause("kim", Transient("x"), attempts, MINUTE) for attempts in range(20)]

    assert 0.75 * MINUTE <= pauses[0] <= 1.25 * MINUTE
    assert 1.5 * MINUTE <= pauses[1] <= 2.5 * MINUTE
    assert all(one <= 1.25 * LONGEST for one in pauses)
    assert 0.75 * LONGEST <= pauses[-1]


def test_the_pause_is_never_shorter_than_the_server_asked_for() -> None:
    assert timedelta(hours=1) == pause("kim", Throttled("busy", 3600), 0, MINUTE)


def test_a_refused_password_is_not_hammered() -> None:
    assert 0.75 * LOCKOUT <= pause("kim", AccessDenied("x"), 0, MINUTE)
    assert pause("kim", Transient("x"), 0, MINUTE) < pause("kim", CalendarNotFound("x"), 0, MINUTE)


def test_mailboxes_do_not_come_back_all_at_once() -> None:
    pauses = {pause(f"person{n}", Transient("x"), 3, MINUTE) for n in range(50)}

    assert 50 == len(pauses)
    assert max(pauses) - min(pauses) > 2 * MINUTE


@pytest.mark.parametrize(("age", "due"), [(None, True), (0.7, False), (1.3, True)])
def test_a_full_pass_is_due_now_and_then(age: float | None, due: bool) -> None:
    day = timedelta(days=1)
    status = MailboxStatus("kim", full_at=None if age is None else NOW - age * day)

    assert due is full_is_due(status, NOW, day)


def test_chance_is_spread_and_repeatable() -> None:
    drawn = [chance(str(n)) for n in range(1000)]

    assert all(0 <= one <= 1 for one in drawn)
    assert 400 < sum(one < 0.5 for one in drawn) < 600
    assert drawn == [chance(str(n)) for n in range(1000)]


@pytest.mark.parametrize(
    ("due", "utc", "zone"),
    [
        (True, "2026-11-30T06:00", "Europe/Copenhagen"),  # Monday, seven o'clock
        (False, "2026-11-30T05:59", "Europe/Copenhagen"),
        (True, "2026-06-01T05:00", "Europe/Copenhagen"),  # seven o'clock in summer
        (True, "2026-12-04T16:59", "Europe/Copenhagen"),
        (False, "2026-12-04T17:00", "Europe/Copenhagen"),  # Friday, six o'clock
        (True, "2026-12-04T17:00", "Europe/Lisbon"),
        (False, "2026-12-05T10:00", "Europe/Copenhagen"),  # Saturday
    ],
)
def test_a_calendar_that_is_offered_is_looked_at_each_round_in_office_hours(due: bool, utc: str, zone: str) -> None:
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)

    assert due is poll_is_due(now - MINUTE, now, zone, Pace(), offered=True)
    assert not poll_is_due(now - MINUTE, now, zone, Pace(), offered=False)


@pytest.mark.parametrize("offered", [False, True])
@pytest.mark.parametrize(
    ("expected", "pace"),
    [
        (timedelta(minutes=5), Pace()),
        (timedelta(minutes=1), Pace(max_age=3 * MINUTE)),  # well before its times are closed
        (timedelta(seconds=50), Pace(interval=timedelta(seconds=10))),  # five rounds
    ],
)
def test_at_night_a_calendar_is_looked_at_every_few_minutes(offered: bool, expected: timedelta, pace: Pace) -> None:
    night = datetime(2026, 11, 30, 2, tzinfo=UTC)
    rounds = [night + n * pace.interval for n in range(1, 10)]

    first = next(now for now in rounds if poll_is_due(night, now, "Europe/Copenhagen", pace, offered=offered))

    assert expected == first - night


def test_a_calendar_that_was_never_read_is_looked_at_at_once() -> None:
    assert poll_is_due(None, datetime(2026, 12, 5, 2, tzinfo=UTC), "Europe/Copenhagen", Pace(), offered=False)


def test_a_calendar_that_was_read_in_the_future_is_read_at_once_for_the_clock_was_set_back() -> None:
    night = datetime(2026, 12, 5, 2, tzinfo=UTC)

    assert poll_is_due(night + 10 * MINUTE, night, "Europe/Copenhagen", Pace(), offered=False)
