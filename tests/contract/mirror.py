"""The simplest thing that can hold a calendar: what the port calls Memory, with deltas laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncd.model.busy import Occurrence
from syncd.model.delta import Delta, Group, GroupKey, Since, Unreadable, Version
from syncd.model.directory import Mailbox
from syncd.model.interval import Interval
from syncd.ports import CalendarPort, Remembered


class Mirror:
    """What a core knows of one mailbox after the deltas it was given."""

    def __init__(self) -> None:
        self.groups: dict[GroupKey, Group] = {}
        self.unreadable: dict[GroupKey, Unreadable] = {}
        self.since: Since | None = None
        self.requests = 0

    def versions(self) -> Mapping[GroupKey, Version]:
        bad = {key: item.version for key, item in self.unreadable.items()}
        return bad | {key: group.version for key, group in self.groups.items()}

    def recall(self, keys: Iterable[GroupKey]) -> Mapping[GroupKey, Remembered]:
        held = {key: self.groups[key] for key in keys if key in self.groups}
        return {key: Remembered(group.version, group.memory) for key, group in held.items()}

    def touching(self, window: Interval) -> Iterable[GroupKey]:
        for key, group in self.groups.items():
            if group.first < window.end and (group.last is None or group.last > window.start):
                yield key

    def follow(self, port: CalendarPort, mailbox: Mailbox, window: Interval, *, full: bool = False) -> Delta:
        """One pass: ask, and lay the answer over what is held."""
        delta = port.changes(mailbox, window, None if full else self.since, self)
        self.apply(delta)
        return delta

    def apply(self, delta: Delta) -> None:
        gone = set(delta.gone)
        if delta.present is not None:
            gone |= (self.groups.keys() | self.unreadable.keys()) - delta.present
        for key in gone | {u.key for u in delta.unreadable}:
            self.groups.pop(key, None)
        for key in gone | {g.key for g in delta.groups}:
            self.unreadable.pop(key, None)
        self.groups |= {group.key: group for group in delta.groups}
        self.unreadable |= {bad.key: bad for bad in delta.unreadable}
        self.since = Since(delta.token, delta.covers)
        self.requests = delta.requests

    def busy(self, window: Interval) -> list[Occurrence]:
        """All occurrences that touch *window*, in order."""
        found = [o for group in self.groups.values() for o in group.occurrences if o.interval.overlaps(window)]
        return sorted(found, key=lambda o: (o.interval, o.uid))

    def times(self, window: Interval) -> list[Interval]:
        return [o.interval for o in self.busy(window)]
