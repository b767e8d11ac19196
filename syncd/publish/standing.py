"""When people are told the rooms of a day, and from when on these stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncd.model.directory import Site
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.model.zones import wall_clock
from syncd.roomalloc import timetable
from syncd.roomalloc.day import Standing
from syncd.roomalloc.timetable import Timing
from syncd.slots.hours import closed_because

BEFORE = 14
"""Days looked back for the working day before a meeting's day."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The two moments of a local day's rooms.

    :param told: when people are told; None: at booking. :param frozen: from when on no booking moves anybody.
    """

    told: datetime | None
    frozen: datetime

    def standing(self, now: datetime) -> Standing:
        """How firmly the meetings of the day have their rooms."""
        if now >= self.frozen:
            return Standing.FIXED
        return Standing.ANNOUNCED if self.told is None or now >= self.told else Standing.TENTATIVE

    def announced(self, now: datetime) -> bool:
        """Whether people have been, or are to be, told their rooms."""
        return self.standing(now) is not Standing.TENTATIVE


def edges(site: Site, day: date, rulebook: Rulebook) -> Edges:
    """The moments of one local day at *site*."""
    timing = Timing(site.rooms.announce_days, site.rooms.freeze)
    here = [closing for closing in rulebook.closings if not closing.sites or site.id in closing.sites]
    past = (day - timedelta(days=n) for n in range(1, BEFORE))
    closed = {each for each in past if closed_because(each, here, rulebook.holidays)}
    frozen = timetable.frozen_at(day, site.zone, timing, closed)
    return Edges(timetable.announced_at(day, site.zone, timing, closed), frozen)


def announced(site: Site, interval: Interval, rulebook: Rulebook, now: datetime) -> bool:
    """Whether the room of a meeting at this time may be told to the citizen at *now*."""
    return edges(site, wall_clock(interval.start, site.zone).date(), rulebook).announced(now)
