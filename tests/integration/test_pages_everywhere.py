"""Every page: on PostgreSQL, in an office that has nothing yet, and in one with thousands of rooms."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from syncd.config.booking_page import BookingPageSection
from syncd.model.directory import Directory, Mailbox, MailboxKind, Room
from syncd.model.role import Role
from syncd.store import Store
from syncd.web.app import build_app
from tests.every_page import NOT_PAGES, PAGES, PERIOD, every_page, looked_at
from tests.integration.test_room_pages import Person
from tests.page_town import NOW, ZONE, PageTown, Size

TABLES = (f"/rooms/use.csv?{PERIOD}", "/supply.csv", "/feeds/{door}.ics", "/book/{booked}/meeting.ics")
SUPPORT = "Lokaleservice, tlf. 12 34 56 78"


def _until_known(person: Person, path: str) -> Any:
    """The page once its figures are worked out."""
    for _ in range(600):
        answer = person.get(path)
        if "<progress" not in answer.text:
            break
        time.sleep(0.1)
    return answer


@pytest.mark.broad
@pytest.mark.timeout(400)
def test_every_page_is_shown_on_postgresql(migrated_postgres_url: str) -> None:
    with every_page(migrated_postgres_url) as office:
        app, store = build_app(office.deps), office.deps.store
        vera = Person(app, store, NOW, *Role)
        paths = [*office.addresses(), *(one.format_map(office.names) for one in TABLES)]
        paths.remove("/bookings?q=nothing")
        found = {
            path: (answer := _until_known(vera, path)).status_code + ("<progress" in answer.text) for path in paths
        }

    assert dict.fromkeys(found, 200) == found


class Bare(PageTown):
    """An office on its first day: nothing is booked, held or refused."""

    def _write(self) -> None:
        with self.store.begin() as tx:
            tx.mailboxes.ensure(self.directory.mailboxes.values())
            tx.settings.bump()


@pytest.fixture
def bare(migrated_sqlite_url: str) -> Iterator[Bare]:
    store = Store(migrated_sqlite_url)
    yield Bare(store, Size(2, 3, 0, 0))
    store.close()


def test_every_page_has_its_line(bare: Bare) -> None:
    assert PAGES.keys() | NOT_PAGES == looked_at(build_app(bare.deps()))


def _looked(town: PageTown) -> dict[str, Any]:
    deps = town.deps()
    open_page = replace(deps.pages, booking=BookingPageSection(enabled=True, per_minute=10_000))
    vera = Person(build_app(replace(deps, pages=open_page)), town.store, NOW, *Role)
    paths = [one for some in PAGES.values() for one in some if "{" not in one]
    return {path: _until_known(vera, path) for path in [*paths, *TABLES[:2]]}


@pytest.mark.parametrize(
    "left", ["nothing", *(pytest.param(one, marks=pytest.mark.broad) for one in ("all", "no rooms", "no people"))]
)
def test_an_office_that_has_nothing_yet_gets_friendly_pages_and_no_broken_chart(bare: Bare, left: str) -> None:
    known = bare.directory
    sites = {} if left == "nothing" else known.sites
    people = {} if left in ("no people", "nothing") else known.caseworkers
    rooms = {} if left in ("no rooms", "nothing") else known.rooms
    bare.directory = Directory.of(known.organisation, sites, people, rooms, known.support)
    found = _looked(bare)

    assert {} == {path: one.status_code for path, one in found.items() if one.status_code not in (200, 404, 422)}
    pages = {path: one.text for path, one in found.items() if one.headers["content-type"].startswith("text/html")}
    assert {} == {path: text for path, text in pages.items() if SUPPORT not in text}
    drawn = {path: text for path, text in pages.items() if path != "/health"}  # it has calendars, and figures of NaN
    assert [] == [path for path, text in drawn.items() if 'class="chart"' in text]
    assert [] == [path for path, text in drawn.items() if "nan" in text.split() or "None" in text.split()]


@pytest.mark.broad
def test_thousands_of_rooms_are_shown_on_every_page(bare: Bare) -> None:
    known = bare.directory
    boxes = {f"r{n}": Mailbox(f"r{n}", MailboxKind.ROOM, "none", f"r{n}@example.dk", ZONE) for n in range(2000)}
    many = {name: Room(name, f"Lokale {name}", box, "torvet", int(name[1:]) % 9) for name, box in boxes.items()}
    bare.directory = Directory.of(known.organisation, known.sites, known.caseworkers, many, known.support)

    found = _looked(bare)
    assert {} == {path: one.status_code for path, one in found.items() if one.status_code not in (200, 404)}
    named = {path: set(re.findall(r"Lokale r\d+", found[path].text)) for path in ("/rooms/now", "/rooms/day")}
    assert {"/rooms/now": 120, "/rooms/day": 120} == {path: len(rooms) for path, rooms in named.items()}
