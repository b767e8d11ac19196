"""A rule becomes wall-clock starts (RFC 5545 3.3.10, the whole table).

Two paths: most rules name one time of day, and their days are the answer; the full path builds each period's set of
moments, so that BYSETPOS can count in it. Endless rules begin near the window, whenever the series began; with COUNT
there is no way around counting from DTSTART.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.days import day_sets
from syncd.adapters.caldav.ics.rules import Freq, Rule

_DAY_SECONDS: Final = 24 * 60 * 60


def starts(
    rule: Rule, first: datetime, low: datetime, high: datetime, budget: Budget, dates: bool = False
) -> Iterator[datetime]:
    """Starts by *rule* from *low* to *high* (both included), in order, on the wall clock of *first*.

    *first* itself is among them only if the rule produces it. UNTIL is the caller's to apply (as *high*), since only
    it knows the zone; COUNT is applied here, counted from *first*.

    :param first: DTSTART (naive).
    :param dates: DTSTART is a date: BYHOUR, BYMINUTE and BYSECOND are ignored (3.3.10).
    :raises Unparsable: the budget is used up.
    """
    counted = rule.count is not None
    begin = first if counted or low < first else low
    if high < begin or rule.count == 0:
        return
    found = _moments(rule, first, begin, high, budget, dates)
    left = rule.count or 0
    for moment in found:
        if moment < first or (not counted and moment < begin):
            continue
        if moment > high:
            return
        if moment >= low:
            yield moment
        if counted:
            left -= 1
            if not left:
                return


def _moments(
    rule: Rule, first: datetime, low: datetime, high: datetime, budget: Budget, dates: bool
) -> Iterator[datetime]:
    """Every moment of the periods that touch *low* to *high*, in order; may begin before *low*."""
    if rule.freq > Freq.DAILY and not dates:
        return _within_days(rule, first, low, high, budget)
    times = [first.time()] if dates else _times_of_day(rule, first)
    sets = day_sets(rule, first.date(), low.date(), high.date(), budget)
    if rule.bysetpos:
        return (m for days in sets for m in _picked_from_days(rule, days, times))
    if len(times) == 1:
        return _once_a_day(sets, times[0], budget)
    return _often_a_day(sets, times, budget)


def _once_a_day(sets: Iterator[list[int]], at: time, budget: Budget) -> Iterator[datetime]:
    for days in sets:
        budget.step(len(days))
        for day in days:
            yield datetime.combine(date.fromordinal(day), at)


def _often_a_day(sets: Iterator[list[int]], times: list[time], budget: Budget) -> Iterator[datetime]:
    for days in sets:
        for day in days:
            budget.step(len(times))
            for at in times:
                yield datetime.combine(date.fromordinal(day), at)


def _times_of_day(rule: Rule, first: datetime) -> list[time]:
    """BYHOUR, BYMINUTE and BYSECOND expand a daily or longer period; what is missing comes from DTSTART."""
    return [
        time(hour, minute, second)
        for hour in rule.byhour or (first.hour,)
        for minute in rule.byminute or (first.minute,)
        for second in rule.bysecond or (first.second,)
    ]


def _picked_from_days(rule: Rule, days: list[int], times: list[time]) -> list[datetime]:
    """BYSETPOS out of days times times, without building them all."""
    size = len(days) * len(times)
    indexes = {n - 1 if n > 0 else size + n for n in rule.bysetpos if abs(n) <= size}
    return [
        datetime.combine(date.fromordinal(days[index // len(times)]), times[index % len(times)])
        for index in sorted(indexes)
    ]


def _within_days(rule: Rule, first: datetime, low: datetime, high: datetime, budget: Budget) -> Iterator[datetime]:
    """HOURLY, MINUTELY and SECONDLY: on each day that passes, each unit a multiple of INTERVAL after DTSTART."""
    for [day] in day_sets(rule, first.date(), low.date(), high.date(), budget):
        midnight = datetime.combine(date.fromordinal(day), time())
        for unit in _units(rule, first, day, budget):
            inside = _seconds_of(rule, first, unit)
            budget.step(len(inside))
            if rule.bysetpos:
                size = len(inside)
                indexes = {n - 1 if n > 0 else size + n for n in rule.bysetpos if abs(n) <= size}
                inside = [inside[index] for index in sorted(indexes)]
            for second in inside:
                yield midnight + timedelta(seconds=second)


def _unit_seconds(rule: Rule) -> int:
    return {Freq.HOURLY: 3600, Freq.MINUTELY: 60}.get(rule.freq, 1)


def _units(rule: Rule, first: datetime, day: int, budget: Budget) -> Iterator[int]:
    """Numbers of the hours (minutes, seconds) of that day which the rule names, in order.

    Walks either along the interval or along the BY parts, whichever is shorter.
    """
    length = _unit_seconds(rule)
    per_day = _DAY_SECONDS // length
    origin = first.toordinal() * per_day + (first.hour * 3600 + first.minute * 60 + first.second) // length
    base = day * per_day
    start = (origin - base) % rule.interval
    hours = rule.byhour or range(24)
    minutes = (rule.byminute or range(60)) if length < 3600 else (0,)
    seconds = (rule.bysecond or range(60)) if length == 1 else (0,)
    if len(hours) * len(minutes) * len(seconds) < (per_day - start) // rule.interval:
        for hour in hours:
            budget.step(3 * len(minutes) * len(seconds))
            for minute in minutes:
                for second in seconds:
                    unit = (hour * 3600 + minute * 60 + second) // length
                    if (unit - start) % rule.interval == 0:
                        yield unit
        return
    for unit in range(start, per_day, rule.interval):
        budget.step(3)
        second = unit * length
        if second // 3600 in hours and second // 60 % 60 in minutes and (length > 1 or second % 60 in seconds):
            yield unit


def _seconds_of(rule: Rule, first: datetime, unit: int) -> list[int]:
    """The moments inside one hour or minute, as seconds of the day: BYMINUTE and BYSECOND expand shorter than FREQ."""
    start = unit * _unit_seconds(rule)
    if rule.freq is Freq.SECONDLY:
        return [start]
    seconds = rule.bysecond or (first.second,)
    if rule.freq is Freq.MINUTELY:
        return [start + second for second in seconds]
    return [start + 60 * minute + second for minute in rule.byminute or (first.minute,) for second in seconds]
