"""`syncd check` over a tenant: mailbox by mailbox what is allowed and what is missing, and what is too much."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment import shared
from tests.integration.cli_office import beside_other_tests, spoken
from tests.servers.graph import GraphServer

CONFIG = """
organisation = "Town"
database = "sqlite:///syncd.sqlite3"
[calendars.cloud]
adapter = "graph"
[calendars.cloud.graph]
tenant = "town.example"
client_id = "app-1"
secret = {{file = "secret"}}
graph_url = "{url}"
login_url = "{url}"
control = "boss@example.dk"
[sites.hq]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "anna@example.dk"
site = "hq"
[[caseworkers]]
id = "bo"
name = "Bo"
address = "bo@example.dk"
site = "hq"
[[rooms]]
id = "r1"
name = "1.07"
address = "r1@example.dk"
site = "hq"
capacity = 4
"""


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[GraphServer]:
    with beside_other_tests(), GraphServer(shared("reference/graph-metadata/cleanMetadata.xml")) as server:
        server.door.application("app-1", secret="s3cret")
        for one in ("anna", "bo", "boss"):
            server.mailbox(f"{one}@example.dk", one.title())
        server.room("r1@example.dk", "1.07").writable = False
        server.world.boxes["boss@example.dk"].allowed = False
        (tmp_path / "syncd.toml").write_text(CONFIG.format(url=server.base))
        (tmp_path / "secret").write_text("s3cret")
        yield server
        assert server.validator is not None
        assert server.validator.violations == []


def told(folder: Path) -> tuple[int, str]:
    """The exit code, and what is shown, each thing on a line of its own."""
    done = spoken("check", "--config", folder / "syncd.toml")
    return done.code, done.out


def test_a_scope_that_fits_is_enough_and_not_too_much(graph: GraphServer, tmp_path: Path):
    graph.consent("Place.Read.All")

    code, shown = told(tmp_path)

    assert 0 == code
    assert "The calendar of anna@example.dk can be read and written" in shown
    assert "The calendar of r1@example.dk can be read; changes by" in shown
    assert "fits cloud  Permissions for the whole tenant: Place.Read.All; none opens a mailbox." in shown
    assert "fits cloud  boss@example.dk is closed to syncd, as it should be." in shown
    assert "too much" not in shown


def test_each_mailbox_says_what_it_lacks_and_what_is_too_much(graph: GraphServer, tmp_path: Path):
    graph.world.boxes["anna@example.dk"].writable = False
    graph.world.boxes["bo@example.dk"].allowed = False
    graph.world.boxes["r1@example.dk"].writable = True
    graph.world.boxes["boss@example.dk"].allowed = True

    code, shown = told(tmp_path)

    assert 1 == code
    assert "FAIL anna  The calendar of anna@example.dk can be read, but nothing may be written into it." in shown
    assert "FAIL bo" in shown
    assert "Test-ServicePrincipalAuthorization -Identity app-1 -Resource bo@example.dk" in shown
    assert "ok   r1    The calendar of r1@example.dk can be read;" in shown
    assert "It may be changed, too, which is more than syncd needs" in shown
    assert "too much cloud  syncd can read the calendar of boss@example.dk, which must be closed to it" in shown


def test_a_consent_for_the_whole_tenant_is_too_much_for_a_program_that_reads_the_answer_too(
    graph: GraphServer, tmp_path: Path
):
    graph.consent("Calendars.ReadWrite")

    done = spoken("check", "--config", tmp_path / "syncd.toml", "--json")

    rights, control = done.json["scopes"]
    assert (False, "Calendars.ReadWrite", False) == (rights["ok"], rights["facts"]["roles"], control["ok"])
    assert [] == [one for one in graph.seen if one.operation in ("create", "delete")]
    assert all(not box.events for box in graph.world.boxes.values())
