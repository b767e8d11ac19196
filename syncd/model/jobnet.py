"""What is known of citizens, bookings and reservations of Jobnet; citizens by reference, never by number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from syncd.model.directory import MailboxId
from syncd.model.offer import Form


class Standing(StrEnum):
    """Whether a citizen may book by herself."""

    OPEN = "open"
    EXEMPT = "exempt"
    """Exempted from the duty (fritaget; absence type 56)."""
    DEPRIVED = "deprived"
    """Deprived of the right (frataget; absence type 57)."""
    ELSEWHERE = "elsewhere"
    """Her contact course is with the unemployment fund (absence type 75)."""


class Origin(StrEnum):
    """Who made a booking that DFDG knows."""

    JOBNET = "jobnet"
    """The citizen, on Jobnet: DFDG wrote it itself, its creation is never reported."""
    SUMMONS = "summons"
    """The case system: it blocks time, gets a room, and is never moved by the citizen."""
    STAFF = "staff"
    """Staff, who linked a citizen to a meeting."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a question about offers says of a citizen; codes are texts.

    :param jobcentre: five digits. :param contact_group: kontaktgruppe. :param category: klientkategori.
    :param groups: persongruppemarkeringer (GUIDs, lower case).
    """

    jobcentre: str
    contact_group: str
    category: str = ""
    groups: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Link:
    """A booking of ours and DFDG's id of it.

    :param indkaldelse: a GUID, lower case.
    :param client: whose booking it is here.
    :param self_booked: what statistics and reports must say; never true for what staff booked.
    :param accepted: when the citizen said that she will come.
    """

    indkaldelse: str
    booking: str
    client: str
    citizen: str
    origin: Origin
    self_booked: bool
    created: datetime
    accepted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A time kept for a citizen between details and creation.

    :param hold: id of the hold behind it.
    :param indkaldelse: the booking that is to be moved there; None for a new one.
    :param latest: last day on which the meeting may be held.
    :param used: the IndkaldelseId it was used for.
    """

    id: str
    hold: str
    citizen: str
    offer: str
    form: Form
    caseworker: MailboxId
    start: datetime
    expires: datetime
    made: datetime
    indkaldelse: str | None = None
    immediate: bool = False
    latest: date | None = None
    used: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """An error that Jobnet or DFDG reported.

    :param at: when it was registered there. :param received: when we were told.
    :param said: what was written, without anything like a civil registration number.
    :param origin: 30 is DFDG, 32 is Jobnet.
    """

    code: int
    said: str
    origin: int
    at: datetime
    received: datetime
    citizen: str | None = None
    offer: str | None = None
    indkaldelse: str | None = None
    number: int = 0
    done: datetime | None = None
