"""Recurrence rules against two witnesses: dateutil where it is known right, and the RFC's words taken day by day."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby

from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.expand import starts
from syncd.adapters.caldav.ics.rules import WEEKDAYS, Freq, Rule, parse

CALM = settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = tuple(WEEKDAYS)

firsts = st.builds(
    lambda day, minute: datetime(2020, 1, 1) + timedelta(days=day, minutes=minute),
    st.integers(0, 2000),
    st.sampled_from((0, 540, 615)),
)


def _list(name: str, numbers: st.SearchStrategy[int], size: int = 3) -> st.SearchStrategy[str]:
    return st.lists(numbers, min_size=1, max_size=size, unique=True).map(lambda n: f"{name}={','.join(map(str, n))}")


def _signed(high: int) -> st.SearchStrategy[int]:
    return st.integers(-high, high).filter(bool)


def _maybe(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.just(""), part)


def _byday(numbers: tuple[str, ...]) -> st.SearchStrategy[str]:
    day = st.tuples(st.sampled_from(numbers), st.sampled_from(DAYS)).map("".join)
    return st.lists(day, min_size=1, max_size=3, unique=True).map(lambda days: f"BYDAY={','.join(days)}")


@st.composite
def rules(draw: st.DrawFn, frequencies: tuple[str, ...], odd: bool = False) -> str:
    """A rule; *odd* ones use what dateutil is known to get wrong, and no times of day."""
    frequency = draw(st.sampled_from(frequencies))
    yearly = frequency == "YEARLY"
    weeks = yearly and draw(st.integers(0, 4)) == 0
    numbered = frequency in ("YEARLY", "MONTHLY") and not weeks and draw(st.booleans())
    parts = [f"FREQ={frequency}"]
    # dateutil counts calendar years where years of weeks are meant
    parts.append(draw(_maybe(st.integers(2, 4).map(lambda n: f"INTERVAL={n}"))) if odd or not weeks else "")
    parts.append(draw(_maybe(_list("BYMONTH", st.integers(1, 12), 4))))
    parts.append(draw(_maybe(_list("BYYEARDAY", _signed(366)))) if yearly and not weeks else "")
    parts.append(draw(_maybe(_list("BYMONTHDAY", _signed(31), 6))) if frequency != "WEEKLY" and not weeks else "")
    parts.append(draw(_list("BYWEEKNO", _signed(53))) if weeks else "")
    numbers = ("1", "2", "5", "-1", "-2")  # dateutil cannot mix them with plain days
    days = _byday((*numbers, "") if numbered and odd else numbers if numbered else ("",))
    parts.append(draw(days if weeks and not odd else _maybe(days)))
    if not odd:
        parts.append(draw(_maybe(_list("BYHOUR", st.integers(0, 23)))))
        parts.append(draw(_maybe(st.sampled_from(DAYS).map(lambda day: f"WKST={day}"))))
    if any(parts[2:]) and (odd or frequency != "WEEKLY"):
        parts.append(draw(_maybe(_list("BYSETPOS", _signed(4), 2))))
    parts.append(draw(_maybe(st.integers(1, 40).map(lambda n: f"COUNT={n}"))))
    return ";".join(filter(None, parts))


def ours(text: str, first: datetime, low: datetime, high: datetime) -> list[datetime]:
    return list(starts(parse(text), first, low, high, Budget(10**9, 10**9)))


@CALM
@given(rules(("YEARLY", "MONTHLY", "WEEKLY", "DAILY")), firsts, st.integers(0, 1500), st.integers(1, 900))
def test_long_periods_agree_with_dateutil(text: str, first: datetime, skip: int, length: int) -> None:
    low = first + timedelta(days=skip)
    high = low + timedelta(days=length)
    # dateutil looks for the next instance until the year 9999
    assume(ours(text.partition(";COUNT")[0], first, high, high + timedelta(days=1500)))

    assert rrulestr(text, dtstart=first).between(low, high, inc=True) == ours(text, first, low, high)


@CALM
@given(
    st.sampled_from(("HOURLY", "MINUTELY", "SECONDLY")),
    st.sampled_from((1, 2, 7, 18, 45, 61, 100)),
    st.lists(
        st.sampled_from(("BYHOUR=9,10,17", "BYMINUTE=0,20,40", "BYDAY=MO,WE", "BYSECOND=0,30")), unique=True, max_size=3
    ),
    firsts,
)
def test_short_periods_agree_with_dateutil(frequency: str, interval: int, parts: list[str], first: datetime) -> None:
    text = ";".join([f"FREQ={frequency}", f"INTERVAL={interval}", *parts, "COUNT=30"])
    high = first + timedelta(days=20)
    assume(30 == len(ours(text, first, first, first + timedelta(days=40))))

    assert rrulestr(text, dtstart=first).between(first, high, inc=True) == ours(text, first, first, high)


@CALM
@given(rules(("YEARLY", "MONTHLY", "WEEKLY", "DAILY"), odd=True), firsts)
def test_long_periods_agree_with_the_rfc_read_day_by_day(text: str, first: datetime) -> None:
    high = first + timedelta(days=1200)

    assert by_definition(parse(text), first, high) == ours(text, first, first, high)


def by_definition(rule: Rule, first: datetime, high: datetime) -> list[datetime]:
    """Walk through all days, keep those that fit every part, count in each period (weeks begin on Monday)."""
    begin = first.date() - timedelta(days=400)  # so that the first period is whole
    every = [begin + timedelta(days=n) for n in range((high.date() - begin).days + 400)]
    chosen: list[date] = []
    for number, days in groupby(every, key=lambda day: period(rule, day)):
        if (number - period(rule, first.date())) % rule.interval == 0:
            chosen += _at_positions(rule, [day for day in days if fits(rule, day, first.date())])
    moments = [datetime.combine(day, first.time()) for day in chosen]
    moments = [moment for moment in moments if moment >= first][: rule.count]
    return [moment for moment in moments if moment <= high]


def period(rule: Rule, day: date) -> int:
    if rule.freq is Freq.YEARLY:
        return day.isocalendar().year if rule.byweekno else day.year
    if rule.freq is Freq.MONTHLY:
        return day.year * 12 + day.month
    return (day.toordinal() - 1) // 7 if rule.freq is Freq.WEEKLY else day.toordinal()


def fits(rule: Rule, day: date, first: date) -> bool:
    weeks = date(day.isocalendar().year, 12, 28).isocalendar().week
    month, year = monthrange(day.year, day.month)[1], date(day.year, 12, 31).timetuple().tm_yday
    return (
        _among(rule.bymonth, day.month)
        and _among(rule.byweekno, day.isocalendar().week, weeks)
        and _among(rule.byyearday, day.timetuple().tm_yday, year)
        and _among(rule.bymonthday, day.day, month)
        and (not rule.byday or any(_is(rule, day, weekday, nth) for weekday, nth in rule.byday))
        and _as_dtstart(rule, day, first)
    )


def _among(numbers: Iterable[int], number: int, size: int = 0) -> bool:
    return not numbers or number in numbers or (size > 0 and number - size - 1 in numbers)


def _is(rule: Rule, day: date, weekday: int, nth: int) -> bool:
    if day.weekday() != weekday or not nth or rule.freq > Freq.MONTHLY or rule.byweekno:
        return day.weekday() == weekday
    by_year = rule.freq is Freq.YEARLY and not rule.bymonth
    start = date(day.year, 1 if by_year else day.month, 1)
    end = date(day.year, 12, 31) if by_year else date(day.year, day.month, monthrange(day.year, day.month)[1])
    return nth in ((day - start).days // 7 + 1, -((end - day).days // 7) - 1)


def _as_dtstart(rule: Rule, day: date, first: date) -> bool:
    """What the rule does not say is taken from DTSTART."""
    if rule.byday or rule.bymonthday or rule.byyearday or rule.freq is Freq.DAILY:
        return True
    if rule.byweekno or rule.freq is Freq.WEEKLY:
        return day.weekday() == first.weekday()
    return day.day == first.day and (rule.freq is Freq.MONTHLY or bool(rule.bymonth) or day.month == first.month)


def _at_positions(rule: Rule, days: list[date]) -> list[date]:
    if not rule.bysetpos:
        return days
    return [day for n, day in enumerate(days) if n + 1 in rule.bysetpos or n - len(days) in rule.bysetpos]
