"""The erased stay erased."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from syncd.errors import StoreError
from syncd.store import Store
from syncd.store.backup import backup, restore
from syncd.store.erasure import ANSWER, Erased, erase, named, remember, remembered, replay
from syncd.store.instants import epoch
from syncd.store.outward_tables import DeliveryRow, EventRow
from syncd.store.tables import AuditRow, BookingRow, ContactRow, IdempotencyRow, MailboxRow
from tests.integration.test_store_retention import meeting, put
from tests.rough_server import NOW

DAY = timedelta(days=1)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    put(store, MailboxRow, id="kim", kind="person", account="a")
    meeting(store, "over", NOW - DAY, booking={"client": "portal", "citizen": "ann"})
    meeting(store, "other", NOW - 2 * DAY, booking={"client": "portal", "citizen": "ben"})
    meeting(store, "cancelled", NOW + DAY, booking={"client": "desk", "citizen": "ann", "state": "cancelled"})
    meeting(store, "ahead", NOW + 2 * DAY, booking={"client": "portal", "citizen": "ann"})
    for name in ("over", "other", "ahead"):
        put(store, IdempotencyRow, client="portal", key=name, status=201, body=b'{"citizen": "x"}', booking=f"b-{name}")
    yield store
    store.close()


def citizens(store: Store) -> dict[str, str | None]:
    with store.read() as tx:
        return dict(tx.session.execute(select(BookingRow.meeting, BookingRow.citizen)).all())


def bodies(store: Store) -> dict[str, tuple[int | None, bytes | None]]:
    with store.read() as tx:
        rows = tx.session.execute(select(IdempotencyRow.key, IdempotencyRow.status, IdempotencyRow.body))
        return {key: (status, body) for key, status, body in rows}


def test_an_erased_citizen_is_nowhere_but_in_what_is_still_ahead(store: Store) -> None:
    with store.begin() as tx:
        erased = erase(tx, "ann", NOW, "cli:test")
    with store.read() as tx:
        [row] = tx.session.scalars(select(AuditRow))

    assert Erased(("b-cancelled", "b-over"), 1, ("b-ahead",)) == erased
    assert {"over": None, "cancelled": None, "other": "ben", "ahead": "ann"} == citizens(store)
    assert (410, ANSWER) == bodies(store)["over"]
    assert {(201, b'{"citizen": "x"}')} == {bodies(store)[name] for name in ("other", "ahead")}
    assert ("cli:test", "citizen.erase") == (row.actor, row.action)
    assert "ann" not in f"{row.citizen} {row.detail}"


@pytest.mark.parametrize("state", ["held", "pending", "confirmed"])
def test_nothing_that_may_still_be_held_is_erased(store: Store, state: str) -> None:
    meeting(store, "more", NOW + 3 * DAY, booking={"client": "portal", "citizen": "ann", "state": state})
    with store.begin() as tx:
        erased = erase(tx, "ann", NOW, "cli:test")

    assert ("b-ahead", "b-more") == erased.live
    assert "ann" == citizens(store)["more"]


def test_what_is_owed_to_clients_about_an_erased_booking_goes_and_so_does_what_came_back(store: Store) -> None:
    about = [{"id": name, "number": n, "booking": f"b-{name}"} for n, name in enumerate(("over", "other", "ahead"), 1)]
    put(store, EventRow, *about)
    owed, buried = {"due": epoch(NOW)}, {"due": None, "buried": "refused"}
    letters = [{"body": b'{"id": "b-%s"}' % name.encode()} for name in ("over", "other", "ahead")]
    put(store, DeliveryRow, *[one | {"buried": None} | state for one in letters for state in (owed, buried)])
    put(store, ContactRow, *[{"booking": f"b-{name}", "sealed": b"x"} for name in ("over", "other")])

    with store.begin() as tx:
        erased = erase(tx, "ann", NOW, "cli:test")

    assert (1, 3) == (erased.contacts, erased.letters)
    with store.read() as tx:
        assert {"b-ahead", "b-other"} == set(tx.session.scalars(select(EventRow.booking)))
        left = {(one.body, one.buried) for one in tx.session.execute(select(DeliveryRow.body, DeliveryRow.buried))}
        assert {(one["body"], buried) for one in letters[1:] for buried in (None, "refused")} == left
        assert ["b-other"] == list(tx.session.scalars(select(ContactRow.booking)))


def test_one_client_can_erase_only_its_own(store: Store) -> None:
    with store.begin() as tx:
        erased = erase(tx, "ann", NOW, "cli:test", client="desk")

    assert Erased(("b-cancelled",), 0, ()) == erased


def test_the_erased_stay_erased_after_a_restore(store: Store, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    backup(store, tmp_path / "b.db", NOW)
    with store.begin() as tx:
        remember(ledger, tx.audit.citizen_digest("ann"), NOW)
        erase(tx, "ann", NOW, "cli:test")
    restore(store, tmp_path / "b.db", NOW, "cli:test")
    assert "ann" == citizens(store)["over"]
    again = replay(store, ledger, NOW)

    assert ("b-cancelled", "b-over") == again.bookings
    assert {"over": None, "cancelled": None, "other": "ben", "ahead": "ann"} == citizens(store)


def test_a_reference_erased_for_one_client_is_kept_for_the_others(store: Store, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with store.begin() as tx:
        remember(ledger, tx.audit.citizen_digest(named("ann", "desk")), NOW)

    assert ("b-cancelled",) == replay(store, ledger, NOW).bookings


def test_the_ledger_is_private_and_grows(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    assert {} == remembered(ledger)
    remember(ledger, "aa", NOW)
    remember(ledger, "bb", NOW)
    remember(ledger, "aa", NOW + DAY)

    assert {"aa": epoch(NOW + DAY), "bb": epoch(NOW)} == remembered(ledger)
    assert 0o600 == ledger.stat().st_mode & 0o777
    with pytest.raises(StoreError, match="Nothing was erased"):
        remember(tmp_path / "missing" / "ledger", "cc", NOW)
    with pytest.raises(StoreError, match="Nobody was erased"):
        remembered(tmp_path)
    (tmp_path / "torn").write_text("aa 1\nb")
    with pytest.raises(StoreError, match="damaged"):
        remembered(tmp_path / "torn")


def test_what_was_ahead_goes_when_it_is_over_and_what_was_booked_since_stays(store: Store, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with store.begin() as tx:
        remember(ledger, tx.audit.citizen_digest("ann"), NOW)
        erase(tx, "ann", NOW, "cli:test")
    meeting(store, "since", NOW + DAY / 2, booking={"client": "portal", "citizen": "ann", "created": epoch(NOW) + 60})

    assert ((), ("b-ahead",)) == (replay(store, ledger, NOW).bookings, replay(store, ledger, NOW).live)
    assert ("b-ahead",) == replay(store, ledger, NOW + 3 * DAY).bookings
    assert (None, "ann") == (citizens(store)["ahead"], citizens(store)["since"])
