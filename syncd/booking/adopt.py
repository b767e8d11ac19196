"""Meetings that only the calendars know, because the database was restored from an older copy.

They carry our stamp, so somebody was promised them; they are taken up again, never deleted, and a person is told
(architecture, decision 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.exc import IntegrityError

from syncd.booking import texts
from syncd.booking.allowed import BOOKED
from syncd.booking.beside import PREFIX
from syncd.booking.desire import desire
from syncd.booking.follow import Ground, claimed, placed
from syncd.booking.rooms import needs_room
from syncd.booking.steps import places
from syncd.booking.take import lock_site_days, with_buffers
from syncd.model.booking import Booking, BookingState, EntryRecord, Meeting, RoomState, advance
from syncd.model.busy import Stamp
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.model.zones import wall_clock
from syncd.roomalloc import rank
from syncd.store import Tx, instants
from syncd.store.instants import epoch
from syncd.store.tables import EntryRow, MeetingRow, OccurrenceRow

CLIENT = "restored"
"""Whose bookings these are: which client made them was lost with the database."""

_UNKNOWN = (
    select(
        OccurrenceRow.mailbox,
        OccurrenceRow.key,
        OccurrenceRow.uid,
        OccurrenceRow.start,
        OccurrenceRow.end,
        OccurrenceRow.stamp,
    )
    .outerjoin(MeetingRow, MeetingRow.uid == OccurrenceRow.uid)
    .outerjoin(EntryRow, and_(EntryRow.meeting == MeetingRow.id, EntryRow.mailbox == OccurrenceRow.mailbox))
    .where(
        OccurrenceRow.stamp.is_not(None),
        OccurrenceRow.end > bindparam("now"),
        or_(MeetingRow.id.is_(None), MeetingRow.desired_generation == 0, EntryRow.meeting.is_(None)),
    )
    .order_by(OccurrenceRow.id)
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One entry of ours whose meeting the database does not know."""

    mailbox: MailboxId
    key: str
    interval: Interval
    stamp: Stamp


def traces(tx: Tx, now: datetime) -> dict[str, list[Trace]]:
    """Entries, not over, of meetings that the database does not know, or not there; by meeting id.

    A copy that a human made bears our stamp under a UID that is not ours; it is busy time like any other.
    """
    installation, found = tx.settings.installation(), dict[str, list[Trace]]()
    for row in tx.session.execute(_UNKNOWN, {"now": epoch(now)}):
        stamp = Stamp.decode(row.stamp or "")
        if stamp is not None and stamp.installation == installation and row.uid == f"{stamp.meeting}@syncd":
            found.setdefault(stamp.meeting, []).append(
                Trace(row.mailbox, row.key, instants.span(row.start, row.end), stamp)
            )
    return found


def later_elsewhere(tx: Tx, meeting: Meeting, generation: int, ground: Ground) -> list[Trace]:
    """The entries of *meeting* where the database does not have it, if a caseworker's is newer than *generation*.

    A write that arrives late, after the database was restored, looks newer than everything the database knows; the
    meeting may long have been handed to a colleague since.
    """
    found = traces(tx, ground.now).get(meeting.id, [])
    people = ground.directory.caseworkers
    newer = any(one.mailbox in people and one.stamp.generation > generation for one in found)
    return found if newer else []


def adopt(tx: Tx, entries: Iterable[Trace], ground: Ground) -> Meeting | None:
    """Take up the meeting that left these entries; None while its caseworker's entry is not known.

    A meeting that is known, but not to be there, is moved there when the entry is newer than what the database
    remembers, and cleaned away otherwise.
    """
    newest = sorted(entries, key=lambda entry: entry.stamp.generation, reverse=True)
    meeting_id = newest[0].stamp.meeting
    person = next((entry for entry in newest if entry.mailbox in ground.directory.caseworkers), None)
    if person is not None:
        tx.mailboxes.lock(person.mailbox)
        lock_site_days(tx, ground.directory, {person.mailbox}, [person.interval])
    known = tx.meetings.get(meeting_id, lock=True)
    if known is not None and known.desired_generation > 0:
        return _elsewhere(tx, known, newest, person, ground)
    if meeting_id.startswith(PREFIX):
        return _orphaned(tx, newest, ground)
    if person is None:
        _ask(tx, newest[0], ground)
        return None
    if known is None:
        tx.meetings.add(_unknown(person, _zone(person, ground.directory)), ground.now)
    meeting = _as_found(known or _unknown(person, _zone(person, ground.directory)), person)
    rooms = (entry.mailbox for entry in newest if entry.mailbox in ground.directory.rooms)
    return _taken_up(tx, _claimed(tx, meeting, next(rooms, None), ground), newest, person, ground)


def _elsewhere(
    tx: Tx, known: Meeting, entries: Sequence[Trace], person: Trace | None, ground: Ground
) -> Meeting | None:
    """A known meeting stands where the database does not have it."""
    if person is not None and known.wanted and person.stamp.generation > known.desired_generation:
        found = replace(known, caseworker=person.mailbox, interval=person.interval, attention=texts.RESTORED)
        return _taken_up(tx, placed(tx, found, ground), entries, person, ground)
    for entry in entries:
        if entry.mailbox in ground.directory.mailboxes:
            belongs = entry.mailbox in places(known)  # a human took it there long after we had done with it
            tx.meetings.note(known.id, EntryRecord(entry.mailbox, belongs, entry.key))
    tx.meetings.touch([known.id], ground.now)
    return known


def _orphaned(tx: Tx, entries: Sequence[Trace], ground: Ground) -> Meeting:
    """What stood beside a caseworker's event: cleaned away; if it is wished still, `obey` takes it up again."""
    unknown = _unknown(entries[0], _zone(entries[0], ground.directory))
    meeting = replace(unknown, beside="", form=Form.IN_PERSON, wanted=False, attention=None)
    tx.meetings.add(meeting, ground.now)
    desire(tx, meeting, ground.now, above=entries[0].stamp.generation)
    for entry in entries:
        tx.meetings.note(meeting.id, EntryRecord(entry.mailbox, wanted=False, key=entry.key))
    return meeting


def _taken_up(tx: Tx, meeting: Meeting, entries: Sequence[Trace], person: Trace, ground: Ground) -> Meeting:
    """Desired as it was found, above every generation that was seen."""
    meeting = desire(tx, meeting, ground.now, above=entries[0].stamp.generation)
    for entry in entries:
        wanted = entry.mailbox in (*meeting.people, meeting.room)
        tx.meetings.note(meeting.id, EntryRecord(entry.mailbox, wanted, entry.key))
    _seat(tx, meeting, ground.now)
    tx.tasks.settle(TaskKind.ENTRY_WITHOUT_MEETING, f"meeting:{meeting.id}", ground.now)
    tx.audit.add(f"calendar:{person.mailbox}", "meeting.adopted", meeting=meeting.id, now=ground.now)
    tx.settings.bump()
    return meeting


def _ask(tx: Tx, entry: Trace, ground: Ground) -> None:
    """Only a room holds it: nobody can tell whose meeting it was, so a person must."""
    room = ground.directory.rooms.get(entry.mailbox)
    if room is None:
        return
    zone = ground.directory.sites[room.site].zone
    when = f"{wall_clock(entry.interval.start, zone):%d.%m.%Y %H:%M}"
    facts = {"room": room.name, "when": when, "reference": texts.reference(entry.stamp.meeting)}
    tx.tasks.raise_(TaskKind.ENTRY_WITHOUT_MEETING, f"meeting:{entry.stamp.meeting}", facts, ground.now)


def _as_found(meeting: Meeting, entry: Trace) -> Meeting:
    """The meeting as the caseworker's calendar holds it."""
    return replace(
        meeting,
        caseworker=entry.mailbox,
        interval=entry.interval,
        room=None,
        room_state=RoomState.NONE,
        wanted=True,
        attention=texts.RESTORED_UNKNOWN,
    )


def _zone(entry: Trace, directory: Directory) -> str:
    """The zone of the site of the calendar's owner; of a calendar nobody watches, UTC."""
    owner = directory.caseworkers.get(entry.mailbox) or directory.rooms.get(entry.mailbox)
    return directory.sites[owner.site].zone if owner is not None else "UTC"


def _unknown(entry: Trace, zone: str) -> Meeting:
    """What can be told from the caseworker's entry; the offer cannot."""
    return Meeting(
        id=entry.stamp.meeting,
        uid=f"{entry.stamp.meeting}@syncd",
        offer="",
        form=Form.PHONE,
        caseworker=entry.mailbox,
        room=None,
        room_state=RoomState.NONE,
        interval=entry.interval,
        zone=zone,
        before=0,
        after=0,
        wanted=True,
        desired_generation=0,
        applied_generation=0,
        attention=texts.RESTORED_UNKNOWN,
    )


def _claimed(tx: Tx, meeting: Meeting, room: MailboxId | None, ground: Ground) -> Meeting:
    """The meeting with its time claimed as far as it is free, and with the room whose calendar holds it."""
    tx.meetings.release(meeting.id)
    span = with_buffers(meeting.interval, meeting.before, meeting.after)
    if not claimed(tx, meeting, span):
        for person in meeting.people:
            tx.meetings.claim(meeting.id, person, span, active=False)
        meeting = replace(meeting, conflict=True)
    if room is None:
        missing = needs_room(ground.directory, ground.rulebook, meeting)
        return replace(meeting, room_state=RoomState.MISSING) if missing else meeting
    meeting = replace(meeting, form=Form.IN_PERSON)
    try:
        with tx.session.begin_nested():
            tx.meetings.claim(meeting.id, room, rank.claim(ground.directory.rooms[room], meeting.interval))
    except IntegrityError:
        return replace(meeting, room_state=RoomState.MISSING)
    return replace(meeting, room=room, room_state=RoomState.PENDING)


def _seat(tx: Tx, meeting: Meeting, now: datetime) -> None:
    """The citizen's seat: the hold the database still has, or one whose citizen is not known."""
    bookings = tx.bookings.of(meeting.id)
    for booking in bookings:
        if booking.state in BOOKED:
            return
        if booking.state is BookingState.HELD:
            tx.bookings.save(replace(advance(booking, BookingState.PENDING), expires=None), now)
            return
    taken = {booking.id for booking in bookings}
    seat = meeting.id if meeting.id not in taken else f"{meeting.id}-restored"
    tx.bookings.add(Booking(seat, meeting.id, CLIENT, BookingState.PENDING, now))
