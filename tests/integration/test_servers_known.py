"""What servers can do is found out, kept between starts, looked at again, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.clock import FixedClock
from syncd.daemon.servers import kept, note, probe
from syncd.model.interval import Interval
from tests.contract.calendar_contract import WINDOW, draft
from tests.contract.mirror import Mirror
from tests.integration.test_opening_hours import NOW, Town
from tests.servers.dav import DavServer
from tests.servers.proxy import Proxy, proxy
from tests.servers.radicale import radicale
from tests.servers.sabredav import sabredav

LATER = FixedClock(NOW + timedelta(days=1))
SERIES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:team
DTSTAMP:20261101T000000Z
DTSTART:{:%Y%m%d}T090000Z
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=9
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(params=["radicale", "sabredav"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DavServer]:
    (tmp_path / "dav").mkdir()
    start = {"radicale": radicale, "sabredav": sabredav}[request.param]
    with start(tmp_path / "dav") as running:
        yield running


@pytest.fixture
def between(server: DavServer) -> Iterator[Proxy]:
    with proxy(server) as between:
        yield between


def town_on(between: Proxy, folder: Path) -> Town:
    calendar = between.server.make_calendar("anna")
    between.server.put(f"{calendar}team.ics", SERIES.format(NOW).replace("\n", "\r\n"))
    return Town(between.server, calendar, calendar, folder)


def test_what_a_server_can_do_is_kept_and_saves_questions_after_a_new_start(between: Proxy, tmp_path: Path) -> None:
    town = town_on(between, tmp_path)
    parts = town.parts(hours=False)
    probe(parts, FixedClock(NOW))
    with parts.store.read() as tx:
        first = kept(tx, "main")
    assert first is not None
    old = first.facts["changes"] != "sync-collection"
    assert ("yes" in first.facts["expand"], "unknown") == (True, first.facts["etag_on_put"])

    anna = parts.directory.mailboxes["anna"]
    parts.ports["main"].create(anna, draft("m1"))
    probe(parts, LATER)
    with parts.store.read() as tx:
        second = kept(tx, "main")
    assert second is not None
    assert second.facts["etag_on_put"] in ("yes", "no")
    assert (second.noted, first.noted) == (LATER.now(), NOW)
    parts.close()

    again = town.parts(hours=False)
    between.calm()
    Mirror().follow(again.ports["main"], anna, Interval(WINDOW.start, WINDOW.end))
    # asked for once only: a server without sync-collection is listed at once
    assert 1 == len({seen.body for seen in between.seen if b"supported-report-set" in seen.body})
    assert old is not any(b"sync-collection" in seen.body for seen in between.seen)
    again.close()


def test_another_server_behind_the_same_address_is_noticed(
    between: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = town_on(between, tmp_path)
    parts = town.parts(hours=False)
    probe(parts, FixedClock(NOW))
    with parts.store.read() as tx:
        before = kept(tx, "main")
    assert before is not None
    note(parts.store, "main", {**before.facts, "server": "Another/1.0"}, NOW)

    probe(parts, LATER)

    with parts.store.read() as tx:
        after = kept(tx, "main")
    assert after is not None
    assert (before.facts, LATER.now()) == (after.facts, after.since)
    assert "server: Another/1.0 >" in capsys.readouterr().out
    parts.close()
