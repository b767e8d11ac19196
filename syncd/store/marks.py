"""What caseworkers say by categories, as the mirror holds it, and what stands beside their events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, ColumnElement, and_, literal_column, or_, select
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState, Meeting, RoomState
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.marks import Mark, said
from syncd.store import meeting_rows as rows
from syncd.store.instants import epoch, span
from syncd.store.tables import BookingRow, MeetingRow, OccurrenceRow

_MARKED: ColumnElement[bool] = literal_column("occurrences.categories != ''", Boolean)
"""Word for word as in the index that finds these few entries."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One dated entry of somebody's that carries a mark, and that is not ours.

    :param categories: under their names inside (`syncd.model.marks.Mark`).
    :param guest: somebody else organises it.
    """

    mailbox: MailboxId
    uid: str
    interval: Interval
    categories: tuple[str, ...]
    all_day: bool
    recurring: bool
    guest: bool


class Marks:
    """Marks and what they led to, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def seen(self, now: datetime) -> list[Marked]:
        """Entries with a mark that are not over, by mailbox and time."""
        question = (
            select(OccurrenceRow)
            .where(_MARKED, OccurrenceRow.end > epoch(now), OccurrenceRow.stamp.is_(None))
            .order_by(OccurrenceRow.mailbox, OccurrenceRow.start, OccurrenceRow.uid)
        )
        return [
            Marked(
                row.mailbox,
                row.uid,
                span(row.start, row.end),
                tuple(row.categories.split("\n")),
                row.all_day,
                row.recurring,
                row.guest,
            )
            for row in self._session.scalars(question)
        ]

    def beside(self, now: datetime) -> list[Meeting]:
        """What stands, or stood, beside events and is not over; and notes, which a series may have again."""
        note = and_(MeetingRow.asks.is_(None), MeetingRow.note.is_not(None))
        return self._meetings(MeetingRow.beside.is_not(None), or_(MeetingRow.end > epoch(now), note))

    def lacking(self, now: datetime) -> list[Meeting]:
        """Meetings to come without a room whose caseworkers were not told yet what comes nearest."""
        untold = and_(MeetingRow.room_state == RoomState.MISSING.value, MeetingRow.note.is_(None))
        owed = and_(MeetingRow.wanted, MeetingRow.desired_generation > 0)
        return self._meetings(untold, owed, MeetingRow.end > epoch(now))

    def missed(self, now: datetime) -> list[str]:
        """Ids of meetings that have begun and carry the mark of a citizen who did not come, but are not noted so."""
        booked = (BookingState.PENDING.value, BookingState.CONFIRMED.value)
        return [meeting for meeting, marked in self._attended(now, booked) if marked]

    def attended(self, now: datetime) -> list[str]:
        """Ids of meetings noted as missed whose entry does not say so any more."""
        return [meeting for meeting, marked in self._attended(now, (BookingState.NO_SHOW.value,)) if not marked]

    def _attended(self, now: datetime, states: tuple[str, ...]) -> list[tuple[str, bool]]:
        """Meetings that have begun with a booking in one of *states*, and whether their entry says it was missed."""
        entry = and_(
            OccurrenceRow.uid == MeetingRow.uid,
            OccurrenceRow.mailbox == MeetingRow.caseworker,
            OccurrenceRow.stamp.is_not(None),
        )
        question = (
            select(MeetingRow.id, OccurrenceRow.categories)
            .join(OccurrenceRow, entry)
            .join(BookingRow, BookingRow.meeting == MeetingRow.id)
            .where(BookingRow.state.in_(states), MeetingRow.start <= epoch(now), MeetingRow.wanted)
            .distinct()
        )
        if BookingState.NO_SHOW.value not in states:
            question = question.where(_MARKED)
        found: dict[str, bool] = {}
        for meeting, categories in self._session.execute(question.order_by(MeetingRow.id)):
            marked = any(mark is Mark.MISSED for mark, _ in said(categories.split("\n")))
            found[meeting] = found.get(meeting, False) or marked
        return list(found.items())

    def _meetings(self, *where: ColumnElement[bool]) -> list[Meeting]:
        question = select(*MeetingRow.__table__.c).where(*where)
        return [rows.meeting(row) for row in self._session.execute(question.order_by(MeetingRow.start, MeetingRow.id))]
