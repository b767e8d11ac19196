"""Watches that enough times exist in the windows that rules guard, and opens reserves where they say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncd.model.directory import Directory, MailboxId
from syncd.model.eligibility import Whom
from syncd.model.interval import Interval
from syncd.model.offer import Answer, Guard, Offer, Rulebook
from syncd.model.policy import Mode
from syncd.model.task import Facts, TaskKind
from syncd.model.zones import midnight, wall_clock, whole_days
from syncd.publish.publisher import Publisher
from syncd.publish.reserve import open_reserve
from syncd.slots.table import SlotTable
from syncd.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Guarded:
    """How one guarded window of an offer stands.

    :param found: how many meetings can be booked in it, counted up to what must exist.
    """

    offer: str
    guard: Guard
    found: int

    @property
    def short(self) -> bool:
        """Whether there are too few."""
        return self.found < self.guard.at_least

    @property
    def about(self) -> str:
        """What the task is about."""
        return f"offer:{self.offer}:{self.guard.first_day}-{self.guard.last_day}"

    @property
    def facts(self) -> Facts:
        """What the task says."""
        guard = self.guard
        return {"offer": self.offer, "least": guard.at_least, "first": guard.first_day, "last": guard.last_day}


@dataclass(frozen=True, slots=True)
class Demand:
    """So many meetings must be possible until that day, because citizens have deadlines.

    :param until: last day on which one may be held. :param number: of all deadlines that end by then.
    """

    offer: str
    until: date
    number: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to.

    :param short: windows with too few times. :param opened: offers whose reserve is open.
    :param missed: the first demand of each offer that cannot be met.
    """

    short: tuple[Guarded, ...]
    opened: tuple[str, ...]
    missed: tuple[Demand, ...] = ()


class SupplyGuard:
    """Counts, tells, opens and closes; used by one thread at a time.

    :param demands: what citizens' deadlines ask for, of a day on.
    """

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        directory: Directory,
        demands: Callable[[Tx, date], Sequence[Demand]] = lambda _tx, _today: (),
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._directory = directory
        self._demands = demands

    def look(self, now: datetime) -> Looked:
        """Count every guarded window; raise or settle tasks, open or close reserves.

        What is counted does not depend on whether a reserve is open already, so nothing flaps.

        :raises StoreError: the database cannot be used; nothing was changed.
        """
        rulebook = self._rulebook()
        found = [self._counted(offer, guard, now) for offer in rulebook.offers.values() for guard in offer.supply]
        missed = self._missed(rulebook, now)
        return self._store.run(lambda tx: self._written(tx, rulebook, found, missed, now))

    def expected(self, now: datetime) -> list[MailboxId]:
        """Raise or settle a task for each caseworker of whom more is expected next week; returns those who lack.

        :raises StoreError: the database cannot be used; nothing was changed.
        """
        rulebook = self._rulebook()
        lacking = dict(self._lacking(rulebook, now))

        def work(tx: Tx) -> None:
            for task in tx.tasks.waiting(TaskKind.CASEWORKER_SHORT):
                if task.about.removeprefix("mailbox:") not in lacking:
                    tx.tasks.settle(TaskKind.CASEWORKER_SHORT, task.about, now)
            for one, facts in lacking.items():
                tx.tasks.raise_(TaskKind.CASEWORKER_SHORT, f"mailbox:{one}", facts, now)

        self._store.run(work)
        return sorted(lacking)

    def _rulebook(self) -> Rulebook:
        with self._store.read() as tx:
            return self._publisher.rules.within(tx)

    def _counted(self, offer: Offer, guard: Guard, now: datetime) -> Guarded:
        window = self._days(offer, now, guard.first_day, guard.last_day)
        if window is None:
            return Guarded(offer.name, guard, 0)
        whom = Whom(immediate=guard.immediate, staff=True, sealed=True)
        answer = self._publisher.answer(offer.name, window, now, whom=whom)
        return Guarded(offer.name, guard, bookable(answer, offer, guard.at_least))

    def _missed(self, rulebook: Rulebook, now: datetime) -> dict[str, Demand]:
        """The first demand of each offer for which there are too few times."""
        found: dict[str, Demand] = {}
        for offer in rulebook.offers.values():
            if (zone := self._zone(offer)) is None:
                continue
            today = wall_clock(now, zone).date()
            with self._store.read() as tx:
                asked = [one for one in self._demands(tx, today) if one.offer == offer.name]
            for demand in asked:
                guard = Guard(0, (demand.until - today).days, demand.number)
                if self._counted(offer, guard, now).short:
                    found[offer.name] = demand
                    break
        return found

    def _days(self, offer: Offer, now: datetime, first: int, last: int) -> Interval | None:
        """Whole days after today at the first site that serves."""
        zone = self._zone(offer)
        if zone is None:
            return None
        today = wall_clock(now, zone).date()
        return Interval(midnight(today + timedelta(days=first), zone), midnight(today + timedelta(days=last + 1), zone))

    def _zone(self, offer: Offer) -> str | None:
        people = self._directory.caseworkers
        return next((self._directory.sites[people[one].site].zone for one in offer.caseworkers if one in people), None)

    def _written(
        self, tx: Tx, rulebook: Rulebook, found: list[Guarded], missed: dict[str, Demand], now: datetime
    ) -> Looked:
        short = tuple(one for one in found if one.short)
        for task in tx.tasks.waiting(TaskKind.SUPPLY_SHORT):
            if task.about not in {one.about for one in short}:
                tx.tasks.settle(TaskKind.SUPPLY_SHORT, task.about, now)
        for one in short:
            tx.tasks.raise_(TaskKind.SUPPLY_SHORT, one.about, one.facts, now)
        for task in tx.tasks.waiting(TaskKind.DEADLINES_SHORT):
            if task.about not in {_deadlines(offer) for offer in missed}:
                tx.tasks.settle(TaskKind.DEADLINES_SHORT, task.about, now)
        for offer, demand in missed.items():
            facts: Facts = {"offer": offer, "until": demand.until.isoformat()}
            tx.tasks.raise_(TaskKind.DEADLINES_SHORT, _deadlines(offer), facts, now)
        wanting = {one.offer for one in short if one.guard.opens_reserve} | missed.keys()
        reserves = [name for name, offer in rulebook.offers.items() if offer.reserve is not None]
        for name in reserves:
            open_reserve(tx, name, wanted=name in wanting)
        return Looked(short, tuple(name for name in reserves if name in wanting), tuple(missed.values()))

    def _lacking(self, rulebook: Rulebook, now: datetime) -> Iterator[tuple[MailboxId, Facts]]:
        for one, person in self._directory.caseworkers.items():
            policy = rulebook.policy(one)
            if policy.expected_per_week is None or policy.mode is not Mode.LIVE:
                continue
            zone = self._directory.sites[person.site].zone
            monday = _next_monday(wall_clock(now, zone).date())
            week = whole_days(monday, monday + timedelta(days=6), zone)
            if self._of_person(rulebook, one, week, policy.expected_per_week, now) < policy.expected_per_week:
                facts: Facts = {
                    "caseworker": person.name,
                    "least": policy.expected_per_week,
                    "week": monday.isoformat(),
                }
                yield one, facts

    def _of_person(self, rulebook: Rulebook, one: MailboxId, week: Interval, enough: int, now: datetime) -> int:
        """Meetings of the week, booked and still on offer; of several offers the one of which most fit."""
        with self._store.read() as tx:
            booked = tx.meetings.starting([one], week, now)[one]
        best = 0
        for offer in rulebook.offers.values():
            if one in offer.caseworkers and booked + best < enough:
                answer = self._publisher.answer(offer.name, week, now, caseworker=one)
                best = max(best, bookable(answer, offer, enough))
        return booked + best


def _deadlines(offer: str) -> str:
    return f"offer:{offer}:deadlines"


def bookable(answer: Answer, offer: Offer, enough: int) -> int:
    """How many meetings of an answer could be held beside each other, counted up to *enough*."""
    if not isinstance(answer.slots, SlotTable):
        raise TypeError("the publisher answers with a SlotTable")
    return answer.slots.packed(offer.before, offer.after, enough)


def _next_monday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
