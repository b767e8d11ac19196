"""The page for facilities: its figures equal a recomputation from raw rows, and bad questions get friendly answers."""

from __future__ import annotations

import csv
import io
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from syncd.booking.room_figures import figures
from syncd.booking.room_usage import Ground, play
from syncd.model.role import Role
from syncd.model.zones import whole_days
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.demand import Outcome, curve, what_if
from syncd.roomalloc.layout import Space
from syncd.store import Store
from syncd.web.app import build_app
from syncd.web.pages import charts
from syncd.web.pages.spreadsheet import harmless
from tests.integration.test_room_pages import Person
from tests.page_town import NOW, ZONE, PageTown

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 29)
SPAN = f"from={FIRST}&to={LAST}"
COPENHAGEN = ZoneInfo(ZONE)


@pytest.fixture(scope="module")
def town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageTown]:
    """A town with five weeks behind it."""
    path = tmp_path_factory.mktemp("use") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    yield PageTown(store)
    store.close()


@pytest.fixture
def vera(town: PageTown) -> Person:
    """From the facilities team."""
    return Person(build_app(town.deps()), town.store, NOW, Role.FACILITIES)


def _ready(person: Person, path: str, mark: str) -> str:
    """The page once its figures are there."""
    for _ in range(200):
        if mark in (page := person.get(path).text):
            return str(page)
        time.sleep(0.1)
    raise AssertionError(page)


def _raw(town: PageTown) -> list[dict[str, Any]]:
    """The meetings of the period as plain rows, read with nothing of the product but its tables."""
    begin, end = (
        int(datetime(d.year, d.month, d.day, tzinfo=COPENHAGEN).timestamp()) for d in (FIRST, LAST + timedelta(days=1))
    )
    question = text(
        'SELECT m.id, m.room, m.start, m."end", m.wanted, m.created, m.offer, '
        "(SELECT count(*) FROM bookings b WHERE b.meeting = m.id AND b.state = 'no-show') AS absent, "
        "(SELECT count(*) FROM audit a WHERE a.meeting = m.id AND a.action LIKE 'meeting.room-%ed') AS moves "
        "FROM meetings m WHERE m.start >= :begin AND m.start < :end"
    )
    with town.store.read() as tx:
        return [dict(row._mapping) for row in tx.session.connection().execute(question, {"begin": begin, "end": end})]


def test_the_figures_equal_what_raw_rows_say(town: PageTown) -> None:
    with town.store.read() as tx:
        ground = Ground(tx, town.directory, town.rules(), whole_days(FIRST, LAST, ZONE))
        found = figures(ground, "torvet", list(town.directory.rooms.values()))
    rows, rooms = _raw(town), town.directory.rooms
    kept = [row for row in rows if row["wanted"]]
    held = [row for row in kept if not row["absent"]]
    minutes = lambda some: sum(row["end"] - row["start"] for row in some) / 60
    seats = {"jobsamtale": 2, "opfoelgning": 3, "netvaerk": 5, "sikker": 2, "rehab": 8}
    most = max(sum(one["start"] <= row["start"] < one["end"] for one in held) for row in held)
    lead = lambda row: (
        (
            datetime.fromtimestamp(row["start"], COPENHAGEN).date()
            - datetime.fromtimestamp(row["created"], COPENHAGEN).date()
        ).days
    )

    assert len(rows) > 300
    assert len(kept) == found.usage.meetings
    assert minutes(kept) / (20 * 9 * 480) == pytest.approx(found.usage.booked), "20 working days, 9 rooms, 8 hours"
    assert most == found.usage.peak == (found.peak.rooms if found.peak else 0)
    assert sum(bool(row["absent"]) for row in kept) / len(kept) == pytest.approx(found.usage.no_show)
    assert minutes(row for row in rows if not row["wanted"]) / 60 == pytest.approx(found.usage.released_hours)
    assert statistics.median(lead(row) for row in kept) == found.usage.lead_days
    assert 100 * sum(row["moves"] for row in kept) / len(kept) == pytest.approx(found.usage.moves)
    large = [row for row in kept if rooms[row["room"]].capacity >= 2 * seats[row["offer"]]]
    assert len(large) / len(kept) == pytest.approx(found.usage.oversized)
    people = sum(seats[row["offer"]] * (row["end"] - row["start"]) for row in held)
    assert people / sum(rooms[row["room"]].capacity * (row["end"] - row["start"]) for row in held) == pytest.approx(
        found.usage.occupancy
    )


def test_the_heat_map_is_the_median_of_weekdays_in_local_time(town: PageTown) -> None:
    with town.store.read() as tx:
        ground = Ground(tx, town.directory, town.rules(), whole_days(FIRST, LAST, ZONE))
        found = figures(ground, "torvet", list(town.directory.rooms.values()))
    held = [row for row in _raw(town) if row["wanted"] and not row["absent"]]
    tuesdays = [FIRST + timedelta(days=n) for n in (1, 8, 15, 22)]
    at = [int(datetime(day.year, day.month, day.day, 10, tzinfo=COPENHAGEN).timestamp()) for day in tuesdays]
    counts = [len({row["room"] for row in held if row["start"] < begin + 1800 and row["end"] > begin}) for begin in at]

    assert statistics.median(counts) / 9 == pytest.approx(found.heat[1, 20])


def test_the_curve_equals_whole_replays(town: PageTown) -> None:
    with town.store.read() as tx:
        ground = Ground(tx, town.directory, town.rules(), whole_days(date(2026, 11, 16), date(2026, 11, 20), ZONE))
        work_out, rooms = play(ground, "torvet"), ground.rooms("torvet")
        from dataclasses import replace

        from syncd.booking.room_usage import wishes

        asked = [replace(wish, outcome=Outcome.REFUSED) for wish in wishes(ground, "torvet")]
    points = work_out(lambda _share: None)  # the transaction is over
    spaces, hours = [Space.of(room) for room in rooms], {room.id: [(480, 960)] for room in rooms}
    base = what_if(spaces, asked, hours, Policy()).accepted
    small = replace(next(s for s in spaces if s.capacity == 3 and not s.features), id="more")
    more = what_if([*spaces, small], asked, {**hours, "more": [(480, 960)]}, Policy()).accepted

    assert {base} == {point.accepted for point in points if point.change == 0}
    assert more == next(point.accepted for point in points if point.seats == 3 and point.change == 1)
    for point in points:
        if point.change == -1:
            same = [s for s in spaces if s.capacity == point.seats]
            without = [what_if([s for s in spaces if s is not gone], asked, hours, Policy()).accepted for gone in same]
            assert point.accepted in without
    assert [] == curve([], asked, {}, Policy())


def test_the_page_says_how_far_it_is_and_then_shows_every_figure_with_its_meaning(vera: Person) -> None:
    page = _ready(vera, f"/rooms/use?{SPAN}", 'class="figures"')

    assert 10 == page.count('class="means"')
    for word in ("Udnyttelse", "Hvornår lokalerne er i brug", "Den rette størrelse", "Hvor der manglede lokaler"):
        assert word in page
    assert "style=" not in page
    what_if_page = _ready(vera, f"/rooms/what-if?{SPAN}", 'id="curve"')
    assert what_if_page.count('<tr class="now">') == 3


def test_the_table_to_take_along_holds_the_same_and_no_formula(vera: Person) -> None:
    answer = vera.get(f"/rooms/use.csv?{SPAN}")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";"))

    assert answer.text.startswith("\ufeff")
    assert "attachment" in answer.headers["content-disposition"]
    assert {4} == {len(row) for row in rows}
    page = _ready(vera, f"/rooms/use?{SPAN}", 'class="figures"')
    figures = [row[2] for row in rows if row[0] == "Nøgletal"]
    assert figures
    assert all(figure in page for figure in figures)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "@SUM(A1)", "-cmd|' /C calc'!A0", "\tx", "\rx", "-"])
def test_what_a_spreadsheet_might_run_is_made_harmless(cell: str) -> None:
    assert f"'{cell}" == harmless(cell)


@pytest.mark.parametrize("cell", ["-12", "-3,5", "Lokale 1.07", "44,6 %", ""])
def test_what_is_harmless_stays_as_it_is(cell: str) -> None:
    assert cell == harmless(cell)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-11-29&to=2026-11-02", 422),
        ("from=2022-12-01&to=2026-11-29", 422),
        ("from=1926-01-01&to=2026-01-01", 422),
        ("from=nonsense", 422),
        ("site=nowhere", 404),
        ("floor=x", 422),
        ("seats=99999999999", 422),
        ("floor=77", 200),
        ("from=2024-01-01&to=2024-01-05", 200),
        ("site=", 200),
    ],
)
def test_bad_questions_get_friendly_answers(vera: Person, query: str, status: int) -> None:
    answer = vera.get(f"/rooms/use?{query}")

    assert status == answer.status_code
    assert "Lokaleservice" in answer.text


def test_only_those_who_plan_rooms_see_how_they_are_used(town: PageTown) -> None:
    app = build_app(town.deps())
    for path in ("/rooms/use", "/rooms/use.csv", "/rooms/what-if"):
        assert 403 == Person(app, town.store, NOW, Role.STAFF).get(path).status_code
        assert 200 == Person(app, town.store, NOW, Role.MANAGER).get(f"{path}?{SPAN}").status_code


def test_a_chart_is_shapes_and_escaped_words_only() -> None:
    drawn = charts.bars("<b>Words</b> & more", ["<script>x</script>", "b"], {"<i>one</i>": [1, 2], "two": [3, None]})

    assert drawn.startswith("<svg")
    assert 3 == drawn.count("<rect") - drawn.count('class="background"') - 2, (
        "three bars, and two squares of the legend"
    )
    assert [] == [
        word
        for word in ("<script", "<style", "style=", "<!--", "onclick", "<b>", "<i>", "http://pygal")
        if word in drawn
    ]
    assert "&lt;script&gt;" in drawn
    assert datetime.now(UTC).strftime("%Y-%m-%d") not in drawn
