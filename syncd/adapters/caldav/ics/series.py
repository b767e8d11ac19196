"""One master and its overrides become dated occurrences (RFC 5545 3.8.4.4, 3.8.5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from operator import itemgetter
from typing import Final, Generic, NamedTuple, TypeVar

from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.event import Event, Extra
from syncd.adapters.caldav.ics.expand import starts
from syncd.adapters.caldav.ics.rules import Rule
from syncd.adapters.caldav.ics.span import Placed, length_of, placed
from syncd.adapters.caldav.ics.values import END, Form, Length, When, at, day_of
from syncd.model.interval import Interval

WHOLLY_COUNTED: Final = 1000
"""Up to this COUNT the last instance is worked out; a longer series passes for endless, which only costs work."""

_NOTHING: Final = timedelta(0)
_SLACK: Final = timedelta(days=2)
_FAR: Final = timedelta(days=20 * 366)

T = TypeVar("T")


class Instance(NamedTuple):
    """One start before it is known whether it is excluded, replaced or moved; ``begin`` is its instant and identity."""

    start: When
    length: Length
    begin: datetime


class Marks(Generic[T]):
    """Values attached to instances of a series by EXDATE or RECURRENCE-ID, however that was written.

    What counts is the instant, not the text: another zone or UTC may be used. Floating times are on the series' clock.
    A date names the instance of that day in a series of times; a time names the day in a series of dates.
    """

    def __init__(self, start: When, home: tzinfo) -> None:
        self._start = start
        self._home = home
        self._instants: dict[datetime, T] = {}
        self._days: dict[date, T] = {}

    def put(self, moment: When, value: T) -> None:
        """Attach *value* to the instance that *moment* names."""
        if moment.is_date and not self._start.is_date:
            self._days[moment.wall.date()] = value
        else:
            self._instants[self.instant(moment)] = value

    def named(self, moment: When) -> T | None:
        """What is attached to the instance that *moment* names."""
        if moment.is_date and not self._start.is_date:
            return self._days.get(moment.wall.date())
        return self._instants.get(self.instant(moment))

    def instant(self, moment: When) -> datetime:
        """The identity that *moment* gives."""
        if self._start.is_date:
            return at(datetime.combine(day_of(moment, self._home), time()), self._home)
        return at(moment.wall, self._start.clock) if moment.form is Form.FLOATING else moment.utc

    def on(self, start: When, begin: datetime) -> T | None:
        """What is attached to the instance that starts so; None for nothing."""
        found = self._instants.get(begin)
        if found is None and self._days:
            found = self._days.get(start.wall.date())
        return found


@dataclass(slots=True)
class Series:
    """One master and its overrides, looked at through one window."""

    master: Event
    overrides: list[Event]
    home: tzinfo
    window: Interval
    budget: Budget
    _excluded: Marks[bool] = field(init=False)
    _length: Length = field(init=False)
    _counted: dict[Rule, list[datetime]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._excluded = Marks(self.master.start, self.home)
        self._length = length_of(self.master)
        for moment in self.master.exceptions:
            self._excluded.put(moment, True)
        self.budget.step(20 * len(self.overrides))
        self.overrides = self._newest()

    def _newest(self) -> list[Event]:
        """Of several overrides for one instance the highest SEQUENCE, all if equal (RFC 5546 2.1.5)."""
        best: dict[tuple[bool, datetime], list[Event]] = {}
        for event in self.overrides:
            moment = event.recurrence or event.start
            same = best.setdefault((moment.is_date, self._excluded.instant(moment)), [])
            if same and event.sequence > same[0].sequence:
                same.clear()
            if not same or event.sequence == same[0].sequence:
                same.append(event)
        return [event for same in best.values() for event in same]

    def placed(self) -> Iterator[Placed]:
        """Every instance near the window, where it is now; overrides included, wherever they are.

        :raises Unparsable: the budget is used up.
        """
        replaced = self._replacements()
        onwards = self._onwards()
        met: set[int] = set()
        for instance in self._near(onwards):
            if self._excluded.on(instance.start, instance.begin):
                continue
            instead = replaced.on(instance.start, instance.begin) if self.overrides else None
            if instead:
                met.update(map(id, instead))
                yield from (placed(event, event.start, length_of(event), instance.begin) for event in instead)
            else:
                yield self._moved(instance, onwards)
        yield from self._unmet(met)

    def last(self) -> datetime | None:
        """No instance of the master ends later; None when it is endless, or not worth working out."""
        ends = [self._last_of(rule) for rule in self.master.rules]
        ends += [extra.start.wall for extra in self.master.extras]
        if None in ends:
            return None
        latest = max([self.master.start.wall, *(end for end in ends if end is not None)])
        reach = max([self._length.rough, *(self._extra_length(extra).rough for extra in self.master.extras)])
        shift = max([_NOTHING, *(abs(shift) + length_of(e).rough for _, e, shift in self._onwards())])
        return at(latest, self.master.start.clock) + reach + shift + _SLACK

    def _near(self, onwards: list[tuple[datetime, Event, timedelta]]) -> list[Instance]:
        """The instances whose original start is so close to the window that they may touch it."""
        lengths = [self._length, *(length_of(event) for _, event, _ in onwards)]
        lengths += [self._extra_length(extra) for extra in self.master.extras]
        reach = max(length.rough for length in lengths) + max([_NOTHING, *(abs(shift) for _, _, shift in onwards)])
        clock, first = self.master.start.clock, self.master.start.wall
        begin = self.window.start.astimezone(clock).replace(tzinfo=None)
        low = begin - reach - _SLACK if begin - first > reach + _SLACK else first
        high = self.window.end.astimezone(clock).replace(tzinfo=None) + _SLACK
        return self._members(low, high + max([_NOTHING, *(abs(shift) for _, _, shift in onwards)]))

    def _members(self, low: datetime, high: datetime) -> list[Instance]:
        """The recurrence set from *low* to *high* (wall clock): RRULE, DTSTART and RDATE, without EXRULE, in order."""
        start = self.master.start
        walls = {start.wall} if low <= start.wall <= high and self._begins() else set()
        for rule in self.master.rules:
            for wall in self._walls(rule, low, high):
                self.budget.instance()
                walls.add(wall)
        for rule in self.master.excluded_by:
            walls.difference_update(self._walls(rule, low, high))
        found = {
            begin: Instance(start._replace(wall=wall), self._length, begin)
            for wall in sorted(walls)
            for begin in (at(wall, start.clock),)
        }
        for extra in self.master.extras:
            moment = extra.start
            if moment.form is Form.FLOATING:
                moment = start._replace(wall=moment.wall)
            own = extra.end is not None or extra.length is not None
            if low - _SLACK <= moment.wall <= high + _SLACK and (own or moment.utc not in found):
                found[moment.utc] = Instance(moment, self._extra_length(extra), moment.utc)
        return list(found.values())

    def _begins(self) -> bool:
        """Whether DTSTART is an instance: always (RFC 5545 3.8.2.4), unless its series ended before it began."""
        rules = self.master.rules
        return not rules or any(self._bound(rule) >= self.master.start.wall for rule in rules)

    def _extra_length(self, extra: Extra) -> Length:
        if extra.length is not None:
            return extra.length
        return self._length if extra.end is None else Length(0, extra.end.utc - extra.start.utc)

    def _walls(self, rule: Rule, low: datetime, high: datetime) -> Iterable[datetime]:
        """What *rule* produces between the two, UNTIL applied."""
        start = self.master.start
        if rule.count is not None and rule.until is None and rule.count <= WHOLLY_COUNTED:
            return [wall for wall in self._all_of(rule) if low <= wall <= high]
        found = starts(rule, start.wall, low, min(high, self._bound(rule)), self.budget, start.is_date)
        until = rule.until
        if until is None or until.form is not Form.UTC or start.is_date:
            return found
        return (wall for wall in found if at(wall, start.clock) <= until.utc)

    def _bound(self, rule: Rule) -> datetime:
        """The last wall time that UNTIL lets pass (RFC 5545 3.3.10), never too early.

        In a series of times a date is its midnight, and a local time is on the series' clock; both are against the RFC.
        """
        until, start = rule.until, self.master.start
        if until is None:
            return END
        if start.is_date:
            day = day_of(until, self.home) if until.form is Form.UTC else until.wall.date()
            return datetime.combine(day, time())
        # Instants decide; the day more covers a wall clock that was set back.
        return until.seen_by(start.clock) + timedelta(days=1) if until.form is Form.UTC else until.wall

    def _last_of(self, rule: Rule) -> datetime | None:
        """The last wall time of *rule*; None when it is endless or would take long to find."""
        if rule.until is not None:
            return self._bound(rule)
        if rule.count is None or rule.count > WHOLLY_COUNTED:
            return None
        walls = self._all_of(rule)
        return walls[-1] if walls and len(walls) == rule.count else None

    def _all_of(self, rule: Rule) -> list[datetime]:
        """Every start of a rule with a COUNT of moderate size, until well after DTSTART and the window."""
        if rule not in self._counted:
            first = self.master.start.wall
            after = self.window.end.replace(tzinfo=None)
            far = max(first, after) + _FAR if END - max(first, after) > _FAR else END
            self._counted[rule] = list(starts(rule, first, first, far, self.budget, self.master.start.is_date))
        return self._counted[rule]

    def _replacements(self) -> Marks[list[Event]]:
        """The overrides by the instance they replace."""
        marks: Marks[list[Event]] = Marks(self.master.start, self.home)
        for event in self.overrides:
            moment = event.recurrence or event.start
            same = marks.named(moment)
            if same is None:
                marks.put(moment, [event])
            else:
                same.append(event)
        return marks

    def _onwards(self) -> list[tuple[datetime, Event, timedelta]]:
        """THISANDFUTURE overrides in order: from which instant, and how far they move the wall clock."""
        found = []
        for event in self.overrides:
            if event.onwards and event.recurrence is not None:
                instant = self._excluded.instant(event.recurrence)
                original = instant.astimezone(self.master.start.clock).replace(tzinfo=None)
                found.append((instant, event, self._on_clock(event).wall - original))
        return sorted(found, key=lambda entry: entry[0])

    def _on_clock(self, event: Event) -> When:
        """Where *event* starts, on the series' clock when both are times: then it follows that zone's summer time."""
        start = self.master.start
        if event.start.is_date or start.is_date:
            return event.start
        return start._replace(wall=event.start.seen_by(start.clock))

    def _moved(self, instance: Instance, onwards: list[tuple[datetime, Event, timedelta]]) -> Placed:
        """The instance as its series has it, or as the latest THISANDFUTURE before it has it (RFC 5545 3.2.13)."""
        index = bisect_left(onwards, instance.begin, key=itemgetter(0)) if onwards else 0
        if not index:
            return placed(self.master, instance.start, instance.length, instance.begin, instance.begin)
        _, event, shift = onwards[index - 1]
        start = self._on_clock(event)._replace(wall=instance.start.wall + shift)
        return placed(event, start, length_of(event), instance.begin)

    def _unmet(self, met: set[int]) -> Iterator[Placed]:
        """Overrides whose original start is far from the window, or not in the series any more.

        An EXDATE for the same start wins. One with a lower SEQUENCE than the master's is a leftover of what the series
        was before, unless the series still has its instance (RFC 5546 2.1.5).
        """
        clock = self.master.start.clock
        for event in self.overrides:
            moment = event.recurrence or event.start
            instant = self._excluded.instant(moment)
            named = moment if moment.is_date else self.master.start._replace(wall=moment.seen_by(clock))
            if id(event) in met or self._excluded.on(named, instant):
                continue
            found = placed(event, event.start, length_of(event), instant)
            if found.touches(self.window) and (event.sequence >= self.master.sequence or self._still_has(moment)):
                yield found

    def _still_has(self, moment: When) -> bool:
        wall = moment.seen_by(self.master.start.clock)
        marks: Marks[bool] = Marks(self.master.start, self.home)
        marks.put(moment, True)
        return any(marks.on(one.start, one.begin) for one in self._members(wall - _SLACK, wall + _SLACK))
