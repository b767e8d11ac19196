"""What the rules of an offer let a citizen do with a booking."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.booking.take import Wish
from syncd.errors import BadRequest, NotAllowed, NotEntitled
from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.directory import Directory, MailboxId
from syncd.model.eligibility import Whom
from syncd.model.offer import Offer, Rulebook
from syncd.publish import asking
from syncd.store import Tx, locks

BOOKED = frozenset({BookingState.PENDING, BookingState.CONFIRMED})
"""States in which the meeting will be held."""


def admitted(offer: Offer, whom: Whom, named: MailboxId | None) -> asking.Admission:
    """With whom the citizen may have the meeting.

    :raises NotEntitled: the offer is not for this citizen. :raises BadRequest: too little was said of her.
    """
    admission = asking.admit(offer, whom, named)
    if not admission.entitled:
        told = f"The rules of the offer {offer.name!r} do not let this citizen book it. Nothing was changed."
        raise NotEntitled(told)
    return admission


def known_topic(offer: Offer, topic: str) -> None:
    """:raises BadRequest: the offer has no such topic."""
    if topic and topic not in offer.topics:
        named = ", ".join(offer.topics) or "none"
        raise BadRequest(f"The offer {offer.name!r} has no such topic; its topics are: {named}. Nothing was changed.")


def in_time(directory: Directory, wish: Wish) -> None:
    """:raises NotAllowed: the meeting would be held after the last day asked for."""
    latest = wish.whom.latest
    limit = asking.last_instant(directory, wish.offer.caseworkers, latest) if latest else None
    if limit is not None and wish.interval.end > limit:
        raise NotAllowed(f"The meeting would be after {latest}, the last day asked for. Nothing was changed.")


def one_future(
    tx: Tx, client: str, citizen: str, rules: Rulebook, offer: Offer, now: datetime, ignoring: str = ""
) -> None:
    """Guard that a citizen has one future meeting of a kind only, where the offer says so; others wait until we commit.

    :param ignoring: id of the booking that is being made.
    :raises NotAllowed: there is another one; it is named to the client, to whom it belongs.
    """
    if not offer.one_future:
        return
    locks.take(tx.session, [locks.citizen(client, citizen)])
    other = tx.bookings.future(client, citizen, rules.of_kind(offer), now, ignoring)
    if other is not None:
        raise NotAllowed(
            "The citizen already has a future meeting of this kind. Move or cancel that one; nothing was changed.",
            booking=other.id,
        )


def may_move(booking: Booking, meeting: Meeting, offer: Offer, now: datetime) -> None:
    """:raises NotAllowed: the booking cannot be moved: not booked, too late, or too often."""
    _still(booking, meeting, offer.cancel_notice if offer.move_notice is None else offer.move_notice, now)
    if offer.moves is not None and booking.moves >= offer.moves:
        raise NotAllowed(f"The meeting has been moved {booking.moves} times, which is the most allowed.")


def may_cancel(booking: Booking, meeting: Meeting, offer: Offer | None, now: datetime) -> None:
    """:raises NotAllowed: the booking cannot be given up: not booked, too late, or not by citizens at all."""
    _still(booking, meeting, offer.cancel_notice if offer else 0, now)
    if offer is not None and not offer.cancellable:
        raise NotAllowed(
            "Meetings of this offer cannot be cancelled here. Contact the caseworker; nothing was changed."
        )


def _still(booking: Booking, meeting: Meeting, notice: int, now: datetime) -> None:
    """:param notice: minutes before the start until which it may be changed."""
    if booking.state not in BOOKED:
        raise NotAllowed(f"The booking is {booking.state.value}, so it cannot be changed. Nothing was changed.")
    if now >= meeting.interval.start - timedelta(minutes=notice):
        raise NotAllowed("It is too late to change this meeting here. Contact the caseworker; nothing was changed.")
