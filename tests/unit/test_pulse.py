"""The watchdog is fed only while scheduler, tasks and database are fresh."""

from __future__ import annotations

from typing import Any, cast

import pytest

from syncd.daemon.pulse import DATABASE_SECONDS, SCHEDULER_SECONDS, Pulse
from syncd.errors import StoreError


class Clockwork:
    """Seconds that pass when told, and a database that can be out of reach."""

    def __init__(self) -> None:
        self.now, self.down = 1000.0, False
        self.pulse = Pulse(lambda: cast(Any, self), lambda: self.now)

    def ping(self) -> None:
        """Take a write, or not."""
        if self.down:
            raise StoreError("no")

    def wait(self, seconds: float, *, beating: bool = True) -> list[str]:
        """Let time pass, with a beat at its end; tells what is not fresh."""
        self.now += seconds
        if beating and self.down:
            with pytest.raises(StoreError):
                self.pulse.beat()
        elif beating:
            self.pulse.beat()
        return self.pulse.faults([])


def test_nothing_is_wrong_while_it_beats() -> None:
    assert [] == Clockwork().wait(3600)


def test_the_first_beat_is_waited_for() -> None:
    clockwork = Clockwork()

    assert not clockwork.pulse.felt(0.01)
    clockwork.pulse.beat()
    assert clockwork.pulse.felt(0.01)


def test_a_scheduler_that_begins_nothing_is_not_fresh() -> None:
    clockwork = Clockwork()

    assert [] == clockwork.wait(SCHEDULER_SECONDS, beating=False)
    assert ["the scheduler has begun nothing for 61 s"] == clockwork.wait(1, beating=False)


def test_a_database_that_takes_no_write_for_two_minutes_is_not_fresh_and_a_short_restart_is_forgiven() -> None:
    clockwork = Clockwork()
    clockwork.down = True

    assert [] == clockwork.wait(DATABASE_SECONDS)
    assert ["the database has taken no write for 121 s"] == clockwork.wait(1)
    clockwork.down = False
    assert [] == clockwork.wait(1)


def test_a_task_without_progress_is_named() -> None:
    assert ["task sync.main shows no progress"] == Clockwork().pulse.faults(["sync.main"])
