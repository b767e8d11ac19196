"""What bookings, forms and refusals are called on the counter's pages; who may see them and act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends

from syncd.booking.counter import Ground
from syncd.booking.states import Standing
from syncd.errors import (
    BookingError,
    CalendarUnknown,
    ChangedMeanwhile,
    NotAllowed,
    NotEntitled,
    SlotGone,
    TemporarilyClosed,
    UnknownBooking,
)
from syncd.model.directory import Directory, MailboxId
from syncd.model.offer import Form, Offer
from syncd.model.role import Role
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor, needs

SEEING = (Role.STAFF, Role.COORDINATOR, Role.OPERATOR, Role.AUDITOR)
KNOWING = (Role.STAFF, Role.COORDINATOR, Role.AUDITOR)
"""Who may see whose a booking is; each look is written down."""
ACTING = (Role.STAFF, Role.COORDINATOR)

Seeing = Annotated[Visitor, Depends(needs(*SEEING))]
Knowing = Annotated[Visitor, Depends(needs(*KNOWING))]
Acting = Annotated[Visitor, Depends(needs(*ACTING))]

STANDINGS: dict[Standing, str] = {
    Standing.HELD: N_("held"),
    Standing.PENDING: N_("booked, being written into the calendar"),
    Standing.ROOM_PENDING: N_("booked, room to be confirmed"),
    Standing.CONFIRMED: N_("confirmed"),
    Standing.MOVED: N_("moved, being written into the calendar"),
    Standing.ROOM_MISSING: N_("room missing"),
    Standing.CONFLICT: N_("overlaps"),
    Standing.ATTENTION: N_("needs a person"),
    Standing.FAILED: N_("did not reach the calendar"),
    Standing.CANCELLED: N_("cancelled"),
    Standing.EXPIRED: N_("ran out"),
    Standing.NO_SHOW: N_("did not come"),
}
OWN = N_("made in the calendar")
FORMS: dict[Form, str] = {
    Form.IN_PERSON: N_("in person"),
    Form.PHONE: N_("by telephone"),
    Form.VIDEO: N_("by video"),
}
GROUNDS: dict[Ground, str] = {
    Ground.EXEMPT: N_("exempted from booking herself"),
    Ground.DEPRIVED: N_("deprived of booking herself"),
    Ground.SUMMONED: N_("summoned"),
    Ground.AGREED: N_("agreed at the counter or by telephone"),
}
PURPOSES: dict[str, str] = {
    "help": N_("The citizen asks for help"),
    "call": N_("The citizen must be called"),
    "case": N_("Work on the citizen's case"),
    "error": N_("Looking into an error"),
}

MEANWHILE = N_(
    "Somebody else was faster and has changed this meeting. Nothing was changed by you; below you see how it is now."
)
GONE = N_("That time, or that person, is not free any more. Nothing was changed; please choose another one.")
OVER = N_("The meeting is over or cancelled, so it cannot be changed. Nothing was changed.")
UNKNOWN = N_("There is no booking of that name. Look at the code, such as K7MQ-2XR4, or search by day and person.")
NOT_FITTING = N_("What was chosen does not fit together. Nothing was changed; please choose again.")
CLOSED = N_("The calendar cannot be trusted just now, so nothing was changed. Please try again in a few minutes.")
UNKNOWN_TIME = N_(
    "The colleague's calendar is not known for that time, so nobody can tell whether it is free. Nothing was changed. "
    "Try again when the calendar was read, choose another colleague, let the same person hold the meeting by "
    "telephone, or cancel it."
)
FORBIDDEN = N_("The offer's rules do not allow that. Nothing was changed.")


def said(visitor: Visitor, error: BookingError) -> str:
    """Why nothing was changed, in the visitor's language."""
    for kind, text in (
        (ChangedMeanwhile, MEANWHILE),
        (SlotGone, GONE),
        (NotEntitled, FORBIDDEN),
        (NotAllowed, OVER),
        (UnknownBooking, UNKNOWN),
        (CalendarUnknown, UNKNOWN_TIME),
        (TemporarilyClosed, CLOSED),
    ):
        if isinstance(error, kind):
            return visitor.say(text)
    return visitor.say(NOT_FITTING)


def name_of(directory: Directory, mailbox: MailboxId | None) -> str:
    """What a person or room is called; the id of one that is not in the configuration any more."""
    if mailbox is None:
        return ""
    found = directory.caseworkers.get(mailbox) or directory.rooms.get(mailbox)
    return found.name if found else mailbox


def title_of(visitor: Visitor, offers: Mapping[str, Offer], offer: str) -> str:
    """What an offer is called; its id when it is not in force any more."""
    known = offers.get(offer)
    return known.title.get(visitor.language.code, known.title["da"]) if known else offer
