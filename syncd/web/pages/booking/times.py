"""The times somebody can choose from: a week at a time, each time once, whoever could hold it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from syncd.booking.openly import NOBODY
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, Slot
from syncd.model.zones import wall_clock
from syncd.web.pages.typed import typed_day
from syncd.web.pages.visiting import Visitor

SHOWN = 7
"""Days on one page."""


@dataclass(frozen=True, slots=True)
class Day:
    """The times of one day."""

    day: date
    starts: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Some days of times.

    :param before, after: days to look at next; None where there is nothing.
    :param closed: nothing is offered because calendars cannot be seen.
    """

    zone: str
    first: date
    last: date
    days: tuple[Day, ...]
    before: date | None
    after: date | None
    closed: bool


def week(visitor: Visitor, offer: Offer, form: Form, asked: str, caseworker: MailboxId | None = None) -> Week:
    """The week from the day asked for, or from the first day that has a time.

    :param asked: as typed; what is no day counts as none. :raises BookingError: see `Publisher.answer`.
    """
    deps, now = visitor.deps, visitor.deps.clock.now()
    zone, reach = _zone(visitor, offer, caseworker), Interval(now, now + timedelta(days=offer.horizon_days + 1))
    found = deps.publisher.answer(offer.name, reach, now, caseworker=caseworker, form=form, whom=NOBODY)
    days = list(_by_day(found.slots, zone))
    today = wall_clock(now, zone).date()
    first = min(_first(asked, today, days[0].day if days else today), wall_clock(reach.end, zone).date())
    last = first + timedelta(days=SHOWN - 1)
    earlier, later = [one.day for one in days if one.day < first], [one.day for one in days if one.day > last]
    return Week(
        zone,
        first,
        last,
        tuple(one for one in days if first <= one.day <= last),
        max(today, first - timedelta(days=SHOWN)) if earlier else None,
        later[0] if later else None,
        bool(found.closed) and not days,
    )


def _first(asked: str, today: date, free: date) -> date:
    try:
        return max(today, typed_day(asked))
    except ValueError:
        return free


def _zone(visitor: Visitor, offer: Offer, caseworker: MailboxId | None) -> str:
    """That of whoever holds the meeting; of somebody who does while that is open."""
    directory = visitor.deps.directory()
    people = [caseworker] if caseworker else list(offer.caseworkers)
    known = [directory.sites[directory.caseworkers[one].site] for one in people if one in directory.caseworkers]
    return next((site.zone for site in (*known, *directory.sites.values())), "UTC")


def _by_day(slots: Iterable[Slot], zone: str) -> Iterable[Day]:
    starts = sorted({slot.interval.start for slot in slots})
    for day, some in groupby(starts, key=lambda start: wall_clock(start, zone).date()):
        yield Day(day, tuple(some))
