"""What the booking page says when something cannot be had: what happened, what was left as it was, what to do."""

from __future__ import annotations

from syncd.booking.openly import KeptLongEnough, TooManyHeld
from syncd.errors import (
    BookingError,
    Contention,
    HoldExpired,
    NotAllowed,
    SlotGone,
    TemporarilyClosed,
    Transient,
)
from syncd.model.offer import Form, Offer
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor

FORMS: dict[Form, str] = {
    Form.IN_PERSON: N_("meet in person"),
    Form.PHONE: N_("by telephone"),
    Form.VIDEO: N_("by video"),
}
GONE = N_("Somebody else was faster: that time is not free any more. Nothing was changed; please choose another one.")
RAN_OUT = N_("The time was kept for you, but not long enough, and it was taken. What you wrote is still here.")
ENOUGH = N_("The time cannot be kept longer. What you wrote is still here: book it now, if nobody else has taken it.")
CLOSED = N_("We cannot see the calendars just now, so nothing was changed. Please try again in a few minutes.")
MANY = N_("Many people are booking just now. Nothing was changed; please try again in some minutes.")
NOT_BOOKED = N_(
    "It could not be booked with what you wrote. You may have such a meeting already, which you can move by its own "
    "link; or call us. Nothing was changed."
)
LATE = N_("It is too late to change the meeting here, or it was moved too often. Nothing was changed; please call us.")
NOT_SO = N_("What was chosen does not fit together. Nothing was changed; please choose again.")


def said(visitor: Visitor, error: BookingError | Transient | Contention, *, booking: bool = False) -> str:
    """Why nothing was changed, in plain words. :param booking: it was to be booked, not changed."""
    for kind, text in (
        (TooManyHeld, MANY),
        (KeptLongEnough, ENOUGH),
        (SlotGone, RAN_OUT if booking else GONE),
        (HoldExpired, GONE),
        (NotAllowed, NOT_BOOKED if booking else LATE),
        (TemporarilyClosed, CLOSED),
        (Transient, CLOSED),
    ):
        if isinstance(error, kind):
            return visitor.say(text)
    return visitor.say(NOT_SO)


def title_of(visitor: Visitor, offer: Offer | None, name: str) -> str:
    """What an offer is called; its id when it is not in force any more."""
    return offer.title.get(visitor.language.code, offer.title["da"]) if offer else name
