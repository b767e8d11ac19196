"""Pages about rooms show what stands there; what is done on them happens in calendars; names stay inside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select
from starlette.testclient import TestClient

from syncd.booking.keep_rooms import RoomKeeper
from syncd.booking.room_board import Kind, Look, boards, history
from syncd.config import LocalAccountSection, PagesSection
from syncd.config.passwords import hashed
from syncd.model.directory import Mailbox, MailboxKind, Room
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.role import Role
from syncd.model.zones import whole_days
from syncd.publish.feeds import window_of
from syncd.store import Store
from syncd.store.feeds import FeedKind
from syncd.store.tables import AuditRow
from syncd.store.visits import Lifetime
from syncd.web.app import build_app
from syncd.web.page_parts import PageParts
from syncd.web.pages.rooms.places import MOST
from tests.integration.web_town import NOW, Town
from tests.integration.web_town import directory as small_directory
from tests.page_town import NOW as AT
from tests.page_town import TODAY, ZONE, PageTown

FIELD = re.compile(r'name="csrf" value="([^"]*)"')
MANNERS = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
PASSWORD = "tre små grise i skoven"
ACCOUNT = LocalAccountSection(name="vera", password=hashed(PASSWORD, cost=4), roles=frozenset({Role.FACILITIES}))


class Person:
    """Somebody signed in. :param roles: none for somebody who is not."""

    def __init__(self, app: Any, store: Store, now: Any, *roles: Role, subject: str = "vera") -> None:
        self.http = TestClient(app, base_url="http://localhost", headers=MANNERS)
        if roles:
            with store.begin() as tx:
                self.http.cookies.set("syncd", tx.visits.add(now, subject=subject, name="V", roles=frozenset(roles)))

    def get(self, path: str) -> Any:
        return self.http.get(path)

    def send(self, path: str, page: Any, **fields: str) -> Any:
        """Post a form that stood on *page*; the redirect after it is followed."""
        found = FIELD.search(page.text)
        return self.http.post(path, data={"csrf": found[1] if found else "", **fields})


@pytest.fixture(scope="module")
def shown(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageTown]:
    """A town with a past that tests only look at."""
    path = tmp_path_factory.mktemp("shown") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = PageTown(store)
    town.unreadable("lokale-002")
    yield town
    store.close()


@pytest.fixture(scope="module")
def app(shown: PageTown) -> Any:
    """The application over it."""
    return build_app(shown.deps())


@pytest.fixture
def vera(app: Any, shown: PageTown) -> Person:
    """From the facilities team."""
    return Person(app, shown.store, AT, Role.FACILITIES)


def _secret(town: PageTown, kind: FeedKind, subject: str) -> str:
    with town.store.begin() as tx:
        return tx.feeds.add(kind, subject, "test", AT)


def test_a_room_is_free_only_when_nothing_takes_it_and_its_calendar_is_known(shown: PageTown, vera: Person) -> None:
    page = vera.get("/rooms/now").text
    found_cards = re.findall(r'<li class="room (\w+)">\s*<span class="room-name">([^<]+)', page)
    cards = {name: look for look, name in found_cards}
    with shown.store.read() as tx:
        found = boards(
            Look(tx, shown.directory, AT, shown.publisher.max_age),
            [*shown.directory.rooms.values()],
            whole_days(TODAY, TODAY, ZONE),
        )
    taken = {one.room.name for one in found if one.taken_at(AT)}

    assert 9 == len(cards)
    assert taken
    assert taken == {name for name, look in cards.items() if look in ("busy", "closed")}
    assert cards["Lokale 0.02"] in ("unknown", "busy")
    assert "closed" == cards[shown.directory.rooms[shown.painted].name]
    assert "Lukket: Maling af vægge" in page


def test_what_hangs_on_a_wall_a_door_or_in_a_calendar_never_names_anybody(app: Any, shown: PageTown) -> None:
    site, room = _secret(shown, FeedKind.SITE, "torvet"), _secret(shown, FeedKind.ROOM, "lokale-001")
    stranger = Person(app, shown.store, AT)
    paths = (f"/display/{site}", f"/display/{site}/lokale-001", f"/display/{room}", f"/feeds/{room}.ics")
    pages, colleague = [stranger.get(path) for path in paths], Person(app, shown.store, AT, Role.FACILITIES)
    people = [part for one in shown.directory.caseworkers.values() for part in (one.name, one.id)]

    assert [200] * 4 == [page.status_code for page in pages]
    assert [] == [
        word for page in pages for word in [*people, "borger", "Jobsamtale"] if word in page.text.replace("Ledig", "")
    ]
    assert [True, *[False] * 4] == ["Logget på" in colleague.get(path).text for path in ("/rooms/now", *paths)]
    for path in (
        f"/display/{room}/lokale-002",
        f"/display/{site}/nowhere",
        "/display/guess",
        f"/feeds/{site}.ics",
        f"/feeds/{room}.ifb",
    ):
        assert 404 == stranger.get(path).status_code
    with shown.store.begin() as tx:
        tx.feeds.revoke("torvet", AT)
    assert 404 == stranger.get(f"/display/{site}").status_code


def test_a_rooms_calendar_has_exactly_the_times_it_is_taken(app: Any, shown: PageTown) -> None:
    stranger, secret = Person(app, shown.store, AT), _secret(shown, FeedKind.ROOM, "lokale-003")
    answer = stranger.get(f"/feeds/{secret}.ics")
    parts: list[Any] = list(Calendar.from_ical(answer.text).walk("VEVENT"))
    events = {(part["DTSTART"].dt, part["DTEND"].dt, str(part["SUMMARY"])) for part in parts}
    window = window_of(AT)
    with shown.store.read() as tx:
        (board,) = boards(
            Look(tx, shown.directory, AT, shown.publisher.max_age), [shown.directory.rooms["lokale-003"]], window
        )

    assert {(span.start, span.end, "Optaget") for span in board.taken} <= events
    assert len(board.taken) + 1 == len(events), "and what is not known is told as taken"
    assert (
        304 == stranger.http.get(f"/feeds/{secret}.ics", headers={"If-None-Match": answer.headers["etag"]}).status_code
    )


def test_the_day_shows_each_meeting_once_and_tells_what_was_moved(shown: PageTown, vera: Person) -> None:
    page = vera.get("/rooms/day").text
    with shown.store.read() as tx:
        found = boards(
            Look(tx, shown.directory, AT, shown.publisher.max_age),
            [*shown.directory.rooms.values()],
            whole_days(TODAY, TODAY, ZONE),
        )
    bars = [bar for board in found for bar in board.bars]
    meetings = [bar.meeting for bar in bars if bar.meeting]

    assert sorted(meetings) == sorted(re.findall(r'href="/rooms/meeting/([^"]+)"', page))
    assert {Kind.CITIZEN, Kind.STAFF, Kind.DIRECT, Kind.PENDING, Kind.CLOSED, Kind.RELEASED} == {
        bar.kind for bar in bars
    }
    moved = next(bar for bar in bars if bar.moved)
    told = vera.get(f"/rooms/meeting/{moved.meeting}").text
    with shown.store.read() as tx:
        origin, _, target = history(tx, str(moved.meeting))[0].detail.partition(" > ")
    assert f"Flyttet fra {shown.directory.rooms[origin].name} til {shown.directory.rooms[target].name}" in told


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rooms/now?site=nowhere", 404),
        ("/rooms/day?day=2026-02-30", 422),
        ("/rooms/day?day=9999-12-31", 422),
        ("/rooms/day?day=0001-01-01", 422),
        ("/rooms/week?day=%00", 422),
        ("/rooms/meeting/nowhere", 404),
        ("/rooms/meeting/%27%20or%201=1", 404),
        ("/rooms/day?day=2024-12-24", 200),
    ],
)
def test_bad_addresses_get_a_friendly_page_with_the_support(vera: Person, path: str, status: int) -> None:
    answer = vera.get(path)

    assert status == answer.status_code
    assert "Lokaleservice, tlf. 12 34 56 78" in answer.text
    assert "Traceback" not in answer.text


def test_who_may_look_may_not_act_and_others_may_not_look(app: Any, shown: PageTown) -> None:
    reception = Person(app, shown.store, AT, Role.STAFF)
    page = reception.get("/rooms/day")
    forms = {"site": "torvet", "room": "lokale-001", "from": "2026-12-01T08:00", "to": "2026-12-01T09:00"}

    assert 200 == page.status_code
    assert "/rooms/day/close" not in page.text
    assert 403 == reception.send("/rooms/day/close", page, **forms).status_code
    assert 403 == Person(app, shown.store, AT, Role.AUDITOR).get("/rooms/now").status_code
    assert "/sign-in" == Person(app, shown.store, AT).get("/rooms/now").url.path
    with shown.store.read() as tx:
        assert 1 == len(tx.rooms.closed(Interval(AT, AT + timedelta(days=90))))


def test_thousands_of_rooms_and_none_are_shown(shown: PageTown) -> None:
    many = {
        f"r{n}": Room(
            f"r{n}", f"R {n}", Mailbox(f"r{n}", MailboxKind.ROOM, "none", f"r{n}@x.dk", ZONE), "torvet", n % 9
        )
        for n in range(2000)
    }
    for rooms in (many, {}):
        directory = replace(shown.directory, rooms=rooms)
        app = build_app(replace(shown.deps(), directory=partial(replace, directory)))
        vera = Person(app, shown.store, AT, Role.FACILITIES)
        for path in ("/rooms/now", "/rooms/day", "/rooms/week"):
            assert 200 == vera.get(path).status_code
        if rooms:
            with shown.store.begin() as tx:
                wall = tx.feeds.add(FeedKind.SITE, "torvet", "test", AT)
            drawn = {"/rooms/day": "tl-name", "/rooms/now": "room-name", f"/display/{wall}": "room-name"}
            for path, name in drawn.items():
                seen = [vera.get(f"{path}?floor=3&page={n}").text for n in range(2)]
                assert [MOST, 222 - MOST] == [page.count(f'class="{name}"') for page in seen]
                assert max(map(len, seen)) < 300_000


def test_a_rooms_address_is_shown_on_the_floor_it_was_asked_for_on(shown: PageTown) -> None:
    one = next(iter(shown.directory.rooms.values()))
    rooms = {f"r{n}": replace(one, id=f"r{n}", name=f"R {n}", floor=n % 3) for n in range(3 * MOST)}
    directory = replace(shown.directory, rooms=rooms)
    app = build_app(replace(shown.deps(), directory=partial(replace, directory)))
    vera = Person(app, shown.store, AT, Role.FACILITIES)
    page = vera.get("/rooms/now?floor=2")
    made = vera.send("/rooms/now/address", page, site="torvet", room="r5", floor="2")

    assert 'floor=2&amp;page=0" aria-current="page"' in page.text
    assert "/feeds/" in made.text
    assert [MOST, MOST] == [text.count('class="room-name"') for text in (page.text, made.text)]
    assert [1, 1] == [text.count('<option value="r5"') for text in (page.text, made.text)]


class Office:
    """A small office with calendars, where pages act."""

    def __init__(self, store: Store) -> None:
        known = small_directory()
        one = known.rooms["lokale-1"]
        two = replace(
            one,
            id="lokale-2",
            name="Lokale 1.08",
            mailbox=replace(one.mailbox, id="lokale-2", address="lokale-2@example.dk"),
        )
        self.town = Town(
            store,
            directory=type(known).of(
                known.organisation, known.sites, known.caseworkers, {"lokale-1": one, "lokale-2": two}, known.support
            ),
        )
        self.keeper = RoomKeeper(store, lambda: self.town.directory, self.town.rules)
        deps = self.town.deps()
        deps = replace(deps, pages=PageParts(PagesSection(accounts=(ACCOUNT,)), keeper=self.keeper))
        self.app = build_app(deps)
        desk, start = self.town.desk, NOW + timedelta(days=1, hours=1)
        held = desk.hold("portal", "jobsamtale", start, "anna", Form.IN_PERSON, None, NOW)
        self.meeting = desk.book("portal", held.booking.id, "borger-1", NOW).meeting.id
        self.town.settle()

    def rooms_of_meeting(self) -> list[str]:
        """The rooms in whose calendars the meeting stands."""
        with self.town.store.read() as tx:
            uid = getattr(tx.meetings.get(self.meeting), "uid", "")
        window = Interval(NOW, NOW + timedelta(days=2))
        with self.town.store.read() as tx:
            found = tx.mailboxes.occurrences(["lokale-1", "lokale-2"], window)
        return [room for room, events in found.items() if uid in {event.uid for event in events}]

    def room(self) -> str | None:
        """The room the meeting has."""
        with self.town.store.read() as tx:
            meeting = tx.meetings.get(self.meeting)
        return meeting.room if meeting else None

    def person(self, subject: str = "vera") -> Person:
        return Person(self.app, self.town.store, self.town.clock.now(), Role.FACILITIES, subject=subject)


@pytest.fixture
def office(migrated_sqlite_url: str) -> Iterator[Office]:
    """With one meeting on Tuesday at nine."""
    store = Store(migrated_sqlite_url)
    yield Office(store)
    store.close()


def test_a_meeting_given_another_room_on_the_page_stands_in_that_rooms_calendar(office: Office) -> None:
    vera, path = office.person(), f"/rooms/meeting/{office.meeting}"
    origin = office.room()
    other = "lokale-2" if origin == "lokale-1" else "lokale-1"
    assert [origin] == office.rooms_of_meeting()

    done = vera.send(f"{path}/assign", vera.get(path), room=other, seen=str(origin))
    office.town.settle()

    assert (200, path) == (done.status_code, done.url.path)
    assert "Mødet har sit lokale" in done.text
    assert [other] == office.rooms_of_meeting()
    with office.town.store.read() as tx:
        actors = [row.actor for row in tx.session.scalars(select(AuditRow).where(AuditRow.action == "room.pinned"))]
    assert ["staff:vera"] == actors
    loose = vera.send(f"{path}/loosen", done)
    assert "må igen flytte" in loose.text
    with office.town.store.read() as tx:
        assert {} == tx.rooms.pinned([office.meeting])


def test_of_two_people_who_give_one_meeting_rooms_the_slower_is_told_and_changes_nothing(office: Office) -> None:
    quick, slow = office.person("vera"), office.person("otto")
    path, origin = f"/rooms/meeting/{office.meeting}", str(office.room())
    other = "lokale-2" if origin == "lokale-1" else "lokale-1"
    first, second = quick.get(path), slow.get(path)

    assert 200 == quick.send(f"{path}/assign", first, room=other, seen=origin).status_code
    late = slow.send(f"{path}/assign", second, room="", seen=origin)

    assert 409 == late.status_code
    assert "En anden var hurtigere" in late.text
    assert other == office.room()


def test_of_two_meetings_that_are_given_one_room_the_second_is_refused(office: Office) -> None:
    desk, start = office.town.desk, NOW + timedelta(days=1, hours=1)
    held = desk.hold("portal", "jobsamtale", start, "bo", Form.IN_PERSON, None, NOW)
    second = desk.book("portal", held.booking.id, "borger-2", NOW).meeting
    vera, path = office.person(), f"/rooms/meeting/{second.id}"
    page = vera.get(path)

    assert f'value="{office.room()}"' not in page.text, "a taken room is not in the list"
    refused = vera.send(f"{path}/assign", page, room=str(office.room()), seen=str(second.room))
    assert 409 == refused.status_code
    assert vera.send(f"{path}/assign", page, room="nowhere", seen=str(second.room)).status_code == 409
    with office.town.store.read() as tx:
        assert second.room == getattr(tx.meetings.get(second.id), "room", None)


def test_a_room_closed_on_the_page_is_left_by_its_meetings_and_opened_again(office: Office) -> None:
    vera, room = office.person(), str(office.room())
    times = {"site": "torvet", "day": "2026-12-01", "room": room, "from": "2026-12-01T08:00", "to": "2026-12-01T12:00"}
    page = vera.get("/rooms/day?day=2026-12-01")

    closed = vera.send("/rooms/day/close", page, reason="<b>Maling</b>", **times)
    office.town.settle()

    assert "Lokalet er lukket. 1 møde har fået et andet lokale." in closed.text
    assert "&lt;b&gt;Maling&lt;/b&gt;" in closed.text
    assert room not in office.rooms_of_meeting()
    assert 1 == len(office.rooms_of_meeting())
    opened = vera.send("/rooms/day/open", closed, **times)
    assert "Lokalet er åbent igen." in opened.text


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-12-01T12:00", "2026-12-01T08:00"),
        ("2026-12-01T12:00", "2026-12-01T12:00"),
        ("2020-12-01T08:00", "2020-12-01T12:00"),
        ("2026-12-01T08:00", "2046-12-01T12:00"),
        ("nonsense", "2026-12-01T12:00"),
        ("2026-12-01T08:00+09:00", "2026-12-01T12:00"),
        ("0001-01-01T00:00", "9999-12-31T23:59"),
    ],
)
def test_a_span_that_cannot_be_meant_closes_nothing_and_keeps_what_was_typed(
    office: Office, start: str, end: str
) -> None:
    vera = office.person()
    page = vera.get("/rooms/day")
    fields = {"site": "torvet", "room": "lokale-1", "from": start, "to": end, "reason": "Maling af vægge"}
    assert 422 == vera.send("/rooms/day/close", page, **fields, day="0001-01-01").status_code
    refused = vera.send("/rooms/day/close", page, **fields)

    assert 422 == refused.status_code
    assert "Intet blev ændret" in refused.text
    assert 'value="Maling af vægge"' in refused.text
    with office.town.store.read() as tx:
        assert [] == tx.rooms.closed(Interval(NOW - timedelta(days=9999), NOW + timedelta(days=9999)))


@pytest.mark.parametrize("hours", [0.75, 65])
def test_a_form_sent_after_the_visit_ran_out_is_kept_for_the_same_person_and_done_once(
    office: Office, hours: float
) -> None:
    vera = office.person()
    page = vera.get("/rooms/day?day=2026-12-01")
    office.town.clock.at += timedelta(hours=hours)
    with office.town.store.begin() as tx:
        tx.visits.sweep(office.town.clock.at, Lifetime())  # as somebody else's sign-in does it
    fields = {"site": "torvet", "room": "lokale-1", "from": "2026-12-04T13:00", "to": "2026-12-04T15:00"}

    asked = vera.send("/rooms/day/close", page, reason='Møde om "lokaler"', **fields)
    assert "/sign-in" == asked.url.path
    assert "gemt" in asked.text
    window = Interval(NOW, NOW + timedelta(days=9))
    with office.town.store.read() as tx:
        assert [] == tx.rooms.closed(window)
    shown = vera.send("/sign-in", asked, name="vera", password=PASSWORD, next="/sign-in/resume")
    assert "/sign-in/resume" == shown.url.path
    again = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', shown.text))
    assert "Møde om &#34;lokaler&#34;" == again["reason"]
    done = vera.send("/rooms/day/close", shown, reason='Møde om "lokaler"', **fields)
    assert "Lokalet er lukket" in done.text
    with office.town.store.read() as tx:
        assert ['Møde om "lokaler"'] == [one.reason for one in tx.rooms.closed(window)]


def test_a_form_kept_for_one_person_is_not_shown_to_another(office: Office) -> None:
    otto = office.person("otto")
    page = otto.get("/rooms/day")
    office.town.clock.at += timedelta(minutes=45)
    asked = otto.send("/rooms/day/close", page, site="torvet", reason="Hemmeligt")
    shown = otto.send("/sign-in", asked, name="vera", password=PASSWORD, next="/sign-in/resume")

    assert "/home" == shown.url.path
    assert "Hemmeligt" not in shown.text


def test_every_form_of_every_page_insists_on_its_token(app: Any, shown: PageTown, vera: Person) -> None:
    # What a browser adds by itself gives no right on the booking page (ADR 13); an unknown secret opens nothing.
    programs = ("/api/", "/dfdg/", "/graph/", "/book/", "/messages/")
    posts = [
        route.path.replace("{name}", "x")
        for branch in app.routes
        for route in getattr(getattr(branch, "original_router", None), "routes", (branch,))
        if "POST" in (getattr(route, "methods", None) or ()) and not route.path.startswith(programs)
    ]

    assert len(posts) >= 6
    assert {403} == {vera.http.post(path, data={"csrf": "guess"}).status_code for path in posts}
    assert {403} == {vera.http.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code for path in posts}
