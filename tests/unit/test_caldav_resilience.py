"""Deadlines and pauses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.adapters.resilience import LONGEST_PAUSE, Calls, retry_after

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        ("Sat, 21 Nov 2026 12:05:00 GMT", 300),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 1),
        ("999999", LONGEST_PAUSE),
        ("9" * 400, LONGEST_PAUSE),
        (None, 60),
        ("", 60),
        ("soon", 60),
        ("-5", 60),
    ],
)
def test_a_pause_is_read_in_seconds_or_as_a_date_and_stays_within_bounds(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_nested_calls_share_the_deadline_of_the_outermost():
    calls = Calls()

    with calls.begin(10) as outer, calls.begin(1000) as inner:
        assert inner is outer
        assert calls.current is outer
        assert 0 < outer.remaining() <= 10
    assert calls.current is None
