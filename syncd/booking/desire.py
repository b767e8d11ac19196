"""Changes of what should be in the calendars: each one a new generation, owed from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from syncd.booking.steps import places
from syncd.model.booking import BookingState, Meeting, advance
from syncd.store import Tx
from syncd.store.meetings import AT_ONCE


def desire(tx: Tx, meeting: Meeting, now: datetime, *, above: int = 0, fresh: bool = False) -> Meeting:
    """Store *meeting* as a new wish, so that reconcile brings all its calendars in line.

    :param above: a generation seen outside; the new one must be greater.
    :param fresh: no calendar can hold it yet.
    """
    wish = replace(
        meeting,
        desired_generation=max(meeting.desired_generation, above) + 1,
        attempts=0,
        owed_since=meeting.owed_since or now,
    )
    tx.meetings.save(wish, AT_ONCE)
    tx.meetings.want(wish.id, places(wish), fresh=fresh)
    return wish


def booked(tx: Tx, meeting: Meeting, now: datetime) -> Meeting:
    """The held meeting becomes one that calendars should hold."""
    return desire(tx, replace(meeting, wanted=True), now, fresh=meeting.desired_generation == 0)


def unsettle(tx: Tx, meeting: Meeting, now: datetime) -> None:
    """The meeting's bookings wait again until all calendars hold what is wanted now."""
    for booking in tx.bookings.of(meeting.id):
        if booking.state is BookingState.CONFIRMED:
            tx.bookings.save(advance(booking, BookingState.PENDING), now)


def end_holds(tx: Tx, meeting: Meeting, now: datetime) -> None:
    """Nobody holds a seat any more in a meeting that was taken away: its time is not theirs to book."""
    for booking in tx.bookings.of(meeting.id):
        if booking.state is BookingState.HELD:
            tx.bookings.save(advance(booking, BookingState.EXPIRED), now)


def cancelled(tx: Tx, meeting: Meeting, now: datetime) -> Meeting:
    """The meeting gives its time back and should stand nowhere; a hold never stood anywhere."""
    tx.meetings.release(meeting.id)
    if meeting.desired_generation == 0:
        return meeting
    return desire(tx, replace(meeting, wanted=False, attention=None, conflict=False), now)
