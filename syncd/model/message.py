"""Receipts and reminders to citizens: what one is about, how it goes, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.directory import MailboxId
from syncd.model.offer import Form


class Kind(StrEnum):
    """What a message is about; all but the reminder are receipts."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    REMINDER = "reminder"


class Channel(StrEnum):
    """How it goes."""

    MAIL = "mail"
    SMS = "sms"


class Progress(StrEnum):
    """How far a message is."""

    WAITING = "waiting"
    """For its time, or to be tried again; it was certainly not sent."""
    SENDING = "sending"
    """Taken, and noted as taken, before anything is handed over."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """It may have been sent; it is not sent again."""
    FAILED = "failed"
    """It was certainly not sent, and is not tried again."""
    SKIPPED = "skipped"
    """Not wanted by the citizen, or of a booking from before messages were switched on."""
    WITHDRAWN = "withdrawn"
    """It was not true any more before it was sent; something else is said instead."""


OPEN = (Progress.WAITING, Progress.SENDING)
"""Something may still happen to it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says of a meeting; when one of it changes, citizens are told.

    :param site: where to come; empty for talks at a distance.
    """

    start: datetime
    form: Form
    site: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message about one booking.

    :param number: 1 for the first about this booking.
    :param at: since when it stands so. :param attempts: how often it was taken for sending.
    """

    booking: str
    number: int
    kind: Kind
    channel: Channel
    said: Said
    progress: Progress
    at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Concerned:
    """A booking whose citizen left a way to reach her, as far as it matters to her.

    :param cancelled: she is not expected any more. :param created: when it was booked or held.
    """

    booking: str
    cancelled: bool
    created: datetime
    start: datetime
    form: Form
    zone: str
    caseworker: MailboxId
    room: MailboxId | None
