"""The demonstration town is believable, and the same for everybody on one day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from syncd.demo import town
from syncd.demo.event import Event, text
from syncd.demo.people import CASEWORKERS, ROOMS

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
TODAY = date(2026, 11, 18)


def _occurrences(files, first: date, days: int) -> list[Any]:
    found = []
    for content in files.values():
        calendar = icalendar.Calendar.from_ical(content)
        found += recurring_ical_events.of(calendar).between(first, first + timedelta(days=days))
    return found


def test_there_are_twelve_caseworkers_and_six_rooms_of_three_kinds_on_two_floors() -> None:
    kinds = {(room.seats, room.features != ()) for room in ROOMS}

    assert (12, 6, 3) == (len(CASEWORKERS), len(ROOMS), len(kinds))
    assert {0, 1} == {room.floor for room in ROOMS}


def test_the_same_day_and_seed_give_the_same_calendars_and_another_seed_others() -> None:
    assert town.calendars(TODAY) == town.calendars(TODAY)
    assert town.calendars(TODAY) != town.calendars(TODAY, seed=2)


@pytest.mark.parametrize("week", [0, 30])
def test_every_object_parses_in_any_week_of_the_year(week: int) -> None:
    for owner, files in town.calendars(TODAY + timedelta(weeks=week, days=week % 7)).items():
        for name, content in files.items():
            calendar = icalendar.Calendar.from_ical(content)
            assert not [e.errors for e in calendar.walk("VEVENT") if e.errors], (owner, name)
            assert all(len(line.encode()) <= 75 for line in content.split("\r\n")), (owner, name)


def test_three_weeks_hold_something_for_everybody_and_leave_room_for_citizens() -> None:
    for owner, files in list(town.calendars(TODAY).items())[::3]:
        hours = sum(
            (e.end - e.start).total_seconds() / 3600
            for e in _occurrences(files, TODAY, 21)
            if isinstance(e.start, datetime) and e.get("TRANSP") != "TRANSPARENT"
        )
        assert 5 < hours < 75, owner


def test_all_kinds_of_entries_occur() -> None:
    every = "".join(content for files in town.calendars(TODAY).values() for content in files.values())
    marks = ("RECURRENCE-ID", "EXDATE", "VALUE=DATE", "STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "CLASS:PRIVATE")
    kinds = Counter({mark: every.count(mark) for mark in (*marks, "BUSYSTATUS:OOF", "STATUS:CANCELLED")})

    assert not [mark for mark, number in kinds.items() if number < 6], kinds


def test_the_team_meeting_is_cancelled_next_week_and_moved_the_week_after() -> None:
    files = {"t": town.calendars(TODAY)["anna"]["teammoede-job.ics"]}

    starts = [e.start.astimezone(COPENHAGEN) for e in _occurrences(files, date(2026, 11, 16), 21)]

    assert [datetime(2026, 11, 17, 9, tzinfo=COPENHAGEN), datetime(2026, 11, 30, 13, tzinfo=COPENHAGEN)] == sorted(
        starts
    )


def test_a_weekly_meeting_keeps_its_wall_clock_over_a_clock_change() -> None:
    files = {"f": town.calendars(date(2026, 10, 20))["anna"]["frokost-anna.ics"]}

    starts = {e.start.astimezone(UTC).hour for e in _occurrences(files, date(2026, 10, 22), 7)}

    assert {10, 11} == starts


def test_long_lines_are_folded_between_characters() -> None:
    event = Event("u@x", "Møde; ø, " * 20, TODAY, time(9), 30)

    content = text(event)

    assert max(len(line.encode()) for line in content.split("\r\n")) <= 75
    assert event.summary == str(icalendar.Calendar.from_ical(content).walk("VEVENT")[0]["SUMMARY"])
