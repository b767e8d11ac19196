"""The simulated Exchange server's series and clocks, judged by libraries that know nothing of it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from lxml import etree

from tests.servers.exchange.recurrence import DAYS, MONTHS, WEEKS, Recurrence, read, write
from tests.servers.exchange.wire import t
from tests.servers.exchange.zones import ZONES, RequestZone, definition, from_wall, wall

_WEEKDAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
KINDS = ("Daily", "Weekly", "AbsoluteMonthly", "RelativeMonthly", "AbsoluteYearly", "RelativeYearly")
_SETS = {"Day": range(7), "Weekday": range(5), "WeekendDay": range(5, 7)}


def some_series(dice: random.Random) -> Recurrence:
    kind = dice.choice(
        ("Daily", "Weekly", *(f"{a}{b}" for a in ("Absolute", "Relative") for b in ("Monthly", "Yearly")))
    )
    days = tuple(sorted(dice.sample(DAYS, dice.randint(1, 3)), key=DAYS.index))
    if kind.startswith("Relative"):
        days = (dice.choice((*DAYS, *_SETS)),)
    return Recurrence(
        kind,
        date(2026, 1, 1) + timedelta(days=dice.randrange(400)),
        interval=1 if kind.endswith("Yearly") else dice.randint(1, 4),
        days=days if kind == "Weekly" or kind.startswith("Relative") else (),
        day=dice.randint(1, 28) if kind.startswith("Absolute") else 1,
        week=dice.choice(WEEKS) if kind.startswith("Relative") else "First",
        month=dice.choice(MONTHS) if kind.endswith("Yearly") else "January",
        first_day=dice.choice(("Sunday", "Monday")) if kind == "Weekly" else "Sunday",
        times=dice.choice((None, 5, 12)),
    )


def by_dateutil(series: Recurrence) -> list[date]:
    """The same series after RFC 5545."""
    more: dict = {}
    if series.kind == "Weekly":
        more = {"byweekday": [_WEEKDAYS[DAYS.index(day)] for day in series.days]}
        more["wkst"] = _WEEKDAYS[DAYS.index(series.first_day)]
    if series.kind.startswith("Absolute"):
        more["bymonthday"] = series.day
    if series.kind.startswith("Relative"):
        wanted = [_WEEKDAYS[n] for day in series.days for n in _SETS.get(day, [DAYS.index(day) if day in DAYS else 0])]
        more |= {"byweekday": wanted, "bysetpos": -1 if series.week == "Last" else WEEKS.index(series.week) + 1}
    if series.kind.endswith("Yearly"):
        more["bymonth"] = MONTHS.index(series.month) + 1
    steps = {"Daily": rrule.DAILY, "Weekly": rrule.WEEKLY}
    frequency: Any = steps.get(series.kind, rrule.YEARLY if series.kind.endswith("Yearly") else rrule.MONTHLY)
    begin = datetime.combine(series.start, datetime.min.time())
    rule = rrule.rrule(frequency, dtstart=begin, interval=series.interval, count=series.times or 20, **more)
    return [one.date() for one in rule]


def test_series_fall_on_the_dates_that_dateutil_computes():
    dice = random.Random(4)
    for _ in range(400):
        series = some_series(dice)
        assert list(islice(series.dates(), 20)) == by_dateutil(series), series


def test_a_series_is_read_as_it_was_written():
    dice = random.Random(5)
    for _ in range(100):
        series = some_series(dice)
        assert read(write(series)) == series


def test_the_31st_falls_on_the_last_day_of_short_months_as_in_outlook():
    series = Recurrence("AbsoluteMonthly", date(2027, 1, 31), day=31, times=4)

    assert list(series.dates()) == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


@pytest.mark.parametrize("zone", ["Romance Standard Time", "Eastern Standard Time", "AUS Eastern Standard Time"])
def test_free_busy_clocks_agree_with_the_tz_database_all_year(zone):
    place = ZoneInfo(ZONES[zone])
    clock = RequestZone(serializable(zone, 2027))
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    year = [new_year + timedelta(hours=hour) for hour in range(365 * 24)]
    changes = [n for n in range(1, len(year)) if offset(year[n], place) != offset(year[n - 1], place)]
    near = {hour for n in changes for hour in range(n - 5, n + 6)}
    for moment in (year[hour] for hour in {*range(0, len(year), 61), *near}):
        assert clock.wall(moment) == moment.astimezone(place).replace(tzinfo=None)
        if wall(from_wall(clock.wall(moment), zone), zone) == clock.wall(moment) and not folded(moment, place):
            assert clock.instant(clock.wall(moment).isoformat()) == moment


def offset(moment: datetime, place: ZoneInfo) -> timedelta | None:
    return moment.astimezone(place).utcoffset()


def folded(moment: datetime, place: ZoneInfo) -> bool:
    local = moment.astimezone(place)
    return local.replace(fold=1).utcoffset() != local.replace(fold=0).utcoffset()


def serializable(zone: str, year: int) -> etree._Element:
    """A zone's rules in the form of a free/busy request, taken from the form of GetServerTimeZones."""
    whole = definition(zone, year)
    biases = {str(one.get("Id")): minutes(str(one.get("Bias"))) for one in whole.iter("{*}Period")}
    standard = max(biases.values())
    rules = {}
    for rule in whole.iter("{*}RecurringDayTransition"):
        part = {str(one.tag).partition("}")[2]: one.text or "" for one in rule}
        bias = biases[part["To"]] - standard
        week = 5 if part["Occurrence"] == "-1" else int(part["Occurrence"])
        rules["DaylightTime" if bias else "StandardTime"] = [
            t("Bias", bias),
            t("Time", f"{int(part['TimeOffset'][2:-1]):02}:00:00"),
            t("DayOrder", week),
            t("Month", int(part["Month"])),
            t("DayOfWeek", part["DayOfWeek"]),
        ]
    return t("TimeZone", t("Bias", standard), *(t(key, rules[key]) for key in ("StandardTime", "DaylightTime")))


def minutes(duration: str) -> int:
    sign = -1 if duration.startswith("-") else 1
    return sign * 60 * int(duration.partition("PT")[2].removesuffix("H"))
