"""What the desk hands out."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.booking import texts
from syncd.model.booking import Booking, Meeting


@dataclass(frozen=True, slots=True)
class Appointment:
    """A booking (or hold) and its meeting, as the client it belongs to may see them.

    ``booking.state`` tells whether it is only held; ``booking.expires`` until when.
    """

    booking: Booking
    meeting: Meeting

    @property
    def reference(self) -> str:
        """The short code that stands in the caseworker's calendar too."""
        return texts.reference(self.meeting.id)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a POST, kept under its Idempotency-Key.

    :param booking: id of the booking it is about; erasing the booking erases the answer.
    :param replayed: it was given before, to the same request.
    """

    status: int
    body: bytes
    booking: str | None = None
    replayed: bool = False
