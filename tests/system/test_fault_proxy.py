"""The real CalDAV adapter and a real server, with a bad road between them: one request in three goes wrong.

`make fault-proxy` sends 2,000 requests, `make test-long` 50,000. Time is virtual, so that pauses cost nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncd.adapters.caldav.calendar import CaldavCalendar
from syncd.adapters.caldav.client import CaldavAccount
from syncd.booking.results import Appointment
from syncd.clock import FixedClock
from syncd.errors import BookingError
from syncd.model.booking import BookingState
from syncd.model.directory import Directory
from syncd.model.offer import Form
from syncd.store import Store
from tests.servers.dav import DavServer
from tests.servers.faults import Weather
from tests.servers.proxy import Proxy, proxy
from tests.servers.radicale import radicale
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at
from tests.system.history import judge

SEED = int(os.environ.get("SYNCD_SEED", "1"))
PEOPLE, ROOMS = ("anna", "bo", "cara"), ("r1", "r2")
RATE = 0.35
TIMEOUT = 0.5
"""Seconds that the adapter waits for an answer."""


@dataclass
class Run:
    """An office whose calendars are far away."""

    office: Office
    server: DavServer
    between: Proxy
    clock: FixedClock
    said: list[dict[str, Any]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def until(self, requests: int) -> Weather:
        """Book, move, cancel, read and write until so many requests were sent."""
        self.office.sync(self.clock.now())
        weather = Weather(RATE, SEED, hole=TIMEOUT * 1.4)
        self.between.rule, rng = weather, Random(SEED)
        while weather.counted.total() < requests:
            for _ in range(rng.randint(1, 3)):
                self._ask(rng)
            self._work()
            self.between.seen.clear()
            self.clock.at += timedelta(seconds=rng.choice([5, 30, 90]))
        self.between.calm()
        return weather

    def rest(self) -> None:
        """The road is good again, and time passes."""
        for _ in range(6):
            self.clock.at += timedelta(minutes=16)
            self._work()

    def _work(self) -> None:
        now = self.clock.now()
        self.office.sync(now)
        self.office.reconciler.run_due(now)

    def _ask(self, rng: Random) -> None:
        now, start = (
            self.clock.now(),
            at(8, day=rng.choice([24, 25, 26, 27])) + timedelta(minutes=15 * rng.randrange(30)),
        )
        try:
            if not self.made or rng.random() < 0.5:
                form = rng.choice([Form.IN_PERSON, Form.PHONE])
                made = self.office.book(start, rng.choice(PEOPLE), form=form, now=now)
                self.made.append(made.booking.id)
            elif rng.random() < 0.5:
                made = self.office.desk.reschedule(CLIENT, rng.choice(self.made), start, None, None, now)
            else:
                made = self.office.desk.cancel(CLIENT, self.made.pop(rng.randrange(len(self.made))), now)
        except BookingError:
            return
        self.said.append(
            {"key": str(len(self.said)), "path": "/bookings", "status": 201, "answer": json.dumps(content(made))}
        )

    def calendars(self) -> Mapping[str, list[str]]:
        """The texts of all objects, read past the proxy."""
        return {name: self._objects(f"{self.server.home}{name}/") for name in (*PEOPLE, *ROOMS)}

    def _objects(self, path: str) -> list[str]:
        query = (
            '<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop>'
            '<c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>'
        )
        listing = self.server.request("REPORT", path, query, Depth="1").text
        hrefs = [part.split("<")[0] for part in listing.replace("D:href>", "href>").split("<href>")[1:]]
        return [text for href in hrefs if href.endswith(".ics") and (text := self.server.get(href)) is not None]


def content(made: Appointment) -> dict[str, Any]:
    """What a client is told of a booking."""
    meeting = made.meeting
    return {
        "id": made.booking.id,
        "state": made.booking.state.value,
        "start": meeting.interval.start.isoformat(),
        "end": meeting.interval.end.isoformat(),
        "caseworker": meeting.caseworker,
        "form": meeting.form.value,
        "room": {"id": meeting.room} if meeting.room else None,
    }


@pytest.fixture
def run(tmp_path: Path, migrated_sqlite_url: str) -> Iterator[Run]:
    (tmp_path / "radicale").mkdir()
    with radicale(tmp_path / "radicale") as server, proxy(server) as between:
        for name in (*PEOPLE, *ROOMS):
            server.make_calendar(name)
        clock = FixedClock(NOW)
        account = CaldavAccount("server", between.server.url, "syncd", "secret", timeout=TIMEOUT, auth="basic")
        port = CaldavCalendar(account, clock=clock)
        rules = town.rulebook(town.offer(PEOPLE, step=15, notice=0))
        office = Office(Store(migrated_sqlite_url), _directory(between.server), rules, port=port)
        office.engine.prepare()
        yield Run(office, server, between, clock)
        port.close()
        office.store.close()


def _directory(server: DavServer) -> Directory:
    """The town's, with calendars on that server."""
    plain = town.directory(PEOPLE, ROOMS)
    home = server.url.rstrip("/") + server.home
    people = {
        name: replace(one, mailbox=replace(one.mailbox, url=f"{home}{name}/"))
        for name, one in plain.caseworkers.items()
    }
    rooms = {
        name: replace(one, mailbox=replace(one.mailbox, url=f"{home}{name}/")) for name, one in plain.rooms.items()
    }
    return Directory.of("Town", plain.sites, people, rooms)


def weathered(run: Run, requests: int) -> dict[str, int]:
    """Go through the weather, come to rest, and be judged; what it came to."""
    weather = run.until(requests)
    run.rest()

    def standing(name: str) -> dict[str, Any]:
        return content(run.office.see(name, run.clock.now()))

    verdict = judge(run.said, standing, run.calendars())
    assert not verdict.broken, f"SYNCD_SEED={SEED}\n" + "\n".join(verdict.broken)
    return dict(verdict.counted) | dict(weather.counted)


@pytest.mark.programme
@pytest.mark.timeout(900)
def test_two_thousand_requests_on_a_bad_road_leave_calendars_right(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = weathered(run, 2000)

    with capsys.disabled():
        print(f"\nfault proxy: {counted}")
    assert min(counted[kind] for kind in ("refuse", "black hole", "drop the answer", "half an answer", "slow")) > 50


@pytest.mark.long
@pytest.mark.timeout(14_400)
def test_fifty_thousand_requests_on_a_bad_road_leave_calendars_right(run: Run) -> None:
    weathered(run, 50_000)


def test_a_judge_that_sees_nothing_would_be_noticed(run: Run) -> None:
    run.office.sync(NOW)
    made = run.office.book(at(9), now=NOW)
    run.said.append({"key": "1", "path": "/bookings", "status": 201, "answer": json.dumps(content(made))})

    verdict = judge(run.said, lambda name: content(run.office.see(name, NOW)), run.calendars())

    assert made.booking.state is BookingState.PENDING
    assert any("anna lacks" in one for one in verdict.broken)
