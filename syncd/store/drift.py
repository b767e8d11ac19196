"""Where calendars and meetings differ, by the mirror; statements that are built once.

All take ``now`` (epoch seconds), those of the sweep ``limit``, too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, func, select, union_all
from sqlalchemy.orm import aliased

from syncd.model.busy import BusyType
from syncd.store.prepared import prepared
from syncd.store.tables import ClosureRow, EntryRow, MailboxRow, MeetingRow, OccurrenceRow

LONGEST_MEETING = 12 * 3600
"""Seconds; a longer one that something overlays is found at its next look only."""

_NOW: BindParameter[Any] = bindparam("now")
_THERE = select(OccurrenceRow.id).where(
    OccurrenceRow.mailbox == EntryRow.mailbox,
    OccurrenceRow.start == MeetingRow.start,
    OccurrenceRow.end == MeetingRow.end,
    OccurrenceRow.uid == MeetingRow.uid,
)
_LACKING = (
    select(MeetingRow.id)
    .join(EntryRow, EntryRow.meeting == MeetingRow.id)
    .join(MailboxRow, MailboxRow.id == EntryRow.mailbox)
    .where(
        MeetingRow.due.is_(None),
        MeetingRow.wanted,
        MeetingRow.end > _NOW,
        EntryRow.wanted,
        MailboxRow.covered_start <= MeetingRow.start,
        MailboxRow.covered_end >= MeetingRow.end,
        ~_THERE.exists(),
    )
)
_WANTED = select(EntryRow.meeting).where(
    EntryRow.meeting == MeetingRow.id, EntryRow.mailbox == OccurrenceRow.mailbox, EntryRow.wanted
)
_GHOSTS = (
    select(MeetingRow.id)
    .join(OccurrenceRow, OccurrenceRow.uid == MeetingRow.uid)
    .where(OccurrenceRow.stamp.is_not(None), OccurrenceRow.end > _NOW, MeetingRow.due.is_(None), ~_WANTED.exists())
)
STRAYED = _LACKING.union(_GHOSTS).limit(bindparam("limit"))
"""Settled meetings that a calendar lacks, or that stand where they should not."""

_KNOWN = aliased(MeetingRow)
# First the few events that are not ours: a planner left to itself walks all meetings.
_FOREIGN = (
    select(OccurrenceRow.mailbox, OccurrenceRow.start, OccurrenceRow.end)
    .outerjoin(_KNOWN, _KNOWN.uid == OccurrenceRow.uid)
    .where(_KNOWN.id.is_(None), OccurrenceRow.end > _NOW, OccurrenceRow.busy != BusyType.FREE)
    .cte("others")
    .prefix_with("MATERIALIZED")
)
OVERLAID = (
    select(MeetingRow.id)
    .join(
        _FOREIGN,
        and_(
            MeetingRow.caseworker == _FOREIGN.c.mailbox,
            MeetingRow.start < _FOREIGN.c.end,
            MeetingRow.start > _FOREIGN.c.start - LONGEST_MEETING,
            MeetingRow.end > _FOREIGN.c.start,
        ),
    )
    .where(MeetingRow.due.is_(None), MeetingRow.wanted, ~MeetingRow.conflict, MeetingRow.end > _NOW)
    .distinct()
    .limit(bindparam("limit"))
)
"""Settled meetings without a known conflict on whose time something lies that is not ours."""

_COMING = and_(MeetingRow.start > _NOW, MeetingRow.room.is_not(None), MeetingRow.wanted)
# As above: first the few events in the rooms in question that are not ours, and when rooms are closed.
_IN_THE_WAY = (
    union_all(
        select(OccurrenceRow.mailbox, OccurrenceRow.start, OccurrenceRow.end)
        .outerjoin(_KNOWN, _KNOWN.uid == OccurrenceRow.uid)
        .where(
            OccurrenceRow.mailbox.in_(select(MeetingRow.room).where(_COMING)),
            _KNOWN.id.is_(None),
            OccurrenceRow.end > _NOW,
            OccurrenceRow.busy != BusyType.FREE.value,
        ),
        select(ClosureRow.room, ClosureRow.start, ClosureRow.end).where(ClosureRow.end > _NOW),
    )
    .cte("others")
    .prefix_with("MATERIALIZED")
)
_LONGEST = select(func.max(MeetingRow.end - MeetingRow.start)).where(_COMING).scalar_subquery()
UPSET = prepared(
    select(MeetingRow.id, MeetingRow.room, MeetingRow.start)
    .join(
        _IN_THE_WAY,
        and_(
            MeetingRow.room == _IN_THE_WAY.c.mailbox,
            MeetingRow.start < _IN_THE_WAY.c.end,
            MeetingRow.start > _IN_THE_WAY.c.start - _LONGEST,
            MeetingRow.end > _IN_THE_WAY.c.start,
        ),
    )
    .where(_COMING)
    .distinct()
    .order_by(MeetingRow.start, MeetingRow.id)
)
"""Meetings to come whose room is closed, or taken by an event that is not ours, by when they begin."""
