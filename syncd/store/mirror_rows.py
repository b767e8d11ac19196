"""Rows of the mirror as values of the model, and back; and the statements that run all day.

Statements are built once, for making one costs more than running it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import BindParameter, Dialect, Table, and_, bindparam, delete, func, insert, select, update

from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.delta import Group, GroupKey
from syncd.model.directory import MailboxId
from syncd.model.mirror import MailboxStatus
from syncd.store.instants import epoch, maybe, optional, span
from syncd.store.prepared import prepared
from syncd.store.tables import Base, EntryRow, MailboxRow, MeetingRow, OccurrenceRow, UnreadableRow

_BUSY = {busy.value: busy for busy in BusyType}
_NAMES = {busy: name for name, busy in _BUSY.items()}
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
ADDED = {
    GROUPS: ("mailbox", "key", "version", "memory", "first", "last"),
    OCCURRENCES: ("mailbox", "key", *(column.key for column in OCCURRENCE)),
}
"""Columns of the rows that are added by the hundred; those of `group_row` and `occurrence_row`."""

_MAILBOXES, _UNREADABLE = cast(Table, MailboxRow.__table__), cast(Table, UnreadableRow.__table__)
_COUNTED = (
    select(func.count())
    .where(_UNREADABLE.c.mailbox == _MAILBOXES.c.id, _UNREADABLE.c.acknowledged.is_(False))
    .scalar_subquery()
)
STATUSES = select(*_MAILBOXES.c, _COUNTED.label("unreadable"))
STATUSES_OF = prepared(STATUSES.where(_MAILBOXES.c.id.in_(bindparam("some", expanding=True))))
STATUS = prepared(STATUSES.where(_MAILBOXES.c.id == bindparam("mailbox")))

LOCK = prepared(
    select(_MAILBOXES.c.id)
    .where(_MAILBOXES.c.id.in_(bindparam("some", expanding=True)))
    .order_by(_MAILBOXES.c.id)
    .with_for_update()
)
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
CLEAR = tuple(
    delete(table).where(table.c.mailbox == bindparam("of"), table.c.key.in_(_KEYS))
    for table in (OCCURRENCES, GROUPS, _UNREADABLE)
)
FORGET_PAST = prepared(
    delete(OCCURRENCES).where(OCCURRENCES.c.mailbox == bindparam("of"), OCCURRENCES.c.end <= bindparam("begin"))
)
ADD_UNREADABLE = prepared(insert(_UNREADABLE))
_READ = ("problem", "problem_since", "refused", "retry_at", "token", "as_of", "covered_start", "covered_end")
_DONE = (
    update(_MAILBOXES)
    .where(_MAILBOXES.c.id == bindparam("which"))
    .values({name: bindparam(name) for name in _READ} | {"attempts": 0, "revision": _MAILBOXES.c.revision + 1})
)
READ = prepared(_DONE)
"""A completed pass. Wants every column of it."""
READ_WHOLE = prepared(_DONE.values(full_at=bindparam("full_at")))
SEEN = prepared(
    update(_MAILBOXES)
    .where(_MAILBOXES.c.id == bindparam("which"), _MAILBOXES.c.as_of < bindparam("seen"))
    .values(as_of=bindparam("seen"))
)
"""A look at one mailbox that found it unchanged."""

_GROUP_KEYS = select(GROUPS.c.key).where(GROUPS.c.mailbox == bindparam("of"))
GROUP_KEYS = prepared(_GROUP_KEYS)
GROUP_VERSIONS = prepared(select(GROUPS.c.key, GROUPS.c.version).where(GROUPS.c.mailbox == bindparam("of")))
UNREADABLE_VERSIONS = prepared(
    select(_UNREADABLE.c.key, _UNREADABLE.c.version).where(_UNREADABLE.c.mailbox == bindparam("of"))
)
GROUPS_KNOWN = _GROUP_KEYS.where(GROUPS.c.key.in_(_KEYS))
GROUPS_HELD = select(OccurrenceRow.key, *OCCURRENCE).where(
    OccurrenceRow.mailbox == bindparam("of"), OccurrenceRow.key.in_(_KEYS)
)
_WITHIN = and_(OccurrenceRow.end > bindparam("begin"), OccurrenceRow.start < bindparam("until"))
_OCCURRENCES = select(OccurrenceRow.mailbox, *OCCURRENCE).where(_WITHIN).order_by(OccurrenceRow.start)
OCCURRENCES_OF_ONE = prepared(_OCCURRENCES.where(OccurrenceRow.mailbox == bindparam("of")))
OCCURRENCES_OF = prepared(_OCCURRENCES.where(OccurrenceRow.mailbox.in_(bindparam("many", expanding=True))))
UPCOMING = prepared(
    select(func.count(OCCURRENCES.c.key.distinct())).where(
        OCCURRENCES.c.mailbox == bindparam("of"), OCCURRENCES.c.end > bindparam("now")
    )
)
_NOTE = and_(MeetingRow.beside.is_not(None), MeetingRow.caseworker == EntryRow.mailbox)
OWN = prepared(
    select(EntryRow.meeting, EntryRow.key, MeetingRow.start, MeetingRow.end, EntryRow.wanted, MeetingRow.wanted, _NOTE)
    .join(MeetingRow, MeetingRow.id == EntryRow.meeting)
    .where(EntryRow.mailbox == bindparam("of"), MeetingRow.end > bindparam("since"))
)
UNREADABLE = select(*_UNREADABLE.c).order_by(_UNREADABLE.c.mailbox, _UNREADABLE.c.key)
UNREADABLE_OF = prepared(UNREADABLE.where(_UNREADABLE.c.mailbox == bindparam("of")))
UNREADABLE_KEYS = prepared(select(_UNREADABLE.c.key).where(_UNREADABLE.c.mailbox == bindparam("of")))


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


def adding(table: Table, dialect: Dialect) -> str:
    """The statement that adds rows to *table*, for the driver: SQLAlchemy looks at each value of each row."""
    names = [dialect.identifier_preparer.quote(name) for name in ADDED[table]]
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608 - names of ours


def group_row(mailbox: MailboxId, group: Group) -> tuple[Any, ...]:
    """The row of a group, without its occurrences: its columns as in `ADDED`."""
    return (mailbox, group.key, group.version, group.memory, epoch(group.first), optional(group.last))


def occurrence_row(
    mailbox: MailboxId, key: GroupKey, occurrence: Occurrence, flag: Callable[[bool], int] = bool
) -> tuple[Any, ...]:
    """The row of one occurrence of the group *key*: its columns as in `ADDED`.

    :param flag: what the driver wants for a boolean.
    """
    interval, stamp = occurrence.interval, occurrence.stamp
    return (
        mailbox,
        key,
        occurrence.uid,
        optional(occurrence.original_start),
        epoch(interval.start),
        epoch(interval.end),
        _NAMES[occurrence.busy],
        flag(occurrence.all_day),
        flag(occurrence.recurring),
        "\n".join(occurrence.categories),
        stamp.encode() if stamp else None,
        flag(occurrence.guest),
    )


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
