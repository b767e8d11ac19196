"""Meetings and bookings: their values, and all roads between their states in one table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, RoomRequirement

LONGEST = timedelta(days=7)
"""So far back a meeting is looked for that is not over: rules allow a day, but a caseworker may stretch her event."""


class BookingState(StrEnum):
    """Where a citizen's booking is."""

    HELD = "held"
    """A slot is reserved for minutes; nothing outside knows of it."""
    PENDING = "pending"
    """Booked and durable; the calendars have not all been written yet."""
    CONFIRMED = "confirmed"
    """Booked, and seen in every calendar it belongs in."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no-show"
    """The citizen did not come, says the caseworker; she can take it back."""


TRANSITIONS: dict[BookingState, frozenset[BookingState]] = {
    BookingState.HELD: frozenset({BookingState.PENDING, BookingState.EXPIRED, BookingState.CANCELLED}),
    BookingState.PENDING: frozenset({BookingState.CONFIRMED, BookingState.CANCELLED, BookingState.NO_SHOW}),
    BookingState.CONFIRMED: frozenset({BookingState.PENDING, BookingState.CANCELLED, BookingState.NO_SHOW}),
    BookingState.NO_SHOW: frozenset({BookingState.PENDING, BookingState.CONFIRMED}),
    BookingState.CANCELLED: frozenset(),
    BookingState.EXPIRED: frozenset(),
}


class RoomState(StrEnum):
    """How the room of a meeting stands."""

    NONE = "none"
    """None is needed."""
    PENDING = "pending"
    """Chosen and reserved by us; not yet seen in the room's calendar."""
    ACCEPTED = "accepted"
    MISSING = "missing"
    """Needed, but none could be had; a person is told."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What takes a person's and a room's time; desired state beside what was last seen (decision 5).

    :param uid: iCalendar UID in every calendar, the same for ever.
    :param zone: the site's zone; the wall time is kept with the instant (decision 12).
    :param wanted: False once it is cancelled: the calendars should be clean.
    :param desired_generation: grows with each change of what should be in the calendars.
    :param applied_generation: the generation all calendars were last seen to hold.
    :param attempts: tries since the calendars were last as desired; sets the pace of the next one.
    :param attention: a sentence for a person when something could not be had; None when all is well.
    :param conflict: another event overlaps it since a human put one there; kept, flagged once.
    :param owed_since: since when the calendars lag behind; None when settled.
    :param beside: UID of the caseworker's own event that this one stands beside, with a room or a note for it (its
        category asked for it); None for what was booked. Her event takes her time, this one takes none.
    :param asks: what it asks of a room when that is not for its offer to say.
    :param note: what could not be had and what could, as its entry tells the caseworker; told once.
    :param partners: who else of ours takes part, in the order of the offer's roles.
    :param rewrites: writes on ``rewrites_day`` (days since 1970) that repaired what was right before.
    :param link: to meet by, as the caseworker's calendar server made it; None when it made none.
    """

    id: str
    uid: str
    offer: str
    form: Form
    caseworker: MailboxId
    room: MailboxId | None
    room_state: RoomState
    interval: Interval
    zone: str
    before: int
    after: int
    wanted: bool
    desired_generation: int
    applied_generation: int
    attempts: int = 0
    attention: str | None = None
    conflict: bool = False
    owed_since: datetime | None = None
    rewrites_day: int = 0
    rewrites: int = 0
    beside: str | None = None
    asks: RoomRequirement | None = None
    note: str | None = None
    partners: tuple[MailboxId, ...] = ()
    link: str | None = None

    @property
    def people(self) -> tuple[MailboxId, ...]:
        """Everybody of ours who holds it, the caseworker first."""
        return (self.caseworker, *self.partners)

    @property
    def settled(self) -> bool:
        """Whether the calendars were seen to hold what they should."""
        return self.desired_generation == self.applied_generation


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """What we know of a meeting's entry in one calendar.

    :param wanted: it should stand there; False where it must be cleaned away.
    :param generation: the stamp's generation when it was last seen there; 0 when it was never seen, or is gone.
    :param digest: `syncd.model.entry.digest` of it when last seen; what differs later, a human changed.
    :param missing_since: first look (UTC) that missed it after it had been seen; a second look confirms. Where it
        should not stand and was not seen: since when what stands there is a person's own (`hers`).
    :param link: `syncd.model.entry.Entry.link` at this look; it is kept with the meeting.
    """

    mailbox: MailboxId
    wanted: bool
    key: str | None = None
    version: str | None = None
    generation: int = 0
    digest: str | None = None
    missing_since: datetime | None = None
    link: str | None = field(default=None, compare=False)

    @property
    def hers(self) -> bool:
        """Whether a person gave the meeting up here, or made the entry her own: what stands here is not ours to clean.

        The same in SQL: `syncd.store.tables.HERS`.
        """
        return not self.wanted and self.missing_since is not None and self.generation == 0


@dataclass(frozen=True, slots=True)
class Booking:
    """A citizen's seat in a meeting; in state HELD it is the hold.

    :param client: the API client it belongs to; others cannot see it.
    :param citizen: the client's opaque reference of the citizen; None while only held.
    :param expires: when a hold ends (UTC).
    :param moves: how often the citizen rescheduled it.
    :param topic: what the citizen chose to talk about, of the offer's topics; empty when nothing.
    """

    id: str
    meeting: str
    client: str
    state: BookingState
    created: datetime
    citizen: str | None = None
    expires: datetime | None = None
    moves: int = 0
    topic: str = ""


def advance(booking: Booking, to: BookingState) -> Booking:
    """The booking in its next state.

    :raises ValueError: there is no way from here to there; a defect, not a user's mistake.
    """
    if to not in TRANSITIONS[booking.state]:
        raise ValueError(f"booking {booking.id}: no way from {booking.state} to {to}")
    return replace(booking, state=to)
