"""What is expected of each caseworker in each week, what is still on offer, and who has nothing on offer and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from syncd.model.directory import Caseworker, Directory, MailboxId
from syncd.model.eligibility import Whom
from syncd.model.interval import Interval
from syncd.model.offer import Answer, Offer, Rulebook
from syncd.model.policy import Mode
from syncd.model.zones import whole_days
from syncd.publish.publisher import Publisher
from syncd.slots.compute import Step
from syncd.slots.table import SlotTable
from syncd.store.instants import epoch

OPEN = Whom(staff=True, sealed=True)
"""What everybody may have together; reserves count as closed, as in `syncd.publish.guard`."""


class Cause(StrEnum):
    """Why a caseworker has no time on offer: what one can talk about."""

    RULE = "rule"
    """Working hours, marks, opening hours or the team's mode leave nothing."""
    BUSY = "busy"
    """The calendar is full, of her own events or of booked meetings."""
    STALE = "stale"
    """The calendar cannot be trusted now."""
    QUOTA = "quota"
    """The most meetings or minutes a day or week are reached."""
    ROOM = "room"
    """Every suitable room is taken."""
    PARTNER = "partner"
    """Nobody is free for a further role."""


CAUSES: Mapping[Step, Cause] = {
    Step.EVENTS: Cause.BUSY,
    Step.CLAIMS: Cause.BUSY,
    Step.PARTNERS: Cause.PARTNER,
    Step.COVERED: Cause.STALE,
    Step.CAPS: Cause.QUOTA,
    Step.ROOM: Cause.ROOM,
}
"""What a step that left nothing means; the others are rules."""


@dataclass(frozen=True, slots=True)
class Without:
    """A caseworker with nothing on offer.

    :param step: what left nothing, of the offer that got furthest; None when the team is not live, or the calendar is
        not trusted at all.
    """

    caseworker: MailboxId
    cause: Cause
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of days of one offer, and how many meetings can still be booked in it beside each other.

    :param until: last day. :param asked: how many must be possible, because rules say so or deadlines end by then;
        None when nobody asks.
    :param deadlines: whether it is citizens' open deadlines that ask. :param each: the same by caseworker.
    """

    offer: str
    first: date
    until: date
    each: Mapping[MailboxId, int]
    asked: int | None = None
    deadlines: bool = False

    @property
    def left(self) -> int:
        """How many meetings of everybody."""
        return sum(self.each.values())

    @property
    def short(self) -> bool:
        """Whether there are fewer than must be."""
        return self.asked is not None and self.left < self.asked


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch to be counted. :param asked, deadlines: as in `Window`. :param immediate: as a guard has it."""

    first: date
    until: date
    asked: int | None = None
    deadlines: bool = False
    immediate: bool = False


def zone_of(directory: Directory, person: Caseworker) -> str:
    """The zone of her site."""
    return directory.sites[person.site].zone


def offered(
    publisher: Publisher,
    book: Rulebook,
    directory: Directory,
    mondays: Sequence[date],
    now: datetime,
    tell: Callable[[float], None] = lambda _share: None,
) -> dict[MailboxId, list[int]]:
    """By caseworker and week, how many meetings could still be booked; of several offers the one of which most fit.

    :param mondays: of the weeks, in order. :param tell: hears how much is done, 0 to 1.
    """
    best: dict[MailboxId, list[int]] = {}
    for n, offer in enumerate(book.offers.values()):
        for zone, people in _by_zone(directory, offer.caseworkers).items():
            weeks = [whole_days(monday, monday + timedelta(days=6), zone) for monday in mondays]
            window = Interval(max(now, weeks[0].start), weeks[-1].end)
            table = _table(publisher.answer(offer.name, window, now, whom=OPEN))
            spans = [(epoch(week.start), epoch(week.end)) for week in weeks]
            for person, numbers in table.packed_in(offer.before, offer.after, spans).items():
                if person in people:
                    known = best.setdefault(person, [0] * len(mondays))
                    best[person] = [max(pair) for pair in zip(known, numbers, strict=True)]
        tell((n + 1) / len(book.offers))
    return best


def windows(
    publisher: Publisher, offer: Offer, directory: Directory, spans: Sequence[Span], now: datetime
) -> list[Window]:
    """How many meetings of *offer* are left in each of *spans*."""
    zones = list(_by_zone(directory, offer.caseworkers))
    if not zones or not spans:
        return []
    found: list[Window] = []
    for immediate in sorted({one.immediate for one in spans}):
        some = [one for one in spans if one.immediate is immediate]
        whole = whole_days(min(one.first for one in some), max(one.until for one in some), zones[0])
        whom = Whom(immediate=immediate, staff=True, sealed=True)
        table = _table(publisher.answer(offer.name, Interval(max(now, whole.start), whole.end), now, whom=whom))
        days = [whole_days(one.first, one.until, zones[0]) for one in some]
        left = table.packed_in(offer.before, offer.after, [(epoch(day.start), epoch(day.end)) for day in days])
        for n, one in enumerate(some):
            each = {person: numbers[n] for person, numbers in left.items() if numbers[n]}
            found.append(Window(offer.name, one.first, one.until, each, one.asked, one.deadlines))
    return sorted(found, key=lambda one: (one.until, one.first, one.deadlines))


def without(
    publisher: Publisher,
    book: Rulebook,
    directory: Directory,
    people: Iterable[MailboxId],
    window: Interval,
    now: datetime,
) -> list[Without]:
    """Why each of these, who have nothing on offer in *window*, has nothing."""
    return [_why(publisher, book, one, window, now) for one in people if one in directory.caseworkers]


def _why(publisher: Publisher, book: Rulebook, person: MailboxId, window: Interval, now: datetime) -> Without:
    offers = [offer for offer in book.offers.values() if person in offer.caseworkers]
    if book.policy(person).mode is not Mode.LIVE or not offers:
        return Without(person, Cause.RULE)
    answers = [publisher.answer(offer.name, window, now, caseworker=person, whom=OPEN) for offer in offers]
    if all(person in answer.closed for answer in answers):
        return Without(person, Cause.STALE)
    order = list(Step)
    furthest = max((_emptied(answer) for answer in answers), key=order.index)
    return Without(person, CAUSES.get(furthest, Cause.RULE), furthest)


def _emptied(answer: Answer) -> Step:
    """The step after which nothing was left."""
    return next((step for step in Step if not answer.counts.get(step.value)), Step.ROOM)


def _by_zone(directory: Directory, people: Iterable[MailboxId]) -> dict[str, set[MailboxId]]:
    found: dict[str, set[MailboxId]] = {}
    for one in people:
        if (person := directory.caseworkers.get(one)) is not None:
            found.setdefault(zone_of(directory, person), set()).add(one)
    return found


def _table(answer: Answer) -> SlotTable:
    if not isinstance(answer.slots, SlotTable):
        raise TypeError("the publisher answers with a SlotTable")
    return answer.slots
