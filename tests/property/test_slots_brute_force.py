"""The slots equal those of a checker that walks through every minute and shares no code with the product."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.model.busy import BusyType
from syncd.model.offer import AvailabilityRule, Form, Offer, Reserve
from syncd.model.policy import Blocks, Closing, DayException, Policy, Source
from syncd.publish.partners import fillings, together
from syncd.slots.blocking import Claim, Event
from syncd.slots.caps import Taken
from syncd.slots.compute import Diary, compute_slots
from syncd.slots.hours import Hours

ZONE = "Europe/Copenhagen"
SPRING, AUTUMN, SUMMER = date(2026, 3, 28), date(2026, 10, 24), date(2026, 6, 3)
MINUTE = 60


def seconds(day: date, minutes: int) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + minutes * MINUTE


def local(at: int) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo(ZONE))


class Walker:
    """Decides about one start by looking at each of its minutes."""

    def __init__(self, offer, form, who, diary, window, now, taken, immediate=False):
        self.offer, self.form, self.who, self.diary = offer, form, who, diary
        self.window, self.now, self.taken, self.immediate = window, now.timestamp(), taken, immediate

    def starts(self):
        first = self.window[0] - self.window[0] % MINUTE
        return [at for at in range(first, self.window[1], MINUTE) if self.offered(at)]

    def offered(self, at):
        length = self.offer.minutes[self.form]
        end = at + length * MINUTE
        clock = local(at)
        if (clock.hour * 60 + clock.minute) % self.offer.step:
            return False
        if at < self.window[0] or end > self.window[1]:
            return False
        if at < self.now + self.offer.notice * MINUTE:
            return False
        ahead = (clock.date() - local(self.now).date()).days
        reserve = self.offer.reserve
        if ahead > self.offer.horizon_days or (self.immediate and reserve and ahead > reserve.within_days):
            return False
        meeting = range(at, end, MINUTE)
        padded = range(at - self.offer.before * MINUTE, end + self.offer.after * MINUTE, MINUTE)
        if not all(self.open(minute) for minute in meeting):
            return False
        if self.form is Form.IN_PERSON and self.diary.openings and not all(self.let_in(minute) for minute in meeting):
            return False
        if reserve and not self.immediate and any(self.kept(minute) for minute in meeting):
            return False
        covered = self.diary.covered
        return (
            all(covered[0] <= minute and minute + MINUTE <= covered[1] for minute in padded)
            and not any(self.busy(minute) for minute in padded)
            and self.uncapped(clock)
        )

    def let_in(self, minute):
        day = local(minute).date()
        near = [day + timedelta(days=n) for n in (-1, 0)]
        return any(
            self.holds(r, o) and self.inside(minute, o, r.starts, r.ends) for r in self.diary.openings for o in near
        )

    def kept(self, minute):
        day = local(minute).date()
        for rule in self.offer.reserve.hours:
            for other in (day - timedelta(days=1), day):
                begin = datetime.combine(other, rule.starts, ZoneInfo(ZONE)).timestamp()
                late = self.now >= begin - self.offer.reserve.release * MINUTE
                if self.holds(rule, other) and not late and self.inside(minute, other, rule.starts, rule.ends):
                    return True
        return False

    def holds(self, rule, day):
        return (
            day.weekday() in rule.weekdays
            and (rule.valid_from or day) <= day <= (rule.valid_to or day)
            and (not rule.during or any(a <= day <= b for a, b in rule.during))
            and not any(a <= day <= b for a, b in rule.outside)
        )

    def open(self, minute):
        if any(e.start < minute + MINUTE and minute < e.end for e in self.diary.events if self.closes(e)):
            return False
        source = self.diary.policy.source
        marked = any(e.start <= minute < e.end for e in self.diary.events if self.marks(e))
        if source is Source.MARKED:
            return marked
        return self.at_work(minute) or (source is Source.BOTH and marked)

    def at_work(self, minute):
        hours, day = self.diary.hours, local(minute).date()
        if any(c.first <= day <= c.last for c in hours.closings):
            return False
        near = [day + timedelta(days=n) for n in (-1, 0)]
        for other in near:
            exception = self.exception(other)
            if exception and any(self.inside(minute, other, a, b) for a, b in exception.hours):
                return True
        if self.exception(day):
            return False
        return any(
            self.holds(rule, other) and self.inside(minute, other, rule.starts, rule.ends)
            for rule in hours.rules
            for other in near
        )

    def exception(self, day):
        return ([None] + [e for e in self.diary.hours.exceptions if e.first <= day <= e.last])[-1]

    def inside(self, minute, day, starts, ends):
        until = day + timedelta(days=1) if ends <= starts else day
        begin = datetime.combine(day, starts, ZoneInfo(ZONE)).timestamp()
        return begin <= minute < datetime.combine(until, ends, ZoneInfo(ZONE)).timestamp()

    def marks(self, event):
        words = [c.replace(" ", "").lower() for c in event.categories]
        return "selvbook" in words or f"selvbook:{self.offer.name}" in words

    def busy(self, minute):
        for event in self.diary.events:
            if event.start < minute + MINUTE and minute < event.end and self.stops(event):
                return True
        return any(
            claim.start < minute + MINUTE
            and minute < claim.end
            and claim.meeting not in self.diary.withdrawn
            and not (claim.expires is not None and claim.expires <= self.now)
            for claim in self.diary.claims
        )

    def closes(self, event):
        """Hours of the calendar's own: a meeting keeps clear of them, its buffers need not."""
        marked = any(c.replace(" ", "").lower().split(":")[0] == "selvbook" for c in event.categories)
        return event.busy is BusyType.UNAVAILABLE and not event.meeting and not marked

    def stops(self, event):
        if self.closes(event):
            return False
        if event.meeting in self.diary.withdrawn and event.meeting:
            return False
        if any(c.replace(" ", "").lower().split(":")[0] == "selvbook" for c in event.categories):
            return False
        if event.busy is BusyType.FREE:
            return event.all_day and not event.recurring and self.diary.policy.free_all_day_blocks
        reach = self.diary.policy.blocks.get(event.busy, Blocks.ALL)
        return reach is Blocks.ALL or (reach is Blocks.IN_PERSON and self.form is Form.IN_PERSON)

    def uncapped(self, clock):
        policy = self.diary.policy
        same = [
            t
            for t in self.taken
            if t.caseworker == self.who
            and t.meeting not in self.diary.withdrawn
            and local(t.start).date() == clock.date()
        ]
        minutes = sum(t.minutes for t in same) + self.offer.minutes[self.form]
        return (policy.per_day is None or len(same) < policy.per_day) and (
            policy.minutes_per_day is None or minutes <= policy.minutes_per_day
        )


quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
walls = st.one_of(quarters, st.sampled_from([time(1, 30), time(2), time(2, 30), time(3), time(0), time(8), time(16)]))


@st.composite
def rules(draw, first):
    starts = draw(walls)
    ends = draw(walls.filter(lambda t: t != starts))
    limits = st.none() | st.integers(-1, 3).map(lambda n: first + timedelta(days=n))
    weekdays = frozenset(draw(st.sets(st.integers(0, 6), min_size=4)))
    stretches = st.lists(st.integers(-1, 2).map(lambda n: (first + timedelta(days=n), first + timedelta(days=n + 1))))
    some = st.just(()) | stretches.map(lambda listed: tuple(listed[:1]))
    return AvailabilityRule(weekdays, starts, ends, draw(limits), draw(limits), draw(some), draw(some))


@st.composite
def reserves(draw, first):
    return Reserve((draw(rules(first)),), draw(st.sampled_from([0, 60, 1500])), draw(st.integers(0, 3)))


@st.composite
def exceptions(draw, first):
    begin = first + timedelta(days=draw(st.integers(-1, 2)))
    spans = draw(st.lists(st.tuples(walls, walls).filter(lambda pair: pair[0] != pair[1]), max_size=2))
    return DayException(begin, begin + timedelta(days=draw(st.integers(0, 1))), tuple(spans))


@st.composite
def events(draw, first):
    start = seconds(first, draw(st.integers(-300, 3 * 1440)))
    end = start + draw(st.sampled_from([1, 5, 17, 30, 60, 95, 1440])) * MINUTE - draw(st.sampled_from([0, 0, 1, 59]))
    return Event(
        start,
        end,
        draw(st.sampled_from(BusyType)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([(), (), (), ("Selvbook",), ("SELV BOOK: talk",), ("selvbook:other",), ("Privat",)])),
        draw(st.sampled_from([None, None, "m1", "m2"])),
    )


@st.composite
def worlds(draw):
    first = draw(st.sampled_from([SPRING, AUTUMN, SUMMER]))
    form = draw(st.sampled_from(Form))
    now = datetime.fromtimestamp(seconds(first, draw(st.integers(-1440, 1440))), UTC) + timedelta(
        seconds=draw(st.sampled_from([0, 1, 30.5]))
    )
    offer = Offer(
        name="talk",
        title={"da": "Samtale"},
        minutes={form: draw(st.sampled_from([10, 15, 20, 30, 45, 50, 7]))},
        step=draw(st.sampled_from([5, 10, 15, 20, 25, 30, 45, 60, 50])),
        before=draw(st.sampled_from([0, 0, 5, 10, 3])),
        after=draw(st.sampled_from([0, 0, 5, 15])),
        notice=draw(st.sampled_from([0, 0, 60, 1441])),
        horizon_days=draw(st.integers(1, 5)),
        caseworkers=("anna",),
        reserve=draw(st.none() | st.none() | reserves(first)),
    )
    closing = Closing(first + timedelta(days=1), first + timedelta(days=1), "Lukket")
    hours = Hours(
        tuple(draw(st.lists(rules(first), min_size=1, max_size=3))),
        ZONE,
        tuple(draw(st.lists(exceptions(first), max_size=2))),
        draw(st.sampled_from([(), (), (closing,)])),
    )
    claims = []
    for meeting in draw(st.sets(st.sampled_from(["m1", "m2", "m3"]))):
        start = seconds(first, draw(st.integers(0, 2880)))
        expires = draw(st.sampled_from([None, int(now.timestamp()), int(now.timestamp()) + 2]))
        claims.append(Claim(start, start + draw(st.integers(5, 120)) * MINUTE, meeting, expires))
    covered = (seconds(first, draw(st.sampled_from([-2880, 500]))), seconds(first, draw(st.sampled_from([9000, 2000]))))
    policy = Policy(
        source=draw(st.sampled_from(Source)),
        free_all_day_blocks=draw(st.booleans()),
        per_day=draw(st.sampled_from([None, None, 1, 2])),
        minutes_per_day=draw(st.sampled_from([None, None, 45, 100])),
    )
    found = tuple(draw(st.lists(events(first), max_size=6)))
    withdrawn = draw(st.sampled_from([frozenset(), frozenset({"m1"})]))
    openings = draw(st.just(()) | st.lists(rules(first), max_size=2).map(tuple))
    diary = Diary(hours, covered, found, tuple(claims), policy, withdrawn, openings)
    taken = [Taken("anna", "talk", c.start, c.meeting, (c.end - c.start) // MINUTE) for c in claims]
    window = (seconds(first, draw(st.integers(-60, 700))), seconds(first, draw(st.integers(1400, 2900))))
    return offer, form, "anna", diary, window, now, taken, draw(st.booleans())


@settings(max_examples=25)
@given(worlds())
def test_the_slots_are_exactly_those_that_a_walk_through_every_minute_finds(world):
    *rest, taken, immediate = world

    assert Walker(*world).starts() == compute_slots(*rest, taken=taken, immediate=immediate)


@pytest.mark.broad
@settings(max_examples=120)
@given(worlds())
def test_the_slots_of_many_worlds_are_exactly_those_that_a_walk_through_every_minute_finds(world):
    *rest, taken, immediate = world

    assert Walker(*world).starts() == compute_slots(*rest, taken=taken, immediate=immediate)


@settings(max_examples=60)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 255), max_size=4), max_size=3),
    st.sampled_from("ax"),
)
def test_further_roles_are_filled_exactly_where_different_people_can(roles, caseworker):
    expected = 0
    for people in product(*roles):
        if len({caseworker, *people}) == len(people) + 1:
            free = 255
            for role, one in zip(roles, people, strict=True):
                free &= role[one]
            expected |= free
    found = together(roles, caseworker)

    assert (expected if roles else None) == found
    for bit in range(8 if roles else 0):
        ways = list(fillings(roles, caseworker, 1 << bit))
        assert bool(ways) == bool(expected >> bit & 1)
        assert all(len({caseworker, *way}) == len(roles) + 1 for way in ways)
