"""What an operator asks of all bookings and meetings at once; reads only, and never a citizen's reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from syncd.model.booking import LONGEST, Meeting
from syncd.model.busy import BusyType
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store import meeting_rows as rows
from syncd.store.instants import epoch, maybe, span
from syncd.store.tables import BookingRow, ClaimRow, MeetingRow, OccurrenceRow


@dataclass(frozen=True, slots=True)
class Owed:
    """What the calendars do not show yet.

    :param pending: meetings whose calendars are not as they should be.
    :param oldest_seconds: how long the oldest of them has waited; 0 when there is none.
    :param attention: meetings to come that a person must look at.
    """

    pending: int
    oldest_seconds: float
    attention: int


@dataclass(frozen=True, slots=True)
class BookingLine:
    """One booking as operators see it."""

    id: str
    state: str
    offer: str
    form: str
    interval: Interval
    zone: str
    caseworker: MailboxId
    room: MailboxId | None
    room_state: str
    settled: bool
    attention: str | None


def _not_over(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Meetings that end after *now*, found by the index of their starts."""
    return MeetingRow.end > epoch(now), MeetingRow.start > epoch(now - LONGEST)


def owed(session: Session, now: datetime) -> Owed:
    """How much is still to be written, and how much waits for a person."""
    waiting = select(func.count(), func.min(MeetingRow.owed_since)).where(
        MeetingRow.desired_generation != MeetingRow.applied_generation
    )
    pending, oldest = session.execute(waiting).one()
    looked = select(func.count()).where(MeetingRow.attention.is_not(None), *_not_over(now))
    age = 0.0 if oldest is None else max(0.0, epoch(now) - oldest)
    return Owed(pending, age, session.scalar(looked) or 0)


def bookings(
    session: Session, window: Interval, state: str | None = None, attention: bool = False
) -> list[BookingLine]:
    """Bookings whose meeting touches *window*, by time."""
    question = (
        select(BookingRow.id, BookingRow.state, MeetingRow)
        .join(MeetingRow, MeetingRow.id == BookingRow.meeting)
        .where(MeetingRow.start < epoch(window.end), MeetingRow.end > epoch(window.start))
        .order_by(MeetingRow.start, BookingRow.id)
    )
    if state is not None:
        question = question.where(BookingRow.state == state)
    if attention:
        question = question.where(MeetingRow.attention.is_not(None))
    return [_line(booking, stands, meeting) for booking, stands, meeting in session.execute(question)]


def covered_by(session: Session, busy: BusyType, now: datetime) -> list[tuple[MailboxId, Interval, int]]:
    """Entries of this type that cover meetings of the same caseworker which are not over; with how many each."""
    entry = OccurrenceRow
    question = (
        select(entry.mailbox, entry.start, entry.end, func.count(MeetingRow.id.distinct()))
        .join(
            MeetingRow,
            and_(
                MeetingRow.caseworker == entry.mailbox,
                MeetingRow.start < entry.end,
                MeetingRow.end > entry.start,
                MeetingRow.uid != entry.uid,
            ),
        )
        .where(entry.busy == busy.value, entry.end > epoch(now), MeetingRow.wanted, *_not_over(now))
        .where(MeetingRow.beside.is_(None))
        .group_by(entry.mailbox, entry.start, entry.end)
        .order_by(entry.start, entry.mailbox)
    )
    return [(mailbox, span(start, end), number) for mailbox, start, end, number in session.execute(question)]


def ahead(session: Session, now: datetime) -> list[tuple[MailboxId, Interval, int]]:
    """Caseworkers with meetings that are not over: from now to the end of the last, and how many."""
    question = (
        select(MeetingRow.caseworker, func.max(MeetingRow.end), func.count())
        .where(MeetingRow.wanted, MeetingRow.beside.is_(None), *_not_over(now))
        .group_by(MeetingRow.caseworker)
        .order_by(MeetingRow.caseworker)
    )
    return [(who, span(epoch(now), last), number) for who, last, number in session.execute(question)]


def needing_attention(session: Session, since: datetime) -> list[Meeting]:
    """Booked meetings with something to tell a person, and not over before *since*; the earliest first."""
    told = (MeetingRow.attention.is_not(None), MeetingRow.beside.is_(None))
    question = select(*MeetingRow.__table__.c).where(*told, *_not_over(since))
    return [rows.meeting(row) for row in session.execute(question.order_by(MeetingRow.start, MeetingRow.id))]


def meeting_named(session: Session, name: str) -> str | None:
    """The id of the meeting that people call *name*: its id, a booking's, or the reference code in the calendar."""
    code = name.replace("-", "").lower()
    question = (
        select(MeetingRow.id)
        .outerjoin(BookingRow, BookingRow.meeting == MeetingRow.id)
        .where(or_(MeetingRow.id == name, BookingRow.id == name, func.substr(MeetingRow.id, 1, 8) == code))
        .order_by(MeetingRow.wanted.desc(), MeetingRow.start.desc())
        .limit(1)
    )
    return session.scalar(question)


def _line(booking: str, state: str, row: MeetingRow) -> BookingLine:
    return BookingLine(
        id=booking,
        state=state,
        offer=row.offer,
        form=row.form,
        interval=span(row.start, row.end),
        zone=row.zone,
        caseworker=row.caseworker,
        room=row.room,
        room_state=row.room_state,
        settled=row.desired_generation == row.applied_generation,
        attention=row.attention,
    )


def due(session: Session, now: datetime) -> int:
    """How many meetings wait to be looked at."""
    return session.scalar(select(func.count()).where(MeetingRow.due <= epoch(now))) or 0


def overlapping(session: Session, now: datetime) -> list[MailboxId]:
    """Whose time is claimed twice at once, as the database must refuse; of what is not over, each pair once."""
    one, other = aliased(ClaimRow), aliased(ClaimRow)
    clash = (one.mailbox == other.mailbox, one.id < other.id, one.start < other.end, other.start < one.end)
    question = select(one.mailbox).join(other, and_(*clash))
    return list(session.scalars(question.where(one.active, other.active, one.end > epoch(now), other.end > epoch(now))))


def server_clock(session: Session) -> datetime:
    """What the clock of the PostgreSQL server shows; SQLite has none of its own."""
    shown: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return shown


@dataclass(frozen=True, slots=True)
class Owing:
    """One meeting whose calendars are not as they should be. :param since: None when it became so just now."""

    meeting: str
    since: datetime | None
    attempts: int


def longest_owed(session: Session, most: int) -> list[Owing]:
    """The meetings that have waited longest for their calendars."""
    question = (
        select(MeetingRow.id, MeetingRow.owed_since, MeetingRow.attempts)
        .where(MeetingRow.desired_generation != MeetingRow.applied_generation)
        .order_by(MeetingRow.owed_since.is_(None), MeetingRow.owed_since, MeetingRow.id)
        .limit(most)
    )
    return [Owing(name, maybe(since), attempts) for name, since, attempts in session.execute(question)]


def database_version(session: Session) -> str:
    """What the database calls itself: ``SQLite 3.46.1``, ``PostgreSQL 15.8``."""
    dialect = session.connection().dialect
    numbers = dialect.server_version_info or ()
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[dialect.name]
    return f"{name} {'.'.join(str(number) for number in numbers)}"
