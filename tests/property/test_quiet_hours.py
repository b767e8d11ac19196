"""What citizens are told and when: never at night unless it would come too late, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.model.message import Channel, Kind, Message, Progress, Said
from syncd.model.offer import Form
from syncd.model.zones import wall_clock
from syncd.notify.owing import USEFUL, Quiet, Stands, due, outdated, owed, remind_at

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)
NIGHT = Quiet(time(21), time(8), "Europe/Copenhagen")
SAID = Said(START, Form.IN_PERSON, "torvet")
LATER = Said(START + 3 * HOUR, Form.IN_PERSON, "torvet")
# The weeks around both odd nights of the year, and clocks that jump by half an hour.
FIRSTS = (datetime(2027, 3, 21, tzinfo=UTC), datetime(2027, 10, 24, tzinfo=UTC), NOON)
moments = st.builds(
    lambda first, minutes: first + timedelta(minutes=minutes), st.sampled_from(FIRSTS), st.integers(0, 14 * 24 * 60)
)
walls = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
zones = st.sampled_from(["Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe"])
quiets = st.builds(Quiet, walls, walls, zones)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(quiet=quiets, at=moments)
def test_after_the_quiet_hours_it_is_not_quiet_and_not_later_than_need_be(quiet: Quiet, at: datetime) -> None:
    over, before = quiet.over(at), quiet.before(at)

    assert (False, False) == (quiet.holds(over), quiet.holds(before))
    assert before <= at <= over <= at + DAY + HOUR
    assert (at, at) == (over, before) or quiet.holds(at)
    minutes = (over - at) // timedelta(minutes=1)
    assert all(quiet.holds(over - timedelta(minutes=n)) for n in range(1, minutes + 1, 7))


@pytest.mark.parametrize("night", [datetime(2027, 3, 27, 22, tzinfo=UTC), datetime(2027, 10, 30, 22, tzinfo=UTC)])
@pytest.mark.parametrize(
    ("begins", "ends"), [(time(22), time(2, 30)), (time(2, 30), time(6)), (time(2, 10), time(2, 50))]
)
def test_quiet_hours_that_begin_or_end_when_clocks_jump_end_once(night: datetime, begins: time, ends: time) -> None:
    quiet = Quiet(begins, ends, "Europe/Copenhagen")
    for at in (night + timedelta(minutes=10 * n) for n in range(8 * 6)):
        over, before = quiet.over(at), quiet.before(at)

        assert (False, False) == (quiet.holds(over), quiet.holds(before)), at
        assert before <= at <= over, at


@settings(max_examples=50, derandomize=True, deadline=None)
@given(quiet=quiets, start=moments, hours=st.integers(1, 168))
def test_a_reminder_wakes_nobody_and_comes_before_the_meeting(quiet: Quiet, start: datetime, hours: int) -> None:
    ahead = timedelta(hours=hours)
    at = remind_at(start, ahead, quiet)

    assert not quiet.holds(at)
    assert start - ahead - DAY - HOUR <= at <= start - ahead / 2


@settings(max_examples=50, derandomize=True, deadline=None)
@given(quiet=quiets, now=moments, wait=st.integers(1, 100), kind=st.sampled_from(Kind))
def test_a_receipt_wakes_somebody_only_when_it_would_come_too_late(
    quiet: Quiet, now: datetime, wait: int, kind: Kind
) -> None:
    said = Said(now + timedelta(hours=wait), Form.PHONE, "")
    at = due(kind, said, [], quiet, now)

    if quiet.holds(at):
        assert kind is not Kind.REMINDER
        assert said.start - quiet.over(now) < USEFUL
        assert at == now
    else:
        assert at == quiet.over(now)


@pytest.mark.parametrize(
    ("at", "over", "before"),
    [
        ("2026-12-01T20:59", "2026-12-01T20:59", "2026-12-01T20:59"),
        ("2026-12-01T21:00", "2026-12-02T08:00", "2026-12-01T20:59"),
        ("2026-12-02T07:59", "2026-12-02T08:00", "2026-12-01T20:59"),
        ("2026-12-02T08:00", "2026-12-02T08:00", "2026-12-02T08:00"),
    ],
)
def test_quiet_hours_are_those_of_the_site(at: str, over: str, before: str) -> None:
    moment = datetime.fromisoformat(f"{at}+01:00")
    found = [wall_clock(one(moment), NIGHT.zone).isoformat()[:16] for one in (NIGHT.over, NIGHT.before)]

    assert [over, before] == found


def told(kind: Kind, said: Said = SAID, progress: Progress = Progress.SENT, at: datetime = NOON) -> Message:
    return Message("b", 1, kind, Channel.MAIL, said, progress, at)


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        (Kind.BOOKED, []),
        (None, [told(Kind.BOOKED)]),
        (None, [told(Kind.BOOKED, progress=Progress.UNKNOWN)]),
        (None, [told(Kind.BOOKED, progress=Progress.SKIPPED)]),
        (Kind.BOOKED, [told(Kind.BOOKED, progress=Progress.WAITING)]),
        (Kind.BOOKED, [told(Kind.BOOKED, LATER, Progress.WAITING)]),
        (Kind.MOVED, [told(Kind.BOOKED, LATER)]),
        (Kind.MOVED, [told(Kind.BOOKED, Said(START, Form.PHONE, ""))]),
        (Kind.MOVED, [told(Kind.BOOKED, Said(START, Form.IN_PERSON, "havnen"))]),
        (None, [told(Kind.BOOKED), told(Kind.MOVED, LATER, Progress.WITHDRAWN)]),
        (None, [told(Kind.BOOKED, LATER), told(Kind.MOVED)]),
    ],
)
def test_a_citizen_is_told_what_is_other_than_she_was_told(kind: Kind | None, before: list[Message]) -> None:
    assert kind == owed(Stands(False, NOON, SAID), before, DAY, NIGHT, NOON)


def test_a_cancelled_meeting_is_told_to_those_who_knew_of_it_once() -> None:
    gone = Stands(True, NOON, SAID)

    assert None is owed(gone, [], DAY, NIGHT, NOON)
    assert None is owed(gone, [told(Kind.BOOKED, progress=Progress.WAITING)], DAY, NIGHT, NOON)
    assert Kind.CANCELLED is owed(gone, [told(Kind.BOOKED)], DAY, NIGHT, NOON)
    assert None is owed(gone, [told(Kind.BOOKED), told(Kind.CANCELLED)], DAY, NIGHT, NOON)
    assert None is owed(gone, [told(Kind.BOOKED)], DAY, NIGHT, START)


def test_what_waits_is_withdrawn_when_something_else_is_to_be_said() -> None:
    waiting = told(Kind.BOOKED, LATER, Progress.WAITING)
    stands = Stands(False, NOON, SAID)

    assert [waiting] == outdated(Kind.BOOKED, stands, [waiting])
    assert [] == outdated(Kind.BOOKED, stands, [told(Kind.BOOKED, progress=Progress.WAITING)])
    assert [waiting] == outdated(None, stands, [told(Kind.BOOKED), waiting])


def test_a_reminder_comes_once_and_not_to_those_told_that_late() -> None:
    stands, day_before = Stands(False, NOON, SAID), START - DAY
    booked, reminded = told(Kind.BOOKED), told(Kind.REMINDER, at=day_before)

    assert None is owed(stands, [booked], DAY, NIGHT, day_before - HOUR)
    assert Kind.REMINDER is owed(stands, [booked], DAY, NIGHT, day_before)
    assert Kind.REMINDER is owed(stands, [booked], DAY, NIGHT, START - HOUR)
    assert None is owed(stands, [booked, reminded], DAY, NIGHT, START - HOUR)
    assert None is owed(stands, [told(Kind.BOOKED, at=day_before + HOUR)], DAY, NIGHT, START - HOUR)
    assert None is owed(stands, [booked], timedelta(0), NIGHT, START - HOUR)
    assert Kind.REMINDER is owed(
        stands, [booked, told(Kind.REMINDER, LATER), told(Kind.MOVED)], DAY, NIGHT, START - HOUR
    )
    assert Kind.REMINDER is owed(
        stands, [told(Kind.BOOKED, progress=Progress.FAILED, at=START - 2 * HOUR)], DAY, NIGHT, START - HOUR
    ), "who was not reached is reminded"


def test_a_change_at_night_is_told_at_once_when_the_old_time_is_near() -> None:
    night = datetime(2026, 11, 30, 22, tzinfo=UTC)
    early = Said(datetime(2026, 12, 1, 7, 30, tzinfo=UTC), Form.PHONE, "")

    assert night == due(Kind.MOVED, LATER, [told(Kind.BOOKED, early)], NIGHT, night)
    assert NIGHT.over(night) == due(Kind.MOVED, LATER, [told(Kind.BOOKED)], NIGHT, night)
