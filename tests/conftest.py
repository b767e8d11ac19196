"""Fixtures for every test: databases of both kinds, and the list of what the machine could not cover."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpcore2
import hypothesis
import pytest

from tests import environment
from tests.postgres import Cluster

# The same examples everywhere: a red run can be repeated, and a green one says the same tomorrow.
hypothesis.settings.register_profile("steady", derandomize=True, database=None, deadline=None, max_examples=60)
hypothesis.settings.register_profile("deep", database=None, deadline=None, max_examples=2000)
hypothesis.settings.load_profile("steady")

# Thousands of tests are collected and stay; each look for garbage through all of them takes 0.6 seconds.
gc.set_threshold(20_000, 20, 20)

# Loading the machine's authorities costs a tenth of a second; hundreds of clients here only ever call loopback.
httpcore2.default_ssl_context = cache(httpcore2.default_ssl_context)


LONG = {
    "test_canaries_pages",
    "test_citizen_messages",
    "test_cli_calendars",
    "test_cli_daily",
    "test_cli_office",
    "test_cli_process",
    "test_cli_rooms",
    "test_dfdg_report",
    "test_ews_stream",
    "test_fuzz_ics",
    "test_graph_notices",
    "test_hybrid_servers",
    "test_invited_rooms",
    "test_jobnet_refusals",
    "test_marks",
    "test_marks_caldav",
    "test_opening_hours",
    "test_privacy_of_calendars",
    "test_rooms_judge",
    "test_servers_known",
    "test_upgrading",
}
"""Files left to `make test-broad`: seconds of processor each that `make test` does not have in its six minutes."""
LONG_ON_POSTGRESQL = {"test_audit_chain", "test_jobnet_books", "test_rooms_moves", "test_store_backup"}
"""Files whose half on PostgreSQL is left to it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is left to `make test-broad`."""
    for item in items:
        name = item.path.stem
        if name in LONG or (name in LONG_ON_POSTGRESQL and "postgres" in item.name.partition("[")[2]):
            item.add_marker(pytest.mark.broad)


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later look for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """This test process's own PostgreSQL server, started when first asked for."""
    cluster = Cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """URL of a new, empty PostgreSQL database, dropped afterwards."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'syncd.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database of each kind; the test runs once for each."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


def _upgrade(url: str) -> None:
    """Bring a database to the newest schema and let go of it."""
    from syncd.store import Store

    store = Store(url)
    store.upgrade()
    store.close()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "syncd.db"
    _upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def migrated_sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """URL of an SQLite database with the newest schema (a file copy, so a millisecond)."""
    shutil.copyfile(_sqlite_template, tmp_path / "syncd.db")
    return f"sqlite:///{tmp_path / 'syncd.db'}"


@pytest.fixture
def migrated_postgres_url(postgres: Cluster) -> Iterator[str]:
    """URL of a PostgreSQL database with the newest schema (a copy of a template)."""
    url = postgres.copy("migrated", _upgrade)
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """URL of a database of each kind with the newest schema; the test runs once for each."""
    kind = "migrated_sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    return str(request.getfixturevalue(kind))


def _skips(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return [str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr) for report in reports]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Under REQUIRE_ALL=1 a skip is a failure, by whatever road it came."""
    if exitstatus == pytest.ExitCode.OK and environment.require_all() and _skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the machine lacked."""
    if gaps := environment.gaps(_skips(config)):
        terminalreporter.section("not covered on this machine")
        for gap in gaps:
            terminalreporter.line(f"- {gap}")
        if environment.require_all():
            terminalreporter.line("REQUIRE_ALL is set: this run counts as failed.")
