"""Rows of the mirror as values of the model, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.delta import Group, GroupKey
from syncd.model.directory import MailboxId
from syncd.model.mirror import MailboxStatus
from syncd.store.instants import epoch, maybe, optional, span
from syncd.store.tables import Base, OccurrenceRow

_BUSY = {busy.value: busy for busy in BusyType}
# Plain tables: inserting rows by the hundred is faster without the ORM.
GROUPS = Base.metadata.tables["groups"]
OCCURRENCES = Base.metadata.tables["occurrences"]

OCCURRENCE = (
    OccurrenceRow.uid,
    OccurrenceRow.original_start,
    OccurrenceRow.start,
    OccurrenceRow.end,
    OccurrenceRow.busy,
    OccurrenceRow.all_day,
    OccurrenceRow.recurring,
    OccurrenceRow.categories,
    OccurrenceRow.stamp,
    OccurrenceRow.guest,
)
"""The columns that `occurrence` takes, in its order."""


def status(row: Any) -> MailboxStatus:
    """A row of ``mailboxes`` with the number of unreadable objects."""
    known = row.covered_start is not None
    return MailboxStatus(
        id=row.id,
        token=row.token,
        covered=span(row.covered_start, row.covered_end) if known else None,
        as_of=maybe(row.as_of),
        full_at=maybe(row.full_at),
        problem=row.problem,
        problem_since=maybe(row.problem_since),
        refused=row.refused,
        attempts=row.attempts,
        retry_at=maybe(row.retry_at),
        unreadable=row.unreadable,
        revision=row.revision,
    )


def group_row(mailbox: MailboxId, group: Group) -> Mapping[str, Any]:
    """The row of a group, without its occurrences."""
    return {
        "mailbox": mailbox,
        "key": group.key,
        "version": group.version,
        "memory": group.memory,
        "first": epoch(group.first),
        "last": optional(group.last),
    }


def occurrence_row(mailbox: MailboxId, key: GroupKey, occurrence: Occurrence) -> Mapping[str, Any]:
    """The row of one occurrence of the group *key*."""
    return {
        "mailbox": mailbox,
        "key": key,
        "uid": occurrence.uid,
        "original_start": optional(occurrence.original_start),
        "start": epoch(occurrence.interval.start),
        "end": epoch(occurrence.interval.end),
        "busy": occurrence.busy.value,
        "all_day": occurrence.all_day,
        "recurring": occurrence.recurring,
        "categories": "\n".join(occurrence.categories),
        "stamp": occurrence.stamp.encode() if occurrence.stamp else None,
        "guest": occurrence.guest,
    }


def occurrence(
    uid: str,
    original_start: int | None,
    start: int,
    end: int,
    busy: str,
    all_day: bool,
    recurring: bool,
    categories: str,
    stamp: str | None,
    guest: bool,
) -> Occurrence:
    """The occurrence of one row, given as `OCCURRENCE` columns."""
    return Occurrence(
        uid=uid,
        original_start=maybe(original_start),
        interval=span(start, end),
        busy=_BUSY[busy],
        all_day=all_day,
        recurring=recurring,
        categories=tuple(categories.split("\n")) if categories else (),
        stamp=Stamp.decode(stamp) if stamp else None,
        guest=guest,
    )
