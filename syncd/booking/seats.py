"""Seats of group meetings: a citizen joins one that has a seat left, or leaves one that others stay in.

A meeting holds person and room; a seat is counted while the lock of its people is held, so the last one has one winner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from syncd.booking.desire import booked, cancelled, desire
from syncd.booking.take import Wish
from syncd.errors import NotAllowed, SlotGone
from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.directory import MailboxId
from syncd.model.eligibility import Whom
from syncd.model.offer import Form, Offer
from syncd.publish import Publisher
from syncd.store import Tx
from syncd.store.bookings import LIVE

Asked: TypeAlias = tuple[Offer, Sequence[MailboxId], tuple[datetime, Form], datetime, Whom]
FULL = "The last seat was just taken. Nothing was changed; choose another time."


def join(tx: Tx, publisher: Publisher, wish: Wish, people: Sequence[MailboxId], now: datetime) -> Meeting | None:
    """A meeting at the wished time, with one of *people*, that has a seat left; locked. None when there is none."""
    if wish.offer.seats == 1:
        return None
    asked = (wish.offer, people, (wish.interval.start, wish.form), now, wish.whom)
    for meeting_id in publisher.seats(tx, *asked):
        try:
            with tx.session.begin_nested():
                return _locked(tx, publisher, meeting_id, asked)
        except SlotGone:
            continue
    return None


def join_or_open(
    tx: Tx, publisher: Publisher, wish: Wish, people: Sequence[MailboxId], now: datetime, opened: Callable[[], Meeting]
) -> Meeting:
    """A meeting with a seat left, or a new one.

    :param opened: makes the new one. Somebody may be faster and open it first: then there are seats in theirs.
    :raises SlotGone: there is neither.
    """
    if wish.offer.seats == 1:
        return opened()
    if (found := join(tx, publisher, wish, people, now)) is not None:
        return found
    try:
        with tx.session.begin_nested():
            return opened()
    except SlotGone:
        if (found := join(tx, publisher, wish, people, now)) is not None:
            return found
        raise


def _locked(tx: Tx, publisher: Publisher, meeting_id: str, asked: Asked) -> Meeting:
    """The meeting with nobody else deciding about its seats any more.

    :raises SlotGone: it has none left after all.
    """
    known = tx.meetings.get(meeting_id)
    if known is not None:
        tx.mailboxes.lock(*known.people)
    meeting = tx.meetings.get(meeting_id, lock=True)
    if known is None or meeting is None or meeting.people != known.people or _full(tx, publisher, meeting_id, asked):
        raise SlotGone(FULL)
    return meeting


def _full(tx: Tx, publisher: Publisher, meeting_id: str, asked: Asked) -> bool:
    return meeting_id not in publisher.seats(tx, *asked)


def only_one_each(tx: Tx, meeting: Meeting, client: str, citizen: str, ignoring: str = "") -> None:
    """:raises NotAllowed: the citizen has a seat in this meeting already."""
    for other in tx.bookings.of(meeting.id):
        if other.id != ignoring and other.state in LIVE and (other.client, other.citizen) == (client, citizen):
            raise NotAllowed("The citizen has a seat in this meeting already. Nothing was changed.", booking=other.id)


def others(tx: Tx, meeting: Meeting, but: Booking) -> list[Booking]:
    """The other seats of the meeting that are taken."""
    return [one for one in tx.bookings.of(meeting.id) if one.id != but.id and one.state in LIVE]


def take_seat(tx: Tx, meeting: Meeting, now: datetime) -> Meeting:
    """A seat is booked: calendars should hold the meeting, and say what they say of its seats now."""
    return booked(tx, meeting, now)


def leave(tx: Tx, meeting: Meeting, booking: Booking, now: datetime) -> Meeting:
    """A seat is given up; the meeting goes with its last one, and its time with the last hold."""
    staying = others(tx, meeting, booking)
    if not staying:
        return cancelled(tx, meeting, now)
    if meeting.wanted and all(one.state is BookingState.HELD for one in staying):
        return desire(tx, replace(meeting, wanted=False, attention=None, conflict=False), now)
    if meeting.wanted and booking.state is not BookingState.HELD:
        return desire(tx, meeting, now)
    return meeting


def reseated(
    tx: Tx,
    publisher: Publisher,
    booking: Booking,
    meeting: Meeting,
    wish: Wish,
    person: MailboxId,
    now: datetime,
    opened: Callable[[], Meeting],
) -> Meeting | None:
    """The group meeting in which a citizen who moves has a seat now; None when the whole meeting is to be moved.

    :param opened: makes a new meeting at the wished time, for one who leaves others behind.
    """
    into = join(tx, publisher, wish, [person], now)
    if into is not None and into.id == meeting.id:
        return meeting
    if into is None:
        if not others(tx, meeting, booking):  # whatever the rules say by now: nobody is moved by somebody else
            return None
        into = opened()
    elif booking.citizen is not None:
        only_one_each(tx, into, booking.client, booking.citizen)
    leave(tx, meeting, booking, now)
    return take_seat(tx, into, now)
