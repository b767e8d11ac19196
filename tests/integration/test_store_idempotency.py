"""Stored answers on both databases: byte for byte, per client, across restarts, for a fortnight."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import insert

from syncd.errors import KeyInProgress, KeyReused, StoreError
from syncd.store import Store, engines
from syncd.store.idempotency import KEPT, Stored
from syncd.store.instants import epoch
from syncd.store.tables import IdempotencyRow
from tests.rough_server import NOW

ANSWER = Stored(201, b'{"id": "b1", "\xc3\xa6": 1.50}', "b1")
SECOND = timedelta(seconds=1)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    with store.begin() as tx:
        assert tx.idempotency.claim("portal", "key", "digest", NOW) is None
        tx.idempotency.store("portal", "key", ANSWER)
    yield store
    store.close()


def test_an_answer_is_the_same_bytes_for_a_fortnight_and_after_a_restart(store: Store) -> None:
    again = Store(store.url.render_as_string(hide_password=False))
    with again.begin() as tx:
        assert ANSWER == tx.idempotency.claim("portal", "key", "digest", NOW + KEPT)
    with again.begin() as tx:
        assert tx.idempotency.claim("portal", "key", "other", NOW + KEPT + SECOND) is None
    again.close()


def test_an_answer_is_removed_only_after_the_last_second_of_the_fortnight(store: Store) -> None:
    fortnight = timedelta(days=14)
    with store.begin() as tx:
        assert [0, 1] == [tx.idempotency.purge(NOW + fortnight + late) for late in (0 * SECOND, SECOND)]


@pytest.mark.parametrize(("status", "body"), [(None, None), (201, None), (None, b"{}")])
def test_what_is_no_whole_answer_is_never_given_as_one(store: Store, status: int | None, body: bytes | None) -> None:
    row = {"client": "portal", "key": "half", "digest": "digest", "created": epoch(NOW), "status": status, "body": body}
    with store.begin() as tx:
        tx.session.execute(insert(IdempotencyRow), [row])
        with pytest.raises(KeyInProgress, match="Nothing was done twice"):
            tx.idempotency.claim("portal", "half", "digest", NOW)


def test_another_digest_is_refused_and_another_client_or_key_is_not_concerned(store: Store) -> None:
    with store.begin() as tx:
        with pytest.raises(KeyReused):
            tx.idempotency.claim("portal", "key", "other", NOW)
        assert tx.idempotency.claim("rival", "key", "other", NOW) is None
        assert tx.idempotency.claim("portal", "Key", "other", NOW) is None


def test_what_was_rolled_back_left_no_key(store: Store) -> None:
    def failing() -> None:
        with store.begin() as tx:
            tx.idempotency.claim("portal", "new", "digest", NOW)
            raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        failing()
    with store.begin() as tx:
        assert tx.idempotency.claim("portal", "new", "other", NOW) is None


def test_a_request_whose_first_one_still_runs_hears_so(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "LOCK_MS", 50)
    store = Store(migrated_postgres_url)
    begun, over = threading.Event(), threading.Event()

    def first() -> None:
        with store.begin() as tx:
            tx.idempotency.claim("portal", "key", "digest", NOW)
            begun.set()
            over.wait(10)
            tx.idempotency.store("portal", "key", ANSWER)

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(10)
    try:
        with pytest.raises(KeyInProgress), store.begin() as tx:
            tx.idempotency.claim("portal", "key", "digest", NOW)
    finally:
        over.set()
        thread.join()
    with store.begin() as tx:
        assert ANSWER == tx.idempotency.claim("portal", "key", "digest", NOW)
    store.close()


def test_a_request_that_waits_for_the_first_one_gets_its_answer(migrated_url: str) -> None:
    store = Store(migrated_url)
    begun = threading.Event()

    def first() -> None:
        with store.begin() as tx:
            tx.idempotency.claim("portal", "key", "digest", NOW)
            begun.set()
            threading.Event().wait(0.1)
            tx.idempotency.store("portal", "key", ANSWER)

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(10)
    with store.begin() as tx:
        assert ANSWER == tx.idempotency.claim("portal", "key", "digest", NOW)
    thread.join()
    store.close()
