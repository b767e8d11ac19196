"""What the outside is told of: the kinds of events, and what one says. An event names ids and times, never a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened, as the receivers of webhooks know it."""

    BOOKING_MADE = "booking.made"
    BOOKING_CONFIRMED = "booking.confirmed"
    """Every calendar was seen to hold the meeting."""
    BOOKING_MOVED = "booking.moved"
    """Another time, whoever moved it."""
    BOOKING_CHANGED = "booking.changed"
    """Another caseworker, form, announced room or link to meet by, at the same time."""
    BOOKING_CANCELLED = "booking.cancelled"
    BOOKING_NO_SHOW = "booking.no-show"
    SLOTS_CHANGED = "slots.changed"
    """Other times of an offer can be booked now."""


OUTWARD: Mapping[str, EventKind] = {
    "booking.made": EventKind.BOOKING_MADE,
    "booking.moved": EventKind.BOOKING_MOVED,
    "booking.cancelled": EventKind.BOOKING_CANCELLED,
    "booking.no-show": EventKind.BOOKING_NO_SHOW,
    "meeting.moved": EventKind.BOOKING_MOVED,
    "meeting.rebooked": EventKind.BOOKING_MOVED,
    "meeting.adopted": EventKind.BOOKING_MOVED,
    "meeting.handed-over": EventKind.BOOKING_CHANGED,
    "room.announced": EventKind.BOOKING_CHANGED,
    "room.changed": EventKind.BOOKING_CHANGED,
}
"""Which rows of the audit log the outside hears of, and as what; an unannounced room may change unheard."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that somebody may want to hear.

    :param id: unique and stable; a receiver that saw it before may forget the second.
    :param cause: who did it, by kind: ``client``, ``calendar`` (a human's hand), ``cli`` or ``syncd``.
    :param booking, meeting: about one booking, or about all of a meeting; both None for `EventKind.SLOTS_CHANGED`.
    :param facts: what more there is to say.
    """

    id: str
    kind: EventKind
    at: datetime
    cause: str
    booking: str | None
    meeting: str | None
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver.

    :param receiver: name of the client whose webhook it goes to.
    :param body: the very bytes that are sent, at every attempt.
    :param attempts: how often it was tried.
    :param buried: why it will not be tried again; None while it will.
    """

    id: int
    receiver: str
    event: str
    kind: str
    body: bytes
    made: datetime
    attempts: int
    buried: str | None
