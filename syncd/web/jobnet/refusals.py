"""Refusals of the facade: each a kind with a number from the mapping, a status, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from syncd.booking.reservations import Kept
from syncd.errors import (
    BadRequest,
    BookingError,
    HoldExpired,
    NotAllowed,
    NotThisCitizen,
    SlotGone,
    TemporarilyClosed,
    UnknownBooking,
    UnknownCaseworker,
    UnknownHold,
    UnknownOffer,
)


class Kind(StrEnum):
    """What kind of error; the value is the key of its number in the mapping (`[errors]`)."""

    NOT_VALIDATED = "not_validated"
    MALFORMED_CITIZEN = "malformed_citizen"
    UNKNOWN_CITIZEN = "unknown_citizen"
    NO_OPTIONS = "no_options"
    NOT_THIS_CITIZEN = "not_this_citizen"
    NOT_AUTHORISED = "not_authorised"
    RESERVATION_EXPIRED = "reservation_expired"
    NOT_ALLOWED = "not_allowed"


class Refused(Exception):
    """The call is answered with an error; nothing was changed.

    :param status: of HTTP, in REST. :param field: the part of the message that is wrong, by its name there.
    :param kept: a reservation that was made anew.
    """

    def __init__(
        self, kind: Kind, text: str, status: int = 400, field: str | None = None, kept: Kept | None = None
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text[:500]
        self.status = status
        self.field = field
        self.kept = kept
        self.allow: tuple[str, ...] = ()


_BY_CLASS: Mapping[type[BookingError], tuple[Kind, int]] = {
    UnknownOffer: (Kind.NO_OPTIONS, 404),
    UnknownCaseworker: (Kind.NOT_VALIDATED, 400),
    UnknownHold: (Kind.RESERVATION_EXPIRED, 404),
    UnknownBooking: (Kind.NOT_THIS_CITIZEN, 404),
    NotThisCitizen: (Kind.NOT_THIS_CITIZEN, 409),
    HoldExpired: (Kind.RESERVATION_EXPIRED, 410),
    SlotGone: (Kind.NO_OPTIONS, 409),
    TemporarilyClosed: (Kind.NO_OPTIONS, 409),
    NotAllowed: (Kind.NOT_ALLOWED, 409),
    BadRequest: (Kind.NOT_VALIDATED, 400),
}


def refused(error: BookingError) -> Refused:
    """What a refusal of the desk is called here."""
    kind, status = next(
        (_BY_CLASS[one] for one in type(error).__mro__ if one in _BY_CLASS), (Kind.NOT_ALLOWED, error.status)
    )
    kept = error.facts.get("kept")
    return Refused(kind, str(error), status, kept=kept if isinstance(kept, Kept) else None)
