"""Citizens' seats in meetings, and holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Session

from syncd.model.booking import Booking, BookingState, Meeting, advance
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store import meeting_rows as rows
from syncd.store.instants import epoch
from syncd.store.straight import later
from syncd.store.tables import BookingRow, ClaimRow, MeetingRow

LIVE = (BookingState.HELD, BookingState.PENDING, BookingState.CONFIRMED)
"""States of a seat that is taken."""


class Bookings:
    """The table ``bookings``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, booking: Booking) -> None:
        """Keep a new booking or hold."""
        fresh = {"id": booking.id, "client": booking.client, "created": epoch(booking.created)}
        later(self._session, rows.ADD_BOOKING, fresh | rows.booking_values(booking, booking.created))

    def get(self, booking_id: str, client: str, *, lock: bool = False) -> Booking | None:
        """The booking if it belongs to *client*, else None; with *lock* nobody else changes it meanwhile."""
        which = {"id": booking_id, "client": client}
        row = self._session.execute(rows.BOOKING_LOCKED if lock else rows.BOOKING, which).one_or_none()
        return None if row is None else rows.booking(row)

    def seat(self, booking_id: str, client: str, *, lock: bool = False) -> tuple[Booking, Meeting] | None:
        """The booking with its meeting, if it belongs to *client*; with *lock* nobody changes either meanwhile."""
        which = {"id": booking_id, "client": client}
        row = self._session.execute(rows.SEAT_LOCKED if lock else rows.SEAT, which).one_or_none()
        return None if row is None else rows.seat(row)

    def meeting_of(self, booking_id: str) -> str | None:
        """Id of the meeting a booking is a seat in, whoever's it is; None when it is not known."""
        return self._session.scalar(select(BookingRow.meeting).where(BookingRow.id == booking_id))

    def of(self, meeting_id: str) -> list[Booking]:
        """All bookings of a meeting, the oldest first."""
        return [rows.booking(row) for row in self._session.execute(rows.OF_MEETING, {"id": meeting_id})]

    def of_citizen(self, client: str, citizen: str) -> list[Booking]:
        """All that *client* ever booked for its citizen, cancelled ones too; what was only held is left out."""
        held = (BookingState.HELD, BookingState.EXPIRED)
        question = select(BookingRow).where(
            BookingRow.client == client, BookingRow.citizen == citizen, BookingRow.state.not_in(held)
        )
        return [
            rows.booking(row) for row in self._session.scalars(question.order_by(BookingRow.created, BookingRow.id))
        ]

    def save(self, booking: Booking, now: datetime) -> None:
        """Store *booking* as it is now."""
        later(self._session, rows.SAVE_BOOKING, {"which": booking.id} | rows.booking_values(booking, now))

    def future(
        self, client: str, citizen: str, offers: Collection[str], now: datetime, ignoring: str = ""
    ) -> Booking | None:
        """A live booking or hold of the citizen in a meeting of *offers* that is not over; None when there is none."""
        about = {"client": client, "citizen": citizen, "ignoring": ignoring, "offers": list(offers), "now": epoch(now)}
        row = self._session.execute(rows.FUTURE, about).one_or_none()
        return None if row is None else rows.booking(row)

    def made(
        self,
        client: str,
        citizen: str,
        since: datetime,
        offers: Collection[str] = (),
        caseworker: MailboxId | None = None,
    ) -> int:
        """How many bookings the citizen made since then, cancelled ones too; what was only held is left out.

        :param offers: of these only; empty for all. :param caseworker: with this one only; None for all.
        """
        question = (
            select(func.count())
            .select_from(BookingRow)
            .join(MeetingRow, MeetingRow.id == BookingRow.meeting)
            .where(
                BookingRow.client == client,
                BookingRow.citizen == citizen,
                BookingRow.created >= epoch(since),
                BookingRow.state.not_in((BookingState.HELD, BookingState.EXPIRED)),
                # Held and given back, but never booked.
                MeetingRow.desired_generation > 0,
            )
        )
        if offers:
            question = question.where(MeetingRow.offer.in_(offers))
        if caseworker is not None:
            question = question.where(MeetingRow.caseworker == caseworker)
        return self._session.scalar(question) or 0

    def expire(self, now: datetime, mailboxes: Collection[MailboxId], window: Interval) -> int:
        """Free holds that ran out and claim time of these mailboxes inside *window*; returns how many.

        Holds that another transaction is working on are left to it.
        """
        where = {"some": list(mailboxes), "begin": epoch(window.start), "until": epoch(window.end)}
        return self._end(self._session.execute(rows.RUN_OUT_THERE, where | {"now": epoch(now)}), now)

    def expire_all(self, now: datetime, limit: int) -> int:
        """Free up to *limit* holds that ran out, whoever's time they claim; returns how many."""
        return self._end(self._session.execute(rows.RUN_OUT, {"now": epoch(now), "limit": limit}), now)

    def _end(self, found: Iterable[Row[Any]], now: datetime) -> int:
        over = [rows.booking(row) for row in found]
        for hold in over:
            self.save(advance(hold, BookingState.EXPIRED), now)
        if over:
            # In a group meeting others may have seats still.
            others = select(BookingRow.id).where(BookingRow.meeting == ClaimRow.meeting, BookingRow.state.in_(LIVE))
            gone = delete(ClaimRow).where(ClaimRow.meeting.in_([hold.meeting for hold in over]), ~others.exists())
            self._session.execute(gone.execution_options(synchronize_session=False))
        return len(over)
