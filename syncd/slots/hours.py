"""When somebody is at work: weekly wall-clock hours, exceptions by date, closing days, as instants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from syncd.model.offer import AvailabilityRule
from syncd.model.policy import NO_HOLIDAYS, Closing, DayException, Holidays
from syncd.model.zones import instant
from syncd.slots.grid import Cells, Grid, Span, runs

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Everything that decides when one person is at work; compared by identity, so that caches need not read it.

    :param closings: those of her site.
    :param zone: the site's.
    """

    rules: tuple[AvailabilityRule, ...]
    zone: str
    exceptions: tuple[DayException, ...] = ()
    closings: tuple[Closing, ...] = ()
    holidays: Holidays = NO_HOLIDAYS


def within_hours(grid: Grid, starts: Cells, open_cells: Cells, minutes: int) -> Cells:
    """Those of *starts* whose whole meeting lies in open time; buffers may reach outside."""
    return starts & runs(open_cells, grid.count(minutes))


@lru_cache(maxsize=4096)
def fitting(hours: Hours, grid: Grid, minutes: int) -> Cells:
    """All cells at which a meeting of *minutes* in working hours may begin."""
    return within_hours(grid, grid.everything, open_cells(hours, grid), minutes)


@lru_cache(maxsize=4096)
def open_cells(hours: Hours, grid: Grid) -> Cells:
    """`open_spans` as cells."""
    return grid.inside(open_spans(hours, grid.base, grid.end))


def open_spans(hours: Hours, start: int, end: int) -> list[Span]:
    """When the person is at work between two epoch seconds: sorted, disjoint, not touching.

    What an exception says replaces the usual hours of its whole local day; a closed day has none at all. Every
    instant is judged by the date it lies on, also after midnight.
    """
    dates = dates_around(start, end)
    usual = [span for day in dates for span in _usual(hours, day)]
    odd = {day: exception for day in dates if (exception := exception_on(hours.exceptions, day))}
    closed = [day for day in dates if closed_because(day, hours.closings, hours.holidays)]
    worked = without(joined(usual), [_whole(day, hours.zone) for day in odd])
    worked = joined(
        [*worked, *(span for day, exception in odd.items() for span in _instead(exception, day, hours.zone))]
    )
    worked = without(worked, [_whole(day, hours.zone) for day in closed])
    return [(max(a, start), min(b, end)) for a, b in worked if a < end and b > start]


def dates_around(start: int, end: int) -> list[date]:
    """Every date, in any zone, whose hours can reach between two epoch seconds."""
    first = datetime.fromtimestamp(start, UTC).date() - 2 * ONE_DAY
    last = datetime.fromtimestamp(end, UTC).date() + ONE_DAY
    return [first + n * ONE_DAY for n in range((last - first).days + 1)]


def exception_on(exceptions: Sequence[DayException], day: date) -> DayException | None:
    """The exception that decides *day*: the last one that holds."""
    return next((item for item in reversed(exceptions) if item.first <= day <= item.last), None)


def closed_because(day: date, closings: Iterable[Closing], holidays: Holidays) -> str | None:
    """Why everything is closed on *day*, as people call it; None when it is not."""
    for closing in closings:
        if closing.first <= day <= closing.last:
            return closing.why
    return holiday(day, holidays)


def holiday(day: date, holidays: Holidays) -> str | None:
    """The Danish name of the holiday on *day*, if it is one that counts."""
    if holidays.constitution_day and (day.month, day.day) == (6, 5):
        return "Grundlovsdag"
    if holidays.christmas_eve and (day.month, day.day) == (12, 24):
        return "Juleaftensdag"
    if holidays.new_years_eve and (day.month, day.day) == (12, 31):
        return "Nytårsaftensdag"
    return _public_holidays(day.year).get(day) if holidays.public else None


@lru_cache(maxsize=64)
def _public_holidays(year: int) -> dict[date, str]:
    # imported here: it costs a tenth of a second that most commands need not pay
    from holidays import country_holidays

    return dict(country_holidays("DK", years=year))


def _usual(hours: Hours, day: date) -> Iterator[Span]:
    return weekly_spans(hours.rules, day, hours.zone)


def weekly_spans(rules: Iterable[AvailabilityRule], day: date, zone: str) -> Iterator[Span]:
    """The spans that begin on *day*."""
    for rule in rules:
        if holds(rule, day):
            yield span_of(day, rule.starts, rule.ends, zone)


def holds(rule: AvailabilityRule, day: date) -> bool:
    """Whether the rule's hours begin on *day*."""
    return (
        day.weekday() in rule.weekdays
        and (rule.valid_from is None or rule.valid_from <= day)
        and (rule.valid_to is None or day <= rule.valid_to)
        and (not rule.during or _among(day, rule.during))
        and not _among(day, rule.outside)
    )


def _among(day: date, stretches: Iterable[tuple[date, date]]) -> bool:
    return any(first <= day <= last for first, last in stretches)


def _instead(exception: DayException, day: date, zone: str) -> list[Span]:
    return [span_of(day, starts, ends, zone) for starts, ends in exception.hours]


def span_of(day: date, starts: time, ends: time, zone: str) -> Span:
    """Wall-clock hours of *day* as instants; *ends* not after *starts* is on the next day."""
    return _seconds(day, starts, zone), _seconds(day + ONE_DAY if ends <= starts else day, ends, zone)


def _whole(day: date, zone: str) -> Span:
    return _seconds(day, time(), zone), _seconds(day + ONE_DAY, time(), zone)


@lru_cache(maxsize=65_536)
def _seconds(day: date, wall: time, zone: str) -> int:
    return int(instant(day, wall, zone).timestamp())


def joined(spans: Iterable[Span]) -> list[Span]:
    """Sorted, disjoint cover of the same instants; touching spans become one, empty ones vanish."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of *spans* (sorted, disjoint) outside *taken*."""
    blocks = joined(taken)
    left: list[Span] = []
    for start, end in spans:
        at = start
        for begin, until in blocks:
            if until <= at or begin >= end:
                continue
            if begin > at:
                left.append((at, begin))
            at = max(at, until)
        if at < end:
            left.append((at, end))
    return left
