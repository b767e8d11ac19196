"""A configuration is looked at completely before anything is started, and without a database, too."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from syncd.clock import FixedClock, SystemClock
from syncd.config import Config, load
from syncd.config.describe import rules_example
from syncd.daemon.checking import checked
from syncd.daemon.parts import assemble, look_into_store, open_store, put_in_force, rebuilt
from syncd.errors import ConfigError, StoreError
from tests.unit.publishing import NOW

CLOCK = FixedClock(NOW)
GOOD = """
organisation = "Town"
database = "sqlite:///state/syncd.sqlite3"
rules_file = "offers.toml"
[calendars.main]
adapter = "memory"
[sites.hq]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "anna@example.dk"
site = "hq"
teams = ["job"]
"""
BROKEN = GOOD.replace('adapter = "memory"', 'adapter = "memory"\npassword = {file = "no.txt"}\nca_file = "no.pem"')


def configured(folder: Path, text: str = GOOD, rules: str | None = None) -> Config:
    (folder / "syncd.toml").write_text(text)
    (folder / "offers.toml").write_text(rules_example() if rules is None else rules)
    return load(folder / "syncd.toml")


def test_calendars_are_checked_without_a_database_and_none_is_made(tmp_path: Path) -> None:
    with checked(configured(tmp_path), SystemClock()) as found:
        anna = found.directory.mailboxes["anna"]
        assert found.ports[anna.account].check(anna).ok
        told = found.warnings(NOW)

    assert "is not set up yet" in told[0]
    assert any(text.startswith("offers.jobsamtale: room: site 'hq' has no room") for text in told)
    assert not (tmp_path / "state").exists()


def test_a_database_of_another_layout_or_none_at_all_is_a_note_of_a_check(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state/syncd.sqlite3").write_bytes(b"no database at all, just text" * 100)

    with checked(config, SystemClock()) as found:
        assert found.warnings(NOW)[0].startswith("The database was not looked into: ")


def test_the_rules_in_force_are_those_that_a_check_speaks_of(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "state").mkdir()
    put_in_force(assemble(config, open_store(config), CLOCK), CLOCK)

    with checked(config, SystemClock()) as found:
        assert ["jobsamtale"] == list(found.book.offers)
        assert 1 == found.book.number


@pytest.mark.parametrize("way", ["start", "check"])
def test_all_problems_come_before_anything_is_made(tmp_path: Path, way: str) -> None:
    config = configured(tmp_path, BROKEN, "[offers.talk]\nwho = ['nobody']")
    (tmp_path / "state").mkdir()

    with pytest.raises(ConfigError) as caught:  # noqa: PT012 - two ways to the same refusal
        if way == "start":
            open_store(config)
        else:
            with checked(config, SystemClock()):
                pass

    told = "\n".join(caught.value.problems)
    assert all(part in told for part in ("main.password: ", "main.ca_file: ", "offers.talk.who[0]: "))
    assert [] == list((tmp_path / "state").iterdir())


def test_a_reload_is_refused_with_all_problems(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "state").mkdir()
    kept = assemble(config, open_store(config), CLOCK)

    with pytest.raises(ConfigError) as caught:
        rebuilt(kept, configured(tmp_path, BROKEN, "[offers.talk]\nwho = ['nobody']"), CLOCK)

    told = "\n".join(caught.value.problems)
    assert all(part in told for part in ("main.password: ", "main.ca_file: ", "offers.talk.who[0]: "))


def test_rules_in_force_do_not_keep_the_service_down_when_somebody_left(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "state").mkdir()
    put_in_force(assemble(config, open_store(config), CLOCK), CLOCK)
    left = configured(tmp_path, GOOD.replace('teams = ["job"]', ""))

    parts = assemble(left, open_store(left), CLOCK)
    put_in_force(parts, CLOCK)

    assert 1 == parts.rulebook().number
    assert "jobsamtale" in parts.rulebook().offers


def test_a_database_made_by_a_command_is_closed_to_others(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "state").mkdir()
    look_into_store(config)

    assert 0o600 == stat.S_IMODE((tmp_path / "state/syncd.sqlite3").stat().st_mode)


def test_a_state_directory_that_is_missing_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder exists"):
        open_store(configured(tmp_path))
