"""Who and what there is: sites, caseworkers, rooms and their mailboxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import TypeAlias

MailboxId: TypeAlias = str
"""Our own stable name of a watched calendar: the caseworker's or room's id from the configuration."""


class MailboxKind(StrEnum):
    """Whose calendar it is (iCalendar CUTYPE)."""

    PERSON = "person"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A calendar we watch.

    :param account: name of the `[calendars.NAME]` section that reaches it.
    :param address: mail address of its owner, lower case.
    :param url: explicit calendar URL; None lets the adapter discover it.
    :param zone: IANA zone in which floating times and all-day dates are read.
    :param invited: a room that is invited to meetings and answers for itself; its calendar is read, never written.
    """

    id: MailboxId
    kind: MailboxKind
    account: str
    address: str
    zone: str
    url: str | None = None
    invited: bool = False


@dataclass(frozen=True, slots=True)
class RoomRules:
    """How a site gives its rooms.

    :param announce_days: days before a meeting's day at whose beginning people are told; None: at booking.
    :param freeze: wall clock on the working day before; from then on no booking moves anybody.
    :param moves: most meetings that change rooms for a new one; 0 moves nobody.
    :param moves_announced: most of them whose people had been told.
    :param shape: on busy days hide times that leave useless gaps.
    """

    announce_days: int | None = 2
    freeze: time = time(12)
    moves: int = 3
    moves_announced: int = 2
    shape: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A place with rooms and people.

    :param zone: IANA zone of working hours and caps.
    :param reception: what citizens are told until a room is announced.
    """

    id: str
    name: str
    zone: str
    reception: str = ""
    rooms: RoomRules = RoomRules()


@dataclass(frozen=True, slots=True)
class Caseworker:
    """A person whose time is booked. ``name`` is shown to staff only.

    :param leaving: she left her group: her meetings to come are seen through, nothing new is offered.
    :param competences: what she can be asked for besides her teams: ``sygedagpenge``, ``arabic``.
    :param video: where her meetings by video are held.
    :param open_plan: the desk is among others, so that talks may need a room whatever their form.
    """

    id: MailboxId
    name: str
    mailbox: Mailbox
    site: str
    floor: int = 0
    teams: tuple[str, ...] = ()
    competences: tuple[str, ...] = ()
    open_plan: bool = False
    video: str | None = None
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """A room that can be given to a meeting.

    :param capacity: seats.
    :param features: equipment words, such as ``screen`` or ``alarm``.
    :param turnover: minutes kept free after each meeting.
    :param opens, closes: wall clock of the site; None for always.
    :param hours: by weekday (0 is Monday), instead of them; closed on days without an entry.
    """

    id: MailboxId
    name: str
    mailbox: Mailbox
    site: str
    floor: int = 0
    capacity: int = 2
    features: frozenset[str] = frozenset()
    step_free: bool = False
    turnover: int = 0
    opens: time | None = None
    closes: time | None = None
    preferred_by: tuple[str, ...] = ()
    hours: tuple[tuple[int, time, time], ...] = ()

    def open_on(self, weekday: int) -> tuple[time | None, time | None] | None:
        """From and to when it is open, None for the day's own bounds; None when it is closed that day."""
        if not self.hours:
            return self.opens, self.closes
        return next(((opens, closes) for day, opens, closes in self.hours if day == weekday), None)

    @property
    def open_minutes(self) -> int:
        """How long it is open on its longest day."""
        spans = [span for day in range(7) if (span := self.open_on(day))]
        return max((_minute(closes, 24 * 60) - _minute(opens, 0) for opens, closes in spans), default=0)


def _minute(wall: time | None, otherwise: int) -> int:
    return otherwise if wall is None else wall.hour * 60 + wall.minute


@dataclass(frozen=True, slots=True)
class ListedRoom:
    """A room as its server's own lists show it; what they do not say is None or empty.

    :param address: SMTP address, lower case. :param capacity: seats.
    :param features: equipment words, lower case, without blanks.
    """

    address: str
    name: str
    capacity: int | None = None
    floor: int | None = None
    step_free: bool | None = None
    building: str = ""
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody and everything, by id; one immutable value, replaced whole on reload.

    :param language: ``da`` or ``en``, of what is written into calendars.
    :param words: names that rules may use though nobody bears them now: teams of groups that are empty yet.
    :param case_url: link to the case system with ``{booking}`` and ``{reference}``; empty when there is none.
    :param category: that new entries of ours get; empty for none.
    """

    organisation: str
    sites: Mapping[str, Site]
    caseworkers: Mapping[MailboxId, Caseworker]
    rooms: Mapping[MailboxId, Room]
    support: str = ""
    language: str = "da"
    case_url: str = ""
    words: frozenset[str] = frozenset()
    mailboxes: Mapping[MailboxId, Mailbox] = field(default_factory=dict)
    category: str = ""

    def video(self, caseworker: MailboxId) -> str | None:
        """Where this caseworker's meetings by video are held; None when that is not known here."""
        person = self.caseworkers.get(caseworker)
        return None if person is None else person.video

    @classmethod
    def of(
        cls,
        organisation: str,
        sites: Mapping[str, Site],
        caseworkers: Mapping[MailboxId, Caseworker],
        rooms: Mapping[MailboxId, Room],
        support: str = "",
        language: str = "da",
        case_url: str = "",
        words: frozenset[str] = frozenset(),
        category: str = "",
    ) -> Directory:
        """Build the directory and its list of all mailboxes."""
        boxes = {p.id: p.mailbox for p in caseworkers.values()} | {r.id: r.mailbox for r in rooms.values()}
        return cls(organisation, sites, caseworkers, rooms, support, language, case_url, words, boxes, category)
