"""The test environment itself: real databases, and nothing skipped in silence."""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from tests import environment
from tests.postgres import Cluster


def test_each_test_gets_an_empty_postgresql_database_of_a_plain_role(postgres: Cluster) -> None:
    one, other = postgres.database(), postgres.database()

    with psycopg.connect(one.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE here (n int)")
        superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    with psycopg.connect(other.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert (False,) == superuser
    assert (0,) == tables


def test_a_template_is_built_once_and_copied(postgres: Cluster) -> None:
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE here (n int)")

    for _ in range(2):
        with psycopg.connect(postgres.copy("built", build).replace("+psycopg", "")) as connection:
            assert (0,) == connection.execute("SELECT count(*) FROM here").fetchone()
    assert 1 == len(built)


def test_a_copy_that_was_given_back_is_as_new(postgres: Cluster) -> None:
    def build(url: str) -> None:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE kept (id serial, n int CHECK (n > 0)); INSERT INTO kept (n) VALUES (7)")

    first = postgres.copy("kept", build)
    with contextlib.closing(psycopg.connect(first.replace("+psycopg", ""))) as left_open:
        left_open.execute("INSERT INTO kept (n) VALUES (1), (2)")
        left_open.commit()
        left_open.execute("LOCK TABLE kept")
        postgres.drop(first)
    again = postgres.copy("kept", build)
    with psycopg.connect(again.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT id, n FROM kept").fetchall()
        number = connection.execute("INSERT INTO kept (n) VALUES (9) RETURNING id").fetchone()
        connection.execute("ALTER TABLE kept DROP CONSTRAINT kept_n_check")
    postgres.drop(again)
    another = postgres.copy("kept", build)

    assert first == again
    assert [(1, 7)] == rows
    assert (2,) == number
    assert again != another, "a database with another schema is not used again"


def test_what_is_missing_skips_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_ALL", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"no-such-program is missing . cure: apt-get"):
        environment.program("no-such-program", "no-such-package")


def test_what_is_missing_fails_when_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_ALL", "1")

    with pytest.raises(pytest.fail.Exception, match=r"not/there is missing"):
        environment.shared("not/there")


def test_the_summary_names_each_gap_once() -> None:
    texts = ["Skipped: not covered: initdb is missing | cure: apt-get install postgresql"] * 3

    assert ["initdb is missing - cure: apt-get install postgresql (3 skipped)"] == environment.gaps(texts)


@pytest.mark.parametrize(("require_all", "code"), [("0", 0), ("1", 1)])
def test_a_plain_skip_fails_the_run_only_when_everything_is_required(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, require_all: str, code: int
) -> None:
    monkeypatch.setenv("REQUIRE_ALL", require_all)
    pytester.makeconftest("from tests.conftest import pytest_sessionfinish, pytest_terminal_summary")
    pytester.makepyfile("import pytest\ndef test_nothing(): pytest.skip('not today')\ndef test_all(): assert 1")

    result = pytester.runpytest_inprocess(f"--rootdir={pytester.path}", "-p", "no:cacheprovider", "-n0")

    result.stdout.fnmatch_lines(["*not covered on this machine*", "- not today (1 skipped)"])
    assert code == result.ret
