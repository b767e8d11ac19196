"""Every page of staff on PostgreSQL."""

from __future__ import annotations

import time

from syncd.model.role import Role
from syncd.store import Store
from syncd.store.feeds import FeedKind
from syncd.web.app import build_app
from tests.integration.test_room_pages import Person
from tests.page_town import NOW, PageTown, Size

PERIOD = "from=2026-11-16&to=2026-11-29"
PAGES = (
    *("/home", "/rooms/now", "/rooms/day", "/rooms/week", f"/rooms/use?{PERIOD}", f"/rooms/use.csv?{PERIOD}"),
    *(f"/rooms/what-if?{PERIOD}", "/supply", "/supply?team=job", "/supply.csv", "/citizen", "/citizen/card"),
    *("/citizen?offer=rehab&why=2026-12-04T07:00", "/bookings", "/bookings?state=confirmed", "/bookings/new"),
    *("/tasks", "/absence", "/absence/calls", "/health", "/frames", "/frames/history"),
)
"""Those that need no name of a booking or meeting."""


def _until_known(person: Person, path: str) -> tuple[int, bool]:
    """Status of the page once its figures are worked out, and whether they were."""
    for _ in range(100):
        answer = person.get(path)
        if "<progress" not in answer.text:
            return answer.status_code, True
        time.sleep(0.1)
    return answer.status_code, False


def test_every_page_is_shown_on_postgresql(migrated_postgres_url: str) -> None:
    store = Store(migrated_postgres_url)
    try:
        town = PageTown(store, Size(4, 8, 14, 3))
        town.expecting()
        with store.begin() as tx:
            wall = tx.feeds.add(FeedKind.SITE, "torvet", "test", NOW)
            door = tx.feeds.add(FeedKind.ROOM, "lokale-001", "test", NOW)
        vera = Person(build_app(town.deps()), store, NOW, *Role)
        with store.read() as tx:
            meeting = tx.rooms.in_rooms(NOW)[0][0]
        named = (f"/rooms/meeting/{meeting}", f"/display/{wall}", f"/display/{door}", f"/feeds/{door}.ics")
        found = {path: _until_known(vera, path) for path in (*PAGES, *named)}
    finally:
        store.close()

    assert dict.fromkeys(found, (200, True)) == found
