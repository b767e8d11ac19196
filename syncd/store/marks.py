"""What caseworkers say by categories, as the mirror holds it, and what stands beside their events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, TextClause, and_, select, text
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState, Meeting
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.marks import Mark, said
from syncd.store import meeting_rows as rows
from syncd.store.instants import epoch, span
from syncd.store.tables import BookingRow, MeetingRow, OccurrenceRow

_BESIDE = text("meetings.beside IS NOT NULL")
_LACKING = text("meetings.room_state = 'missing'")
_MARKED = text("occurrences.categories != ''")
"""Word for word as in the indexes that find these few rows; sorting is left to us, for it draws other indexes in."""
_BOOKED = (BookingState.PENDING.value, BookingState.CONFIRMED.value)
AFTERWARDS = timedelta(days=10)
"""How long after a meeting a no-show can be taken back, as far as its entry is still mirrored."""


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
        question = select(OccurrenceRow).where(_MARKED, OccurrenceRow.end > epoch(now), OccurrenceRow.stamp.is_(None))
        found = sorted(self._session.scalars(question), key=lambda row: (row.mailbox, row.start, row.uid))
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
            for row in found
        ]

    def beside(self, now: datetime) -> list[Meeting]:
        """What stands, or stood, beside events and is not over; and notes, which a series may have again."""
        stands = self._meetings(_BESIDE, MeetingRow.end > epoch(now))
        note = and_(MeetingRow.asks.is_(None), MeetingRow.note.is_not(None))
        return stands + self._meetings(_BESIDE, note, MeetingRow.end <= epoch(now))

    def lacking(self, now: datetime) -> list[Meeting]:
        """Meetings to come without a room whose caseworkers were not told yet what comes nearest."""
        owed = and_(MeetingRow.note.is_(None), MeetingRow.wanted, MeetingRow.desired_generation > 0)
        return self._meetings(_LACKING, owed, MeetingRow.end > epoch(now))

    def missed(self, now: datetime) -> list[str]:
        """Ids of meetings that have begun and carry the mark of a citizen who did not come, but are not noted so."""
        marked = self._own(_MARKED)
        if not marked:
            return []
        begun = (MeetingRow.uid.in_({uid for uid, _ in marked}), MeetingRow.start <= epoch(now))
        return sorted(one for one, *where in self._booked(*begun, states=_BOOKED) if marked.get(tuple(where)))

    def attended(self, now: datetime) -> list[str]:
        """Ids of meetings noted as missed whose entry does not say so any more."""
        lately = (MeetingRow.start <= epoch(now), MeetingRow.start > epoch(now - AFTERWARDS))
        noted = self._booked(*lately, states=(BookingState.NO_SHOW.value,))
        if not noted:
            return []
        own = self._own(OccurrenceRow.mailbox.in_({mailbox for _, _, mailbox in noted}))
        return sorted(one for one, *where in noted if own.get(tuple(where)) is False)

    def _own(self, *where: ColumnElement[bool] | TextClause) -> dict[tuple[str, ...], bool]:
        """Entries of ours, by UID and mailbox: whether each says that the citizen did not come."""
        question = select(OccurrenceRow.uid, OccurrenceRow.mailbox, OccurrenceRow.categories)
        found: dict[tuple[str, ...], bool] = {}
        for uid, mailbox, categories in self._session.execute(question.where(OccurrenceRow.stamp.is_not(None), *where)):
            missed = any(mark is Mark.MISSED for mark, _ in said(categories.split("\n")))
            found[uid, mailbox] = found.get((uid, mailbox), False) or missed
        return found

    def _booked(self, *where: ColumnElement[bool], states: tuple[str, ...]) -> set[tuple[str, str, str]]:
        """Id, UID and caseworker of wanted meetings with a booking in one of *states*."""
        question = (
            select(MeetingRow.id, MeetingRow.uid, MeetingRow.caseworker)
            .join(BookingRow, BookingRow.meeting == MeetingRow.id)
            .where(BookingRow.state.in_(states), MeetingRow.wanted, *where)
        )
        return {(one, uid, caseworker) for one, uid, caseworker in self._session.execute(question)}

    def _meetings(self, *where: ColumnElement[bool] | TextClause) -> list[Meeting]:
        found = (rows.meeting(row) for row in self._session.execute(select(*MeetingRow.__table__.c).where(*where)))
        return sorted(found, key=lambda one: (one.interval, one.id))
