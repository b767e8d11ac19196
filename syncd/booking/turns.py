"""Whose turn it is in a room: who leaves goes first, and is seen gone, before the next one is invited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, exists, or_, select

from syncd.booking.collide import foreign_events
from syncd.model.booking import Meeting
from syncd.model.busy import BusyType
from syncd.store import Tx
from syncd.store.instants import epoch
from syncd.store.tables import EntryRow, MeetingRow, OccurrenceRow


def behind(tx: Tx, meeting: Meeting) -> bool:
    """Whether another meeting of ours, which is to leave the room, still stands there at this time.

    An attendant would decline the newcomer for it.
    """
    return _any(tx, meeting, EntryRow.key.is_not(None))


def left(tx: Tx, meeting: Meeting) -> bool:
    """Whether another meeting of ours stood in the room at this time before: a decline may still mean that one."""
    return _any(tx, meeting)


def contested(tx: Tx, meeting: Meeting) -> bool:
    """Whether the room's mirror shows somebody else at the time of the meeting."""
    if meeting.room is None:
        return False
    events = foreign_events(tx, [meeting.room], meeting.interval)[meeting.room]
    return any(event.busy is not BusyType.FREE for event in events)


def _any(tx: Tx, meeting: Meeting, *more: Any) -> bool:
    if not meeting.wanted or meeting.room is None:
        return False
    return tx.session.scalar(_leaving(meeting).where(*more).limit(1)) is not None


def _leaving(meeting: Meeting) -> Select[Any]:
    """Other meetings that are not to stand in the room; their rows tell the time, or the mirror if they moved too."""
    start, end = epoch(meeting.interval.start), epoch(meeting.interval.end)
    seen_there = exists().where(
        OccurrenceRow.mailbox == meeting.room,
        OccurrenceRow.uid == MeetingRow.uid,
        OccurrenceRow.start < end,
        OccurrenceRow.end > start,
    )
    return (
        select(EntryRow.meeting)
        .join(MeetingRow, MeetingRow.id == EntryRow.meeting)
        .where(EntryRow.mailbox == meeting.room, ~EntryRow.wanted, EntryRow.meeting != meeting.id)
        .where(or_(and_(MeetingRow.start < end, MeetingRow.end > start), seen_there))
    )
