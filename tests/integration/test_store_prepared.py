"""Prepared statements say the same as SQLAlchemy does, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from sqlalchemy import Table, bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound

from syncd.errors import StoreError
from syncd.store import Store, Tx
from syncd.store.prepared import known, prepared
from syncd.store.straight import later
from syncd.store.tables import AbsenceRow, MailboxRow, Setting

AWAY = cast(Table, AbsenceRow.__table__)
ADD = prepared(insert(AWAY).inline())
SOME = prepared(
    select(*AWAY.c)
    .where(AWAY.c.caseworker.in_(bindparam("some", expanding=True)), AWAY.c.start < bindparam("until"))
    .order_by(AWAY.c.start)
)
COUNT = prepared(select(func.count()).select_from(AWAY))


def row(start: int, who: str = "kim", *, reachable: bool = True) -> dict[str, Any]:
    return {"id": start, "caseworker": who, "start": start, "end": start + 10, "reachable": reachable} | BY


BY = {"actor": "cli:mette", "at": 0}


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    opened = Store(migrated_url)
    with opened.begin() as tx:
        for values in (row(10), row(20, reachable=False), row(30, "bo"), row(40, "liv")):
            tx.session.execute(ADD, values)
    yield opened
    opened.close()


@pytest.mark.parametrize("some", [[], ["kim"], ["kim", "bo"], ["bo", "liv", "kim"], ["nobody"]])
@pytest.mark.parametrize("until", [15, 100])
def test_the_same_rows_with_lists_of_any_length(store: Store, some: list[str], until: int) -> None:
    plain = SOME.execution_options(anything=1)
    assert known(plain) is None

    with store.read() as tx:
        expected = [tuple(one) for one in tx.session.execute(plain, {"some": some, "until": until})]
        found = tx.session.execute(SOME, {"some": some, "until": until}).all()

    assert expected == [tuple(one) for one in found]
    assert all(type(one.reachable) is bool for one in found)


def test_what_is_made_of_a_prepared_statement_is_not_taken_for_it(store: Store) -> None:
    with store.read() as tx:
        assert ["bo"] == [one.caseworker for one in tx.session.execute(SOME.where(AWAY.c.start == 30), BOTH)]
        assert 3 == len(tx.session.execute(SOME, BOTH).all())


BOTH = {"some": ["kim", "bo"], "until": 100}


def test_values_of_one_call_do_not_leak_into_the_next(store: Store) -> None:
    with store.read() as tx:
        tx.session.execute(SOME, BOTH)
    with pytest.raises((KeyError, StoreError), match="until"), store.read() as tx:
        tx.session.execute(SOME, {"some": ["kim", "bo"]})


def test_rows_are_asked_like_a_result(store: Store) -> None:
    with store.read() as tx:
        assert 4 == tx.session.scalar(COUNT)
        assert [10, 20, 30] == [one.id for one in tx.session.execute(SOME, BOTH)]
        assert [10, 20, 30] == list(tx.session.scalars(SOME, BOTH))
        assert 30 == tx.session.execute(SOME, {"some": ["bo"], "until": 100}).one().start
        nobody = tx.session.execute(SOME, {"some": ["nobody"], "until": 100})
        assert (None, None, None) == (nobody.first(), nobody.one_or_none(), nobody.scalar())
        with pytest.raises(NoResultFound):
            nobody.one()
        with pytest.raises(MultipleResultsFound):
            tx.session.execute(SOME, BOTH).one_or_none()


def test_a_refusal_is_the_one_of_sqlalchemy_without_the_values(store: Store) -> None:
    for statement in (ADD, insert(AWAY)):
        with pytest.raises(IntegrityError) as refused, store.begin() as tx:
            tx.session.execute(statement, row(20, "kim"))
        if statement is ADD:
            assert "kim" not in str(refused.value).split("\n[")[1]
    with store.read() as tx:
        assert 4 == tx.session.scalar(COUNT)


def test_a_savepoint_takes_back_what_was_prepared(store: Store) -> None:
    def add(tx: Tx, *starts: int) -> None:
        for start in starts:
            tx.session.execute(ADD, row(start))

    with store.begin() as tx:
        with pytest.raises(IntegrityError), tx.session.begin_nested():
            add(tx, 60, 20)
        add(tx, 80)
    with store.read() as tx:
        assert [10, 20, 30, 80] == [one.start for one in tx.session.execute(SOME, BOTH)]


def test_a_table_that_is_missing_is_told_like_any_other_trouble(migrated_url: str) -> None:
    store = Store(migrated_url)
    missing = prepared(text("SELECT a FROM nowhere").columns())
    with pytest.raises(StoreError, match="has not been set up"), store.begin() as tx:
        tx.session.execute(missing)
    store.close()


def test_a_connection_that_broke_is_thrown_away(migrated_postgres_url: str) -> None:
    store, other = Store(migrated_postgres_url), Store(migrated_postgres_url)
    me = prepared(text("SELECT pg_backend_pid() AS me").columns(me=AWAY.c.id.type))

    def broken() -> None:
        with store.begin() as tx:
            mine = tx.session.scalar(me)
            with other.begin() as killer:
                killer.session.scalar(text(f"SELECT pg_terminate_backend({mine})"))
            tx.session.scalar(me)

    with pytest.raises(StoreError, match="terminating|does not answer"):
        broken()
    with store.begin() as tx:
        assert tx.session.scalar(me)
    store.close()
    other.close()


def test_a_default_that_only_python_knows_is_refused(store: Store) -> None:
    add = prepared(insert(cast(Table, MailboxRow.__table__)))
    with pytest.raises(TypeError, match="names every column"), store.begin() as tx:
        tx.session.execute(add, {"id": "kim", "kind": "person", "account": "a"})


LONGER = prepared(update(AWAY).where(AWAY.c.caseworker == bindparam("who")).values(end=bindparam("until")))
NOTES = cast(Table, Setting.__table__)
NOTE = prepared(insert(NOTES))
NOTED = select(NOTES.c.name).where(NOTES.c.value == "noted").order_by(NOTES.c.name)


def noted(name: str) -> dict[str, str]:
    return {"name": name, "value": "noted"}


def test_writes_that_wait_are_done_in_order_before_anything_is_read_and_at_the_end(store: Store) -> None:
    with store.begin() as tx:
        later(tx.session, ADD, row(50, "eva"))
        later(tx.session, NOTE, noted("a"))
        later(tx.session, LONGER, {"who": "eva", "until": 99})
        assert 5 == tx.session.scalar(COUNT)
        later(tx.session, ADD, row(60, "ida"))
        later(tx.session, NOTE, noted("b"))

    with store.read() as tx:
        assert [99] == list(tx.session.scalars(select(AWAY.c.end).where(AWAY.c.caseworker == "eva")))
        assert ["a", "b"] == list(tx.session.scalars(NOTED))
        assert 6 == tx.session.scalar(COUNT)


def test_of_writes_that_wait_none_is_done_when_one_is_refused(store: Store) -> None:
    def twice() -> None:
        with store.begin() as tx:
            later(tx.session, NOTE, noted("a"))
            later(tx.session, ADD, row(10))

    with pytest.raises(IntegrityError):
        twice()
    with store.read() as tx:
        assert [] == list(tx.session.scalars(NOTED))


def test_what_waits_stays_outside_a_savepoint_and_what_is_done_inside_goes_with_it(store: Store) -> None:
    def in_vain(tx: Tx) -> None:
        with tx.session.begin_nested():
            later(tx.session, ADD, row(50, "eva"))
            raise StoreError("something else")

    with store.begin() as tx:
        later(tx.session, NOTE, noted("a"))
        with pytest.raises(StoreError):
            in_vain(tx)

    with store.read() as tx:
        assert ["a"] == list(tx.session.scalars(NOTED))
        assert 4 == tx.session.scalar(COUNT)
