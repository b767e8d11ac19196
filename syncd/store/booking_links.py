"""Personal links to bookings: unguessable, kept as digests only, and of no use once the meeting is over."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState
from syncd.store.citizen_tables import BookingLinkRow
from syncd.store.instants import epoch, moment
from syncd.store.tables import BookingRow, MeetingRow


class BookingLinks:
    """The table ``booking_links``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, booking: str, language: str, now: datetime) -> str:
        """A new secret (256 random bits) for a booking or hold; it is told once and not kept."""
        secret = secrets.token_urlsafe(32)
        self._session.add(
            BookingLinkRow(digest=_digest(secret), booking=booking, created=epoch(now), language=language)
        )
        self._session.flush()
        return secret

    def open(self, secret: str, now: datetime) -> str | None:
        """The booking behind a link; None when there is none, or its meeting is over."""
        question = (
            select(BookingLinkRow.booking)
            .join(BookingRow, BookingRow.id == BookingLinkRow.booking)
            .join(MeetingRow, MeetingRow.id == BookingRow.meeting)
            .where(BookingLinkRow.digest == _digest(secret), MeetingRow.end > epoch(now))
        )
        return self._session.scalar(question)

    def began(self, secret: str) -> datetime | None:
        """When the link was made, which is when its first time was held; None when there is none."""
        made = self._session.scalar(select(BookingLinkRow.created).where(BookingLinkRow.digest == _digest(secret)))
        return None if made is None else moment(made)

    def language(self, booking: str) -> str | None:
        """In which language it was booked; None when it was not booked by a link."""
        question = select(BookingLinkRow.language).where(BookingLinkRow.booking == booking)
        return self._session.scalar(question.order_by(BookingLinkRow.created.desc()).limit(1))

    def point(self, secret: str, booking: str) -> None:
        """Let a link lead to another booking: its hold ran out, and the time was taken again."""
        change = update(BookingLinkRow).where(BookingLinkRow.digest == _digest(secret))
        self._session.execute(change.values(booking=booking))

    def held(self, client: str, now: datetime) -> int:
        """How many times *client* keeps now for people who fill in the form."""
        live = (BookingRow.state == BookingState.HELD.value, BookingRow.expires > epoch(now))
        question = select(func.count()).select_from(BookingRow).where(BookingRow.client == client, *live)
        return self._session.scalar(question) or 0

    def forget(self, now: datetime, most: int) -> int:
        """Remove links of meetings that are over, and of holds that are gone; returns how many."""
        kept = select(BookingRow.id).join(MeetingRow, MeetingRow.id == BookingRow.meeting)
        kept = kept.where(BookingRow.id == BookingLinkRow.booking, MeetingRow.end > epoch(now))
        old = select(BookingLinkRow.digest).where(~kept.exists()).limit(most)
        gone = delete(BookingLinkRow).where(BookingLinkRow.digest.in_(old)).returning(BookingLinkRow.digest)
        return len(self._session.scalars(gone).all())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
