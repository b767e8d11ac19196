"""What a calendar holds, as far as syncd wants to know: when somebody is busy, and which entries are ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.digits import digits
from syncd.model.interval import Interval


class BusyType(StrEnum):
    """How a span blocks (Exchange LegacyFreeBusyStatus, Graph showAs, iCalendar TRANSP/STATUS/BUSYSTATUS)."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "out-of-office"
    WORKING_ELSEWHERE = "working-elsewhere"
    UNAVAILABLE = "unavailable"
    """Cannot be scheduled at all: FBTYPE=BUSY-UNAVAILABLE, or outside the opening hours of RFC 7953; blocks."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Our mark on a calendar entry we wrote (architecture, decision 5).

    :param installation: the random id of the installation that wrote it.
    :param meeting: our meeting's id.
    :param generation: the desired generation it was written for.
    :param digest: hash of what was written (`syncd.model.entry.digest`).
    """

    installation: str
    meeting: str
    generation: int
    digest: str

    def encode(self) -> str:
        """The form that is kept in one text property of a calendar entry."""
        return f"1;{self.installation};{self.meeting};{self.generation};{self.digest}"

    @classmethod
    def decode(cls, text: str) -> Stamp | None:
        """Read `encode`'s form, with or without iCalendar's escapes; None when it is not one of ours."""
        parts = text.strip().replace("\\", "").split(";")
        if len(parts) != 5 or parts[0] != "1" or (generation := digits(parts[3])) is None:
            return None
        return cls(parts[1], parts[2], generation, parts[4])


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One dated instance, never a series.

    :param uid: the server's identity of the event or series (iCalendar UID).
    :param original_start: where the rule put it (RECURRENCE-ID) in UTC; None for a single event.
    :param interval: where it is now.
    :param all_day: written as dates, read in the mailbox's zone.
    :param recurring: belongs to a series.
    :param categories: category names, as the caseworker wrote them (only those syncd obeys are kept).
    :param stamp: present when we (or another installation) wrote it.
    :param guest: somebody else organises it; known only of occurrences with categories.
    """

    uid: str
    original_start: datetime | None
    interval: Interval
    busy: BusyType
    all_day: bool = False
    recurring: bool = False
    categories: tuple[str, ...] = ()
    stamp: Stamp | None = None
    guest: bool = False
