"""What is remembered of rooms beside meetings: pins, closures, shortages; and how rooms were used."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store.chunks import chunks
from syncd.store.instants import epoch, span
from syncd.store.tables import AuditRow, ClosureRow, MeetingRow, RoomPinRow, RoomShortageRow

CHANGED, REARRANGED = "meeting.room-changed", "meeting.room-rearranged"
"""Audit actions of room moves: after the room was announced, and before."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A time that had no room."""

    site: str
    offer: str
    start: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Used:
    """A meeting that has, or had, a room. :param wanted: False once it was cancelled. :param told: moves announced."""

    meeting: str
    room: MailboxId
    interval: Interval
    offer: str
    caseworker: MailboxId
    wanted: bool
    created: int
    moves: int
    told: int


class Rooms:
    """The tables ``room_pins``, ``room_closures`` and ``room_shortages``, seen from inside one transaction."""

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
            for row in self._session.scalars(select(RoomPinRow).where(RoomPinRow.meeting.in_(some))):
                found[row.meeting] = row.room
        return found

    def close(self, room: MailboxId, closed: Interval, reason: str) -> None:
        """Close a room for a while."""
        self._session.add(ClosureRow(room=room, start=epoch(closed.start), end=epoch(closed.end), reason=reason))
        self._session.flush()

    def missed(self, shortages: Iterable[Shortage], now: datetime) -> int:
        """Remember times that had no room, each once; returns how many are new."""
        new = 0
        for one in shortages:
            if self._session.get(RoomShortageRow, (one.site, one.offer, one.start)) is None:
                row = RoomShortageRow(
                    site=one.site, offer=one.offer, start=one.start, minutes=one.minutes, seen=epoch(now)
                )
                self._session.add(row)
                new += 1
        self._session.flush()
        return new

    def shortages(self, window: Interval) -> list[Shortage]:
        """Times in *window* that had no room, in order."""
        query = select(RoomShortageRow).where(
            RoomShortageRow.start >= epoch(window.start), RoomShortageRow.start < epoch(window.end)
        )
        rows = self._session.scalars(query.order_by(RoomShortageRow.start, RoomShortageRow.site, RoomShortageRow.offer))
        return [Shortage(row.site, row.offer, row.start, row.minutes) for row in rows]

    def used(self, window: Interval) -> list[Used]:
        """Meetings that begin in *window* and have, or had, a room; holds are left out."""
        moves: dict[tuple[str | None, str], int] = {
            (meeting, action): number
            for meeting, action, number in self._session.execute(
                select(AuditRow.meeting, AuditRow.action, func.count())
                .where(AuditRow.action.in_((CHANGED, REARRANGED)))
                .group_by(AuditRow.meeting, AuditRow.action)
            )
        }
        query = select(MeetingRow).where(
            MeetingRow.start >= epoch(window.start),
            MeetingRow.start < epoch(window.end),
            MeetingRow.room.is_not(None),
            MeetingRow.desired_generation > 0,
        )
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
            )
            for row in self._session.scalars(query.order_by(MeetingRow.start, MeetingRow.id))
        ]
