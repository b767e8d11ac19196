"""Events sorted into series, and each series' occurrences (RFC 5545 3.8.4.7: one UID, one series)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.event import Event
from syncd.adapters.caldav.ics.series import Series
from syncd.adapters.caldav.ics.span import Placed, length_of, placed
from syncd.model.busy import Occurrence
from syncd.model.interval import Interval


@dataclass(frozen=True, slots=True)
class Expanded:
    """The occurrences of one UID in the window, and how far all its instances reach (``last`` None: no end)."""

    occurrences: Collection[Occurrence]
    first: datetime
    last: datetime | None


def expand_all(events: Collection[Event], home: tzinfo, window: Interval, budget: Budget) -> list[Expanded]:
    """Every series among *events*, expanded.

    :raises Unparsable: the budget is used up.
    """
    return [_expand(group, home, window, budget) for group in _by_uid(events)]


def _by_uid(events: Collection[Event]) -> Iterable[list[Event]]:
    """Events of one series together; an event without UID stands alone."""
    groups: dict[str | int, list[Event]] = {}
    for number, event in enumerate(events):
        groups.setdefault(event.uid or number, []).append(event)
    return groups.values()


def _expand(events: list[Event], home: tzinfo, window: Interval, budget: Budget) -> Expanded:
    if len(events) == 1 and not events[0].repeats:
        one = _alone(events[0])
        occurrence = one.occurrence(window)
        return Expanded((occurrence,) if occurrence else (), one.begin, one.end)
    overrides = [event for event in events if event.recurrence is not None]
    masters = _newest([event for event in events if event.recurrence is None])
    series = [Series(master, overrides, home, window, budget) for master in masters]
    instances = [_alone(event) for event in overrides]
    shown = [one for each in series for one in each.placed()] if series else _newest_alone(overrides)
    found: Collection[Occurrence] = [o for one in shown if (o := one.occurrence(window))]
    if overrides or len(masters) > 1:
        found = dict.fromkeys(found).keys()
    ends = [each.last() for each in series] + [one.end for one in instances]
    firsts = [when.utc for each in masters for when in (each.start, *(extra.start for extra in each.extras))]
    return Expanded(
        occurrences=found,
        first=min([*firsts, *(one.begin for one in [*instances, *shown])]),
        last=None if None in ends else max(end for end in ends if end is not None),
    )


def _alone(event: Event) -> Placed:
    return placed(event, event.start, length_of(event), event.recurrence.utc if event.recurrence else None)


def _newest(events: list[Event]) -> list[Event]:
    """Of several events with one identity the highest SEQUENCE (RFC 5546 2.1.5); all of them where that is equal."""
    highest = max((event.sequence for event in events), default=0)
    return [event for event in events if event.sequence == highest]


def _newest_alone(overrides: list[Event]) -> list[Placed]:
    """Overrides whose master is not in the object stand for themselves (an invitation to one instance only)."""
    by_id: dict[datetime | None, list[Event]] = {}
    for event in overrides:
        by_id.setdefault(event.recurrence and event.recurrence.utc, []).append(event)
    return [_alone(event) for same in by_id.values() for event in _newest(same)]
