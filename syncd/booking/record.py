"""What came of a look at a meeting, written down: one transaction, void if somebody wished otherwise meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from syncd.booking import texts
from syncd.booking.desire import desire
from syncd.booking.follow import Ground, claimed, declined, overlapped, with_room
from syncd.booking.rooms import give_room, needs_room
from syncd.booking.sight import Decision, Limits, days_since_1970
from syncd.booking.steps import Acted
from syncd.booking.take import lock_site_days, with_buffers
from syncd.errors import EntryRemoved, Throttled
from syncd.model.booking import BookingState, EntryRecord, Meeting, RoomState, advance
from syncd.model.event import EventKind
from syncd.store import Tx

PATIENCE = 60
"""How often a meeting is looked at that waits for another one to leave its room, before the pauses grow."""
UNKNOWN_SOON = 3
"""How many unknown outcomes in a row are looked up at once; after that the pauses grow like any other."""


def record(
    tx: Tx,
    looked_at: Meeting,
    decision: Decision,
    acted: Acted,
    ground: Ground,
    chance: float,
    lease: int | None = None,
) -> bool:
    """Write down what is known now, and when to look again; returns whether the calendars are as desired.

    :param looked_at: the meeting as the look began; if more is desired since, nothing is recorded.
    :param chance: in [0, 1), for the jitter of the pause.
    :param lease: the number of this look; if another one began since, nothing is recorded and a third one is due.
    """
    if looked_at.wanted and (looked_at.conflict or looked_at.room_state is RoomState.MISSING):
        tx.mailboxes.lock(*looked_at.people)
        lock_site_days(tx, ground.directory, {looked_at.caseworker}, [looked_at.interval])
    meeting = tx.meetings.get(looked_at.id, lock=True)
    if meeting is None or (lease is not None and tx.meetings.outrun(meeting.id, lease)):
        return False
    if meeting.desired_generation != looked_at.desired_generation:
        return False
    _note(tx, meeting, (*decision.records, *acted.records))
    _missed(tx, meeting, acted, ground.now)
    meeting = _linked(_counted(meeting, acted.repairs, ground.now), (*decision.records, *acted.records))
    if meeting.wanted:
        meeting = _reassessed(tx, meeting, ground)
        if _room_found(tx, meeting, ground):
            return False
    linkless = meeting.wanted and (decision.linkless or acted.linkless)
    if acted.failures or decision.unread or decision.waiting or decision.behind or decision.attention:
        _owe(tx, meeting, decision, acted, ground, chance)
        return False
    if linkless and not _in_vain(meeting, ground):
        _owe(tx, meeting, decision, acted, ground, chance)
        return False
    _settle(tx, meeting, ground, linkless=linkless)
    if looked_at.settled and meeting.link and meeting.link != looked_at.link:
        tx.events.emit(EventKind.BOOKING_CHANGED, ground.now, cause="syncd", meeting=meeting.id)
    return True


def _linked(meeting: Meeting, records: tuple[EntryRecord, ...]) -> Meeting:
    """The meeting with the link that its caseworker's calendar has for it now."""
    links = [one.link for one in records if one.mailbox == meeting.caseworker]
    return replace(meeting, link=links[-1] or None) if links else meeting


def _in_vain(meeting: Meeting, ground: Ground) -> bool:
    """Whether a link to meet by was waited for long enough, or was not to be had before."""
    waited = ground.now - (meeting.owed_since or ground.now)
    return waited >= ground.limits.link_after or texts.NO_LINK in (meeting.attention or "")


def conclude(tx: Tx, looked_at: Meeting) -> None:
    """The meeting is over: its entries are history and are left as they are."""
    meeting = tx.meetings.get(looked_at.id, lock=True)
    if meeting is None or meeting.desired_generation != looked_at.desired_generation:
        return
    if meeting.applied_generation == 0 and meeting.beside is None:
        meeting = replace(meeting, attention=texts.NEVER_WRITTEN)
    tx.meetings.save(replace(meeting, owed_since=None, attempts=0), None)


def _note(tx: Tx, meeting: Meeting, records: tuple[EntryRecord, ...]) -> None:
    """Store what changed; which calendars are wanted is not a look's to say."""
    known = {one.mailbox: one for one in tx.meetings.entries(meeting.id)}
    for one in records:
        before = known.get(one.mailbox)
        if before is not None and before != (after := replace(one, wanted=before.wanted)):
            tx.meetings.note(meeting.id, after)


def _missed(tx: Tx, meeting: Meeting, acted: Acted, now: datetime) -> None:
    """What a human removed before we knew that it stood there is missing from now on: a second look must agree."""
    removed = {mailbox for mailbox, error in acted.failures.items() if isinstance(error, EntryRemoved)}
    for one in tx.meetings.entries(meeting.id) if removed else ():
        if one.mailbox in removed:
            tx.meetings.note(meeting.id, replace(one, missing_since=one.missing_since or now))


def _counted(meeting: Meeting, repairs: int, now: datetime) -> Meeting:
    if not repairs:
        return meeting
    today = days_since_1970(now)
    spent = meeting.rewrites if meeting.rewrites_day == today else 0
    return replace(meeting, rewrites_day=today, rewrites=spent + repairs)


def _reassessed(tx: Tx, meeting: Meeting, ground: Ground) -> Meeting:
    """Whether it conflicts now: a clash that went away gives the time its full protection back."""
    if meeting.beside is not None:
        return meeting
    inactive = [claim for claim in tx.meetings.claims(meeting.id) if not claim.active]
    if inactive:
        span = with_buffers(meeting.interval, meeting.before, meeting.after)
        tx.bookings.expire(ground.now, meeting.people, span)
        if claimed(tx, meeting, span):
            tx.meetings.drop_inactive(meeting.id)
            inactive = []
    conflict = bool(inactive) or overlapped(tx, meeting, ground.rulebook)
    return replace(meeting, conflict=conflict)


def _room_found(tx: Tx, meeting: Meeting, ground: Ground) -> bool:
    """Whether a room has come free for a meeting that lacks one; it is then desired anew."""
    if meeting.room_state is not RoomState.MISSING or not needs_room(ground.directory, ground.rulebook, meeting):
        return False
    refused, limit = declined(tx, meeting, ground.now), ground.limits.max_age
    room = give_room(tx, ground.directory, ground.rulebook, meeting, now=ground.now, max_age=limit, without=refused)
    if room is None:
        return False
    desire(tx, with_room(meeting, room), ground.now)
    tx.settings.bump()
    return True


def _settle(tx: Tx, meeting: Meeting, ground: Ground, *, linkless: bool) -> None:
    """Every calendar was seen to hold what it should, but for a link to meet by when it is *linkless*."""
    state = RoomState.ACCEPTED if meeting.wanted and meeting.room else meeting.room_state
    settled = replace(
        meeting,
        room_state=state,
        applied_generation=meeting.desired_generation,
        attempts=0,
        owed_since=None,
        attention=_attention(meeting, (texts.NO_LINK,) if linkless else ()),
    )
    again = linkless or (meeting.wanted and (meeting.conflict or state is RoomState.MISSING))
    tx.meetings.save(settled, ground.now + ground.limits.longest_pause if again else None)
    for booking in tx.bookings.of(meeting.id) if meeting.wanted else ():
        if booking.state is BookingState.PENDING:
            tx.bookings.save(advance(booking, BookingState.CONFIRMED), ground.now)
            tx.events.emit(EventKind.BOOKING_CONFIRMED, ground.now, cause="syncd", booking=booking.id)


def _owe(tx: Tx, meeting: Meeting, decision: Decision, acted: Acted, ground: Ground, chance: float) -> None:
    """Something is still to be done: say when, and tell a person when it has lasted too long."""
    since = meeting.owed_since or ground.now
    said = list(decision.attention)
    if ground.now - since >= ground.limits.tell_after and (acted.failures or decision.unread or not said):
        said.append(_lagging(meeting, acted))
    owing = replace(meeting, attempts=meeting.attempts + 1, owed_since=since, attention=_attention(meeting, said))
    tx.meetings.save(owing, ground.now + _pause(meeting, decision, acted, ground.limits, chance))


def _lagging(meeting: Meeting, acted: Acted) -> str:
    if not meeting.wanted:
        return texts.SHOULD_BE_GONE
    reason = next((str(acted.failures[mailbox]) for mailbox in sorted(acted.failures)), texts.NOT_SEEN)
    return texts.lagging(reason)


def _attention(meeting: Meeting, said: tuple[str, ...] | list[str]) -> str | None:
    """Everything a person should know now, as one text; what was restored stays until somebody looked."""
    sentences = list(said)
    if meeting.wanted and meeting.conflict:
        sentences.append(texts.CONFLICT)
    if meeting.wanted and meeting.room_state is RoomState.MISSING:
        sentences.append(texts.ROOM_MISSING)
    sentences += [lasting for lasting in texts.LASTING if lasting in (meeting.attention or "")]
    return " ".join(sentences) or None


def _pause(meeting: Meeting, decision: Decision, acted: Acted, limits: Limits, chance: float) -> timedelta:
    """How long to wait: shorter for what must be looked up, growing with each try, never all at once."""
    if acted.unknown and meeting.attempts < UNKNOWN_SOON:
        return limits.soon
    if decision.behind and not acted.failures and meeting.attempts < PATIENCE:
        return limits.soon
    if decision.waiting and not acted.failures:
        return limits.second_look
    asked = [error.retry_after for error in acted.failures.values() if isinstance(error, Throttled)]
    grown = min(limits.longest_pause, limits.first_pause * (1 << min(meeting.attempts, 16)))
    jittered = grown * (0.5 + chance / 2)
    return max(jittered, timedelta(seconds=max(asked, default=0)))
