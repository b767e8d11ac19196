"""Recurring series: patterns and ranges of EWS, and their dates."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count

from tests.servers.exchange.wire import Element, EwsError, child, children, local, t, value

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKS = ("First", "Second", "Third", "Fourth", "Last")
_SETS = {"Day": DAYS, "Weekday": DAYS[:5], "WeekendDay": DAYS[5:]}
_LAST_YEAR = 4500


@dataclass(frozen=True)
class Recurrence:
    """A pattern with its range.

    :param kind: Daily, Weekly, AbsoluteMonthly, RelativeMonthly, AbsoluteYearly or RelativeYearly.
    :param start: first day of the range; the first date is there or later.
    :param end: the last day; None with *times* None for ever.
    """

    kind: str
    start: date
    interval: int = 1
    days: tuple[str, ...] = ()
    day: int = 1
    week: str = "First"
    month: str = "January"
    first_day: str = "Monday"
    end: date | None = None
    times: int | None = None

    def dates(self) -> Iterator[date]:
        """Every date in order, endless if the range is."""
        for number, day in enumerate(self._candidates()):
            if (self.end and day > self.end) or (self.times is not None and number >= self.times):
                return
            yield day

    def _candidates(self) -> Iterator[date]:
        walk = {"Daily": self._daily, "Weekly": self._weekly}.get(self.kind)
        dates = walk() if walk else self._monthly()
        return (day for day in dates if day >= self.start)

    def _daily(self) -> Iterator[date]:
        return (self.start + timedelta(days=self.interval * n) for n in count())

    def _weekly(self) -> Iterator[date]:
        first = DAYS.index(self.first_day)
        monday = self.start - timedelta(days=(self.start.weekday() - first) % 7)
        offsets = sorted((DAYS.index(day) - first) % 7 for day in self.days)
        for n in count():
            for offset in offsets:
                yield monday + timedelta(days=7 * self.interval * n + offset)

    def _monthly(self) -> Iterator[date]:
        """Months and years: every so many months one date."""
        yearly = self.kind.endswith("Yearly")
        step = 12 * self.interval if yearly else self.interval
        begin = self.start.year * 12 + (MONTHS.index(self.month) if yearly else self.start.month - 1)
        for index in count(begin, step):
            year, month = index // 12, index % 12 + 1
            if year > _LAST_YEAR:
                return
            yield self._of_month(year, month)

    def _of_month(self, year: int, month: int) -> date:
        length = monthrange(year, month)[1]
        if self.kind.startswith("Absolute"):
            # Exchange takes the last day where a month is too short.
            return date(year, month, min(self.day, length))
        wanted = {DAYS.index(one) for name in self.days for one in _SETS.get(name, (name,))}
        fitting = [day for day in range(1, length + 1) if date(year, month, day).weekday() in wanted]
        order = WEEKS.index(self.week)
        return date(year, month, fitting[-1] if order == len(WEEKS) - 1 else fitting[order])


def read(element: Element) -> Recurrence:
    """A t:Recurrence of a request."""
    pattern, extent = list(children(element))
    kind = local(pattern).removesuffix("Recurrence")
    made = Recurrence(
        kind,
        date.fromisoformat(value(extent, "t:StartDate")[:10]),
        interval=int(value(pattern, "t:Interval", "1")),
        days=tuple(value(pattern, "t:DaysOfWeek").split()),
        day=int(value(pattern, "t:DayOfMonth", "1")),
        week=value(pattern, "t:DayOfWeekIndex", "First"),
        month=value(pattern, "t:Month", "January"),
        # Without the element Exchange's week begins on Sunday; it matters to every second week.
        first_day=value(pattern, "t:FirstDayOfWeek", "Sunday"),
    )
    if child(extent, "t:EndDate") is not None:
        made = replace(made, end=date.fromisoformat(value(extent, "t:EndDate")[:10]))
    if times := value(extent, "t:NumberOfOccurrences"):
        made = replace(made, times=int(times))
    if next(made.dates(), None) is None:
        raise EwsError("ErrorRecurrenceHasNoOccurrence", "The recurrence pattern has no occurrence in its range.")
    return made


def write(series: Recurrence) -> Element:
    """The t:Recurrence of an answer."""
    parts: list[Element] = []
    if not series.kind.endswith("Yearly"):
        parts.append(t("Interval", series.interval))
    if series.kind == "Weekly" or series.kind.startswith("Relative"):
        parts.append(t("DaysOfWeek", " ".join(series.days)))
    if series.kind.startswith("Relative"):
        parts.append(t("DayOfWeekIndex", series.week))
    if series.kind.startswith("Absolute"):
        parts.append(t("DayOfMonth", series.day))
    if series.kind.endswith("Yearly"):
        parts.append(t("Month", series.month))
    if series.kind == "Weekly":
        parts.append(t("FirstDayOfWeek", series.first_day))
    begin = t("StartDate", series.start.isoformat())
    if series.times is not None:
        extent = t("NumberedRecurrence", begin, t("NumberOfOccurrences", series.times))
    elif series.end is not None:
        extent = t("EndDateRecurrence", begin, t("EndDate", series.end.isoformat()))
    else:
        extent = t("NoEndRecurrence", begin)
    return t("Recurrence", t(f"{series.kind}Recurrence", parts), extent)
