"""Writes that wait at the same time on SQLite: one transaction, and everybody told only what is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, text

from syncd.errors import SlotGone, StoreError
from syncd.store import Store, Tx
from syncd.store.tables import Setting
from tests.unit.test_store_turns import wait_until

Work = Callable[[Tx], object]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/syncd.db")
    store.upgrade()
    yield store
    store.close()


def writes(name: str) -> Work:
    def work(tx: Tx) -> str:
        tx.session.execute(insert(Setting).values(name=name, value="x"))
        return name

    return work


def refused_after(name: str) -> Work:
    def work(tx: Tx) -> None:
        writes(name)(tx)
        raise SlotGone("Somebody was faster.")

    return work


def adds_twice(name: str) -> Work:
    """A flush of the ORM that the database refuses, which takes a session's transaction back."""

    def work(tx: Tx) -> None:
        tx.session.add_all([Setting(name=name, value="x"), Setting(name="installation", value="y")])
        tx.session.flush()

    return work


def loses_all(tx: Tx) -> None:
    """What a full disk does: SQLite takes the whole transaction back by itself."""
    tx.session.execute(text("INSERT OR ROLLBACK INTO settings (name, value) VALUES ('installation', 'y')"))


def known(store: Store) -> set[str]:
    with store.read() as tx:
        return set(tx.session.scalars(select(Setting.name)))


def together(store: Store, works: Sequence[Work], asked: list[Future[object]] | None = None) -> list[Future[object]]:
    """All *works*, each by a thread of its own, that had to wait for the same turn; in this order."""
    asked = [] if asked is None else asked
    group = store._together
    assert group is not None
    with ThreadPoolExecutor(len(works)) as pool, store.begin():
        for number, work in enumerate(works, 1):
            asked.append(pool.submit(store.run, work))
            wait_until(lambda number=number: group.waiting() == number)  # type: ignore[misc]  # mypy infers no default of a lambda
    return asked


def commits(store: Store) -> list[str]:
    """Filled with a word at each commit."""
    told: list[str] = []
    event.listen(store._writer, "commit", lambda _: told.append("commit"))
    return told


def test_what_waits_together_is_committed_once(store: Store) -> None:
    told = commits(store)

    asked = together(store, [writes(f"w{number}") for number in range(8)])

    assert [f"w{number}" for number in range(8)] == [one.result() for one in asked]
    assert 2 == len(told), "one of them of the transaction that was waited for"
    assert {f"w{number}" for number in range(8)} <= known(store)


def test_nobody_goes_on_before_the_commit(store: Store) -> None:
    told: list[list[bool]] = []
    event.listen(store._writer, "commit", lambda _: told.append([one.done() for one in asked]))
    asked: list[Future[object]] = []

    together(store, [writes("a"), writes("b"), writes("c")], asked)

    assert [[False] * 3] * 2 == told


def test_a_work_that_fails_takes_back_its_own_changes_only(store: Store) -> None:
    first, gone, second, flushed, third = together(
        store, [writes("a"), refused_after("b"), writes("c"), adds_twice("d"), writes("e")]
    )

    assert ["a", "c", "e"] == [first.result(), second.result(), third.result()]
    assert {"a", "c", "e"} == known(store) & {"a", "b", "c", "d", "e"}
    assert "Somebody was faster." == str(gone.exception())
    assert "IntegrityError" == type(flushed.exception()).__name__


def test_a_transaction_that_sqlite_took_back_is_told_to_everybody_in_it(store: Store) -> None:
    asked = together(store, [writes("a"), loses_all, writes("b")])

    told = [type(one.exception()).__name__ for one in asked]
    assert ["IntegrityError"] * 3 == told
    assert set() == known(store) & {"a", "b"}


def test_a_commit_that_fails_is_told_to_everybody_even_to_those_who_were_refused(store: Store) -> None:
    told: list[str] = []

    def fails(_connection: object) -> None:
        told.append("commit")
        if len(told) == 2:  # the first is of the transaction that was waited for
            raise StoreError("The disk is full. Nothing was changed.")

    event.listen(store._writer, "commit", fails)

    asked = together(store, [writes("a"), refused_after("b"), writes("c")])

    assert ["The disk is full. Nothing was changed."] * 3 == [str(one.exception()) for one in asked]
    assert set() == known(store) & {"a", "b", "c"}


def test_the_next_ones_go_on_after_a_failure(store: Store) -> None:
    together(store, [loses_all, writes("a")])

    assert ["b", "c"] == [one.result() for one in together(store, [writes("b"), writes("c")])]


def test_each_work_sees_the_context_it_was_asked_in(store: Store) -> None:
    name: ContextVar[str] = ContextVar("name")

    def asked_as(mine: str) -> Work:
        return lambda _: name.get("nobody") == mine

    def run(store: Store, mine: str) -> object:
        name.set(mine)
        return store.run(asked_as(mine))

    group = store._together
    assert group is not None
    with ThreadPoolExecutor(3) as pool, store.begin():
        asked = [pool.submit(run, store, mine) for mine in ("a", "b", "c")]
        wait_until(lambda: group.waiting() == 3)

    assert [True] * 3 == [one.result() for one in asked]


def test_a_transaction_inside_a_transaction_is_a_defect(store: Store) -> None:
    with store.begin(), pytest.raises(RuntimeError):
        store.run(writes("a"))
    with pytest.raises(RuntimeError):
        store.run(lambda _: store.run(writes("b")))

    assert "c" == store.run(writes("c"))


def test_what_the_database_refuses_one_of_several_is_told_in_our_words(store: Store) -> None:
    def asks_nonsense(tx: Tx) -> None:
        tx.session.execute(text("SELECT nonsense FROM settings"))

    first, refused, second = together(store, [writes("a"), asks_nonsense, writes("b")])

    assert ["a", "b"] == [first.result(), second.result()]
    assert "StoreError" == type(refused.exception()).__name__
