"""Which days a rule names, period by period (the upper half of the table in RFC 5545 3.3.10).

Days are proleptic Gregorian ordinals, as `date.toordinal` has them; ordinal 1 is a Monday.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable, Iterator
from datetime import MAXYEAR, date
from typing import Final

from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.rules import Freq, Rule

LAST_DAY: Final = date.max.toordinal()


def day_sets(rule: Rule, first: date, low: date, high: date, budget: Budget) -> Iterator[list[int]]:
    """The days of each period that touches *low* to *high*, in order; periods are counted from that of *first*.

    A set may reach beyond low and high, because BYSETPOS counts within whole periods. Sub-daily rules have days as
    periods here, and each counts.
    """
    if rule.skip == "FORWARD" and rule.freq <= Freq.MONTHLY:
        return _forward(rule, first, low, high, budget)
    if rule.freq is Freq.YEARLY:
        return _years(rule, first, low, high, budget)
    if rule.freq is Freq.MONTHLY:
        return _months(rule, first, low, high, budget)
    if rule.freq is Freq.WEEKLY:
        return _weeks(rule, first, low, high, budget)
    return _single_days(rule, first, low, high, budget)


def _forward(rule: Rule, first: date, low: date, high: date, budget: Budget) -> Iterator[list[int]]:
    """SKIP=FORWARD moves a day into the next month, which may name the same day again (RFC 7529 4.1)."""
    seen = 0
    omitting = _months if rule.freq is Freq.MONTHLY else _years
    back = max(date.min.toordinal(), low.toordinal() - 31)
    for days in omitting(rule, first, max(first, date.fromordinal(back)), high, budget):
        fresh = [day for day in days if day > seen]
        seen = max(seen, *days) if days else seen
        yield fresh


def _skip_to(low: int, base: int, step: int) -> int:
    """The first number from *low* on that lies a multiple of *step* after *base*, and not before it."""
    return base if low <= base else low + (base - low) % step


def _years(rule: Rule, first: date, low: date, high: date, budget: Budget) -> Iterator[list[int]]:
    # With week numbers the period is the year of weeks, which begins up to three days beside January 1.
    of = _days_of_week_year if rule.byweekno else _days_of_year
    begin, start, end = (_year_of(rule, day) for day in (first, low, high))
    for year in range(_skip_to(start, begin, rule.interval), min(end, MAXYEAR) + 1, rule.interval):
        budget.step(10)
        yield of(rule, year, first)


def _year_of(rule: Rule, day: date) -> int:
    return week_year(day.toordinal(), rule.wkst) if rule.byweekno else day.year


def _months(rule: Rule, first: date, low: date, high: date, budget: Budget) -> Iterator[list[int]]:
    start = _skip_to(low.year * 12 + low.month, first.year * 12 + first.month, rule.interval)
    for number in range(start, high.year * 12 + high.month + 1, rule.interval):
        year, month = (number - 1) // 12, (number - 1) % 12 + 1
        budget.step(3)
        yield [] if rule.bymonth and month not in rule.bymonth else _days_of_month(rule, year, month, first)


def _weeks(rule: Rule, first: date, low: date, high: date, budget: Budget) -> Iterator[list[int]]:
    weekdays = [day for day, _ in rule.byday] or [first.weekday()]
    offsets = sorted({(day - rule.wkst) % 7 for day in weekdays})
    keep = _limit(rule, "bymonth", "bymonthday", "byyearday", "byweekno")
    origin = first.toordinal() - (first.weekday() - rule.wkst) % 7
    start = _skip_to(low.toordinal() - 6, origin, 7 * rule.interval)
    for week in range(start, high.toordinal() + 1, 7 * rule.interval):
        budget.step()
        days = [week + offset for offset in offsets if 0 < week + offset <= LAST_DAY]
        yield [day for day in days if keep(day)] if keep else days


def _single_days(rule: Rule, first: date, low: date, high: date, budget: Budget) -> Iterator[list[int]]:
    step = rule.interval if rule.freq is Freq.DAILY else 1
    keep = _limit(rule, "bymonth", "bymonthday", "byyearday", "byweekno", "byday")
    start = _skip_to(low.toordinal(), first.toordinal(), step)
    for day in range(start, high.toordinal() + 1, step):
        budget.step()
        if keep is None or keep(day):
            yield [day]


def _days_of_year(rule: Rule, year: int, first: date) -> list[int]:
    """Notes 1 and 2 of the table: BYDAY limits beside BYYEARDAY or BYMONTHDAY, else it expands month or year."""
    months = rule.bymonth or range(1, 13)
    if rule.byyearday:
        length = 365 + isleap(year)
        start = date(year, 1, 1).toordinal() - 1
        days = {start + (n if n > 0 else length + 1 + n) for n in rule.byyearday if abs(n) <= length}
        return _kept(sorted(days), rule, "bymonth", "bymonthday", "byday")
    if rule.bymonthday:
        days = {day for month in months for day in _by_month_day(rule, year, month, rule.bymonthday)}
        return _kept(sorted(days), rule, "byday")
    if rule.byday and not rule.bymonth:
        start = date(year, 1, 1).toordinal()
        return _weekdays_within(rule, start, start + 364 + isleap(year))
    if rule.byday:
        return sorted({day for month in months for day in _weekdays_of_month(rule, year, month)})
    days = {d for month in rule.bymonth or (first.month,) for d in _by_month_day(rule, year, month, (first.day,))}
    return sorted(days)


def _days_of_week_year(rule: Rule, year: int, first: date) -> list[int]:
    """YEARLY with BYWEEKNO: the named weeks' days; without any other day part the weekday of DTSTART."""
    start, end = week_one(year, rule.wkst), week_one(year + 1, rule.wkst)
    weeks = (end - start) // 7
    starts = {start + 7 * (n - 1 if n > 0 else weeks + n) for n in rule.byweekno if abs(n) <= weeks}
    weekdays = {day for day, _ in rule.byday}
    if not weekdays and not rule.bymonthday and not rule.byyearday:
        weekdays = {first.weekday()}
    days = [week + n for week in sorted(starts) for n in range(7) if 0 < week + n <= LAST_DAY]
    days = [day for day in days if not weekdays or (day - 1) % 7 in weekdays]
    return _kept(days, rule, "bymonth", "bymonthday", "byyearday")


def _days_of_month(rule: Rule, year: int, month: int, first: date) -> list[int]:
    if rule.bymonthday:
        days = sorted(set(_by_month_day(rule, year, month, rule.bymonthday)))
        return _kept(days, rule, "byday", "byyearday", "byweekno")
    if rule.byday:
        return _kept(_weekdays_of_month(rule, year, month), rule, "byyearday", "byweekno")
    if rule.byyearday or rule.byweekno:
        start = date(year, month, 1).toordinal()
        days = list(range(start, start + monthrange(year, month)[1]))
        return _kept(days, rule, "byyearday", "byweekno")
    return _by_month_day(rule, year, month, (first.day,))


def _by_month_day(rule: Rule, year: int, month: int, numbers: tuple[int, ...]) -> list[int]:
    """Days by their number in the month; those that do not exist are left out, or moved as SKIP says (RFC 7529 4.1)."""
    start = date(year, month, 1).toordinal() - 1
    length = monthrange(year, month)[1]
    days = []
    for number in numbers:
        if number > length:
            if rule.skip != "OMIT":
                days.append(start + length + (rule.skip == "FORWARD"))
        elif number > 0 or -number <= length:
            days.append(start + (number if number > 0 else length + 1 + number))
    return [day for day in days if day <= LAST_DAY]


def _weekdays_of_month(rule: Rule, year: int, month: int) -> list[int]:
    start = date(year, month, 1).toordinal()
    return _weekdays_within(rule, start, start + monthrange(year, month)[1] - 1)


def _weekdays_within(rule: Rule, start: int, end: int) -> list[int]:
    """BYDAY as an expansion: each named weekday from *start* to *end*, or the nth of them from either side."""
    found: set[int] = set()
    for weekday, nth in rule.byday:
        ahead = start + (weekday - (start - 1)) % 7
        if nth == 0:
            found.update(range(ahead, end + 1, 7))
            continue
        back = end - ((end - 1) - weekday) % 7
        day = ahead + 7 * (nth - 1) if nth > 0 else back + 7 * (nth + 1)
        if start <= day <= end:
            found.add(day)
    return sorted(found)


def _kept(days: list[int], rule: Rule, *parts: str) -> list[int]:
    keep = _limit(rule, *parts)
    return [day for day in days if keep(day)] if keep else days


def _limit(rule: Rule, *parts: str) -> Callable[[int], bool] | None:
    """A test for one day by those of the rule's BY *parts* that are given; None when none is."""
    tests = [_TESTS[part](rule) for part in parts if getattr(rule, part)]
    if len(tests) > 1:
        return lambda day: all(test(day) for test in tests)
    return tests[0] if tests else None


def _month_test(rule: Rule) -> Callable[[int], bool]:
    return lambda day: date.fromordinal(day).month in rule.bymonth


def _weekday_test(rule: Rule) -> Callable[[int], bool]:
    """BYDAY as a limit; "nth" counts within month or year, and means nothing in shorter periods (3.3.10, BYDAY)."""
    weekdays = frozenset(day for day, nth in rule.byday if nth == 0 or rule.freq > Freq.MONTHLY)
    if all(nth == 0 for _, nth in rule.byday) or rule.freq > Freq.MONTHLY:
        return lambda day: (day - 1) % 7 in weekdays
    return lambda day: (day - 1) % 7 in weekdays or _is_nth(rule, day)


def _is_nth(rule: Rule, ordinal: int) -> bool:
    """Whether the day is an nth weekday of its month, or of its year in a yearly rule without BYMONTH."""
    day = date.fromordinal(ordinal)
    if rule.freq is Freq.YEARLY and not rule.bymonth:
        start = date(day.year, 1, 1).toordinal()
        return ordinal in _weekdays_within(rule, start, start + 364 + isleap(day.year))
    return ordinal in _weekdays_of_month(rule, day.year, day.month)


def _month_day_test(rule: Rule) -> Callable[[int], bool]:
    def test(ordinal: int) -> bool:
        day = date.fromordinal(ordinal)
        return day.day in rule.bymonthday or day.day - monthrange(day.year, day.month)[1] - 1 in rule.bymonthday

    return test


def _year_day_test(rule: Rule) -> Callable[[int], bool]:
    def test(ordinal: int) -> bool:
        year = date.fromordinal(ordinal).year
        number = ordinal - date(year, 1, 1).toordinal() + 1
        return number in rule.byyearday or number - 366 - isleap(year) in rule.byyearday

    return test


def _week_test(rule: Rule) -> Callable[[int], bool]:
    def test(ordinal: int) -> bool:
        year = week_year(ordinal, rule.wkst)
        start, end = week_one(year, rule.wkst), week_one(year + 1, rule.wkst)
        number = (ordinal - start) // 7 + 1
        return number in rule.byweekno or number - (end - start) // 7 - 1 in rule.byweekno

    return test


_TESTS: Final[dict[str, Callable[[Rule], Callable[[int], bool]]]] = {
    "bymonth": _month_test,
    "byweekno": _week_test,
    "byyearday": _year_day_test,
    "bymonthday": _month_day_test,
    "byday": _weekday_test,
}


def week_one(year: int, wkst: int) -> int:
    """The ordinal on which week 1 of *year* begins: the first week with at least four days in it (3.3.10, BYWEEKNO)."""
    january = 1 + (year - 1) * 365 + (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400
    back = (january - 1 - wkst) % 7
    return january - back if back <= 3 else january - back + 7


def week_year(ordinal: int, wkst: int) -> int:
    """The year to which the week around *ordinal* belongs."""
    year = date.fromordinal(ordinal).year
    if ordinal < week_one(year, wkst):
        return year - 1
    return year + 1 if ordinal >= week_one(year + 1, wkst) else year
