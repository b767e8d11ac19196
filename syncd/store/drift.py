"""Where calendars and meetings differ, by the mirror; statements that are built once.

All take ``now`` (epoch seconds), those of the sweep ``limit``, too.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    SelectBase,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from syncd.model.busy import BusyType
from syncd.store.prepared import prepared
from syncd.store.tables import HERS, ClosureRow, EntryRow, MailboxRow, MeetingRow, OccurrenceRow

LONGEST_MEETING = 12 * 3600
"""Seconds; a longer one that something overlays is found at its next look only."""

_MEETINGS = cast(Table, MeetingRow.__table__).c
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
    EntryRow.meeting == MeetingRow.id, EntryRow.mailbox == OccurrenceRow.mailbox, or_(EntryRow.wanted, HERS)
)
_GHOSTS = (
    select(MeetingRow.id)
    .join(OccurrenceRow, OccurrenceRow.uid == MeetingRow.uid)
    .where(OccurrenceRow.stamp.is_not(None), OccurrenceRow.end > _NOW, MeetingRow.due.is_(None), ~_WANTED.exists())
)
# A human took it from the past, where we had done with it, to a time to come.
_MOVED_AHEAD = (
    select(MeetingRow.id)
    .join(OccurrenceRow, and_(OccurrenceRow.uid == MeetingRow.uid, OccurrenceRow.mailbox == MeetingRow.caseworker))
    .where(OccurrenceRow.stamp.is_not(None), OccurrenceRow.start > _NOW, MeetingRow.due.is_(None))
    .where(MeetingRow.wanted, MeetingRow.beside.is_(None), MeetingRow.end <= _NOW)
)
STRAYED = _LACKING.union(_GHOSTS, _MOVED_AHEAD).limit(bindparam("limit"))
"""Settled meetings that a calendar lacks, or that stand where they should not."""

_KNOWN = aliased(MeetingRow)


def _not_ours(*where: ColumnElement[bool]) -> Select[str, int, int]:
    """Events of others that take time and are not over."""
    return (
        select(OccurrenceRow.mailbox, OccurrenceRow.start, OccurrenceRow.end)
        .outerjoin(_KNOWN, _KNOWN.uid == OccurrenceRow.uid)
        .where(_KNOWN.id.is_(None), OccurrenceRow.end > _NOW, OccurrenceRow.busy != BusyType.FREE.value, *where)
    )


def _first(question: SelectBase) -> CTE:
    """Ask this first, for it finds few: a planner left to itself walks all meetings."""
    return question.cte("others").prefix_with("MATERIALIZED")


def _upon(others: CTE, whose: ColumnElement[Any], longest: Any) -> ColumnElement[bool]:
    """Whether one of *others* lies on a meeting's time in the calendar *whose*; *longest*: seconds, for the index."""
    return and_(
        whose == others.c.mailbox,
        MeetingRow.start < others.c.end,
        MeetingRow.start > others.c.start - longest,
        MeetingRow.end > others.c.start,
    )


_FOREIGN = _first(_not_ours())
OVERLAID = (
    select(MeetingRow.id)
    .join(_FOREIGN, _upon(_FOREIGN, _MEETINGS.caseworker, LONGEST_MEETING))
    .where(MeetingRow.due.is_(None), MeetingRow.wanted, ~MeetingRow.conflict, MeetingRow.end > _NOW)
    .distinct()
    .limit(bindparam("limit"))
)
"""Settled meetings without a known conflict on whose time something lies that is not ours."""

_COMING = and_(MeetingRow.start > _NOW, MeetingRow.room.is_not(None), MeetingRow.wanted)
_IN_THE_WAY = _first(
    union_all(
        _not_ours(OccurrenceRow.mailbox.in_(select(MeetingRow.room).where(_COMING))),
        select(ClosureRow.room, ClosureRow.start, ClosureRow.end).where(ClosureRow.end > _NOW),
    )
)
_LONGEST = select(func.max(MeetingRow.end - MeetingRow.start)).where(_COMING).scalar_subquery()
UPSET = prepared(
    select(MeetingRow.id, MeetingRow.room, MeetingRow.start)
    .join(_IN_THE_WAY, _upon(_IN_THE_WAY, _MEETINGS.room, _LONGEST))
    .where(_COMING)
    .distinct()
    .order_by(MeetingRow.start, MeetingRow.id)
)
"""Meetings to come whose room is closed, or taken by an event that is not ours, by when they begin."""
