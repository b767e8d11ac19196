"""What the citizen sees: exactly the times of the interface, why an hour has none, and a card with a code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.config import PagesSection
from syncd.model.interval import Interval
from syncd.model.role import Role
from syncd.model.zones import instant, wall_clock
from syncd.store import Store
from syncd.web.app import build_app
from syncd.web.page_parts import PageParts
from tests.integration.test_room_pages import Person
from tests.integration.web_town import NOW, TOKENS, ZONE, Town


@pytest.fixture(scope="module")
def town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Two caseworkers; Anna has an appointment on Tuesday from ten to eleven, and Bo's offer is restricted."""
    path = tmp_path_factory.mktemp("citizen") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = Town(store)
    for who in ("anna", "bo"):
        town.busy(who, datetime.fromisoformat("2026-12-01T09:00:00+00:00"), 60)
    town.sync()
    yield town
    store.close()


@pytest.fixture(scope="module")
def helper(town: Town) -> Person:
    """Somebody at the counter."""
    pages = PageParts(PagesSection(portal_url="https://jobnet.dk"))
    return Person(build_app(replace(town.deps(), pages=pages)), town.store, NOW, Role.STAFF)


def _shown(page: Any) -> list[str]:
    return re.findall(r'<span class="time">([^<]+)</span>', page.text)


def _api(helper: Person, query: str = "") -> list[str]:
    window = "from=2026-11-29T23:00:00Z&to=2026-12-06T23:00:00Z"
    headers = {"Authorization": f"Bearer {TOKENS['portal']}", "Accept": "application/json"}
    answer = helper.http.get(f"/api/v1/offers/jobsamtale/slots?{window}{query}", headers=headers).json()
    starts = {datetime.fromisoformat(one["start"]) for one in answer["slots"]}
    return [f"{at:%H.%M}" for at in sorted(wall_clock(one, ZONE) for one in starts)]


@pytest.mark.parametrize(
    ("page", "api"), [("", ""), ("&form=phone", "&form=phone"), ("&latest=2026-12-02", "&latest=2026-12-02")]
)
def test_the_times_are_exactly_those_of_the_interface(helper: Person, page: str, api: str) -> None:
    wanted = _api(helper, api)

    assert wanted
    assert sorted(wanted) == sorted(_shown(helper.get(f"/citizen?offer=jobsamtale&from=2026-11-30{page}")))


def test_an_hour_without_times_says_why_for_each_who_serves(helper: Person, town: Town) -> None:
    page = helper.get("/citizen?offer=jobsamtale&from=2026-12-01")
    asks = re.findall(r'class="none" href="([^"]+)"', page.text)
    at_ten = next(one for one in asks if "why=2026-12-01T10" in one).replace("&amp;", "&").partition("#")[0]
    told = helper.get(at_ten).text

    assert "<strong>2</strong> Optaget i kalenderen (optaget) 10:00–11:00." in told
    assert "Anna: Optaget i kalenderen" in told
    at = instant(date(2026, 12, 1), datetime.fromisoformat("2026-12-01T10:00").time(), ZONE)
    assert {"event"} == {str(one.reason) for one in town.publisher.whys("jobsamtale", at, NOW)}


def test_asking_for_everybody_at_once_answers_as_asking_one_by_one(town: Town) -> None:
    for hour in range(7, 14):
        at = datetime.fromisoformat(f"2026-12-01T{hour:02d}:00:00+00:00")
        together = {one.caseworker: (one.reason, one.says) for one in town.publisher.whys("jobsamtale", at, NOW)}
        alone = {who: town.publisher.why("jobsamtale", who, at, NOW) for who in ("anna", "bo")}
        assert together == {who: (one.reason, one.says) for who, one in alone.items()}


def test_looking_books_nothing(helper: Person, town: Town) -> None:
    window = Interval(NOW, NOW + timedelta(days=30))
    with town.store.read() as tx:
        before, generation = tx.rooms.used(window), tx.settings.generation()
    for path in ("/citizen", "/citizen?why=2026-12-01T10:00", "/citizen/card"):
        assert 200 == helper.get(path).status_code
    with town.store.read() as tx:
        assert list(before) == list(tx.rooms.used(window))
        assert generation == tx.settings.generation()


def test_a_card_names_the_deadline_and_carries_a_code_that_leads_to_the_portal(helper: Person) -> None:
    page = helper.get("/citizen/card?offer=jobsamtale&until=2026-12-11&latest=2026-12-18").text

    assert "fredag den 11. december 2026" in page
    assert "Samtalen skal holdes senest fredag den 18. december 2026." in page
    assert "Borgerservice, tlf. 12 34 56 78" in page
    assert 1 == page.count('class="qr"')
    assert "indkald" not in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/citizen?offer=findes-ikke", 404),
        ("/citizen?offer=opfoelgning&form=in-person", 422),
        ("/citizen?own=ingen", 404),
        ("/citizen?from=2056-01-01", 422),
        ("/citizen?from=igår", 422),
        ("/citizen?latest=9999-12-31", 422),
        ("/citizen?why=2026-12-01T10:00Z", 422),
        ("/citizen?why=%00", 422),
        ("/citizen/card?until=2026-12-18&latest=2026-12-11", 422),
        ("/citizen?contact_group=%3Cscript%3E", 200),
    ],
)
def test_what_cannot_be_shown_is_refused_kindly(helper: Person, path: str, status: int) -> None:
    page = helper.get(path)

    assert status == page.status_code
    assert "<script>" not in page.text


def test_the_page_is_for_those_who_help(town: Town) -> None:
    app = build_app(town.deps())
    may = {role for role in Role if 200 == Person(app, town.store, NOW, role).get("/citizen").status_code}

    assert {Role.STAFF, Role.COORDINATOR, Role.MANAGER} == may
