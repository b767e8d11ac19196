"""Where calendars and meetings differ, by the mirror; the statements of the sweep, built once.

Both take ``now`` (epoch seconds) and ``limit``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, select
from sqlalchemy.orm import aliased

from syncd.model.busy import BusyType
from syncd.store.tables import EntryRow, MailboxRow, MeetingRow, OccurrenceRow

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
