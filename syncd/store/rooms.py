"""What is remembered of rooms beside meetings: pins, closures, shortages; and how rooms were used."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, and_, bindparam, delete, func, insert, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState, RoomState
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store import drift
from syncd.store.chunks import chunks
from syncd.store.instants import epoch, moment, span
from syncd.store.prepared import prepared
from syncd.store.tables import AuditRow, BookingRow, ClosureRow, MeetingRow, RoomNoticeRow, RoomPinRow, RoomShortageRow

CHANGED, REARRANGED = "meeting.room-changed", "meeting.room-rearranged"
"""Audit actions of room moves: after the room was announced, and before."""


Placed = tuple[str, MailboxId, datetime]
"""A meeting, its room, and when it begins."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A time that had no room."""

    site: str
    offer: str
    start: int
    minutes: int
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """The room that people were told. :param room: None: that there is none. :param previous: what they heard before.

    :param changes: how often they were told of another one.
    """

    room: MailboxId | None
    previous: MailboxId | None = None
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Untold:
    """A meeting whose present room people were not told. :param told: they were told another one."""

    meeting: str
    room: MailboxId | None
    caseworker: MailboxId
    start: datetime
    told: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A span in which a room cannot be used."""

    id: int
    room: MailboxId
    interval: Interval
    reason: str


@dataclass(frozen=True, slots=True)
class Used:
    """A meeting that has, or had, a room. :param wanted: False once it was cancelled. :param told: moves announced.

    :param missed: somebody noted that the citizen did not come.
    """

    meeting: str
    room: MailboxId
    interval: Interval
    offer: str
    caseworker: MailboxId
    wanted: bool
    created: int
    moves: int
    told: int
    missed: bool = False


_MEETINGS = cast(Table, MeetingRow.__table__).c
_NOTICES = cast(Table, RoomNoticeRow.__table__)
_NOTICE = prepared(
    select(_NOTICES.c.room, _NOTICES.c.previous, _NOTICES.c.changes).where(_NOTICES.c.meeting == bindparam("of"))
)
_ADD_NOTICE = prepared(insert(_NOTICES))
_SAVE_NOTICE = prepared(
    update(_NOTICES)
    .where(_NOTICES.c.meeting == bindparam("of"))
    .values({name: bindparam(name) for name in ("room", "previous", "changes", "at")})
)
_PINS = cast(Table, RoomPinRow.__table__).c
_PINNED = prepared(select(_PINS.meeting, _PINS.room).where(_PINS.meeting.in_(bindparam("some", expanding=True))))
_COMING = and_(_MEETINGS.wanted, _MEETINGS.start > bindparam("now"))
_INSIDE = prepared(select(_MEETINGS.id).where(_COMING, _MEETINGS.room.in_(bindparam("some", expanding=True))))
_OCCUPIED = prepared(select(_MEETINGS.room).where(_COMING, _MEETINGS.room.is_not(None)).distinct())
_LACKING = prepared(select(_MEETINGS.id).where(_COMING, _MEETINGS.room_state == RoomState.MISSING.value).limit(1))
_SHORT = ["site", "offer", "start"]
_USED = [_MEETINGS[name] for name in ("id", "room", "start", "end", "offer", "caseworker", "wanted", "created")]


class Rooms:
    """The tables about rooms: pins, closures, notices and shortages, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pin(self, meeting: str, room: MailboxId, actor: str, now: datetime) -> None:
        """Keep the meeting in this room; pinning twice is no error."""
        self.unpin(meeting)
        self._session.add(RoomPinRow(meeting=meeting, room=room, actor=actor, at=epoch(now)))
        self._session.flush()

    def unpin(self, meeting: str) -> bool:
        """Let the program move the meeting again; whether it was pinned."""
        gone = delete(RoomPinRow).where(RoomPinRow.meeting == meeting).returning(RoomPinRow.meeting)
        return self._session.scalar(gone.execution_options(synchronize_session=False)) is not None

    def pinned(self, meetings: Collection[str]) -> dict[str, MailboxId]:
        """The rooms that these meetings are pinned to."""
        found: dict[str, MailboxId] = {}
        for some in chunks(meetings):
            found |= {row.meeting: row.room for row in self._session.execute(_PINNED, {"some": some})}
        return found

    def close(self, room: MailboxId, closed: Interval, reason: str) -> None:
        """Close a room for a while."""
        self._session.add(ClosureRow(room=room, start=epoch(closed.start), end=epoch(closed.end), reason=reason))
        self._session.flush()

    def open_again(self, room: MailboxId, span_: Interval) -> int:
        """Forget closures of the room that touch this span; returns how many."""
        gone = delete(ClosureRow).where(
            ClosureRow.room == room, ClosureRow.start < epoch(span_.end), ClosureRow.end > epoch(span_.start)
        )
        found = self._session.scalars(gone.returning(ClosureRow.id).execution_options(synchronize_session=False))
        return len(list(found))

    def closed(self, window: Interval) -> list[Closed]:
        """Closures that touch *window*, in order."""
        query = select(ClosureRow).where(ClosureRow.start < epoch(window.end), ClosureRow.end > epoch(window.start))
        rows = self._session.scalars(query.order_by(ClosureRow.start, ClosureRow.room, ClosureRow.id))
        return [Closed(row.id, row.room, span(row.start, row.end), row.reason) for row in rows]

    def notice(self, meeting: str) -> Notice | None:
        """What people were told of the meeting's room; None when nothing yet."""
        row = self._session.execute(_NOTICE, {"of": meeting}).first()
        return None if row is None else Notice(*row)

    def tell(self, meeting: str, room: MailboxId | None, now: datetime) -> Notice:
        """Note that people are told this room of the meeting now."""
        before = self.notice(meeting)
        if before is not None and before.room == room:
            return before
        told = Notice(room, before.room, before.changes + 1) if before is not None else Notice(room, None, 0)
        values = {"room": told.room, "previous": told.previous, "changes": told.changes, "at": epoch(now)}
        if before is None:
            self._session.execute(_ADD_NOTICE, {"meeting": meeting, **values})
        else:
            self._session.execute(_SAVE_NOTICE, {"of": meeting, **values})
        return told

    def untold(self, now: datetime, until: datetime) -> list[Untold]:
        """Meetings to come that have another room than people were told, or of which they were told nothing yet.

        Also those that had one and have none now; the earliest first.
        """
        same = RoomNoticeRow.room.is_not_distinct_from(MeetingRow.room)
        query = (
            select(MeetingRow.id, MeetingRow.room, MeetingRow.caseworker, MeetingRow.start, RoomNoticeRow.at)
            .outerjoin(RoomNoticeRow, RoomNoticeRow.meeting == MeetingRow.id)
            .where(MeetingRow.wanted, MeetingRow.start > epoch(now), MeetingRow.start < epoch(until))
            .where(or_(RoomNoticeRow.meeting.is_not(None), MeetingRow.room.is_not(None)))
            .where(or_(RoomNoticeRow.meeting.is_(None), not_(same)))
            .order_by(MeetingRow.start, MeetingRow.id)
        )
        return [
            Untold(row.id, row.room, row.caseworker, moment(row.start), row.at is not None)
            for row in self._session.execute(query)
        ]

    def turned_away(self, site: str, offer: str, start: datetime, minutes: int, now: datetime) -> None:
        """Count a request that was turned away for want of a room; who asked is not kept."""
        counted = self._shortage(Shortage(site, offer, epoch(start), minutes, 1), now).on_conflict_do_update(
            index_elements=_SHORT, set_={"refused": RoomShortageRow.refused + 1}
        )
        self._session.execute(counted)

    def missed(self, shortages: Iterable[Shortage], now: datetime) -> int:
        """Remember times that had no room, each once; returns how many are new."""
        made = [self._shortage(one, now).on_conflict_do_nothing().returning(RoomShortageRow.start) for one in shortages]
        return sum(self._session.scalar(one) is not None for one in made)

    def _shortage(self, one: Shortage, now: datetime) -> sqlite.Insert | postgresql.Insert:
        """A row to add; of several who add the same one at once one does, and the others say what becomes of theirs."""
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        values = {"site": one.site, "offer": one.offer, "start": one.start, "minutes": one.minutes}
        return insert(RoomShortageRow).values(values | {"seen": epoch(now), "refused": one.refused})

    def shortages(self, window: Interval) -> list[Shortage]:
        """Times in *window* that had no room, in order."""
        query = select(RoomShortageRow).where(
            RoomShortageRow.start >= epoch(window.start), RoomShortageRow.start < epoch(window.end)
        )
        rows = self._session.scalars(query.order_by(RoomShortageRow.start, RoomShortageRow.site, RoomShortageRow.offer))
        return [Shortage(row.site, row.offer, row.start, row.minutes, row.refused) for row in rows]

    def occupied(self, now: datetime) -> set[MailboxId]:
        """Rooms in which there are meetings to come."""
        return {row.room for row in self._session.execute(_OCCUPIED, {"now": epoch(now)})}

    def inside(self, rooms: Collection[MailboxId], now: datetime) -> list[str]:
        """Meetings to come in these rooms."""
        return list(self._session.scalars(_INSIDE, {"some": list(rooms), "now": epoch(now)}))

    def upset(self, now: datetime) -> list[Placed]:
        """Meetings to come whose room is closed, or taken by an event of somebody else.

        Entries of our own meetings are left out; a copy that a human made, under another UID, counts.
        """
        found = self._session.execute(drift.UPSET, {"now": epoch(now)})
        return [(row.id, row.room, moment(row.start)) for row in found]

    def lacking(self, now: datetime) -> bool:
        """Whether a meeting to come lacks a room."""
        return self._session.scalar(_LACKING, {"now": epoch(now)}) is not None

    def used(self, window: Interval) -> list[Used]:
        """Meetings that begin in *window* and have, or had, a room; holds are left out."""
        inside = (MeetingRow.start >= epoch(window.start), MeetingRow.start < epoch(window.end))
        moved = select(AuditRow.meeting, AuditRow.action, func.count()).join(
            MeetingRow, MeetingRow.id == AuditRow.meeting
        )
        counted = moved.where(AuditRow.action.in_((CHANGED, REARRANGED)), *inside)
        moves: dict[tuple[str | None, str], int] = {
            (meeting, action): number
            for meeting, action, number in self._session.execute(counted.group_by(AuditRow.meeting, AuditRow.action))
        }
        absent = select(BookingRow.meeting).where(BookingRow.state == BookingState.NO_SHOW.value)
        missed = set(self._session.scalars(absent.join(MeetingRow, MeetingRow.id == BookingRow.meeting).where(*inside)))
        query = select(*_USED).where(*inside, MeetingRow.room.is_not(None), MeetingRow.desired_generation > 0)
        return [
            Used(
                row.id,
                row.room or "",
                span(row.start, row.end),
                row.offer,
                row.caseworker,
                row.wanted,
                row.created,
                moves.get((row.id, CHANGED), 0) + moves.get((row.id, REARRANGED), 0),
                moves.get((row.id, CHANGED), 0),
                row.id in missed,
            )
            for row in self._session.execute(query.order_by(MeetingRow.start, MeetingRow.id))
        ]
