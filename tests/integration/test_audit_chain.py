"""The log of who looked is chained: what is changed in it afterwards is found out, and erasing stays possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import delete, insert, select, update
from structlog.testing import capture_logs

from syncd.clock import FixedClock
from syncd.config import RetentionSection
from syncd.daemon.auditing import Auditing
from syncd.daemon.parts import Parts
from syncd.observe import metrics
from syncd.store import Store, Tx, audit_chain
from syncd.store.audit_chain import Head, Verdict
from syncd.store.audit_tables import AuditLinkRow
from syncd.store.audit_trail import trail
from syncd.store.instants import epoch
from syncd.store.retention import Periods, sweep
from syncd.store.tables import AuditRow
from tests.rough_server import NOW

KEPT = timedelta(days=730)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    yield store
    store.close()


def write(store: Store, number: int = 5, **more: str) -> None:
    with store.begin() as tx:
        for n in range(number):
            tx.audit.add("client:portal", "booking.read", now=NOW - HOUR, booking=f"b{n}", citizen=f"c{n}", **more)


def verdict(store: Store, known: Head | None = None) -> Verdict:
    with store.read() as tx:
        return audit_chain.verify(tx, NOW, KEPT, known)


def change(store: Store, act: Callable[[Tx], object]) -> None:
    with store.begin() as tx:
        act(tx)


def test_a_log_nobody_touched_is_whole(store: Store) -> None:
    write(store)
    head = audit_chain.chain(store)
    write(store, 3)

    assert (5, 8) == (head.number, audit_chain.chain(store).number)
    assert (8, 0, ()) == (verdict(store).rows, verdict(store).waiting, verdict(store).faults)
    assert () == verdict(store, head).faults


FORGERIES: dict[str, Callable[[Tx], object]] = {
    "row changed": lambda tx: tx.session.execute(update(AuditRow).where(AuditRow.id == 2).values(actor="cli:other")),
    "purpose changed": lambda tx: tx.session.execute(update(AuditRow).where(AuditRow.id == 2).values(purpose="x")),
    "row removed": lambda tx: tx.session.execute(delete(AuditRow).where(AuditRow.id == 2)),
    "row and link removed": lambda tx: [
        tx.session.execute(delete(AuditRow).where(AuditRow.id == 2)),
        tx.session.execute(delete(AuditLinkRow).where(AuditLinkRow.audit == 2)),
    ],
    "row slipped in": lambda tx: tx.session.execute(
        insert(AuditRow).values(at=epoch(NOW - HOUR), actor="client:portal", action="booking.read")
    ),
    "erased row filled again": lambda tx: tx.session.execute(
        update(AuditLinkRow).where(AuditLinkRow.audit == 2).values(salt=None)
    ),
    "link changed": lambda tx: tx.session.execute(
        update(AuditLinkRow).where(AuditLinkRow.audit == 2).values(link="1" * 64)
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_was_changed_afterwards_is_found(store: Store, forgery: str) -> None:
    write(store)
    audit_chain.chain(store)
    assert () == verdict(store).faults

    change(store, FORGERIES[forgery])

    assert () != verdict(store).faults


def test_a_chain_made_anew_over_a_forged_log_does_not_hold_what_the_journal_was_told(store: Store) -> None:
    write(store)
    told = audit_chain.chain(store)
    change(store, FORGERIES["row removed"])
    change(store, lambda tx: tx.session.execute(delete(AuditLinkRow)))
    audit_chain.chain(store)

    assert () == verdict(store).faults
    assert () != verdict(store, told).faults


def test_an_end_that_was_cut_off_is_seen_against_the_journal(store: Store) -> None:
    write(store)
    told = audit_chain.chain(store)
    change(store, lambda tx: tx.session.execute(delete(AuditLinkRow).where(AuditLinkRow.number == told.number)))
    change(store, lambda tx: tx.session.execute(delete(AuditRow).where(AuditRow.id == 5)))

    assert () == verdict(store).faults
    assert ["the chain does not hold the link that the journal was told"] == [
        fault.says for fault in verdict(store, told).faults
    ]


def test_a_citizen_can_be_forgotten_and_the_chain_still_holds(store: Store) -> None:
    write(store, purpose="case 17")
    audit_chain.chain(store)
    with store.begin() as tx:
        count = audit_chain.erase(tx, tx.audit.citizen_digest("c2"))
    with store.read() as tx:
        left = tx.session.execute(select(AuditRow.citizen, AuditRow.purpose).where(AuditRow.booking == "b2")).one()

    assert (1, (None, None)) == (count, tuple(left))
    assert (1, ()) == (verdict(store).erased, verdict(store).faults)


def test_what_retention_removed_in_time_is_no_fault_and_its_links_go_too(store: Store) -> None:
    with store.begin() as tx:
        tx.audit.add("client:portal", "booking.read", now=NOW - KEPT - 2 * HOUR, citizen="old")
    write(store, 2)
    head = audit_chain.chain(store)
    sweep(store, NOW, Periods(audit=KEPT))

    assert (2, 1, ()) == (verdict(store).rows, verdict(store).forgotten, verdict(store).faults)
    assert 1 == store.run(lambda tx: audit_chain.forget(tx, NOW - KEPT))
    assert (2, 0, ()) == (verdict(store, head).rows, verdict(store).forgotten, verdict(store, head).faults)


def test_a_row_removed_before_its_time_is_found_as_long_as_it_should_be_there(store: Store) -> None:
    write(store)
    audit_chain.chain(store)
    change(store, lambda tx: tx.session.execute(delete(AuditRow).where(AuditRow.id == 1)))

    assert 0 == store.run(lambda tx: audit_chain.forget(tx, NOW - KEPT))
    assert ["the row was removed before its time"] == [fault.says for fault in verdict(store).faults]


def test_retention_may_be_an_hour_ahead_of_who_looks(store: Store) -> None:
    with store.begin() as tx:
        tx.audit.add("client:portal", "booking.read", now=NOW - KEPT + HOUR / 2, citizen="old")
    audit_chain.chain(store)
    sweep(store, NOW + HOUR, Periods(audit=KEPT))

    assert (1, ()) == (verdict(store).forgotten, verdict(store).faults)


def test_several_who_chain_at_once_make_one_chain(store: Store) -> None:
    write(store, 40)
    with ThreadPoolExecutor(4) as pool:
        heads = {head.number for head in pool.map(lambda _: audit_chain.chain(store), range(4))}

    assert {40} == heads
    assert (40, ()) == (verdict(store).rows, verdict(store).faults)


def test_a_row_that_committed_late_is_chained_all_the_same(store: Store) -> None:
    write(store, 3)
    change(store, lambda tx: tx.session.execute(update(AuditRow).where(AuditRow.id == 2).values(id=99)))
    audit_chain.chain(store)
    change(
        store,
        lambda tx: tx.session.execute(
            insert(AuditRow).values(id=2, at=epoch(NOW - HOUR), actor="client:portal", action="booking.read")
        ),
    )

    assert 4 == audit_chain.chain(store).number
    assert () == verdict(store).faults


def test_a_citizen_hears_when_and_for_what_but_not_which_member_of_staff(store: Store) -> None:
    with store.begin() as tx:
        tx.audit.add("cli:hanne", "contact.read", now=NOW, citizen="c1", purpose="recalls")
        tx.audit.add("client:portal", "booking.read", now=NOW - HOUR, citizen="c1")
        tx.audit.add("client:portal", "booking.read", now=NOW, citizen="c2")
    with store.read() as tx:
        hidden, shown = (trail(tx, "c1", staff=staff) for staff in (False, True))

    assert [("portal", None), ("staff", "recalls")] == [(look.who, look.purpose) for look in hidden]
    assert ["client:portal", "cli:hanne"] == [look.who for look in shown]


def watching(store: Store) -> Auditing:
    parts = SimpleNamespace(store=store, config=SimpleNamespace(retention=RetentionSection()))
    return Auditing(lambda: cast(Parts, parts), FixedClock(NOW))


def test_the_service_raises_an_alarm_over_a_changed_log_and_takes_it_back_when_it_is_whole_again(store: Store) -> None:
    auditing = watching(store)
    write(store)
    auditing.chain()
    seen = []
    for actor in (None, "cli:other", "client:portal"):
        if actor:
            forged = update(AuditRow).where(AuditRow.id == 2).values(actor=actor)
            with store.begin() as tx:
                tx.session.execute(forged)
        with capture_logs() as logged:
            auditing.verify()
        seen.append((metrics.AUDIT_CHAIN_OK._value.get(), [line["problems"] for line in logged]))

    assert [(1, []), (0, [["link 2, row 2: the row was changed, or the link before it"]]), (1, [])] == seen


def test_the_service_misses_what_it_told_the_journal_even_if_the_chain_was_made_anew(store: Store) -> None:
    auditing = watching(store)
    write(store)
    auditing.chain()
    change(store, FORGERIES["row removed"])
    change(store, lambda tx: tx.session.execute(delete(AuditLinkRow)))
    audit_chain.chain(store)
    auditing.verify()

    assert 0 == metrics.AUDIT_CHAIN_OK._value.get()
