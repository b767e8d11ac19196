"""What is forgotten, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from syncd.store import Store
from syncd.store.instants import epoch
from syncd.store.outward_tables import StandingRow
from syncd.store.report_tables import ReportRow
from syncd.store.retention import PORTION, Periods, Swept, sweep
from syncd.store.tables import (
    AuditRow,
    Base,
    BookingRow,
    ClaimRow,
    EntryRow,
    IdempotencyRow,
    MailboxRow,
    MeetingRow,
    OccurrenceRow,
)
from syncd.sync.timing import BACK, window
from tests.rough_server import NOW

DAY = timedelta(days=1)
NOTHING = Swept(0, 0, 0, 0, 0)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    put(store, MailboxRow, id="kim", kind="person", account="a")
    yield store
    store.close()


def put(store: Store, table: type[Base], *rows: dict[str, Any], **row: Any) -> None:
    """Insert rows; what is not said is zero, false or empty."""
    empty = {
        c.name: c.type.python_type() for c in table.__table__.columns if not c.nullable and c.autoincrement is not True
    }
    empty.pop("id", None)
    with store.begin() as tx:
        tx.session.execute(insert(table), [empty | one for one in rows or [row]])


def count(store: Store, table: type[Base]) -> int:
    with store.read() as tx:
        return tx.session.scalar(select(func.count()).select_from(table)) or 0


def meeting(store: Store, name: str, end: datetime, **fields: Any) -> None:
    """A meeting with one booking, one claim and one entry."""
    times = {"start": epoch(end) - 3600, "end": epoch(end)}
    booking = {"state": "confirmed", "citizen": "ref", "changed": epoch(end)} | fields.pop("booking", {})
    put(store, MeetingRow, id=name, uid=name, **times | {"desired_generation": 1, "applied_generation": 1} | fields)
    put(store, BookingRow, id=f"b-{name}", meeting=name, **booking)
    put(store, ClaimRow, meeting=name, mailbox="kim", active=True, **times)
    put(store, EntryRow, meeting=name, mailbox="kim", wanted=True)


def test_an_old_booking_forgets_whose_it_was_and_stays_for_statistics(store: Store) -> None:
    meeting(store, "old", NOW - 91 * DAY)
    meeting(store, "young", NOW - 89 * DAY)
    meeting(store, "ahead", NOW + DAY)
    swept = sweep(store, NOW, Periods())
    with store.read() as tx:
        citizens = dict(tx.session.execute(select(BookingRow.meeting, BookingRow.citizen)).all())

    assert Swept(references=1, answers=0, holds=0, traces=2, audit=0) == swept
    assert {"old": None, "young": "ref", "ahead": "ref"} == citizens
    assert (3, 2, 2) == (count(store, MeetingRow), count(store, ClaimRow), count(store, EntryRow))
    assert NOTHING == sweep(store, NOW, Periods())


def test_an_old_meeting_that_calendars_still_owe_something_keeps_its_traces(store: Store) -> None:
    meeting(store, "old", NOW - 91 * DAY, due=epoch(NOW))

    assert Swept(references=1, answers=0, holds=0, traces=0, audit=0) == sweep(store, NOW, Periods())


@pytest.mark.parametrize("state", ["expired", "cancelled"])
def test_a_hold_that_was_never_booked_goes_with_everything_of_it(store: Store, state: str) -> None:
    hold = {"desired_generation": 0, "applied_generation": 0}
    meeting(store, "h", NOW + DAY, booking={"state": state, "changed": epoch(NOW - 2 * DAY)}, **hold)
    meeting(store, "late", NOW + 2 * DAY, booking={"state": state, "changed": epoch(NOW) - 60}, **hold)
    meeting(store, "live", NOW + 3 * DAY, booking={"state": "held", "changed": epoch(NOW - 2 * DAY)}, **hold)
    meeting(store, "booked", NOW + 4 * DAY, booking={"state": "cancelled", "changed": epoch(NOW - 2 * DAY)})

    assert Swept(references=0, answers=0, holds=1, traces=0, audit=0) == sweep(store, NOW, Periods())
    assert [3, 3, 3, 3] == [count(store, table) for table in (MeetingRow, BookingRow, ClaimRow, EntryRow)]


def test_a_meeting_that_another_booking_uses_stays(store: Store) -> None:
    ended = {"state": "expired", "changed": epoch(NOW - 2 * DAY)}
    meeting(store, "m", NOW + DAY, desired_generation=0, applied_generation=0, booking=ended)
    put(store, BookingRow, id="other", meeting="m", state="held", changed=epoch(NOW))

    assert 1 == sweep(store, NOW, Periods()).holds
    assert [1, 1, 1] == [count(store, table) for table in (MeetingRow, BookingRow, ClaimRow)]


def test_answers_and_audit_rows_go_by_their_age_however_many(store: Store) -> None:
    many = PORTION + 3
    ages = [(f"old{n}", NOW - 15 * DAY) for n in range(many)] + [("young", NOW - 13 * DAY)]
    put(store, IdempotencyRow, *({"client": "c", "key": key, "created": epoch(at)} for key, at in ages))
    put(store, IdempotencyRow, client="d", key="old0", created=epoch(NOW - 15 * DAY))
    put(store, AuditRow, *({"at": epoch(NOW - years * 365 * DAY)} for years in (1, 3)))

    assert Swept(references=0, answers=many + 1, holds=0, traces=0, audit=1) == sweep(store, NOW, Periods())
    assert (1, 1) == (count(store, IdempotencyRow), count(store, AuditRow))


def test_what_sync_reads_back_stays_in_the_mirror_and_what_is_older_goes(store: Store) -> None:
    assert BACK <= Periods().mirror
    today = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    for name, end in (("kept", window(NOW, 60).start + timedelta(hours=1)), ("old", today - Periods().mirror - DAY)):
        put(store, OccurrenceRow, mailbox="kim", key=name, uid=name, start=epoch(end) - 60, end=epoch(end), busy="busy")

    assert 1 == sweep(store, NOW, Periods()).mirror
    with store.read() as tx:
        assert ["kept"] == list(tx.session.scalars(select(OccurrenceRow.key)))


def test_to_whom_a_report_went_is_forgotten_with_the_audit_log_of_its_time(store: Store) -> None:
    for period, age in (("2024-W40", 731), ("2026-W47", 7)):
        put(store, ReportRow, name="week", period=period, recipient="chef@example.dk", at=epoch(NOW - age * DAY))

    assert 1 == sweep(store, NOW, Periods()).reports
    with store.read() as tx:
        assert ["2026-W47"] == list(tx.session.scalars(select(ReportRow.period)))


def test_how_an_offer_stands_now_is_known_however_long_it_has_stood_so(store: Store) -> None:
    ages = (("talk", 1200), ("talk", 1100), ("call", 1300), ("visit", 1200), ("visit", 7))
    rows = [{"number": n, "offer": offer, "at": epoch(NOW - age * DAY)} for n, (offer, age) in enumerate(ages)]
    put(store, StandingRow, *rows)

    assert 2 == sweep(store, NOW, Periods()).supply
    with store.read() as tx:
        left = tx.session.execute(select(StandingRow.offer, StandingRow.at).order_by(StandingRow.number))
        assert [(offer, epoch(NOW - age * DAY)) for offer, age in (ages[1], ages[2], ages[4])] == list(map(tuple, left))
