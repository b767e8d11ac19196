"""The lock on a whole database: who has it, what others are told, and what becomes of it when the line is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from syncd.daemon import occupancy
from syncd.daemon.occupancy import Holder, SessionLock, occupied, occupy, told_to_stop_first
from syncd.errors import StoreError
from syncd.store import Store
from tests.integration.cli_office import Done, Office, beside_other_tests


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This very process has the lock, and so is not taken for somebody who lives elsewhere in it."""
    monkeypatch.setattr(occupancy, "SHORT_PATIENCE", 0.0)
    with beside_other_tests():
        yield


def refused(store: Store, what: str = "syncd run", *, shared: bool = False) -> Sequence[Holder]:
    """Who has it already; nobody if we get it."""
    found: list[Holder] = []

    def refusal(holders: Sequence[Holder]) -> StoreError:
        found.extend(holders)
        return StoreError("taken")

    try:
        occupy(store, what, refusal, shared=shared, patience=0).close()
    except StoreError:
        return found
    return []


def test_one_has_the_database_and_the_next_one_is_told_who(database_url: str) -> None:
    first, second = Store(database_url), Store(database_url)
    assert [] == refused(second)

    with occupied(first, "syncd run"):
        (holder,) = refused(second)
        assert ("syncd run", os.getpid(), True) == (holder.what, holder.pid, holder.serves)
        with pytest.raises(StoreError, match=rf"^The service is running \(pid {os.getpid()}.*Nothing was changed\."):
            second_command(second)

    assert [] == refused(second)
    first.close()
    second.close()


def second_command(store: Store) -> None:
    with occupied(store, "syncd db restore"):
        pytest.fail("it was let in")


def test_nodes_share_it_and_keep_out_who_wants_it_alone(postgres_url: str) -> None:
    one, other = Store(postgres_url), Store(postgres_url)

    with occupied(one, "syncd run --role all", shared=True), occupied(other, "syncd run --role api", shared=True):
        assert ["syncd run --role all", "syncd run --role api"] == [each.what for each in refused(one)]
        assert [] == refused(one, "syncd db upgrade", shared=True)
    with occupied(one, "syncd run"):
        assert ["syncd run"] == [each.what for each in refused(other, shared=True)]
    one.close()
    other.close()


def test_a_lock_whose_line_was_lost_is_taken_again(postgres_url: str) -> None:
    store = Store(postgres_url)
    lock = SessionLock(store, "syncd run", shared=False)
    assert lock.take()

    with store.begin() as tx:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'syncd run %'"
        tx.session.execute(text(ended))
    lock.look()
    with occupied(store, "syncd db restore"):
        lock.look()  # it says so, and nothing else happens
    lock.look()

    assert [("syncd run", os.getpid())] == [(each.what, each.pid) for each in refused(store)]
    lock.close()
    assert [] == refused(store)
    store.close()


def test_a_command_at_work_is_not_called_the_service() -> None:
    told = str(told_to_stop_first([Holder("syncd db restore", 12)]))

    assert "`syncd db restore` is at work (pid 12). Nothing was changed. Wait until it has ended." == told


def test_who_died_without_a_word_is_not_told_to_be_stopped() -> None:
    assert [False, False, True] == [
        each.lives for each in (Holder("syncd run", 0), Holder("syncd run", 2**22 + 1), Holder("syncd run", 1))
    ]


@pytest.mark.parametrize(
    "command",
    [("db", "restore", "backup.sqlite3", "--yes"), ("db", "move", "--to", "sqlite:///{folder}/new.sqlite3")],
    ids=["restore", "move"],
)
def test_beside_a_running_service_nothing_is_replaced_or_moved(tmp_path: Path, command: tuple[str, ...]) -> None:
    office = Office(tmp_path)
    office.syncd("offers", "apply", office.rules)
    office.syncd("db", "backup", tmp_path / "backup.sqlite3")
    office.rules.write_text(office.rules.read_text().replace("step = 30", "step = 15"))
    office.syncd("offers", "apply", office.rules)
    store = Store(f"sqlite:///{tmp_path}/syncd.sqlite3")
    words = [word.format(folder=tmp_path).replace("backup.sqlite3", f"{tmp_path}/backup.sqlite3") for word in command]

    with occupied(store, "syncd run"):
        done: Done = office.syncd(*words)
    store.close()

    assert (1, True) == (done.code, f"The service is running (pid {os.getpid()}). Nothing was changed." in done.err)
    assert "step = 15" in office.syncd("offers", "export").out
    assert not (tmp_path / "new.sqlite3").exists()


def test_nothing_is_moved_to_where_a_service_runs(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.syncd("offers", "apply", office.rules)
    other = Store(f"sqlite:///{tmp_path}/new.sqlite3")

    with occupied(other, "syncd run"):
        done = office.syncd("db", "move", "--to", f"sqlite:///{tmp_path}/new.sqlite3")
    other.close()

    assert (1, True) == (done.code, "The service is running" in done.err)
    assert 0 == office.syncd("offers", "export").code
