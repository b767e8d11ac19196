"""Whose turn it is in a room: who leaves goes first, and is seen gone, before the next one is invited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, or_, select

from syncd.booking.collide import foreign_events
from syncd.model.booking import Meeting
from syncd.model.busy import BusyType
from syncd.store import Tx
from syncd.store.instants import epoch
from syncd.store.prepared import prepared
from syncd.store.tables import EntryRow, MeetingRow, OccurrenceRow

_SEEN_THERE = exists().where(
    OccurrenceRow.mailbox == bindparam("room"),
    OccurrenceRow.uid == MeetingRow.uid,
    OccurrenceRow.start < bindparam("until"),
    OccurrenceRow.end > bindparam("since"),
)
# Other meetings that are not to stand in the room; their rows tell the time, or the mirror if they moved too.
_LEAVING = prepared(
    select(EntryRow.meeting)
    .join(MeetingRow, MeetingRow.id == EntryRow.meeting)
    .where(EntryRow.mailbox == bindparam("room"), ~EntryRow.wanted, EntryRow.meeting != bindparam("meeting"))
    .where(or_(and_(MeetingRow.start < bindparam("until"), MeetingRow.end > bindparam("since")), _SEEN_THERE))
    .limit(1)
)
_STANDING = prepared(_LEAVING.where(EntryRow.key.is_not(None)))


def behind(tx: Tx, meeting: Meeting) -> bool:
    """Whether another meeting of ours, which is to leave the room, still stands there at this time.

    An attendant would decline the newcomer for it.
    """
    return _any(tx, meeting, _STANDING)


def left(tx: Tx, meeting: Meeting) -> bool:
    """Whether another meeting of ours stood in the room at this time before: a decline may still mean that one."""
    return _any(tx, meeting)


def contested(tx: Tx, meeting: Meeting) -> bool:
    """Whether the room's mirror shows somebody else at the time of the meeting."""
    if meeting.room is None:
        return False
    events = foreign_events(tx, [meeting.room], meeting.interval)[meeting.room]
    return any(event.busy is not BusyType.FREE for event in events)


def _any(tx: Tx, meeting: Meeting, leaving: Select[Any] = _LEAVING) -> bool:
    if not meeting.wanted or meeting.room is None:
        return False
    start, end = epoch(meeting.interval.start), epoch(meeting.interval.end)
    where = {"room": meeting.room, "meeting": meeting.id, "since": start, "until": end}
    return tx.session.scalar(leaving, where) is not None
