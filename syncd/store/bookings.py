"""Citizens' seats in meetings, and holds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy.orm import Session

from syncd.model.booking import Booking, BookingState
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store.instants import epoch, maybe, moment, optional
from syncd.store.meetings import alive
from syncd.store.tables import BookingRow, ClaimRow, MeetingRow

_OF_MEETING = (
    select(BookingRow)
    .where(BookingRow.meeting == bindparam("id"))
    .order_by(BookingRow.created, BookingRow.id)
    .execution_options(populate_existing=True)
)


class Bookings:
    """The table ``bookings``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, booking: Booking) -> None:
        """Keep a new booking or hold."""
        self._session.add(
            BookingRow(
                id=booking.id,
                meeting=booking.meeting,
                client=booking.client,
                state=booking.state.value,
                citizen=booking.citizen,
                expires=optional(booking.expires),
                moves=booking.moves,
                created=epoch(booking.created),
                changed=epoch(booking.created),
            )
        )
        self._session.flush()

    def get(self, booking_id: str, client: str, *, lock: bool = False) -> Booking | None:
        """The booking if it belongs to *client*, else None; with *lock* nobody else changes it meanwhile."""
        question = (
            select(BookingRow)
            .where(BookingRow.id == booking_id, BookingRow.client == client)
            .execution_options(populate_existing=True)
        )
        row = self._session.scalar(question.with_for_update() if lock else question)
        return None if row is None else _booking(row)

    def of(self, meeting_id: str) -> list[Booking]:
        """All bookings of a meeting, the oldest first."""
        return [_booking(row) for row in self._session.scalars(_OF_MEETING, {"id": meeting_id})]

    def of_citizen(self, client: str, citizen: str) -> list[Booking]:
        """All that *client* ever booked for its citizen, cancelled ones too; what was only held is left out."""
        held = (BookingState.HELD, BookingState.EXPIRED)
        question = select(BookingRow).where(
            BookingRow.client == client, BookingRow.citizen == citizen, BookingRow.state.not_in(held)
        )
        return [_booking(row) for row in self._session.scalars(question.order_by(BookingRow.created, BookingRow.id))]

    def save(self, booking: Booking, now: datetime) -> None:
        """Store *booking* as it is now."""
        change = update(BookingRow).where(BookingRow.id == booking.id).execution_options(synchronize_session=False)
        self._session.execute(
            change.values(
                meeting=booking.meeting,
                state=booking.state.value,
                citizen=booking.citizen,
                expires=optional(booking.expires),
                moves=booking.moves,
                changed=epoch(now),
            )
        )

    def future(self, client: str, citizen: str, offer: str, now: datetime, ignoring: str = "") -> Booking | None:
        """A live booking or hold of the citizen in a meeting of *offer* that is not over; None when there is none."""
        question = (
            select(BookingRow)
            .join(MeetingRow, MeetingRow.id == BookingRow.meeting)
            .where(
                BookingRow.client == client,
                BookingRow.citizen == citizen,
                BookingRow.id != ignoring,
                MeetingRow.offer == offer,
                MeetingRow.end > epoch(now),
                alive(now),
            )
            .order_by(MeetingRow.start)
            .limit(1)
        )
        row = self._session.scalar(question)
        return None if row is None else _booking(row)

    def expire(self, now: datetime, mailboxes: Collection[MailboxId], window: Interval) -> int:
        """Free holds that ran out and claim time of these mailboxes inside *window*; returns how many.

        Holds that another transaction is working on are left to it.
        """
        claimed = select(ClaimRow.meeting).where(
            ClaimRow.mailbox.in_(mailboxes),
            ClaimRow.start < epoch(window.end),
            ClaimRow.end > epoch(window.start),
        )
        question = select(BookingRow).where(
            BookingRow.state == BookingState.HELD,
            BookingRow.expires <= epoch(now),
            BookingRow.meeting.in_(claimed),
        )
        return self._end(question.order_by(BookingRow.id), now)

    def expire_all(self, now: datetime, limit: int) -> int:
        """Free up to *limit* holds that ran out, whoever's time they claim; returns how many."""
        question = select(BookingRow).where(BookingRow.state == BookingState.HELD, BookingRow.expires <= epoch(now))
        return self._end(question.order_by(BookingRow.expires, BookingRow.id).limit(limit), now)

    def _end(self, question: Select[BookingRow], now: datetime) -> int:
        rows = list(self._session.scalars(question.with_for_update(skip_locked=True)))
        meetings = [row.meeting for row in rows]
        for row in rows:
            row.state, row.changed = BookingState.EXPIRED.value, epoch(now)
        self._session.flush()
        gone = delete(ClaimRow).where(ClaimRow.meeting.in_(meetings))
        self._session.execute(gone.execution_options(synchronize_session=False))
        return len(rows)


def _booking(row: BookingRow) -> Booking:
    return Booking(
        id=row.id,
        meeting=row.meeting,
        client=row.client,
        state=BookingState(row.state),
        created=moment(row.created),
        citizen=row.citizen,
        expires=maybe(row.expires),
        moves=row.moves,
    )
