"""Forgets what is no longer needed, a portion at a time, and says how much it forgot.

Nothing that is not over goes, and nothing a calendar still has to be cleaned of. What remains of an old booking
(when, which offer, which form, how it ended) names nobody and serves statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from syncd.model.booking import BookingState
from syncd.model.evidence import DAY
from syncd.model.message import OPEN
from syncd.store.booking_links import BookingLinks
from syncd.store.citizen_messages import CitizenMessages
from syncd.store.instants import epoch
from syncd.store.message_tables import CitizenMessageRow
from syncd.store.outward_tables import StandingRow, SupplyRow, WatchRow
from syncd.store.report_tables import ReportRow
from syncd.store.session import Store, Tx
from syncd.store.tables import (
    AuditRow,
    BookingRow,
    ClaimRow,
    ContactRow,
    EntryRow,
    IdempotencyRow,
    MeetingRow,
    OccurrenceRow,
    RoomShortageRow,
    TaskRow,
)

NOTICED = timedelta(minutes=5)
"""By then a message about a change is owed."""
UNSENT = timedelta(days=2)
"""Longer than any message waits between two tries; contact data are not kept for one that waits longer."""
PORTION = 500
"""Rows removed in one transaction: a few milliseconds, so that nobody waits."""


@dataclass(frozen=True, slots=True)
class Periods:
    """How long things are kept.

    :param bookings: after the meeting, until nothing tells whose it was.
    :param answers: stored answers to POSTs (the promise of the API is 14 days).
    :param holds: reservations that ran out, so that a late question about one still gets a precise answer.
    :param contacts: citizens' contact data, after the meeting.
    :param mirror: what calendars held, after it ended; not less than sync reads back (`syncd.sync.timing.BACK`).
    :param supply: the record of what was on offer, and the times that lacked a room.
    :param audit: the log of who looked at or changed what.
    :param tasks: what a person was done with, after that.
    """

    bookings: timedelta = timedelta(days=90)
    answers: timedelta = timedelta(days=14)
    holds: timedelta = timedelta(days=1)
    contacts: timedelta = timedelta(days=7)
    mirror: timedelta = timedelta(days=4)
    supply: timedelta = timedelta(days=1095)
    audit: timedelta = timedelta(days=730)
    tasks: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was forgotten.

    :param references: bookings that no longer say whose they were.
    :param answers: stored answers removed.
    :param holds: reservations removed that were never booked.
    :param traces: claims and calendar entries of old meetings removed.
    :param audit: rows removed from the audit log.
    :param tasks: tasks removed that were done long ago.
    :param contacts: bookings whose contact data went.
    :param mirror: occurrences that ended long ago, removed.
    :param supply: times that lacked a room, and rows of the record of what was on offer, removed.
    :param links: personal links to bookings that lead nowhere any more, removed.
    :param messages: notes of receipts and reminders removed, and wishes for none by citizens not known any more.
    :param dfdg: messages and deadlines removed, and records that no longer say whose they were.
    :param reports: notes of who was sent which report on supply, removed.
    """

    references: int
    answers: int
    holds: int
    traces: int
    audit: int
    tasks: int = 0
    contacts: int = 0
    mirror: int = 0
    supply: int = 0
    dfdg: int = 0
    reports: int = 0
    links: int = 0
    messages: int = 0


def sweep(store: Store, now: datetime, periods: Periods) -> Swept:
    """Forget what is older than *periods*, in many short transactions; safe to repeat and to interrupt.

    :raises StoreError: the database could not be used; what was forgotten before stays forgotten.
    """
    return Swept(
        references=_repeat(store, lambda tx: _references(tx, now - periods.bookings)),
        answers=_repeat(store, lambda tx: _answers(tx, now - periods.answers)),
        holds=_repeat(store, lambda tx: _holds(tx, now - periods.holds)),
        traces=_repeat(store, lambda tx: _traces(tx, now - periods.bookings)),
        audit=_repeat(store, lambda tx: _portion(tx, AuditRow.id, AuditRow.at < epoch(now - periods.audit))),
        tasks=_repeat(store, lambda tx: _portion(tx, TaskRow.id, TaskRow.done < epoch(now - periods.tasks))),
        contacts=_repeat(store, lambda tx: _contacts(tx, now - periods.contacts, now)),
        mirror=_repeat(
            store, lambda tx: _portion(tx, OccurrenceRow.id, OccurrenceRow.end < _day(now - periods.mirror))
        ),
        supply=_repeat(store, lambda tx: _shortages(tx, now - periods.supply) + _evidence(tx, now - periods.supply)),
        links=_repeat(store, lambda tx: BookingLinks(tx.session).forget(now, PORTION)),
        messages=_repeat(store, lambda tx: _messages(tx, now - periods.contacts)),
        dfdg=_repeat(store, lambda tx: tx.dfdg.forget(now - periods.bookings, PORTION)),
        reports=_repeat(store, lambda tx: _reports(tx, now - periods.audit)),
    )


def _repeat(store: Store, step: Callable[[Tx], int]) -> int:
    """Run *step* in a transaction of its own until it finds nothing more."""
    total = 0
    while found := store.run(step):
        total += found
    return total


def _portion(tx: Tx, key: InstrumentedAttribute[Any], *where: ColumnElement[bool]) -> int:
    """Delete up to `PORTION` rows, found by their only key column."""
    ids = tx.session.scalars(select(key).where(*where).limit(PORTION)).all()
    tx.session.execute(delete(key.class_).where(key.in_(ids)))
    return len(ids)


def _day(moment: datetime) -> int:
    """The beginning of that day (UTC): sync reads from there, and what it has just read shall not go at once."""
    return epoch(moment) // 86_400 * 86_400


def _shortages(tx: Tx, before: datetime) -> int:
    """Remove times that lacked a room long ago; their key has three columns, so they go by their starts."""
    old = RoomShortageRow.start < epoch(before)
    starts = tx.session.scalars(select(RoomShortageRow.start).where(old).distinct().limit(PORTION)).all()
    gone = delete(RoomShortageRow).where(RoomShortageRow.start.in_(starts)).returning(RoomShortageRow.start)
    return len(tx.session.scalars(gone).all())


def _reports(tx: Tx, before: datetime) -> int:
    """Forget to whom reports on supply went; there are a few each week, so they go at once."""
    gone = delete(ReportRow).where(ReportRow.at < epoch(before)).returning(ReportRow.name)
    return len(tx.session.scalars(gone).all())


def _messages(tx: Tx, before: datetime) -> int:
    """Forget what citizens were told of meetings that are over, and what those wished who are not known any more."""
    messages = CitizenMessages(tx.session)
    return messages.forget(before, PORTION) + messages.forget_silences()


def _contacts(tx: Tx, before: datetime, now: datetime) -> int:
    """Remove contact data of meetings that were held, or should have been, long ago; of cancelled ones too.

    Those of a cancelled meeting stay until its citizen was told, or that failed.
    """
    unsent = select(CitizenMessageRow.booking).where(
        CitizenMessageRow.booking == ContactRow.booking,
        CitizenMessageRow.progress.in_([one.value for one in OPEN]),
        CitizenMessageRow.at >= epoch(now - UNSENT),
    )
    needed = select(BookingRow.id).join(MeetingRow, MeetingRow.id == BookingRow.meeting)
    needed = needed.where(
        BookingRow.id == ContactRow.booking,
        or_(BookingRow.state != BookingState.CANCELLED.value, BookingRow.changed >= epoch(now - NOTICED)),
        MeetingRow.end >= epoch(before),
    )
    return _portion(tx, ContactRow.booking, ~needed.exists(), ~unsent.exists())


def _references(tx: Tx, before: datetime) -> int:
    """Let old bookings forget whose they were."""
    over = select(MeetingRow.id).where(MeetingRow.end < epoch(before))
    where = (BookingRow.citizen.is_not(None), BookingRow.meeting.in_(over))
    ids = tx.session.scalars(select(BookingRow.id).where(*where).limit(PORTION)).all()
    tx.session.execute(update(BookingRow).where(BookingRow.id.in_(ids)).values(citizen=None))
    return len(ids)


def _answers(tx: Tx, before: datetime) -> int:
    """Remove old answers; their key has two columns, so they go client by client."""
    old = IdempotencyRow.created < epoch(before)
    client = tx.session.scalar(select(IdempotencyRow.client).where(old).limit(1))
    mine = (old, IdempotencyRow.client == client)
    keys = tx.session.scalars(select(IdempotencyRow.key).where(*mine).limit(PORTION)).all()
    tx.session.execute(delete(IdempotencyRow).where(*mine, IdempotencyRow.key.in_(keys)))
    return len(keys)


def _holds(tx: Tx, before: datetime) -> int:
    """Remove reservations that ended without a booking, with the meeting that no calendar ever saw."""
    ended = (BookingState.EXPIRED.value, BookingState.CANCELLED.value)
    never_written = select(MeetingRow.id).where(MeetingRow.id == BookingRow.meeting, MeetingRow.desired_generation == 0)
    where = (BookingRow.state.in_(ended), BookingRow.changed < epoch(before), never_written.exists())
    found = tx.session.execute(select(BookingRow.id, BookingRow.meeting).where(*where).limit(PORTION)).all()
    tx.session.execute(delete(BookingRow).where(BookingRow.id.in_([booking for booking, _ in found])))
    meetings = {meeting for _, meeting in found}
    alive = set(tx.session.scalars(_still_used(meetings)))
    for table in (ClaimRow, EntryRow):
        tx.session.execute(delete(table).where(table.meeting.in_(meetings - alive)))
    tx.session.execute(delete(MeetingRow).where(MeetingRow.id.in_(meetings - alive)))
    return len(found)


def _still_used(meetings: set[str]) -> Select[str]:
    return select(BookingRow.meeting).where(BookingRow.meeting.in_(meetings))


def _traces(tx: Tx, before: datetime) -> int:
    """Remove claims and entries of old meetings that reconcile has done with."""
    over = (MeetingRow.end < epoch(before), MeetingRow.due.is_(None))
    traced = or_(
        select(ClaimRow.id).where(ClaimRow.meeting == MeetingRow.id).exists(),
        select(EntryRow.mailbox).where(EntryRow.meeting == MeetingRow.id).exists(),
    )
    meetings = tx.session.scalars(select(MeetingRow.id).where(*over, traced).limit(PORTION)).all()
    count = 0
    for table in (ClaimRow, EntryRow):
        gone = delete(table).where(table.meeting.in_(meetings)).returning(table.meeting)
        count += len(tx.session.scalars(gone).all())
    return count


def _evidence(tx: Tx, before: datetime) -> int:
    """Remove the record of days that are over long ago; how offers stand now stays, however old it is."""
    newest = select(func.max(StandingRow.number)).group_by(StandingRow.offer)
    old = StandingRow.at < epoch(before)
    return (
        _portion(tx, SupplyRow.number, SupplyRow.day < epoch(before) // DAY)
        + _portion(tx, StandingRow.number, old, StandingRow.number.not_in(newest))
        + _portion(tx, WatchRow.number, WatchRow.seen < epoch(before))
    )
