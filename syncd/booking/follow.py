"""What a calendar said about a meeting, made true in the database; each function is one transaction's work.

A human's time stands (architecture, decision 11): the meeting follows even outside hours and quotas. What cannot be
had with it, a room or a free calendar, is flagged; nothing is dragged back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from syncd.booking import brake, texts, turns
from syncd.booking.collide import blocks, foreign_events
from syncd.booking.decide import seen
from syncd.booking.desire import cancelled, desire, end_holds, unsettle
from syncd.booking.rooms import give_room, needs_room
from syncd.booking.sight import Limits, Moved, Newer, RoomTaken, Verdict, Withdrawn
from syncd.booking.take import lock_site_days, with_buffers
from syncd.booking.texts import shift
from syncd.model.booking import BookingState, EntryRecord, Meeting, RoomState, advance
from syncd.model.busy import BusyType
from syncd.model.directory import Directory, MailboxId
from syncd.model.entry import Entry
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.store import Tx

ROOM_TAKEN = "meeting.room-taken"
"""Audit action."""
NOT_ASKED_AGAIN = timedelta(days=14)
"""How long a room's no is remembered."""
ROOM_ASKED = "meeting.room-asked-again"
ASKED_AGAIN = 2
"""How often a room is asked again that may have declined for an earlier entry of ours."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What following needs besides the meeting."""

    directory: Directory
    rulebook: Rulebook
    limits: Limits
    now: datetime


def follow(tx: Tx, looked_at: Meeting, verdict: Verdict, ground: Ground) -> bool:
    """Carry out *verdict*, unless the meeting has changed since *looked_at* was read.

    :returns: whether it was; when not, look again (or, with the brake pulled, wait for a person).
    """
    _lock(tx, looked_at, verdict, ground)
    meeting = tx.meetings.get(looked_at.id, lock=True)
    if meeting is None or meeting.desired_generation != looked_at.desired_generation:
        return False
    if isinstance(verdict, Newer):
        _adopt(tx, meeting, verdict, ground)
        return True
    if not brake.allows(tx, meeting.id, ground.limits, ground.now):
        return False
    carry_out: dict[type, Callable[..., None]] = {Moved: _move, Withdrawn: _withdraw, RoomTaken: _change_room}
    carry_out[type(verdict)](tx, meeting, verdict, ground)
    tx.settings.bump()
    return True


def _lock(tx: Tx, meeting: Meeting, verdict: Verdict, ground: Ground) -> None:
    tx.mailboxes.lock(*meeting.people)
    says = verdict.interval if isinstance(verdict, Moved | Newer) else None
    spans = [meeting.interval, says] if says else [meeting.interval]
    lock_site_days(tx, ground.directory, {meeting.caseworker}, spans)


def _move(tx: Tx, meeting: Meeting, verdict: Moved, ground: Ground) -> None:
    if meeting.beside is not None:
        desire(tx, meeting, ground.now)  # only the note was moved; it belongs beside her event
        _remember(tx, meeting, verdict.mailbox, verdict.entry)
        return
    moved = replace(meeting, interval=verdict.interval)
    desire(tx, placed(tx, moved, ground), ground.now)
    _remember(tx, meeting, verdict.mailbox, verdict.entry)
    unsettle(tx, meeting, ground.now)
    actor, told = f"calendar:{verdict.mailbox}", shift(meeting, moved)
    tx.audit.add(actor, "meeting.moved", meeting=meeting.id, detail=told, now=ground.now)


def _withdraw(tx: Tx, meeting: Meeting, verdict: Withdrawn, ground: Ground) -> None:
    cancelled(tx, meeting, ground.now)
    actor = f"calendar:{verdict.mailbox}"
    if meeting.beside is not None:
        tx.audit.add(actor, "mark.dismissed", meeting=meeting.id, now=ground.now)
        return
    # Should it come back there, she has brought it back: it is not a late write of ours.
    tx.meetings.note(meeting.id, EntryRecord(verdict.mailbox, wanted=False, missing_since=ground.now))
    tx.audit.add(actor, "meeting.withdrawn", meeting=meeting.id, now=ground.now)
    end_holds(tx, meeting, ground.now)
    for booking in tx.bookings.of(meeting.id):
        if booking.state in (BookingState.PENDING, BookingState.CONFIRMED):
            tx.bookings.save(advance(booking, BookingState.CANCELLED), ground.now)
            tx.audit.add(
                actor,
                "booking.cancelled",
                booking=booking.id,
                meeting=meeting.id,
                citizen=booking.citizen,
                now=ground.now,
            )


def _change_room(tx: Tx, meeting: Meeting, verdict: RoomTaken, ground: Ground) -> None:
    if verdict.declined and _own_fault(tx, meeting, ground.now):
        desire(tx, meeting, ground.now)
        return
    tx.meetings.release(meeting.id, verdict.mailbox)
    without = {verdict.mailbox, *declined(tx, meeting, ground.now)}
    room = give_room(
        tx, ground.directory, ground.rulebook, meeting, now=ground.now, max_age=ground.limits.max_age, without=without
    )
    desire(tx, with_room(meeting, room), ground.now)
    unsettle(tx, meeting, ground.now)
    detail = _declined_at(meeting) if verdict.declined else None
    tx.audit.add(f"calendar:{verdict.mailbox}", ROOM_TAKEN, meeting=meeting.id, detail=detail, now=ground.now)


def _own_fault(tx: Tx, meeting: Meeting, now: datetime) -> bool:
    """Whether the room may have declined because of an earlier entry of ours, and is asked again, twice at most."""
    if turns.contested(tx, meeting) or not turns.left(tx, meeting):
        return False
    asked = tx.audit.actors(ROOM_ASKED, meeting.id, _declined_at(meeting), now - NOT_ASKED_AGAIN)
    if len(asked) >= ASKED_AGAIN:
        return False
    tx.audit.add("syncd", ROOM_ASKED, meeting=meeting.id, detail=_declined_at(meeting), now=now)
    return True


def declined(tx: Tx, meeting: Meeting, now: datetime) -> set[MailboxId]:
    """The rooms that said no to this meeting at this very time; they are not asked again for a while."""
    actors = tx.audit.actors(ROOM_TAKEN, meeting.id, _declined_at(meeting), now - NOT_ASKED_AGAIN)
    return {actor.partition(":")[2] for actor in actors}


def _declined_at(meeting: Meeting) -> str:
    return f"declined {meeting.interval.start.isoformat()}"


def _adopt(tx: Tx, meeting: Meeting, verdict: Newer, ground: Ground) -> None:
    """The calendar is ahead: take its time over, and count on from its generation."""
    if meeting.wanted and meeting.beside is None and verdict.interval not in (None, meeting.interval):
        meeting = placed(tx, replace(meeting, interval=verdict.interval), ground)
    if meeting.wanted and meeting.beside is None:
        meeting = replace(meeting, attention=_joined(meeting.attention, texts.RESTORED))
    desire(tx, meeting, ground.now, above=verdict.generation)
    _remember(tx, meeting, verdict.mailbox, verdict.entry)
    tx.audit.add(f"calendar:{verdict.mailbox}", "meeting.adopted", meeting=meeting.id, now=ground.now)
    tx.settings.bump()


def placed(tx: Tx, meeting: Meeting, ground: Ground) -> Meeting:
    """The meeting with its time claimed anew, and with the room it has, another one, or none.

    What stands beside a caseworker's own event claims none of her time: the event takes that already.
    """
    tx.meetings.release(meeting.id)
    if meeting.beside is None:
        meeting = _timed(tx, meeting, ground)
    else:
        rooms = [room.id for room in ground.directory.rooms.values()]
        tx.bookings.expire(ground.now, rooms, meeting.interval)
    if not needs_room(ground.directory, ground.rulebook, meeting):
        return meeting
    return with_room(
        meeting,
        give_room(tx, ground.directory, ground.rulebook, meeting, now=ground.now, max_age=ground.limits.max_age),
    )


def _timed(tx: Tx, meeting: Meeting, ground: Ground) -> Meeting:
    """The meeting with its people's time claimed, beside another claim if a human wants it so."""
    span = with_buffers(meeting.interval, meeting.before, meeting.after)
    rooms = [room.id for room in ground.directory.rooms.values()]
    tx.bookings.expire(ground.now, [*meeting.people, *rooms], span)
    clash = not claimed(tx, meeting, span)
    if clash:
        for person in meeting.people:
            tx.meetings.claim(meeting.id, person, span, active=False)
    conflict = clash or overlapped(tx, meeting, ground.rulebook)
    lasting = [sentence for sentence in texts.LASTING if sentence in (meeting.attention or "")]
    told = _joined(*lasting, texts.CONFLICT if conflict else None)
    return replace(meeting, conflict=conflict, attention=told or None)


def claimed(tx: Tx, meeting: Meeting, span: Interval) -> bool:
    """Whether everybody's time could be claimed; not when another meeting of ours has some of it."""
    try:
        with tx.session.begin_nested():
            for person in sorted(meeting.people):
                tx.meetings.claim(meeting.id, person, span)
    except IntegrityError:
        return False
    return True


def overlapped(tx: Tx, meeting: Meeting, rulebook: Rulebook) -> bool:
    """Whether somebody else's event lies on the meeting itself (its buffers may be used up by a human).

    Closed hours are no event: a human may well move a meeting there.
    """
    if meeting.beside is not None:
        return False  # it stands beside one
    found = foreign_events(tx, meeting.people, meeting.interval)
    return any(
        event.busy is not BusyType.UNAVAILABLE and blocks(event, rulebook.policy(person), meeting.form)
        for person in meeting.people
        for event in found[person]
    )


def with_room(meeting: Meeting, room: str | None) -> Meeting:
    """The meeting in *room*; without one, a person is told."""
    other = " ".join((meeting.attention or "").replace(texts.ROOM_MISSING, "").split())
    if room is not None:
        return replace(meeting, room=room, room_state=RoomState.PENDING, attention=other or None, note=None)
    told = _joined(other, texts.ROOM_MISSING)
    return replace(meeting, room=None, room_state=RoomState.MISSING, attention=told, note=None)


def _joined(*told: str | None) -> str:
    """One text of several; what an earlier one says already is not said again."""
    text = ""
    for one in told:
        if one and one not in text:
            text = f"{text} {one}".strip()
    return text


def _remember(tx: Tx, meeting: Meeting, mailbox: str, entry: Entry) -> None:
    """Take note of what stands there, so that only what a human does from now on counts as new."""
    known = {record.mailbox: record for record in tx.meetings.entries(meeting.id)}
    tx.meetings.note(meeting.id, seen(known.get(mailbox, EntryRecord(mailbox, wanted=False)), entry))
