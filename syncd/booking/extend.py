"""More time for somebody who is still filling in the form (WCAG 2.2.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from syncd.booking.results import Appointment
from syncd.errors import HoldExpired, UnknownHold
from syncd.model.booking import BookingState
from syncd.store import Tx

LENGTHS = 11
"""A hold may last so many times its length: it can be extended ten times, as WCAG asks, and nobody keeps it all day."""


def extend(tx: Tx, client: str, hold_id: str, minutes: int, now: datetime) -> Appointment:
    """Keep a held time for *minutes* from now on.

    :raises HoldExpired: it ran out before; its time may be somebody else's by now.
    :raises UnknownHold: this client has none of that id.
    """
    hold = tx.bookings.get(hold_id, client)
    meeting = tx.meetings.get(hold.meeting) if hold else None
    if hold is None or meeting is None:
        raise UnknownHold("There is no hold of this id, or it belongs to another client. Nothing was changed.")
    tx.mailboxes.lock(*meeting.people)  # whoever wants the time takes this lock before freeing what ran out
    hold = tx.bookings.get(hold_id, client, lock=True) or hold
    if hold.state is not BookingState.HELD or hold.expires is None or hold.expires <= now:
        raise HoldExpired("The reservation has run out. Choose a time again.")
    last = hold.created + timedelta(minutes=LENGTHS * minutes)
    longer = replace(hold, expires=max(hold.expires, min(last, now + timedelta(minutes=minutes))))
    tx.bookings.save(longer, now)
    tx.settings.bump()
    about = {"booking": hold.id, "meeting": meeting.id, "citizen": hold.citizen}
    tx.audit.add(f"client:{client}", "hold.extended", now=now, **about)
    return Appointment(longer, meeting)
