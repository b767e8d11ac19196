"""How a caseworker's time is published: from which source, past which events, on which days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum

from syncd.model.busy import BusyType


class Mode(StrEnum):
    """How far a team has gone live."""

    CLOSED = "closed"
    """Nothing is computed or offered."""
    SHADOW = "shadow"
    """Computed and reported to staff; nothing is offered or written."""
    LIVE = "live"


class Source(StrEnum):
    """Where bookable time comes from."""

    RULES = "rules"
    """Working hours minus busy time."""
    MARKED = "marked"
    """Only what the caseworker marked in her calendar."""
    BOTH = "both"


class Blocks(StrEnum):
    """Which meetings an event stands in the way of."""

    ALL = "all"
    IN_PERSON = "in-person"
    NONE = "none"


def default_blocks() -> dict[BusyType, Blocks]:
    """Busy, out-of-office and tentative block; working elsewhere blocks meetings in person; free does not."""
    return {
        BusyType.BUSY: Blocks.ALL,
        BusyType.OUT_OF_OFFICE: Blocks.ALL,
        BusyType.TENTATIVE: Blocks.ALL,
        BusyType.WORKING_ELSEWHERE: Blocks.IN_PERSON,
        BusyType.FREE: Blocks.NONE,
    }


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for one caseworker's time, whatever the offer.

    :param blocks: per busy type; one that is missing blocks everything.
    :param free_all_day_blocks: a single all-day entry blocks even when shown as free, for Outlook makes
        holidays so; a recurring one (a birthday) does not.
    :param per_day, per_week: most meetings booked through syncd in a local day or ISO week; None for no limit.
    :param minutes_per_day, minutes_per_week: most minutes of meetings booked through syncd; None for no limit.
    :param expected_per_week: how many meetings a week, booked or still on offer, are expected of a person.
    :param weight: a person with weight 2 is given twice the meetings of one with weight 1.
    """

    mode: Mode = Mode.LIVE
    source: Source = Source.RULES
    blocks: Mapping[BusyType, Blocks] = field(default_factory=default_blocks)
    free_all_day_blocks: bool = True
    per_day: int | None = None
    per_week: int | None = None
    weight: float = 1.0
    minutes_per_day: int | None = None
    minutes_per_week: int | None = None
    expected_per_week: int | None = None


@dataclass(frozen=True, slots=True)
class DayException:
    """Other hours than usual from *first* to *last* (both included); no hours means not at work.

    :param hours: pairs of wall-clock times in the site's zone.
    """

    first: date
    last: date
    hours: tuple[tuple[time, time], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """Days on which sites are closed. :param sites: their ids; empty for all."""

    first: date
    last: date
    why: str
    sites: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Holidays:
    """Which days of the Danish year are closed everywhere."""

    public: bool = True
    constitution_day: bool = True
    christmas_eve: bool = True
    new_years_eve: bool = True


NO_HOLIDAYS = Holidays(False, False, False, False)
DEFAULT_POLICY = Policy()
