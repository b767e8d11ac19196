"""Carries out the room moves of a plan, in the transaction of what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from syncd.booking.desire import desire, unsettle
from syncd.errors import SlotGone
from syncd.model.booking import Meeting, RoomState
from syncd.model.directory import Directory
from syncd.roomalloc import rank
from syncd.roomalloc.allocate import Move
from syncd.store import Tx

STALE = "The rooms have changed meanwhile. Nothing was changed; choose the time again, or another one."


def relocate(tx: Tx, directory: Directory, moves: Sequence[Move], now: datetime) -> None:
    """Give each meeting of *moves* its new room, all at once; calendars hear of it from reconcile.

    The caller holds the lock of the site and day, under which *moves* was found.

    :raises SlotGone: a meeting is not where the plan has it, or a new room is taken; roll back.
    """
    meetings = [_locked(tx, move) for move in sorted(moves, key=lambda move: move.meeting)]
    targets = {move.meeting: move for move in moves}
    for meeting in meetings:
        tx.meetings.release(meeting.id, targets[meeting.id].origin)
    try:
        for meeting in meetings:
            room = directory.rooms[targets[meeting.id].room]
            tx.meetings.claim(meeting.id, room.id, rank.claim(room, meeting.interval))
    except (IntegrityError, KeyError) as error:
        raise SlotGone(STALE) from error
    for meeting in meetings:
        _settle(tx, meeting, targets[meeting.id], now)


def _locked(tx: Tx, move: Move) -> Meeting:
    """The meeting, which nobody else changes from now on."""
    meeting = tx.meetings.get(move.meeting, lock=True)
    claimed = any(claim.mailbox == move.origin and claim.active for claim in tx.meetings.claims(move.meeting))
    # One that lacks a room has none to give back.
    held = not move.origin or claimed
    if meeting is None or (meeting.room or "") != move.origin or not held:
        raise SlotGone(STALE)
    return meeting


def _settle(tx: Tx, meeting: Meeting, move: Move, now: datetime) -> None:
    moved = replace(meeting, room=move.room, room_state=RoomState.PENDING)
    if meeting.desired_generation:
        desire(tx, moved, now)
        unsettle(tx, meeting, now)
    else:
        tx.meetings.save(moved, None)  # a hold: no calendar knows of it
    action = "meeting.room-changed" if move.told else "meeting.room-rearranged"
    tx.audit.add("syncd", action, meeting=meeting.id, detail=f"{move.origin} > {move.room}", now=now)
