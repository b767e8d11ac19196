"""Random calendars: our busy times equal those of recurring-ical-events, instance by instance.

Only shapes on which that one is known right: no event over a night when clocks change (there it keeps the wall clock
where RFC 5545 3.8.5.3 wants the exact length), no BYSETPOS in weeks, no BYWEEKNO alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.adapters.caldav.ics import read_object, recall_object
from syncd.model.interval import Interval
from tests import plain_ics

CALM = settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=MO,WE,SU;WKST=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
    "FREQ=DAILY;INTERVAL=2",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=2TU,-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=1,15,-1",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=3,10",
    "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "FREQ=HOURLY;INTERVAL=18",
)


@dataclass(frozen=True)
class Style:
    """One way of writing times: property parameters, form and zone."""

    params: str
    form: str

    def line(self, name: str, moment: datetime) -> str:
        return f"{name}{self.params}:{moment.strftime(self.form)}"


STYLES = (
    Style(";TZID=Europe/Copenhagen", "%Y%m%dT%H%M%S"),
    Style(";TZID=America/New_York", "%Y%m%dT%H%M%S"),
    Style("", "%Y%m%dT%H%M%S"),
    Style("", "%Y%m%dT%H%M%SZ"),
    Style(";VALUE=DATE", "%Y%m%d"),
)
DATES = STYLES[-1]


def moments(style: Style) -> st.SearchStrategy[datetime]:
    """Between 8 and 15 by the clock, far from any night; midnight for dates."""
    minutes = st.just(0) if style is DATES else st.integers(32, 60).map(lambda n: 15 * n)
    day = st.integers(0, 120)
    return st.builds(lambda d, m: datetime(2025, 9, 1) + timedelta(days=d, minutes=m), day, minutes)


def lengths(style: Style) -> st.SearchStrategy[timedelta]:
    if style is DATES:
        return st.integers(1, 3).map(lambda n: timedelta(days=n))
    return st.integers(1, 12).map(lambda n: timedelta(minutes=15 * n))


@st.composite
def events(draw: st.DrawFn, uid: int) -> list[str]:
    """A master, perhaps a series, perhaps with exceptions, extra dates and overrides of instances of a daily series."""
    style = draw(st.sampled_from(STYLES))
    start, length = draw(moments(style)), draw(lengths(style))
    lines = [style.line("DTSTART", start), style.line("DTEND", start + length)]
    overrides: list[str] = []
    if draw(st.integers(0, 3)):
        rule = draw(st.one_of(st.just("FREQ=DAILY"), st.sampled_from(RULES[:-1] if style is DATES else RULES)))
        limit = draw(st.sampled_from(("", "", ";COUNT=7", ";COUNT=60", ";UNTIL")))
        if limit == ";UNTIL":
            end = start + timedelta(days=draw(st.integers(0, 90)))
            limit += f"={end:%Y%m%d}" if style is DATES else f"={end:%Y%m%dT%H%M%S}" + "Z" * (style.form[-1] == "Z")
            limit = "" if "TZID" in style.params else limit  # there a local UNTIL is wrong, and read differently
        lines.append(f"RRULE:{rule}{limit}")
        instances = st.integers(0, 25).map(lambda day: start + timedelta(days=day))
        lines += [style.line("EXDATE", moment) for moment in draw(st.lists(instances, max_size=2))]
        if rule == "FREQ=DAILY":
            originals = draw(st.lists(instances, max_size=3, unique=True))
            overrides = [draw(override(style, uid, original, allow_range=not limit)) for original in originals]
    if draw(st.integers(0, 3)) == 0:
        lines.append(style.line("RDATE", start + timedelta(days=draw(st.integers(1, 60)))))
    lines.append(draw(st.sampled_from(("TRANSP:OPAQUE",) * 5 + ("TRANSP:TRANSPARENT", "STATUS:CANCELLED"))))
    return [vevent(uid, *lines), *overrides]


@st.composite
def override(draw: st.DrawFn, style: Style, uid: int, original: datetime, allow_range: bool) -> str:
    moved = original + timedelta(days=draw(st.sampled_from((-20, -3, -1, 0, 0, 0, 1, 20))))
    if style is not DATES:
        moved = moved.replace(hour=draw(st.integers(8, 15)))
    only = not (allow_range and draw(st.booleans()))
    name = "RECURRENCE-ID" if only else "RECURRENCE-ID;RANGE=THISANDFUTURE"
    status = draw(st.sampled_from(("CONFIRMED", "CONFIRMED", "CANCELLED"))) if only else "CONFIRMED"
    times = style.line("DTSTART", moved), style.line("DTEND", moved + draw(lengths(style)))
    return vevent(uid, style.line(name, original), *times, f"STATUS:{status}")


def vevent(uid: int, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}@example.org", "DTSTAMP:20250901T080000Z", *lines, "END:VEVENT"])


@st.composite
def calendars(draw: st.DrawFn) -> bytes:
    found = [line for uid in range(draw(st.integers(1, 3))) for line in draw(events(uid))]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", *found, "END:VCALENDAR", ""]).encode()


windows = st.builds(
    lambda day, length: Interval(
        datetime(2025, 8, 1, tzinfo=UTC) + timedelta(days=day),
        datetime(2025, 8, 1, tzinfo=UTC) + timedelta(days=day + length),
    ),
    st.integers(20, 200),
    st.integers(1, 90),
)


def ours(data: bytes, zone: str, window: Interval) -> list[tuple[datetime, datetime]]:
    found = read_object(data, zone, window).occurrences
    return sorted((o.interval.start, o.interval.end) for o in found if o.busy != "free")


@CALM
@given(calendars(), st.sampled_from(("Europe/Copenhagen", "America/New_York")), windows)
def test_busy_times_equal_those_of_recurring_ical_events(data: bytes, zone: str, window: Interval) -> None:
    assert plain_ics.spans(plain_ics.parsed([data]), zone, window) == ours(data, zone, window)


@CALM
@given(calendars(), windows, windows)
def test_memory_knows_another_window_as_well_as_the_object_does(data: bytes, window: Interval, other: Interval) -> None:
    memory = read_object(data, "Europe/Copenhagen", window).memory

    assert read_object(data, "Europe/Copenhagen", other) == recall_object(memory, "Europe/Copenhagen", other)


@CALM
@given(calendars(), windows, windows)
def test_first_and_last_enclose_every_occurrence(data: bytes, window: Interval, other: Interval) -> None:
    bounds = read_object(data, "Europe/Copenhagen", window)

    for occurrence in read_object(data, "Europe/Copenhagen", other).occurrences:
        assert bounds.first <= occurrence.interval.start
        assert bounds.last is None or occurrence.interval.end <= bounds.last


@CALM
@given(calendars(), windows)
def test_a_window_knows_what_its_halves_know(data: bytes, window: Interval) -> None:
    middle = window.start + window.duration / 2
    halves = Interval(window.start, middle), Interval(middle, window.end)
    whole = read_object(data, "Europe/Copenhagen", window).occurrences
    parts = {o for half in halves for o in read_object(data, "Europe/Copenhagen", half).occurrences}

    assert set(whole) == parts
    assert len(whole) == len(set(whole))
