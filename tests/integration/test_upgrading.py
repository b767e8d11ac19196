"""An upgrade is preceded by a backup that leads back, on either database; a newer layout is left alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from syncd.config import load
from syncd.config.load import Config
from syncd.daemon.parts import look_into_store, open_store
from syncd.daemon.upgrading import forget, new_file, upgrade
from syncd.errors import StoreError
from syncd.store import Store, schema
from syncd.store.backup import last_backup, restore, verify
from syncd.store.nodes import Nodes
from syncd.store.schema import demand_served, head, serving

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
OLDER = "0010"


def _config(folder: Path, database: str) -> Config:
    (folder / "syncd.toml").write_text(
        f'organisation = "Town"\ndatabase = "{database}"\n[backup]\nfolder = "kept"\nkeep_days = 7\n'
        '[calendars.main]\nadapter = "memory"\n[sites.hq]\nname = "Torvet 1"\n'
    )
    return load(folder / "syncd.toml")


@pytest.fixture
def old(tmp_path: Path, database_url: str) -> Config:
    """A database of some versions ago, in use."""
    store = Store(database_url)
    store.upgrade(OLDER)
    with store.begin() as tx:
        tx.settings.put("kept-by-test", "since r0010")
    store.close()
    return _config(tmp_path, database_url)


def test_the_backup_made_before_an_upgrade_holds_the_old_layout_and_can_be_restored(
    old: Config, tmp_path: Path
) -> None:
    store = open_store(old)
    [kept] = (tmp_path / "kept").iterdir()

    assert head() == store.revision()
    assert OLDER == verify(kept).revision
    assert f"syncd-before-{head()}-" in kept.name
    with store.read() as tx:
        assert last_backup(tx) is not None
    store.close()
    elsewhere = Store(f"sqlite:///{tmp_path}/elsewhere.sqlite3")
    elsewhere.upgrade()
    restore(elsewhere, kept, NOW, "cli:test")
    with elsewhere.read() as tx:
        assert "since r0010" == tx.settings.value("kept-by-test")


LAYOUTS = list(reversed(serving()))


@pytest.mark.parametrize(
    "layout",
    [*(pytest.param(one, marks=pytest.mark.broad) for one in LAYOUTS[:-2]), LAYOUTS[-2]],
)
def test_from_every_layout_there_was_a_single_node_on_sqlite_comes_to_the_newest(layout: str, tmp_path: Path) -> None:
    config = _config(tmp_path, "sqlite:///syncd.sqlite3")
    store = Store(config.database_url())
    store.upgrade(layout)
    store.close()

    # In a process of its own: what other tests teach SQLite must not help.
    code = (
        "import sys; from pathlib import Path; from syncd.config import load; from syncd.daemon.parts import open_store"
    )
    code += "; print(open_store(load(Path(sys.argv[1]))).revision())"
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "syncd.toml")], capture_output=True, text=True, check=False
    )

    assert head() == told.stdout.strip().splitlines()[-1], told.stderr
    assert [*(tmp_path / "kept").iterdir()]


@pytest.mark.parametrize(
    ("served", "says"),
    [
        (
            [head(), OLDER],
            "Way back: stop syncd, install the version before and start it; it goes on with this database",
        ),
        ([head()], "Way back: stop syncd, install the version before, give it an empty database"),
    ],
)
def test_the_way_back_asks_for_a_restore_only_when_the_version_before_cannot_go_on(
    served: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "serving", lambda: served)
    config = _config(tmp_path, "sqlite:///syncd.sqlite3")
    store = Store(config.database_url())
    store.upgrade(OLDER)

    told = upgrade(config, store, NOW).says

    assert says in told
    assert f"syncd db upgrade; syncd db restore {tmp_path}/kept/syncd-before-" in told


def test_without_a_backup_there_is_no_upgrade(old: Config, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("in the way")

    with pytest.raises(StoreError, match=r"kept cannot be made"):
        open_store(old)

    store = Store(old.database_url())
    assert OLDER == store.revision()


def test_a_database_of_a_newer_version_is_refused_in_a_sentence_and_not_even_backed_up(tmp_path: Path) -> None:
    config = _config(tmp_path, "sqlite:///syncd.sqlite3")
    store = open_store(config)
    with store.begin() as tx:
        tx.session.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
        tx.settings.put("layout_serves", "r9999 r9998")

    with pytest.raises(StoreError, match="made by a newer syncd than this one"):
        upgrade(config, store, NOW)
    with pytest.raises(StoreError, match="has layout r9999"):
        look_into_store(config)

    assert not (tmp_path / "kept").exists()


def test_a_database_that_a_newer_version_upgraded_is_used_as_long_as_that_one_says_so(tmp_path: Path) -> None:
    config = _config(tmp_path, "sqlite:///syncd.sqlite3")
    store = open_store(config)
    with store.begin() as tx:
        tx.session.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
        tx.settings.put("layout_serves", f"r9999 {head()}")

    upgrade(config, store, NOW)
    look_into_store(config).close()

    assert "r9999" == store.revision()
    assert not (tmp_path / "kept").exists()


def test_old_backups_are_removed_and_files_of_others_are_left(tmp_path: Path) -> None:
    config = _config(tmp_path, "sqlite:///syncd.sqlite3")
    files = {age: new_file(config, NOW - timedelta(days=age)) for age in (1, 6, 8)}
    others = [tmp_path / "kept" / name for name in ("syncd-mine.sqlite3", "syncd-19990101.sqlite3", "note.txt")]
    for file in (*files.values(), *others):
        file.write_text("x")

    assert [files[8]] == forget(config, NOW)
    assert {files[1], files[6], *others} == set((tmp_path / "kept").iterdir())


def test_an_upgrade_that_would_leave_a_living_node_behind_is_refused(postgres_url: str) -> None:
    store = Store(postgres_url)
    store.upgrade()
    with store.begin() as tx:
        Nodes(tx.session).join("app1", "all", "0.1.0", "0021")

    with store.raw() as connection, pytest.raises(StoreError, match=r"serve on this database \(app1\)"):
        demand_served(connection, ["9999", "0022"])
    with store.raw() as connection:
        demand_served(connection, serving())
    with store.begin() as tx:
        Nodes(tx.session).leave("app1")
    with store.raw() as connection:
        demand_served(connection, ["9999"])
    store.close()
