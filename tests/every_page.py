"""Every page there is, with an office in which each has something to show: for barriers, databases and bad input.

Whoever adds a page adds its line here; a test compares the lines with what the application answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from syncd.booking.contacts import Contacts
from syncd.booking.openly import OpenDesk
from syncd.config.booking_page import BookingPageSection
from syncd.model.contact import Contact
from syncd.model.interval import Interval
from syncd.model.message import Channel
from syncd.model.offer import Form
from syncd.model.role import Role
from syncd.store import Store
from syncd.store.feeds import FeedKind
from syncd.web.deps import Deps
from tests.counter_town import SEAL, CounterTown
from tests.page_town import NOW, Size

PERIOD = "from=2026-11-16&to=2026-11-29"
PAGES: Mapping[str, tuple[str, ...]] = {
    "/": ("/",),
    "/api-docs": ("/api-docs",),
    "/problems/": ("/problems/",),
    "/problems/{name}": ("/problems/slot-gone",),
    "/sign-in": ("/sign-in?",),
    "/sign-in/resume": ("/sign-in/resume",),
    "/home": ("/home",),
    "/rooms/now": ("/rooms/now",),
    "/rooms/day": ("/rooms/day",),
    "/rooms/week": ("/rooms/week",),
    "/rooms/meeting/{name}": ("/rooms/meeting/{meeting}",),
    "/display/{secret}": ("/display/{wall}", "/display/{door}"),
    "/display/{secret}/{room}": ("/display/{wall}/lokale-001",),
    "/rooms/use": (f"/rooms/use?{PERIOD}",),
    "/rooms/what-if": (f"/rooms/what-if?{PERIOD}",),
    "/supply": ("/supply", "/supply?team=job&weeks=6"),
    "/citizen": ("/citizen", "/citizen?offer=rehab&why=2026-12-04T07:00"),
    "/citizen/card": ("/citizen/card?until=2026-12-11",),
    "/bookings": ("/bookings", "/bookings?state=cancelled", "/bookings?q=nothing"),
    "/bookings/new": ("/bookings/new?offer=sikker&day=2026-12-07",),
    "/bookings/{name}": ("/bookings/{moved}", "/bookings/{lacking}"),
    "/tasks": ("/tasks",),
    "/absence": ("/absence",),
    "/absence/plan": ("/absence/plan?caseworker={away}",),
    "/absence/{number}": ("/absence/{absence}",),
    "/absence/calls": ("/absence/calls",),
    "/frames": ("/frames",),
    "/frames/history": ("/frames/history",),
    "/frames/history/{number}": ("/frames/history/1",),
    "/health": ("/health",),
    "/book": ("/book?",),
    "/book/times": ("/book/times?offer=jobsamtale&form=phone",),
    "/book/{secret}": ("/book/{held}", "/book/{booked}"),
    "/book/{secret}/move": ("/book/{booked}/move",),
    "/book/{secret}/cancel": ("/book/{booked}/cancel",),
    "/messages/{secret}": ("/messages/{booked}",),
}
"""Path of the application → addresses at which to look."""
OPEN = ("/api-docs", "/problems/", "/sign-in?", "/display/", "/book?", "/book/", "/messages/")
"""Pages that nobody signs in for begin so; and the front page."""
NOT_PAGES = {
    *("/livez", "/readyz", "/startupz", "/metrics", "/static/{name}", "/sign-in/oidc", "/sign-in/back"),
    *("/feeds/{secret}.ics", "/feeds/{secret}.ifb", "/rooms/use.csv", "/supply.csv", "/book/{secret}/meeting.ics"),
}


def looked_at(app: Any) -> set[str]:
    """Every path that a browser can ask *app* for and that is no interface of programs."""
    routes = (
        route
        for branch in app.routes
        for route in getattr(getattr(branch, "original_router", None), "routes", (branch,))
        if "GET" in (getattr(route, "methods", None) or ())
    )
    programs = ("/api/", "/dfdg/", "/graph/", "/ejb")
    return {route.path for route in routes if not route.path.startswith(programs)}


@dataclass(frozen=True)
class Office:
    """The office. :param names: what stands in the addresses of `PAGES`. :param cookie: of somebody with every role."""

    town: CounterTown
    deps: Deps
    names: Mapping[str, str]
    cookie: str

    def addresses(self) -> Iterator[str]:
        """Of every page."""
        return (one.format_map(self.names) for some in PAGES.values() for one in some)


@contextmanager
def every_page(url: str) -> Iterator[Office]:
    """The office over a migrated database."""
    store = Store(url)
    try:
        counter = CounterTown.over(store, Size(6, 16, 14, 4))
        counter.town.expecting()
        page = replace(
            counter.deps().pages,
            booking=BookingPageSection(enabled=True, per_minute=10_000),
            told_by=frozenset(Channel),
        )
        deps = replace(counter.deps(), pages=page, contacts=Contacts(SEAL))
        draft = {"path": "/rooms/day/close", "fields": [["room", "lokale-001"], ["reason", "Maling"]], "owner": "vera"}
        with store.begin() as tx:
            cookie = tx.visits.add(NOW, subject="vera", name="Vera Holm", roles=frozenset(Role), kept={"draft": draft})
        yield Office(counter, deps, _names(counter, deps), cookie)
    finally:
        store.close()


def _names(counter: CounterTown, deps: Deps) -> dict[str, str]:
    now = deps.clock.now()
    away = Interval(NOW + timedelta(days=2), NOW + timedelta(days=3))
    with deps.store.begin() as tx:
        wall = tx.feeds.add(FeedKind.SITE, "torvet", "test", now)
        door = tx.feeds.add(FeedKind.ROOM, "lokale-001", "test", now)
        absence = tx.absences.add(counter.away, away, reachable=True, actor="test", now=now)
    held, booked = _links(deps)
    found = {"wall": wall, "door": door, "absence": str(absence.id), "held": held, "booked": booked}
    return found | {
        "moved": counter.moved, "lacking": counter.lacking, "away": counter.away, "meeting": counter.free[-1],
    }  # fmt: skip


def _links(deps: Deps) -> list[str]:
    """Links to a time that is held, and to one that is booked."""
    now, desk = deps.clock.now(), OpenDesk(deps.store, deps.desk, deps.contacts)
    ahead = Interval(now + timedelta(days=4), now + timedelta(days=14))
    starts = sorted({one.interval.start for one in deps.publisher.answer("jobsamtale", ahead, now).slots})[:2]
    found = [desk.hold("jobsamtale", start, Form.PHONE, 30, "da", now) for start in starts]
    desk.book(found[1], Contact(name="Anna Berg", phone="+4520304050"), "", now)
    return found
