"""What the town's operator wrote is a configuration that syncd itself accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.config import Config, client_of, load, secret
from syncd.demo import files
from syncd.demo.radicale import CalendarServer
from syncd.model.directory import Directory
from syncd.rulebook import parse


@pytest.fixture
def config(tmp_path: Path) -> Config:
    server = CalendarServer("http://127.0.0.1:5232/", files.passwords(tmp_path))
    return load(files.write(tmp_path, server, 8080))


@pytest.fixture
def directory(config: Config) -> Directory:
    return config.directory()


def test_the_whole_town_is_in_the_directory(directory: Directory) -> None:
    assert (12, 6) == (len(directory.caseworkers), len(directory.rooms))
    assert frozenset({"alarm"}) == directory.rooms["lokale-0-02"].features
    assert "http://127.0.0.1:5232/anna/kalender/" == directory.mailboxes["anna"].url


def test_the_rules_serve_every_team(tmp_path: Path, directory: Directory) -> None:
    book = parse(files.RULES_TEXT, directory, 1)

    assert set(directory.caseworkers) == {who for offer in book.offers.values() for who in offer.caseworkers}
    assert set(directory.caseworkers) == set(book.hours)


def test_secrets_are_references_kept_for_the_next_start_and_private(config: Config, tmp_path: Path) -> None:
    account = config.calendars["radicale"]
    assert account.password is not None

    assert files.secret(tmp_path, "syncd") == secret(account.password)
    assert "portal" == client_of(config.clients, files.secret(tmp_path, "portal"))
    assert {0o600} == {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()}
