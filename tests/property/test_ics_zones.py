"""A VTIMEZONE that says the same as IANA's rules is the same clock, in every hour, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.adapters.caldav.ics.timezone import define
from syncd.adapters.caldav.ics.zones import by_name


def block(winter: str, summer: str, spring: str, autumn: str, clock: tuple[str, str]) -> str:
    return (
        f"\nTZID:Own\nBEGIN:DAYLIGHT\nTZOFFSETFROM:{winter}\nTZOFFSETTO:{summer}\nDTSTART:20070101T{clock[0]}\n"
        f"RRULE:FREQ=YEARLY;{spring}\nEND:DAYLIGHT\nBEGIN:STANDARD\nTZOFFSETFROM:{summer}\nTZOFFSETTO:{winter}\n"
        f"DTSTART:20070101T{clock[1]}\nRRULE:FREQ=YEARLY;{autumn}\nEND:STANDARD"
    )


ZONES = {
    "Europe/Copenhagen": block("+0100", "+0200", "BYMONTH=3;BYDAY=-1SU", "BYMONTH=10;BYDAY=-1SU", ("020000", "030000")),
    "America/New_York": block("-0500", "-0400", "BYMONTH=3;BYDAY=2SU", "BYMONTH=11;BYDAY=1SU", ("020000", "020000")),
    "Australia/Lord_Howe": block("+1030", "+1100", "BYMONTH=10;BYDAY=1SU", "BYMONTH=4;BYDAY=1SU", ("020000", "020000")),
}


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=80, derandomize=True, deadline=None)
@given(day=st.integers(0, 20_000), minutes=st.integers(0, 1440))
def test_own_definition_is_the_same_clock(name: str, day: int, minutes: int) -> None:
    wall = datetime(2009, 1, 1) + timedelta(days=day % 9000, minutes=minutes)
    own, iana = define(ZONES[name]).clock, ZoneInfo(name)

    assert wall.replace(tzinfo=iana).astimezone(UTC) == wall.replace(tzinfo=own).astimezone(UTC)
    assert wall.replace(tzinfo=UTC).astimezone(iana).replace(tzinfo=None) == wall.replace(tzinfo=UTC).astimezone(
        own
    ).replace(tzinfo=None)


@pytest.mark.parametrize("name", ZONES)
def test_own_definition_is_the_same_clock_in_the_odd_nights(name: str) -> None:
    own, iana = define(ZONES[name]).clock, ZoneInfo(name)
    quarters = [datetime(2026, 1, 1) + timedelta(minutes=15 * n) for n in range(365 * 96)]

    assert [] == [
        wall for wall in quarters if wall.replace(tzinfo=own).utcoffset() != wall.replace(tzinfo=iana).utcoffset()
    ]


@pytest.mark.parametrize(
    ("tzid", "iana"),
    [
        ("Romance Standard Time", "Europe/Copenhagen"),
        ("romance standard time 2", "Europe/Copenhagen"),
        ("W. Europe Daylight Time", "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
        ("(GMT+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Copenhagen"),
        ("/citadel.org/20210210_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Copenhagen", "Europe/Copenhagen"),
        ("us/eastern", "US/Eastern"),
        ("America/New York", "America/New_York"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("/vendor.example/UTC", "UTC"),
        ("Z", "UTC"),
    ],
)
def test_names_that_are_known(tzid: str, iana: str) -> None:
    named = by_name(tzid)

    assert named is not None
    assert iana == named.tzid


@pytest.mark.parametrize(
    "tzid",
    ["", "custom_America/New_York", "/Europe/CUSTOM", "../../etc/passwd", "localtime", "right/UTC", "GMT+99", "a\0b"],
)
def test_names_that_are_not(tzid: str) -> None:
    assert by_name(tzid) is None
