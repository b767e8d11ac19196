"""What stands in rooms in a span of days, and why: from our rows and the mirror of the rooms' calendars.

Times, kinds and our own people only; of what others put into a room's calendar nothing is known but when.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from syncd.model.booking import BookingState, RoomState
from syncd.model.busy import BusyType
from syncd.model.directory import Directory, MailboxId, Room
from syncd.model.interval import Interval, merge
from syncd.model.mirror import trust
from syncd.store import Tx
from syncd.store.chunks import chunks
from syncd.store.instants import epoch, moment, span
from syncd.store.rooms import CHANGED, REARRANGED
from syncd.store.tables import AuditRow, BookingRow, MeetingRow

LONGEST = timedelta(days=1)
"""No meeting of ours lasts longer."""
STAFFED = ("cli", "staff")
"""Clients behind which one of our own people books."""
LOST, GONE, PINNED = "meeting.room-lost", "meeting.room-gone", "room.pinned"
_TOLD = (CHANGED, REARRANGED, LOST, GONE, PINNED)


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
    """A span of a room's time. :param reason: of a closure. :param changes: in order of time.

    :param caseworker: whose meeting; None for what is not ours.
    """

    kind: Kind
    interval: Interval
    meeting: str | None = None
    caseworker: MailboxId | None = None
    pinned: bool = False
    reason: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether it stood in another room before."""
        return any(change.action in (CHANGED, REARRANGED) for change in self.changes)


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
    uids = _meetings(look, ids, window, found)
    _direct(look, ids, window, uids, found)
    for room, shut in _closures(look, window):
        if room in found:
            found[room].append(shut)
    statuses = look.tx.mailboxes.statuses(ids)
    return [
        RoomBoard(
            room,
            tuple(sorted(found[room.id], key=lambda bar: (bar.interval, bar.kind))),
            _known(trust(statuses.get(room.id), look.now, look.max_age, window).window, window, look.now),
        )
        for room in rooms
    ]


def _known(believed: Interval | None, window: Interval, now: datetime) -> bool:
    """Whether what is still to come of *window* may be believed; what is over happened as it did."""
    if window.end <= now:
        return True
    return believed is not None and believed.start <= max(now, window.start) and believed.end >= window.end


def _meetings(look: Look, ids: Collection[MailboxId], window: Interval, found: dict[MailboxId, list[Bar]]) -> set[str]:
    """Our own meetings; returns their UIDs, by which the rooms' calendars have them too."""
    rows = [
        row
        for some in chunks(ids)
        for row in look.tx.session.execute(
            select(
                MeetingRow.id,
                MeetingRow.uid,
                MeetingRow.room,
                MeetingRow.start,
                MeetingRow.end,
                MeetingRow.wanted,
                MeetingRow.caseworker,
                MeetingRow.room_state,
                MeetingRow.beside,
                MeetingRow.desired_generation,
            ).where(
                MeetingRow.room.in_(some),
                MeetingRow.start < epoch(window.end),
                MeetingRow.start > epoch(window.start - LONGEST),
                MeetingRow.end > epoch(window.start),
            )
        )
    ]
    names = [row.id for row in rows]
    seats, changes = _seats(look, names), history(look.tx, names)
    pins = look.tx.rooms.pinned(names)
    for row in rows:
        kind = _kind(row, *seats.get(row.id, ("", None)), epoch(look.now))
        if kind is not None:
            told = tuple(changes.get(row.id, ()))
            one = Bar(kind, span(row.start, row.end), row.id, row.caseworker, row.id in pins, changes=told)
            found[row.room].append(one)
    return {row.uid for row in rows}


def _kind(row: Any, client: str, held_until: int | None, now: int) -> Kind | None:
    """What a meeting is to whoever looks at rooms; None when it is nothing any more."""
    if not row.desired_generation:
        return Kind.HELD if held_until is not None and held_until > now else None
    if not row.wanted:
        return Kind.RELEASED
    if row.room_state == RoomState.PENDING.value and row.end > now:
        return Kind.PENDING
    own = row.beside is not None or client.partition(":")[0] in STAFFED
    return Kind.STAFF if own else Kind.CITIZEN


def _seats(look: Look, meetings: Collection[str]) -> dict[str, tuple[str, int | None]]:
    """Per meeting the client that booked it, and until when it is held."""
    found: dict[str, tuple[str, int | None]] = {}
    for some in chunks(meetings):
        question = (
            select(BookingRow.meeting, func.max(BookingRow.client), func.max(BookingRow.expires))
            .where(BookingRow.meeting.in_(some), BookingRow.state != BookingState.EXPIRED.value)
            .group_by(BookingRow.meeting)
        )
        found |= {meeting: (client, expires) for meeting, client, expires in look.tx.session.execute(question)}
    return found


def history(tx: Tx, meetings: Collection[str]) -> dict[str, list[Change]]:
    """What happened to the rooms of these meetings, in order."""
    found: dict[str, list[Change]] = {}
    for some in chunks(meetings):
        question = (
            select(AuditRow.meeting, AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.detail)
            .where(AuditRow.meeting.in_(some), AuditRow.action.in_(_TOLD))
            .order_by(AuditRow.id)
        )
        for row in tx.session.execute(question):
            found.setdefault(row.meeting, []).append(Change(moment(row.at), row.actor, row.action, row.detail or ""))
    return found


def _direct(
    look: Look, ids: Collection[MailboxId], window: Interval, ours: set[str], found: dict[MailboxId, list[Bar]]
) -> None:
    for room, events in look.tx.mailboxes.occurrences(list(ids), window).items():
        found[room] += [
            Bar(Kind.DIRECT, event.interval)
            for event in events
            if event.busy is not BusyType.FREE and event.uid not in ours
        ]


def _closures(look: Look, window: Interval) -> list[tuple[MailboxId, Bar]]:
    return [(one.room, Bar(Kind.CLOSED, one.interval, reason=one.reason)) for one in look.tx.rooms.closed(window)]
