"""Opening hours that a caseworker keeps on her own server (RFC 7953) bound what is on offer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.verdict import Reason
from syncd.sync.outcome import Result
from tests.servers.cyrus import cyrus
from tests.servers.dav import DavServer
from tests.servers.proxy import proxy, say
from tests.servers.radicale import radicale

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # a Monday
CLOCK = FixedClock(NOW)
DAY = Interval(NOW.replace(hour=0, minute=0), NOW.replace(hour=0, minute=0) + timedelta(days=1))
RULES = """
[offers.call]
title = {da = "Opkald"}
minutes = {phone = 60}
who = ["everyone"]
step = 60
notice = 0
before = 30

[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "09:00"
to = "17:00"
"""
CONFIG = """
organisation = "Town"
database = "sqlite:///syncd.sqlite3"
rules_file = "offers.toml"
[calendars.main]
adapter = "caldav"
url = "{url}"
username = "{user}"
password = {{file = "password"}}
opening_hours = {hours}
[sites.hq]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "anna@example.dk"
site = "hq"
url = "{calendar}"
"""
HOURS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VAVAILABILITY
UID:hours
DTSTAMP:20261101T000000Z
{}BEGIN:AVAILABLE
UID:part
DTSTAMP:20261101T000000Z
DTSTART;TZID=Europe/Copenhagen:20261102T{:02}0000
DTEND;TZID=Europe/Copenhagen:20261102T{:02}0000
RRULE:FREQ=DAILY
SUMMARY:Arbejdstid
END:AVAILABLE
END:VAVAILABILITY
END:VCALENDAR
"""
SET = (
    '<D:propertyupdate xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:{0}><D:prop>'
    "<C:calendar-availability>{1}</C:calendar-availability></D:prop></D:{0}></D:propertyupdate>"
)


class Town:
    """One caseworker on one server, with hours from nine to five by the rules (eight to sixteen in UTC)."""

    def __init__(self, server: DavServer, calendar: str, keeper: str, folder: Path) -> None:
        self.server, self.calendar, self.keeper, self.folder = server, calendar, keeper, folder
        (folder / "password").write_text(server.password)
        (folder / "offers.toml").write_text(RULES)

    def open(self, first: int, last: int, more: str = "") -> None:
        """Set opening hours, on the clocks of Copenhagen."""
        self._proppatch("set", HOURS.format(more, first, last).replace("\n", "\r\n"))

    def forget(self) -> None:
        self._proppatch("remove", "")

    def _proppatch(self, how: str, text: str) -> None:
        answer = self.server.request("PROPPATCH", self.keeper, SET.format(how, text))
        assert answer.status_code == 207, (answer.status_code, answer.text)
        assert "200 OK" in answer.text, answer.text

    def parts(self, *, hours: bool = True, url: str = "") -> Parts:
        words = {"url": url or self.server.url, "user": self.server.username, "calendar": self.calendar}
        (self.folder / "syncd.toml").write_text(CONFIG.format(hours=str(hours).lower(), **words))
        config = load(self.folder / "syncd.toml")
        parts = assemble(config, open_store(config), CLOCK)
        put_in_force(parts, CLOCK)
        return parts


@pytest.fixture(params=["radicale", "cyrus"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """On Radicale the hours are kept by the calendar itself, on Cyrus by its owner's inbox, where the RFC has them."""
    (tmp_path / "dav").mkdir()
    started = radicale(tmp_path / "dav") if request.param == "radicale" else cyrus()
    with started as server:
        calendar = server.make_calendar("anna")
        keeper = calendar if request.param == "radicale" else f"{server.home}Inbox/"
        yield Town(server, calendar, keeper, tmp_path)


def offered(parts: Parts) -> list[int]:
    """The hours (UTC) at which a call may begin."""
    outcome = parts.engine.sync_mailbox("anna", NOW, force=True)
    assert outcome.problem is None
    return sorted(slot.interval.start.hour for slot in parts.publisher.answer("call", DAY, NOW, form=Form.PHONE).slots)


def why(parts: Parts, hour: int) -> tuple[Reason, str]:
    verdict = parts.publisher.why("call", "anna", NOW.replace(hour=hour, minute=0), NOW)
    return verdict.reason, verdict.says["en"]


def test_only_time_that_is_open_in_the_rules_and_on_the_server_is_offered(town: Town) -> None:
    parts = town.parts()
    assert [8, 9, 10, 11, 12, 13, 14, 15] == offered(parts)

    town.open(10, 14)

    # the buffer of half an hour before the first meeting may reach into closed hours, as beside the rules' own
    assert [9, 10, 11, 12] == offered(parts)
    assert (Reason.CALENDAR_HOURS, "The caseworker's own calendar is closed 14:00–2026-11-24 10:00.") == why(parts, 13)
    assert Reason.OUTSIDE_HOURS == why(parts, 17)[0]

    town.open(11, 13)
    assert [10, 11] == offered(parts)
    assert "hours" in parts.ports["main"].check(parts.directory.mailboxes["anna"]).says

    town.forget()
    assert [8, 9, 10, 11, 12, 13, 14, 15] == offered(parts)
    parts.close()


def test_hours_are_followed_into_the_next_day_and_let_go_with_the_switch(town: Town) -> None:
    town.open(10, 14)
    parts = town.parts()
    assert [9, 10, 11, 12] == offered(parts)

    later = NOW + timedelta(days=1)
    parts.engine.sync_mailbox("anna", later, force=True)
    last = Interval(DAY.start + timedelta(days=60), DAY.end + timedelta(days=60))
    with parts.store.read() as tx:
        shut = tx.mailboxes.occurrences(["anna"], last)["anna"]
    assert [13] == [one.interval.start.hour for one in shut if one.interval.start >= last.start]
    parts.close()

    parts = town.parts(hours=False)
    assert [8, 9, 10, 11, 12, 13, 14, 15] == offered(parts)
    parts.close()


def test_hours_that_cannot_be_understood_close_the_calendar_until_they_are_mended(town: Town) -> None:
    town.open(10, 14, more="DTSTART:tomorrow\r\n")
    parts = town.parts()

    for _ in range(2):
        outcome = parts.engine.sync_mailbox("anna", NOW, force=True)
        assert 1 == outcome.unreadable
    assert [] == list(parts.publisher.answer("call", DAY, NOW, form=Form.PHONE).slots)

    town.forget()
    assert [8, 9, 10, 11, 12, 13, 14, 15] == offered(parts)
    parts.close()


@pytest.mark.parametrize("status", [403, 404])
def test_hours_that_we_may_not_see_are_not_taken_for_none(town: Town, status: int) -> None:
    with proxy(town.server) as between:
        parts = town.parts(url=between.server.url)
        hidden = town.keeper if "Inbox" in town.keeper or status == 403 else "/syncd/anna/"
        between.rule = lambda seen, forward: say(status)(seen, forward) if seen.path == hidden else forward()

        outcome = parts.engine.sync_mailbox("anna", NOW, force=True)

        assert Result.FAILED is outcome.result
        assert outcome.problem
        assert [] == list(parts.publisher.answer("call", DAY, NOW, form=Form.PHONE).slots)
        parts.close()
