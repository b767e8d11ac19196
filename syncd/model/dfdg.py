"""What DFDG's records say of our meetings, what we owe them, and its messages and deadlines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum

from syncd.model.offer import Form


@dataclass(frozen=True, slots=True)
class Said:
    """What a record at DFDG (an Indkaldelse) says, or should say, of a meeting.

    :param caseworker: as the case system calls her (RID, GUID). :param form: code of the talk form.
    :param place: where it is held, as far as people were told. :param link: of a meeting by video.
    :param gone: it is annulled.
    """

    start: datetime
    end: datetime
    caseworker: str
    form: int
    place: str = ""
    link: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """What a record says beside, and never changes.

    :param kind: type of talk (Samtaletype). :param group: kontaktgruppe; empty when nobody told.
    :param self_booked: by the citizen herself.
    """

    kind: int
    self_booked: bool
    group: str = ""


class Class(StrEnum):
    """Whether a citizen could book, when her talk was made."""

    OPEN = "open"
    BARRED = "barred"
    """Exempted, deprived, or with the unemployment fund (absence types 56, 57, 75)."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Record:
    """One record at DFDG, and how far both sides agree on it.

    :param known: what DFDG was last known to hold; None: it has none yet, so it is owed whole.
    :param sent: what a report said whose answer we do not know; it is repeated with the same *request*. Without a
        request: what was refused.
    :param generation: the meeting's generation that was compared last.
    :param refused: why DFDG did not take it; a person was told.
    :param seen: DFDG itself was seen to hold the record, by a message or an answer.
    :param latest: last day on which the talk may be held (SidsteAfholdelsesdato); None when nobody told.
    """

    id: str
    about: About
    known: Said | None
    registered: datetime
    citizen: str = ""
    sent: Said | None = None
    request: str | None = None
    generation: int = 0
    attempts: int = 0
    owed_since: datetime | None = None
    refused: str | None = None
    seen: bool = False
    latest: date | None = None
    class_: Class = Class.UNKNOWN
    first: bool = False


class Entity(IntEnum):
    """What a message is about (WSBI, WSBF)."""

    SUMMONS = 90000
    DEADLINE = 90001


class Change(IntEnum):
    """What happened to it (WSBI)."""

    CREATED = 1
    UPDATED = 2
    ANNULLED = 3


@dataclass(frozen=True, slots=True)
class Message:
    """A message of DFDG's: a hint where to look; the record itself is the truth.

    :param about: IndkaldelseId or fristId, lower case. :param citizen: reference of the citizen; empty when none told.
    """

    id: str
    entity: Entity
    change: Change
    about: str
    citizen: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline by which a citizen must book (Frist, FRI).

    :param until: last day for booking. :param latest: last day on which the talk may be held.
    :param immediate: straksbooking is demanded. :param open: neither met nor closed.
    """

    id: str
    citizen: str
    kind: int
    until: date
    latest: date
    immediate: bool = False
    open: bool = True


@dataclass(frozen=True, slots=True)
class Words:
    """What stands for what on both sides; from the configuration.

    :param caseworkers: what the case system calls our caseworkers, by our id; who is left out keeps hers.
    :param forms: codes of talk forms. :param offers: offers by type of talk, the first one for what is summoned.
    """

    caseworkers: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[Form, int] = field(default_factory=dict)
    offers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def outside(self, caseworker: str) -> str:
        """What the case system calls a caseworker of ours."""
        return self.caseworkers.get(caseworker, caseworker)

    def inside(self, named: str) -> str:
        """Our id of whom the case system calls so; the same text when nobody of ours is."""
        return next((ours for ours, theirs in self.caseworkers.items() if theirs == named), named)

    def form(self, code: int) -> Form | None:
        """Our form for a code; None for one that is not among ours."""
        return next((form for form, theirs in self.forms.items() if theirs == code), None)

    def kind(self, offer: str) -> int | None:
        """The type of talk of an offer."""
        return next((kind for kind, offers in self.offers.items() if offer in offers), None)
