"""The page of health: what /metrics counts, told in words to those who operate the service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.model.role import Role
from syncd.observe.metrics import REGISTRY
from syncd.store import Store
from syncd.store.backup import MADE
from syncd.web.app import build_app
from syncd.web.health import Check, Health, Standing
from tests.integration.test_room_pages import Person
from tests.page_town import NOW, TABLES, PageTown, Size


@pytest.fixture(scope="module")
def town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageTown]:
    """An office with one room whose calendar is too old."""
    path = tmp_path_factory.mktemp("health") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = PageTown(store, Size(3, 4, 5, 2))
    town.unreadable("lokale-002")
    yield town
    store.close()


def _page(town: PageTown, *roles: Role, path: str = "/health", **more: Any) -> str:
    page = Person(build_app(replace(town.deps(), **more)), town.store, NOW, *roles).get(path)
    return f"{page.status_code} {page.text}"


def _cells(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_an_operator_reads_which_calendar_is_closed_why_and_what_to_do(town: PageTown) -> None:
    told = _cells(_page(town, Role.OPERATOR))

    assert "Lukkede kalendere 1 af 7" in told
    assert "Lokale 0.02 lokale-002 none 2 d 0 t Kalenderen er sidst læst 2026-11-28 09:40" in told
    assert "Se, om dens server svarer: syncd check --problems" in told
    assert "Seneste sikkerhedskopi aldrig" in told


def test_the_page_is_for_operators_only(town: PageTown) -> None:
    others = [role for role in Role if role is not Role.OPERATOR]

    assert {"403"} == {_page(town, role)[:3] for role in others}


def test_every_figure_of_metrics_is_on_the_page_with_its_value(town: PageTown) -> None:
    told = _page(town, Role.OPERATOR, path="/health?lang=en")
    plain = {
        sample.name
        for family in REGISTRY.collect()
        if family.type != "histogram"
        for sample in family.samples
        if not sample.name.endswith("_created")
    }

    assert plain
    assert set() == {name for name in plain if f"<code>{name}</code>" not in told}


def test_a_fresh_backup_and_what_is_owed_longest_are_told(town: PageTown) -> None:
    with town.store.begin() as tx:
        tx.settings.put(MADE, (NOW - timedelta(hours=5)).isoformat())
        meetings = TABLES["meetings"]
        owed = {"applied_generation": 0, "owed_since": int(NOW.timestamp()) - 7500, "attempts": 4}
        first = tx.session.execute(meetings.select().where(meetings.c.wanted).limit(1)).one().id
        tx.session.execute(meetings.update().where(meetings.c.id == first).values(**owed))
    told = _cells(_page(town, Role.OPERATOR))

    assert "Seneste sikkerhedskopi 5 t" in told
    assert f"{first} 2 t 5 min 4" in told


def test_each_check_that_is_not_good_says_the_next_step(town: PageTown) -> None:
    bad = [Check(name, Standing.DEGRADED, "Noget.", "Something.") for name in ("calendars", "writes", "tasks")]
    told = _cells(_page(town, Role.OPERATOR, health=lambda: Health(tuple(bad))))

    assert 3 == told.count("Næste skridt")
    assert "syncd writes status" in told
    assert "Tjenesten virker, men noget kræver opmærksomhed." in told


def test_a_database_that_cannot_be_read_is_told_and_not_a_broken_page(town: PageTown) -> None:
    down = Health((Check("database", Standing.DOWN, "Databasen kan ikke bruges.", "The database cannot be used."),))
    app = build_app(replace(town.deps(), health=lambda: down))
    person = Person(app, town.store, NOW, Role.OPERATOR)
    whole = town.store.revision
    try:
        town.store.revision = _fails  # type: ignore[method-assign]  # a database that is down
        page = person.get("/health")
    finally:
        town.store.revision = whole  # type: ignore[method-assign]  # as it was

    assert 200 == page.status_code
    assert "Databasen kan ikke bruges." in page.text
    assert "The disk is full." in page.text


def _fails() -> str | None:
    from syncd.errors import StoreError

    raise StoreError("The disk is full.")
