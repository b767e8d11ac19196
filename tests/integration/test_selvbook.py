"""A caseworker opens time by the category Selvbook, in a real calendar as in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.adapters.memory import MemoryCalendar
from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from tests.servers.dav import DavServer
from tests.servers.radicale import radicale

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
CLOCK = FixedClock(NOW)
DAY = Interval(NOW.replace(hour=0, minute=0), NOW.replace(hour=0, minute=0) + timedelta(days=1))
RULES = """
[offers.jobsamtale]
title = {da = "Jobsamtale"}
minutes = {phone = 60}
who = ["everyone"]
step = 60

[offers.call]
title = {da = "Opkald"}
minutes = {phone = 60}
who = ["everyone"]
step = 60

[teams.job]
mode = "live"
publish = "marked"
"""
CONFIG = """
organisation = "Town"
database = "sqlite:///syncd.sqlite3"
rules_file = "offers.toml"
[calendars.main]
{account}
[sites.hq]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "anna@example.dk"
site = "hq"
teams = ["job"]
"""
DAV = 'adapter = "caldav"\nurl = "{url}"\nusername = "{user}"\npassword = {{file = "password"}}'
Put = Callable[[str, int, int, str], None]


@pytest.fixture(params=["memory", "radicale"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str, tmp_path: Path) -> Iterator[DavServer | None]:
    if kind == "memory":
        yield None
        return
    (tmp_path / "dav").mkdir()
    with radicale(tmp_path / "dav") as running:
        yield running


@pytest.fixture
def parts(server: DavServer | None, tmp_path: Path) -> Iterator[Parts]:
    account = 'adapter = "memory"'
    if server is not None:
        server.make_calendar("anna")
        account = DAV.format(url=server.url, user=server.username)
        (tmp_path / "password").write_text(server.password)
    (tmp_path / "syncd.toml").write_text(CONFIG.format(account=account))
    (tmp_path / "offers.toml").write_text(RULES)
    config = load(tmp_path / "syncd.toml")
    parts = assemble(config, open_store(config), CLOCK)
    put_in_force(parts, CLOCK)
    yield parts
    parts.close()


@pytest.fixture
def put(server: DavServer | None, parts: Parts) -> Put:
    def event(name: str, start: int, end: int, category: str) -> None:
        """An entry from *start* to *end* (hours, UTC)."""
        begin, stop = NOW.replace(hour=start, minute=0), NOW.replace(hour=end, minute=0)
        if server is None:
            calendar = parts.ports["main"]
            assert isinstance(calendar, MemoryCalendar)
            occurrence = Occurrence(name, None, Interval(begin, stop), BusyType.BUSY, categories=(category,))
            calendar.put("anna", name, [occurrence])
            return
        lines = (
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", "BEGIN:VEVENT", f"UID:{name}",
            f"DTSTAMP:{NOW:%Y%m%dT%H%M%SZ}", f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", f"DTEND:{stop:%Y%m%dT%H%M%SZ}",
            "SUMMARY:Ikke til jer", f"CATEGORIES:Sygdom,{category}", "END:VEVENT", "END:VCALENDAR", "",
        )  # fmt: skip
        server.put(f"{server.home}anna/{name}.ics", "\r\n".join(lines))

    return event


def hours(parts: Parts, offer: str) -> list[int]:
    """The hours (UTC) at which *offer* can be had."""
    parts.engine.sync_mailbox("anna", NOW, force=True)
    answer = parts.publisher.answer(offer, DAY, NOW, form=Form.PHONE)
    return sorted(slot.interval.start.hour for slot in answer.slots)


def test_a_mark_opens_time_for_every_offer_and_nothing_else_does(parts: Parts, put: Put) -> None:
    assert [] == hours(parts, "jobsamtale")

    put("open", 9, 11, "Selvbook")
    put("trap", 13, 14, "Selvbooking")

    assert [9, 10] == hours(parts, "jobsamtale") == hours(parts, "call")


def test_a_mark_with_an_offer_opens_time_for_that_offer_only(parts: Parts, put: Put) -> None:
    put("open", 9, 10, "selvbook: jobsamtale")
    put("titled", 12, 13, "SELVBOOK : Jobsamtale")

    assert [9, 12] == hours(parts, "jobsamtale")
    assert [] == hours(parts, "call")
    # the rest of the day again, from memory alone
    parts.engine.sync_mailbox("anna", NOW, full=True, force=True)
    assert [9, 12] == hours(parts, "jobsamtale")
