"""Supply: the figures equal a recomputation from raw rows, and nobody sees more of others than the role allows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from syncd.dfdg.reporting import Reporting
from syncd.dfdg.talks import share, talks
from syncd.model.dfdg import About, Deadline, Record, Said, Words
from syncd.model.interval import Interval
from syncd.model.role import Role
from syncd.model.zones import whole_days
from syncd.store import Store
from syncd.web.app import build_app
from syncd.web.pages.supply.board import BEHIND, Board, Ground, board
from tests.integration.test_room_pages import Person
from tests.page_town import NOW, TABLES, TODAY, ZONE, PageTown, Size

MONDAY, WEEK = TODAY, timedelta(days=7)


@pytest.fixture(scope="module")
def town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageTown]:
    """An office that expects things, with somebody for each usual reason to have no time."""
    path = tmp_path_factory.mktemp("supply") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = PageTown(store, Size(5, 12, 40, 4))
    town.expecting()
    yield town
    store.close()


@pytest.fixture(scope="module")
def found(town: PageTown) -> Board:
    """What was worked out."""
    return board(_ground(town))


def _ground(town: PageTown, reporting: Reporting | None = None) -> Ground:
    return Ground(town.store, town.publisher, town.directory, reporting, NOW)


def _get(town: PageTown, path: str, *roles: Role, subject: str = "vera", **more: Any) -> Any:
    person = Person(build_app(replace(town.deps(), **more)), town.store, NOW, *roles, subject=subject)
    page = person.get(path)
    while "data-fresh" in page.text:
        page = person.get(path)
    return page


def _rows(town: PageTown) -> list[Any]:
    meetings, bookings = TABLES["meetings"], TABLES["bookings"]
    with town.store.read() as tx:
        joined = meetings.join(bookings, bookings.c.meeting == meetings.c.id)
        columns = (meetings.c.caseworker, meetings.c.start, bookings.c.state, bookings.c.client, bookings.c.created)
        return list(tx.session.execute(joined.select().with_only_columns(*columns)))


def _in(week: Interval, start: int) -> bool:
    return week.start.timestamp() <= start < week.end.timestamp()


def test_booked_meetings_equal_the_raw_rows(town: PageTown, found: Board) -> None:
    week = whole_days(MONDAY, MONDAY + timedelta(days=6), ZONE)
    alive = [row for row in _rows(town) if row.state in ("pending", "confirmed") and _in(week, row.start)]
    counted = Counter(row.caseworker for row in alive)

    assert counted
    assert {one.who.id: counted[one.who.id] for one in found.whole.people} == {
        one.who.id: one.cells[0].booked for one in found.whole.people
    }
    assert sum(counted.values()) == found.whole.cells[0].booked


def test_what_is_on_offer_is_what_fits_side_by_side_among_the_times_of_the_interface(
    town: PageTown, found: Board
) -> None:
    week = whole_days(MONDAY + WEEK, MONDAY + WEEK + timedelta(days=6), ZONE)
    for person in ("p000", "p002", "p003"):
        best = 0
        for offer in ("jobsamtale", "opfoelgning", "netvaerk", "sikker", "rehab"):
            ends: dict[str, Any] = {}
            fit: Counter[str] = Counter()
            for slot in town.publisher.answer(offer, week, NOW, caseworker=person).slots:
                if slot.form not in ends or slot.interval.start >= ends[slot.form]:
                    ends[slot.form] = slot.interval.end
                    fit[slot.form] += 1
            best = max(best, max(fit.values(), default=0))
        shown = found.person(person)
        assert shown is not None
        assert best == shown.cells[1].left


def test_the_share_equals_the_formula_on_raw_bookings(town: PageTown, found: Board) -> None:
    team = found.team("job")
    assert team is not None
    people = {one.who.id for one in team.people}
    period = whole_days(MONDAY - 4 * WEEK, MONDAY - timedelta(days=1), ZONE)
    counted = [
        row.client == "portal"
        for row in _rows(town)
        if row.caseworker in people
        and row.state in ("pending", "confirmed", "no-show")
        and _in(period, row.start)
        and row.created < row.start
    ]

    assert 10 < len(counted)
    assert sum(counted) / len(counted) == team.now.value
    assert BEHIND == len(team.shares)


def test_dfdgs_records_are_counted_where_it_is_reported_to(town: PageTown) -> None:
    start = NOW - timedelta(days=7)
    said = Said(start, start + timedelta(minutes=45), "RID-1", 1)
    made = [
        Record("a", About(7, True, "1"), said, start - WEEK),
        Record("b", About(7, False, "1"), said, start - WEEK),
        Record("c", About(17, False, "1"), said, start - WEEK),
        Record("d", About(7, True, "1"), said, start),
    ]
    words = Words({"p000": "RID-1"}, offers={7: ("jobsamtale",)})
    reporting = cast(Reporting, SimpleNamespace(ledger=SimpleNamespace(words=words), benefit=("1",), summonses=True))
    period = Interval(start - WEEK, NOW)
    with town.store.begin() as tx:
        for record in made:
            tx.dfdg.save(record)
        tx.dfdg.keep_deadline(Deadline("f", "borger", 7, TODAY + timedelta(days=9), TODAY + timedelta(days=9)), NOW)
        of_dfdg = talks(tx, period, town.rules(), reporting)
    counted = board(_ground(town, reporting))
    left = next(one for one in counted.windows if one.deadlines)

    assert {"p000"} == {talk.caseworker for talk in of_dfdg}
    assert (1, 1, 2) == (lambda s: (s.self_booked, s.summoned, s.left_out))(share(of_dfdg, period, ("1",), _seen()))
    assert ("jobsamtale", 1, TODAY + timedelta(days=9)) == (left.offer, left.asked, left.until)
    assert counted.whole.now.value == 0.5


def _seen() -> Any:
    from syncd.dfdg.figures import Coverage

    return Coverage(True, None, None)


def test_whoever_has_nothing_on_offer_is_told_with_the_reason(found: Board) -> None:
    told = {one.who.id: one.without.cause.value for one in found.whole.people if one.without}

    assert {"p003": "busy", "p004": "stale", "p005": "rule"} == told


def test_a_quota_that_is_reached_is_the_reason(town: PageTown) -> None:
    town.expecting(quota=20)
    try:
        told = {one.who.id: one.without.cause.value for one in board(_ground(town)).whole.people if one.without}
    finally:
        town.expecting()

    assert "quota" == told["p007"]


def test_managers_see_persons_coordinators_teams_and_caseworkers_themselves(town: PageTown) -> None:
    names = [one.name for one in town.directory.caseworkers.values()]
    me, other = names[0], names[1]
    manager = _get(town, "/supply", Role.MANAGER).text
    coordinator = _get(town, "/supply", Role.COORDINATOR)
    own = _get(town, "/supply", Role.STAFF, subject="P000@example.dk").text

    assert 200 == coordinator.status_code
    assert [] == [name for name in names if name not in manager]
    assert [] == [name for name in names if name in coordinator.text]
    assert me in own
    assert other not in own
    assert "Kalenderen kan ikke læses nu" in coordinator.text
    assert 403 == _get(town, "/supply", Role.FACILITIES).status_code
    assert 404 == _get(town, "/supply", Role.STAFF, subject="nobody").status_code
    assert 404 == _get(town, "/supply.csv", Role.STAFF, subject="p000").status_code


def test_the_table_has_the_same_figures_and_nothing_a_spreadsheet_would_run(town: PageTown, found: Board) -> None:
    first = town.directory.caseworkers["p000"]
    town.directory = replace(
        town.directory, caseworkers={**town.directory.caseworkers, "p000": replace(first, name="=HYPERLINK(1)")}
    )
    try:
        text = _get(town, "/supply.csv?lang=en", Role.MANAGER).text
        without = _get(town, "/supply.csv?lang=en", Role.COORDINATOR).text
    finally:
        town.directory = replace(town.directory, caseworkers={**town.directory.caseworkers, "p000": first})
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    jobs = [row for row in rows if row[:3] == ["Team", "job", ""]]
    team = found.team("job")
    assert team is not None

    assert [f"{cell.booked}" for cell in team.cells] == [row[5] for row in jobs]
    assert [f"{cell.left}" for cell in team.cells] == [row[6] for row in jobs]
    assert "'=HYPERLINK(1)" in {row[2] for row in rows}
    assert [] == re.findall(r"(?:^|;)[=+@]", text)
    assert "Person" not in without


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("weeks=0", 422),
        ("weeks=-3", 422),
        ("weeks=5200", 422),
        ("weeks=x", 422),
        ("team=ingen", 404),
        ("team=%3Cscript%3E", 404),
        ("weeks=6&team=job", 200),
        ("", 200),
    ],
)
def test_what_cannot_be_shown_is_refused_kindly(town: PageTown, query: str, status: int) -> None:
    page = _get(town, f"/supply?{query}", Role.MANAGER)

    assert status == page.status_code
    assert "<script>" not in page.text
    assert "Lokaleservice, tlf. 12 34 56 78" in page.text


def test_an_office_without_people_or_past_has_a_friendly_page(town: PageTown) -> None:
    whole = town.directory
    town.directory = replace(whole, caseworkers={})
    try:
        page = _get(town, "/supply", Role.MANAGER)
    finally:
        town.directory = whole

    assert 200 == page.status_code
    assert "Ingen har et mødetilbud her endnu" in page.text


def test_a_week_begins_on_monday_also_when_clocks_change(town: PageTown) -> None:
    assert date(2026, 11, 30) == MONDAY
    at = whole_days(date(2026, 10, 19), date(2026, 10, 25), ZONE)

    assert timedelta(hours=7 * 24 + 1) == at.duration
