"""What people do in Outlook, without any request."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tests.servers.graph.wire import zone
from tests.servers.graph.world import Event, Mailbox, Values, World

ZONE = "Europe/Copenhagen"


class Outlook:
    """Hands of the mailboxes' owners; every act is one change of the history."""

    def __init__(self, world: World) -> None:
        self._world = world

    def book(
        self, address: str, start: datetime, end: datetime, recurrence: Values | None = None, **more: Any
    ) -> Event:
        """A new entry, or a series when *recurrence* is given (`recurrence.weekly`)."""
        with self._world.lock:
            values = {"start": start, "end": end, "isAllDay": False, **more}
            return self._world.add(self._box(address), values, ZONE, recurrence=recurrence)

    def days(self, address: str, first: date, after: date, **more: Any) -> Event:
        """Whole days; *after* is the first that is free again."""
        with self._world.lock:
            values = {"start": first, "end": after, "isAllDay": True, **more}
            return self._world.add(self._box(address), values, ZONE)

    def change(self, event: Event, original: date | None = None, **values: Any) -> None:
        """Other values for an entry, a series or one date of it."""
        with self._world.lock:
            target = event.values if original is None else event.exceptions.setdefault(original, {})
            target.update(values)
            self._world.touch(event)

    def drop(self, event: Event, original: date) -> None:
        """Delete one date of a series."""
        with self._world.lock:
            event.dropped.add(original)
            event.exceptions.pop(original, None)
            self._world.touch(event)

    def move_series(self, event: Event, start: datetime, end: datetime, recurrence: Values) -> None:
        """Another rule: all dates are new, and so are their ids; exceptions are lost, as in Outlook."""
        with self._world.lock:
            event.values |= {"start": start, "end": end}
            event.recurrence, event.exceptions, event.dropped = recurrence, {}, set()
            self._world.touch(event)

    def delete(self, address: str, event: Event) -> None:
        """Delete an entry or a whole series."""
        with self._world.lock:
            self._world.remove(self._box(address), event)

    def forget(self, address: str) -> None:
        """The service loses its history of a mailbox: a new generation of delta tokens."""
        with self._world.lock:
            self._box(address).generation += 8

    def _box(self, address: str) -> Mailbox:
        return self._world.boxes[address.lower()]


def on(moment: datetime) -> date:
    """The date that people see."""
    return moment.astimezone(zone(ZONE)).date()
