"""Supply and self-booking of the whole organisation, worked out once for every page, table and mail that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncd.dfdg.deadlines import demanded
from syncd.dfdg.figures import Coverage
from syncd.dfdg.reporting import Reporting
from syncd.dfdg.talks import Share, Talk, by_caseworker, share, talks
from syncd.model.directory import Caseworker, Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Offer, Rulebook
from syncd.model.zones import wall_clock, whole_days
from syncd.publish import Publisher
from syncd.publish.guard import Demand
from syncd.publish.weeks import Span, Window, Without, offered, windows, without
from syncd.store import Store, Tx

AHEAD, BEHIND = 6, 12
"""Weeks that are looked ahead, this one included, and weeks of the trend."""
SETTLED = 4
"""Weeks whose share is compared with the target, and with as many before."""
NEAR = (8, 14, 28)
"""Days ahead in which every offer is counted; a deadline gives at least eight days (reference, domain a.1)."""
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Cell:
    """One week of a person or of several together.

    :param expected: how many meetings are expected; None when nothing is. :param left: still on offer.
    """

    booked: int
    left: int
    expected: int | None

    @property
    def missing(self) -> int:
        """How many meetings, booked or on offer, are lacking."""
        return max(0, (self.expected or 0) - self.booked - self.left)


@dataclass(frozen=True, slots=True)
class Person:
    """A caseworker who serves something, or of whom something is expected. :param self_booked: of the settled weeks."""

    who: Caseworker
    cells: tuple[Cell, ...]
    self_booked: Share
    without: Without | None


@dataclass(frozen=True, slots=True)
class Team:
    """A team. :param shares, talks: by week of the trend. :param now, before: the settled weeks, and those before."""

    name: str
    people: tuple[Person, ...]
    cells: tuple[Cell, ...]
    shares: tuple[float | None, ...]
    talks: tuple[int, ...]
    now: Share
    before: Share


@dataclass(frozen=True, slots=True)
class Board:
    """Everything, as it was at *at*.

    :param mondays: of the weeks ahead, this one first. :param past: of the weeks of the trend, the oldest first.
    :param whole: everybody together. :param coverage: what the share rests on; None when our own bookings alone are
        known.
    """

    at: datetime
    mondays: tuple[date, ...]
    past: tuple[date, ...]
    whole: Team
    teams: tuple[Team, ...]
    windows: tuple[Window, ...]
    coverage: Coverage | None

    def team(self, name: str) -> Team | None:
        """The team of that name."""
        return next((team for team in self.teams if team.name == name), None)

    def person(self, who: MailboxId) -> Person | None:
        """The caseworker of that id."""
        return next((one for one in self.whole.people if one.who.id == who), None)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the board is read from."""

    store: Store
    publisher: Publisher
    directory: Directory
    reporting: Reporting | None
    now: datetime

    @property
    def zone(self) -> str:
        """By whose clocks weeks are counted: the first site's."""
        return next((site.zone for site in self.directory.sites.values()), "UTC")


def board(ground: Ground, tell: Callable[[float], None] = lambda _share: None) -> Board:
    """Work everything out; a few seconds for hundreds of people.

    :param tell: hears how much is done, 0 to 1.
    """
    today = wall_clock(ground.now, ground.zone).date()
    monday = today - timedelta(days=today.weekday())
    mondays = tuple(monday + n * WEEK for n in range(AHEAD))
    past = tuple(monday - n * WEEK for n in range(BEHIND, 0, -1))
    with ground.store.read() as tx:
        book = ground.publisher.rules.within(tx)
        booked = _booked(tx, ground, mondays)
        period = whole_days(past[0], monday - timedelta(days=1), ground.zone)
        held = by_caseworker(talks(tx, period, book, ground.reporting))
        coverage = _coverage(tx, ground)
        asked = _asked(tx, ground, today)
    left = offered(ground.publisher, book, ground.directory, mondays, ground.now, lambda done: tell(0.7 * done))
    shares = _Shares(ground, period, coverage, past)
    why = _without(ground, book, left, mondays)
    tell(0.85)
    people = tuple(
        _person(one, book, booked, left, shares, held, why)
        for one in sorted(ground.directory.caseworkers.values(), key=lambda one: (one.name, one.id))
        if _counts(book, one)
    )
    names = sorted({name for one in people for name in one.who.teams})
    teams = [_team(name, [one for one in people if name in one.who.teams], shares, held) for name in names]
    rest = [one for one in people if not one.who.teams]
    teams += [_team("", rest, shares, held)] if rest and names else []
    found = tuple(_windows(ground, book, asked, today))
    return Board(ground.now, mondays, past, _team("", people, shares, held), tuple(teams), found, coverage)


def _counts(book: Rulebook, person: Caseworker) -> bool:
    serves = any(person.id in offer.caseworkers for offer in book.offers.values())
    return not person.leaving and (serves or book.policy(person.id).expected_per_week is not None)


def _booked(tx: Tx, ground: Ground, mondays: Sequence[date]) -> list[Mapping[MailboxId, int]]:
    people = list(ground.directory.caseworkers)
    weeks = (whole_days(monday, monday + timedelta(days=6), ground.zone) for monday in mondays)
    return [tx.meetings.starting(people, week, ground.now) for week in weeks]


def _coverage(tx: Tx, ground: Ground) -> Coverage | None:
    if ground.reporting is None:
        return None
    last = tx.dfdg.last_message()
    return Coverage(ground.reporting.summonses and last is not None, tx.dfdg.earliest(), last)


def _asked(tx: Tx, ground: Ground, today: date) -> list[Demand]:
    return [] if ground.reporting is None else demanded(tx, ground.reporting.ledger.words, today)


def _without(
    ground: Ground, book: Rulebook, left: Mapping[MailboxId, Sequence[int]], mondays: Sequence[date]
) -> dict[MailboxId, Without]:
    people = [
        one.id for one in ground.directory.caseworkers.values() if _counts(book, one) and not any(left.get(one.id, ()))
    ]
    window = Interval(ground.now, whole_days(mondays[-1], mondays[-1] + timedelta(days=6), ground.zone).end)
    return {
        one.caseworker: one for one in without(ground.publisher, book, ground.directory, people, window, ground.now)
    }


class _Shares:
    """Counts shares of weeks; talks are sorted into their weeks once."""

    def __init__(self, ground: Ground, period: Interval, coverage: Coverage | None, past: Sequence[date]) -> None:
        self._period, self._benefit = period, ground.reporting.benefit if ground.reporting else ()
        self._coverage = coverage or Coverage(False, None, None)
        self._zone, self._first, self.weeks = ground.zone, past[0], len(past)

    def by_week(self, some: Iterable[Talk]) -> list[list[Talk]]:
        """The talks of each week of the trend."""
        found: list[list[Talk]] = [[] for _ in range(self.weeks)]
        for one in some:
            found[(wall_clock(one.start, self._zone).date() - self._first).days // 7].append(one)
        return found

    def of(self, some: Iterable[Talk]) -> Share:
        """The share of these talks."""
        return share(some, self._period, self._benefit, self._coverage)


def _person(
    one: Caseworker,
    book: Rulebook,
    booked: Sequence[Mapping[MailboxId, int]],
    left: Mapping[MailboxId, Sequence[int]],
    shares: _Shares,
    held: Mapping[MailboxId, list[Talk]],
    why: Mapping[MailboxId, Without],
) -> Person:
    policy, free = book.policy(one.id), left.get(one.id, (0,) * len(booked))
    most = [
        n if policy.per_week is None else max(0, min(n, policy.per_week - week[one.id]))
        for n, week in zip(free, booked, strict=True)
    ]
    cells = tuple(Cell(week[one.id], n, policy.expected_per_week) for n, week in zip(most, booked, strict=True))
    recent = [talk for week in shares.by_week(held.get(one.id, ()))[-SETTLED:] for talk in week]
    return Person(one, cells, shares.of(recent), why.get(one.id))


def _team(name: str, people: Sequence[Person], shares: _Shares, held: Mapping[MailboxId, list[Talk]]) -> Team:
    weeks = shares.by_week(talk for one in people for talk in held.get(one.who.id, ()))
    counted = [shares.of(week) for week in weeks]
    now, before = (
        shares.of(talk for week in some for talk in week) for some in (weeks[-SETTLED:], weeks[-2 * SETTLED : -SETTLED])
    )
    return Team(
        name,
        tuple(people),
        tuple(_sum([one.cells[week] for one in people]) for week in range(AHEAD)),
        tuple(one.value for one in counted),
        tuple(len(week) for week in weeks),
        now,
        before,
    )


def _sum(cells: Sequence[Cell]) -> Cell:
    expected = [cell.expected for cell in cells if cell.expected is not None]
    return Cell(sum(c.booked for c in cells), sum(c.left for c in cells), sum(expected) if expected else None)


def _windows(ground: Ground, book: Rulebook, asked: Sequence[Demand], today: date) -> Iterable[Window]:
    for offer in book.offers.values():
        spans = [
            *(Span(today, today + timedelta(days=days)) for days in NEAR if days <= offer.horizon_days),
            *_guarded(offer, today),
            *(Span(today, one.until, one.number, True) for one in asked if one.offer == offer.name),
        ]
        yield from windows(ground.publisher, offer, ground.directory, spans, ground.now)


def _guarded(offer: Offer, today: date) -> Iterable[Span]:
    for guard in offer.supply:
        first, last = (today + timedelta(days=days) for days in (guard.first_day, guard.last_day))
        yield Span(first, last, guard.at_least, immediate=guard.immediate)


def causes(people: Iterable[Person]) -> Counter[str]:
    """How many caseworkers have nothing on offer, by cause."""
    return Counter(one.without.cause.value for one in people if one.without is not None)
