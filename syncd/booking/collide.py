"""Whether something else lies on a meeting's time, by the mirror."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, select

from syncd.booking.take import with_buffers
from syncd.model.booking import Meeting
from syncd.model.busy import BusyType, Occurrence
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Rulebook
from syncd.model.policy import Policy
from syncd.roomalloc import rank
from syncd.slots import blocking
from syncd.store import Tx
from syncd.store.prepared import prepared
from syncd.store.tables import HERS, EntryRow, MeetingRow

_OURS = prepared(select(MeetingRow.uid).where(MeetingRow.uid.in_(bindparam("some", expanding=True))))
_ITS_OWN = prepared(_OURS.where(MeetingRow.id == bindparam("meeting")))
_CANCELLED = prepared(_OURS.where(~MeetingRow.wanted))
# A meeting that has another room now: its entry is on its way out of the old one's calendar.
_LEAVING = prepared(
    select(MeetingRow.uid, EntryRow.mailbox)
    .join(EntryRow, EntryRow.meeting == MeetingRow.id)
    .where(MeetingRow.uid.in_(bindparam("some", expanding=True)), ~EntryRow.wanted, ~HERS)
)
_HERS = prepared(
    select(MeetingRow.uid, EntryRow.mailbox)
    .join(EntryRow, EntryRow.meeting == MeetingRow.id)
    .where(MeetingRow.uid.in_(bindparam("some", expanding=True)), HERS)
)


def collision(tx: Tx, rulebook: Rulebook, directory: Directory, meeting: Meeting, *, away: bool = True) -> bool:
    """Whether something takes time that the meeting has claimed, of its person or its room.

    That is an event of somebody else, or another meeting of ours that a human moved there: its claim cannot be active
    beside ours, or is not yet made, but it counts.

    :param away: whether the caseworker's absence stands in the way, too.
    """
    return bool(colliding(tx, rulebook, directory, meeting, [meeting.caseworker], away=away))


def colliding(
    tx: Tx,
    rulebook: Rulebook,
    directory: Directory,
    meeting: Meeting,
    candidates: Collection[MailboxId],
    *,
    away: bool = True,
) -> frozenset[MailboxId]:
    """Those of *candidates* who could not hold the meeting without a `collision`, looked at once."""
    people = list(dict.fromkeys([*candidates, *meeting.partners]))
    padded = with_buffers(meeting.interval, meeting.before, meeting.after)
    busy = tx.meetings.busy(people, padded, ignoring=meeting.id)
    gone = tx.absences.away(people, meeting.interval) if away else frozenset()
    beside = _events(tx, people, padded, meeting.id)
    taken = {
        one
        for one in people
        if busy[one] or one in gone or any(_stands(event, rulebook.policy(one), meeting) for event in beside[one])
    }
    if not taken.isdisjoint(meeting.partners) or (
        not taken.issuperset(candidates) and _roomless(tx, directory, meeting)
    ):
        return frozenset(candidates)
    return frozenset(taken.intersection(candidates))


def _roomless(tx: Tx, directory: Directory, meeting: Meeting) -> bool:
    """Whether something else lies in the meeting's room."""
    room = directory.rooms.get(meeting.room) if meeting.room else None
    if room is None:
        return False
    events = _events(tx, [room.id], rank.claim(room, meeting.interval), meeting.id)[room.id]
    return any(event.busy is not BusyType.FREE for event in events)


def blocks(event: Occurrence, policy: Policy, form: Form) -> bool:
    """Whether *event* stands in the way of a meeting of this *form*, by the same rule that publishes slots."""
    same = blocking.Event(0, 0, event.busy, event.all_day, event.recurring, event.categories)
    return blocking.blocks(same, policy, form)


def _stands(event: Occurrence, policy: Policy, meeting: Meeting) -> bool:
    """Whether *event* stands in the meeting's way; buffers may reach into closed hours."""
    reaches = event.busy is not BusyType.UNAVAILABLE or event.interval.overlaps(meeting.interval)
    return reaches and blocks(event, policy, meeting.form)


def foreign_events(tx: Tx, mailboxes: Collection[MailboxId], window: Interval) -> Mapping[MailboxId, list[Occurrence]]:
    """What the mirror holds that is not one of our own entries, whose time the claims tell better."""
    return _events(tx, mailboxes, window, None)


def _events(
    tx: Tx, mailboxes: Collection[MailboxId], window: Interval, passing: str | None
) -> Mapping[MailboxId, list[Occurrence]]:
    """What the mirror holds, without the entries of our meetings.

    :param passing: id of a meeting; only its own entries, and those on their way out of the calendars, are left out.

    An entry is ours by UID and stamp together: a copy that a human made has our stamp under another UID, and counts.
    One that a human made a series of, or brought back, is not on its way out, and counts.
    """
    found = tx.mailboxes.occurrences(mailboxes, window)
    stamped = {event.uid for events in found.values() for event in events if event.stamp is not None}
    if not stamped:
        return found
    some = list(stamped)
    ours = set(tx.session.scalars(_ITS_OWN if passing else _OURS, {"some": some, "meeting": passing}))
    cancelled = set(tx.session.scalars(_CANCELLED, {"some": some}))
    leaving = {tuple(row) for row in tx.session.execute(_LEAVING, {"some": some})}
    hers = {tuple(row) for row in tx.session.execute(_HERS, {"some": some})}

    def counts(event: Occurrence, mailbox: MailboxId) -> bool:
        leaves = event.uid in cancelled or (event.uid, mailbox) in leaving
        return event.uid not in ours and (event.recurring or (event.uid, mailbox) in hers or not leaves)

    return {mailbox: [event for event in events if counts(event, mailbox)] for mailbox, events in found.items()}
