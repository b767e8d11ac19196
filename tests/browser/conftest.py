"""Fixtures of tests in a browser: one browser and one office per module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from syncd.config import LocalAccountSection, PagesSection
from syncd.config.passwords import hashed
from syncd.model.role import Role
from syncd.store import Store
from syncd.web.page_parts import PageParts
from tests.browser.eyes import chromium
from tests.environment import program
from tests.integration.web_town import Served, Town, serving

PASSWORD = "tre små grise i skoven"
ACCOUNT = LocalAccountSection(name="vera", password=hashed(PASSWORD, cost=4), roles=frozenset(Role))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    program("chromium", "chromium")
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def small_office(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Served]]:
    """Two caseworkers and a room behind HTTP, with one local account that may do everything."""
    path = tmp_path_factory.mktemp("office") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = Town(store)
    with serving(replace(town.deps(), pages=PageParts(PagesSection(accounts=(ACCOUNT,))))) as running:
        yield town, running
    store.close()


@pytest.fixture
def cookie(small_office: tuple[Town, Served]) -> str:
    """Of a visit of somebody with every role."""
    town, _ = small_office
    with town.store.begin() as tx:
        return tx.visits.add(town.clock.now(), subject="vera", name="Vera Holm", roles=frozenset(Role), language="")
