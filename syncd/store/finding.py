"""Search among all bookings and meetings, for staff; reads only, and never by or for a citizen's reference."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, Table, or_, select
from sqlalchemy.orm import Session

from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store import meeting_rows as rows
from syncd.store.instants import epoch, maybe, moment
from syncd.store.most import STATE
from syncd.store.tables import BookingRow, MeetingRow

CODE = re.compile(r"[0-9a-z]{4}-?[0-9a-z]{4}")
_MEETING = cast(Table, MeetingRow.__table__).c
_SEAT = cast(Table, BookingRow.__table__).c


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is empty does not matter.

    :param states: of the booking (`BookingState` values). :param lacking: only what a person must look at.
    """

    window: Interval
    caseworker: MailboxId = ""
    room: MailboxId = ""
    offer: str = ""
    states: Collection[str] = field(default=())
    lacking: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One seat in a meeting. :param booking: None where nobody booked: a meeting that a caseworker made herself."""

    meeting: Meeting
    booking: Booking | None


def search(session: Session, wanted: Wanted, limit: int, skip: int = 0) -> list[Found]:
    """Meetings that begin in the window, with their seats, in order of time."""
    question = _all().where(*_conditions(wanted)).order_by(_MEETING.start, _MEETING.id, _SEAT.created)
    return [_found(row) for row in session.execute(question.limit(limit).offset(skip))]


def named(session: Session, name: str) -> list[Found]:
    """All seats of the meeting that people call *name*: its id, a booking's, or the code in the calendar.

    Of several meetings with one code the latest; nothing when there is none.
    """
    code = name.replace("-", "").lower()
    same: list[ColumnElement[bool]] = [_MEETING.id == name]
    if CODE.fullmatch(name.lower()):
        same.append(_MEETING.id.between(code, code + "z" * 32))
    which = select(_MEETING.id).where(or_(*same)).order_by(_MEETING.wanted.desc(), _MEETING.start.desc()).limit(1)
    meeting = session.scalar(which) or session.scalar(select(_SEAT.meeting).where(_SEAT.id == name))
    if meeting is None:
        return []
    question = _all().where(_MEETING.id == meeting).order_by(_SEAT.created, _SEAT.id)
    return [_found(row) for row in session.execute(question)]


def _all() -> Select[Any]:
    """Meetings beside their seats, whose columns are called ``seat_…``."""
    seats = [column.label(f"seat_{column.name}") for column in _SEAT]
    joined = cast(Table, MeetingRow.__table__).outerjoin(BookingRow.__table__, _SEAT.meeting == _MEETING.id)
    return select(*_MEETING, *seats).select_from(joined)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    start, end = epoch(wanted.window.start), epoch(wanted.window.end)
    found: list[ColumnElement[bool]] = [_MEETING.start >= start, _MEETING.start < end]
    # What was only held, and given back, is no meeting; it is told when it is asked for.
    found.append(or_(_MEETING.desired_generation > 0, STATE.in_(wanted.states or ("held",))))
    for column, value in (
        (_MEETING.caseworker, wanted.caseworker),
        (_MEETING.room, wanted.room),
        (_MEETING.offer, wanted.offer),
    ):
        if value:
            found.append(column == value)
    if wanted.states:
        found.append(STATE.in_(wanted.states))
    if wanted.lacking:
        found.append(or_(_MEETING.attention.is_not(None), _MEETING.conflict, _MEETING.room_state == "missing"))
    return found


def _found(row: Row[Any]) -> Found:
    if row.seat_id is None:
        return Found(rows.meeting(row), None)
    seat = Booking(
        id=row.seat_id,
        meeting=row.id,
        client=row.seat_client,
        state=BookingState(row.seat_state),
        created=moment(row.seat_created),
        citizen=row.seat_citizen,
        expires=maybe(row.seat_expires),
        moves=row.seat_moves,
        topic=row.seat_topic,
    )
    return Found(rows.meeting(row), seat)
