"""Fixtures of tests over HTTP: a town per test, behind one server per module; and of tests without: an office."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.store import Store
from tests.integration.web_town import Client, Served, Town, calling, serving
from tests.simulation.office import Office


@pytest.fixture(scope="module")
def served(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application behind a port; starting it takes a while, so a module shares it."""
    path = tmp_path_factory.mktemp("served") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    with serving(Town(store).deps()) as running:
        yield running
    store.close()


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Town]:
    """Two caseworkers, a room, nothing booked, Monday morning."""
    store = Store(migrated_sqlite_url)
    yield Town(store)
    store.close()


@pytest.fixture
def base(town: Town, served: Served) -> str:
    """Where the town answers HTTP."""
    return served.take(town)


@pytest.fixture
def portal(base: str) -> Iterator[Client]:
    """A client that may do everything."""
    with calling(base) as client:
        yield client


@pytest.fixture
def rival(base: str) -> Iterator[Client]:
    """Another client."""
    with calling(base, "rival") as client:
        yield client


@pytest.fixture
def weak(base: str) -> Iterator[Client]:
    """A client without any right."""
    with calling(base, "weak") as client:
        yield client


@pytest.fixture
def office(migrated_sqlite_url: str) -> Iterator[Office]:
    """Two caseworkers and their rooms, nothing booked, each calendar read once."""
    opened = Office.open(migrated_sqlite_url)
    yield opened
    opened.store.close()


@pytest.fixture
def any_office(migrated_url: str) -> Iterator[Office]:
    """The same on both databases."""
    opened = Office.open(migrated_url)
    yield opened
    opened.store.close()
