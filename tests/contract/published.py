"""What citizens would be offered of a calendar: the program's own engine, database and publisher over any port."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import assemble, open_store, put_in_force
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.ports import CalendarPort
from syncd.sync.outcome import Result

RULES = """
[offers.call]
title = {da = "Opkald"}
minutes = {phone = 45}
who = ["everyone"]
step = 30
notice = 0
[[hours]]
who = ["everyone"]
days = ["mon-sun"]
from = "06:00"
to = "18:00"
"""
CONFIG = """
organisation = "Town"
database = "sqlite:///syncd.sqlite3"
rules_file = "offers.toml"
[calendars.main]
adapter = "memory"
[sites.hq]
name = "Torvet 1"
"""
DAYS = timedelta(days=28)


class Published:
    """One town for many calendars, so that a database is made once.

    :param people: their ids; each one's address is ID@byhavn.example.
    """

    def __init__(self, folder: Path, people: Collection[str]) -> None:
        told = [
            f'[[caseworkers]]\nid = "{one}"\nname = "{one}"\naddress = "{one}@byhavn.example"\nsite = "hq"\n'
            for one in people
        ]
        (folder / "syncd.toml").write_text(CONFIG + "".join(told))
        (folder / "offers.toml").write_text(RULES)
        config, clock = load(folder / "syncd.toml"), FixedClock(datetime(2026, 11, 1, tzinfo=UTC))
        self.parts = assemble(config, open_store(config), clock)
        put_in_force(self.parts, clock)

    def pass_over(self, port: CalendarPort, person: str, now: datetime) -> Result:
        """One pass; a loss beyond belief closes the calendar until somebody accepts it, and here somebody does."""
        self.parts.ports["main"] = port  # type: ignore[index]  # assembled, read-only
        result = self.parts.engine.sync_mailbox(person, now, force=True).result
        if result is Result.REFUSED:
            assert self.offered(person, now) == []
            result = self.parts.engine.sync_mailbox(person, now, accept_loss=True).result
        return result

    def offered(self, person: str, now: datetime) -> list[Interval]:
        """Times that can be booked within the next four weeks, for a talk by telephone."""
        answer = self.parts.publisher.answer("call", Interval(now, now + DAYS), now, person, Form.PHONE)
        return [slot.interval for slot in answer.slots]
