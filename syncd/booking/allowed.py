"""What the rules of an offer let a citizen do with a booking."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.errors import NotAllowed
from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.offer import Offer
from syncd.store import Tx, locks

BOOKED = frozenset({BookingState.PENDING, BookingState.CONFIRMED})
"""States in which the meeting will be held."""


def one_future(tx: Tx, client: str, citizen: str, offer: Offer, now: datetime, ignoring: str = "") -> None:
    """Guard that a citizen has one future meeting only, where the offer says so; others wait until we commit.

    :param ignoring: id of the booking that is being made.
    :raises NotAllowed: there is another one; it is named to the client, to whom it belongs.
    """
    if not offer.one_future:
        return
    locks.take(tx.session, [locks.citizen(client, citizen)])
    other = tx.bookings.future(client, citizen, offer.name, now, ignoring)
    if other is not None:
        raise NotAllowed(
            "The citizen already has a future meeting of this offer. Move or cancel that one; nothing was changed.",
            booking=other.id,
        )


def may_move(booking: Booking, meeting: Meeting, offer: Offer, now: datetime) -> None:
    """:raises NotAllowed: the booking cannot be moved: not booked, too late, or too often."""
    may_cancel(booking, meeting, offer, now)
    if offer.moves is not None and booking.moves >= offer.moves:
        raise NotAllowed(f"The meeting has been moved {booking.moves} times, which is the most allowed.")


def may_cancel(booking: Booking, meeting: Meeting, offer: Offer | None, now: datetime) -> None:
    """:raises NotAllowed: the booking cannot be changed: not booked, or too late."""
    if booking.state not in BOOKED:
        raise NotAllowed(f"The booking is {booking.state.value}, so it cannot be changed. Nothing was changed.")
    notice = timedelta(minutes=offer.cancel_notice if offer else 0)
    if now >= meeting.interval.start - notice:
        raise NotAllowed("It is too late to change this meeting here. Contact the caseworker; nothing was changed.")
