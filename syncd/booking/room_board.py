"""What stands in rooms in a span of days, and why: from our rows and the mirror of the rooms' calendars.

Times, kinds and our own people only; of what others put into a room's calendar nothing is known but when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BindParameter, Table, and_, bindparam, select

from syncd.model.booking import LONGEST, BookingState, RoomState
from syncd.model.busy import BusyType
from syncd.model.directory import Directory, MailboxId, Room
from syncd.model.interval import Interval, merge
from syncd.model.mirror import trust
from syncd.store import Tx
from syncd.store.chunks import chunks
from syncd.store.instants import epoch, moment, span
from syncd.store.prepared import prepared
from syncd.store.rooms import CHANGED, REARRANGED
from syncd.store.tables import AuditRow, BookingRow, MeetingRow, OccurrenceRow, RoomPinRow

STAFFED = ("cli", "staff")
"""Clients behind which one of our own people books."""
LOST, GONE, PINNED = "meeting.room-lost", "meeting.room-gone", "room.pinned"
_TOLD = (CHANGED, REARRANGED, LOST, GONE, PINNED)

_OURS, _SEATS, _PINS, _AUDIT, _OTHERS = (
    cast(Table, row.__table__).c for row in (MeetingRow, BookingRow, RoomPinRow, AuditRow, OccurrenceRow)
)
_SOME: BindParameter[Any] = bindparam("some", expanding=True)
_BEGIN: BindParameter[Any] = bindparam("begin")
_UNTIL: BindParameter[Any] = bindparam("until")
_INSIDE = and_(
    *(_OURS.room.in_(_SOME), _OURS.start < _UNTIL, _OURS.start > bindparam("early"), _OURS.end > _BEGIN),
)
_MEETINGS = prepared(
    select(
        *(_OURS[name] for name in ("id", "uid", "room", "start", "end", "wanted", "caseworker", "room_state")),
        *(_OURS.beside, _OURS.desired_generation, _SEATS.client, _SEATS.expires),
    )
    .outerjoin(_SEATS.id.table, and_(_SEATS.meeting == _OURS.id, _SEATS.state != BookingState.EXPIRED.value))
    .where(_INSIDE)
)
_PINNED = prepared(select(_PINS.meeting).join(_OURS.id.table, _OURS.id == _PINS.meeting).where(_INSIDE))
_MOVED = prepared(
    select(_AUDIT.meeting)
    .join(_OURS.id.table, _OURS.id == _AUDIT.meeting)
    .where(_INSIDE, _AUDIT.action.in_((CHANGED, REARRANGED)))
)
_DIRECT = prepared(
    select(_OTHERS.mailbox, _OTHERS.start, _OTHERS.end, _OTHERS.uid).where(
        *(_OTHERS.mailbox.in_(_SOME), _OTHERS.start < _UNTIL, _OTHERS.end > _BEGIN),
        _OTHERS.busy != BusyType.FREE.value,
    )
)


class Kind(StrEnum):
    """What takes a room."""

    CITIZEN = "citizen"
    STAFF = "staff"
    DIRECT = "direct"
    """Somebody put it into the room's own calendar."""
    PENDING = "pending"
    """Ours, and not yet seen in the room's calendar."""
    HELD = "held"
    """Kept for some minutes for somebody who is booking."""
    CLOSED = "closed"
    RELEASED = "released"
    """Given back before it began; takes nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a meeting's room. :param action: as in the audit. :param detail: rooms, by id."""

    at: datetime
    actor: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of a room's time. :param reason: of a closure. :param moved: it stood in another room before.

    :param caseworker: whose meeting; None for what is not ours.
    """

    kind: Kind
    interval: Interval
    meeting: str | None = None
    caseworker: MailboxId | None = None
    pinned: bool = False
    reason: str = ""
    moved: bool = False


@dataclass(frozen=True, slots=True)
class RoomBoard:
    """One room. :param known: its calendar may be believed for the whole span: unknown is never free."""

    room: Room
    bars: tuple[Bar, ...]
    known: bool

    @property
    def taken(self) -> list[Interval]:
        """When it cannot be used, merged."""
        return merge(bar.interval for bar in self.bars if bar.kind is not Kind.RELEASED)

    def taken_at(self, now: datetime) -> Interval | None:
        """The stretch it is taken for now; None when it is free."""
        return next((one for one in self.taken if one.start <= now < one.end), None)

    def next_after(self, now: datetime) -> Interval | None:
        """The stretch that begins next."""
        return next((one for one in self.taken if one.start > now), None)


@dataclass(frozen=True, slots=True)
class Look:
    """What a board is read with. :param max_age: how old the mirror of a room may be."""

    tx: Tx
    directory: Directory
    now: datetime
    max_age: timedelta


def boards(look: Look, rooms: Sequence[Room], window: Interval) -> list[RoomBoard]:
    """What stands in these rooms in *window*, room by room in the order given."""
    ids = [room.id for room in rooms]
    found: dict[MailboxId, list[Bar]] = {room: [] for room in ids}
    for some in chunks(ids):
        inside = {"some": some, "begin": epoch(window.start), "until": epoch(window.end)}
        ours = _meetings(look, inside | {"early": epoch(window.start - LONGEST)}, found)
        for row in look.tx.session.execute(_DIRECT, inside):
            if row.uid not in ours:
                found[row.mailbox].append(Bar(Kind.DIRECT, span(row.start, row.end)))
    for one in look.tx.rooms.closed(window):
        if one.room in found:
            found[one.room].append(Bar(Kind.CLOSED, one.interval, reason=one.reason))
    statuses = look.tx.mailboxes.statuses(ids)
    return [
        RoomBoard(
            room,
            tuple(sorted(found[room.id], key=lambda bar: (bar.interval.start, bar.interval.end, bar.kind))),
            _known(trust(statuses.get(room.id), look.now, look.max_age, window).window, window, look.now),
        )
        for room in rooms
    ]


def _known(believed: Interval | None, window: Interval, now: datetime) -> bool:
    """Whether what is still to come of *window* may be believed; what is over happened as it did."""
    if window.end <= now:
        return True
    return believed is not None and believed.start <= max(now, window.start) and believed.end >= window.end


def _meetings(look: Look, inside: dict[str, Any], found: dict[MailboxId, list[Bar]]) -> set[str]:
    """Our own meetings; returns their UIDs, by which the rooms' calendars have them too."""
    session, now = look.tx.session, epoch(look.now)
    rows: dict[str, Any] = {}
    held: dict[str, int] = {}
    for row in session.execute(_MEETINGS, inside):
        rows[row.id] = row
        if row.expires:
            held[row.id] = max(row.expires, held.get(row.id, 0))
    pinned, moved = (set(session.execute(question, inside).scalars()) for question in (_PINNED, _MOVED))
    for name, row in rows.items():
        kind = _kind(row, held.get(name, 0), now)
        if kind is not None:
            one = span(row.start, row.end)
            found[row.room].append(Bar(kind, one, name, row.caseworker, name in pinned, moved=name in moved))
    return {row.uid for row in rows.values()}


def _kind(row: Any, held_until: int, now: int) -> Kind | None:
    """What a meeting is to whoever looks at rooms; None when it is nothing any more."""
    if not row.desired_generation:
        return Kind.HELD if held_until > now else None
    if not row.wanted:
        return Kind.RELEASED
    if row.room_state == RoomState.PENDING.value and row.end > now:
        return Kind.PENDING
    own = row.beside is not None or (row.client or "").partition(":")[0] in STAFFED
    return Kind.STAFF if own else Kind.CITIZEN


def history(tx: Tx, meeting: str) -> list[Change]:
    """What happened to the room of a meeting, in order."""
    question = (
        select(AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.detail)
        .where(AuditRow.meeting == meeting, AuditRow.action.in_(_TOLD))
        .order_by(AuditRow.id)
    )
    return [Change(moment(row.at), row.actor, row.action, row.detail or "") for row in tx.session.execute(question)]
