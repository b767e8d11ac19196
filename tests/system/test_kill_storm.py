"""The kill storm: whatever was acknowledged is there, once, however often the service died while it was said.

`make kill-storm` plays the short one, `make test-long` the long ones. The judge (`tests.system.history`) shares no code
with the product.
"""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest

from tests.servers.faults import Weather
from tests.servers.proxy import proxy
from tests.system.calendars import KINDS
from tests.system.history import Journal, judge
from tests.system.service import Service
from tests.system.storm import Storm, at_rest

SEED = int(os.environ.get("SYNCD_SEED", "1"))
DATABASES = ("sqlite", "postgresql")
STORMS = (("sqlite", "exchange"), ("postgresql", "graph"), ("postgresql", "radicale"))
EVERY_STORM = tuple(product(DATABASES, ("radicale", "exchange", "graph")))


def storm(
    folder: Path, database: str, kind: str, *, people: int, rooms: int, bookings: int, kills: int, faults: float
) -> dict[str, int]:
    """One storm, judged; what it came to."""
    names = tuple(f"person-{number:02d}" for number in range(people))
    places = tuple(f"lokale-{number:02d}" for number in range(rooms))
    (folder / kind).mkdir()
    with KINDS[kind](folder / kind) as server, proxy(server) as between:
        for owner in (*names, *places):
            server.make_calendar(owner)
        service = Service(folder, server.at(between.url), database=database, timeout=2, people=names, rooms=places)
        service.write()
        service.start()
        journal = Journal(folder / "journal.jsonl")
        try:
            weather = Weather(faults, SEED, hole=2.5)
            between.rule = weather
            raging = Storm(service, journal, SEED, bookings)
            raging.rage(kills)
            between.calm()
            service.kill()
            service.start()
            at_rest(service, journal, 300)
            service.calendars = server
            calendars = {owner: service.objects(owner) for owner in (*names, *places)}
            verdict = judge(journal.lines(), service.booking, calendars)
            verdict.broken += map(repr, raging.errors)
        finally:
            service.end()
    assert not verdict.broken, f"SYNCD_SEED={SEED} make kill-storm\n" + "\n".join(verdict.broken)
    return dict(verdict.counted) | {"kills": raging.kills + 1, "freezes": raging.freezes} | dict(weather.counted)


@pytest.mark.programme
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("database", "kind"), STORMS)
def test_fifteen_kills_lose_nothing(
    tmp_path: Path, database: str, kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four in each of three storms, and one more at the end of each."""
    url = "sqlite:///syncd.sqlite3" if database == "sqlite" else str(request.getfixturevalue("postgres_url"))

    counted = storm(tmp_path, url, kind, people=6, rooms=3, bookings=100, kills=4, faults=0.1)

    with capsys.disabled():
        print(f"\nkill storm on {database} and {kind}: {counted}")
    assert counted["acknowledged"] > 50
    assert counted["unanswered"] > 0


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("database", "kind"), EVERY_STORM)
def test_a_hundred_kills_in_ten_thousand_bookings_lose_nothing(
    tmp_path: Path, database: str, kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "sqlite:///syncd.sqlite3" if database == "sqlite" else str(request.getfixturevalue("postgres_url"))

    counted = storm(tmp_path, url, kind, people=40, rooms=25, bookings=10_000, kills=100, faults=0.1)

    with capsys.disabled():
        print(f"\nkill storm on {database} and {kind}: {counted}")
