"""Unknown time is never free time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, trust
from tests.rough_server import NOW

AGE = timedelta(minutes=15)
COVERED = Interval(NOW - timedelta(days=1), NOW + timedelta(days=60))
WELL = MailboxStatus("kim", covered=COVERED, as_of=NOW - timedelta(minutes=1))
WEEK = Interval(NOW, NOW + timedelta(days=7))


def test_a_fresh_complete_mirror_is_trusted_until_it_is_too_old() -> None:
    trusted = trust(WELL, NOW, AGE, WEEK)

    assert trusted.open
    assert WEEK == trusted.window
    assert NOW + timedelta(minutes=14) == trusted.until


def test_only_the_covered_part_is_offered() -> None:
    beyond = Interval(NOW + timedelta(days=59), NOW + timedelta(days=90))

    assert Interval(beyond.start, COVERED.end) == trust(WELL, NOW, AGE, beyond).window


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (None, "not been read"),
        (MailboxStatus("kim"), "not been read"),
        (replace(WELL, as_of=NOW - AGE), "last read"),
        (replace(WELL, as_of=NOW + timedelta(minutes=2)), "future"),
        (replace(WELL, refused="20 gone"), "believable"),
        (replace(WELL, unreadable=2), "2 object(s)"),
        (replace(WELL, covered=Interval(NOW - 2 * AGE, NOW)), "that far"),
    ],
)
def test_everything_else_is_closed_and_says_why(status: MailboxStatus | None, word: str) -> None:
    closed = trust(status, NOW, AGE, WEEK)

    assert not closed.open
    assert word in closed.reason


def test_a_problem_does_not_close_before_the_mirror_is_too_old() -> None:
    assert trust(replace(WELL, problem="The server is away.", attempts=3), NOW, AGE, WEEK).open
