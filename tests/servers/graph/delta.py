"""calendarView and calendarView/delta: windows, rounds, pages, tokens with generations, and what is left unsaid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.servers.graph.render import Wishes, bare, full
from tests.servers.graph.wire import GraphError, bad, bound, opened, sealed
from tests.servers.graph.world import Event, Mailbox, Values, World, id_of

_FORBIDDEN = ("$select", "$filter", "$expand", "$orderby", "$search")


def window(query: Mapping[str, str]) -> tuple[datetime, datetime]:
    """The view's bounds.

    :raises GraphError: one is missing or they contradict each other.
    """
    if "startDateTime" not in query or "endDateTime" not in query:
        text = "This request requires a time window specified by the query string parameters."
        raise bad(text, "ErrorInvalidParameter")
    start, end = bound(query["startDateTime"]), bound(query["endDateTime"])
    if start >= end:
        raise bad("The end date comes before the start date.", "ErrorInvalidParameter")
    return start, end


def view(box: Mailbox, query: Mapping[str, str], wishes: Wishes) -> list[Values]:
    """calendarView: every instance in full, no series."""
    start, end = window(query)
    found = [one for event in box.events.values() for one in event.instances(start, end)]
    found.sort(key=lambda one: (one.span()[0], one.event.number))
    return [full(box, one, wishes) for one in found]


def dated(box: Mailbox, event: Event, query: Mapping[str, str], wishes: Wishes) -> list[Values]:
    """events/{id}/instances: those of one series, in full."""
    return [full(box, one, wishes) for one in event.instances(*window(query))]


class Rounds:
    """Delta rounds under way and done."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: dict[str, list[Values]] = {}

    def page(
        self, box: Mailbox, query: Mapping[str, str], wishes: Wishes, met: Mapping[str, Mapping[str, Any]]
    ) -> tuple[list[Values], str]:
        """The next page of a round and the query of its link.

        :raises GraphError: 410 for a token of another generation, 400 for what delta does not support.
        """
        if unsupported := [key for key in query if key in _FORBIDDEN]:
            raise bad(f"The following parameters are not supported with change tracking: {unsupported[0]}")
        if "expired" in met:
            raise self._stale(box, int(met["expired"].get("status", 410)), met["expired"])
        if "$skiptoken" in query:
            mark = self._mark(box, query["$skiptoken"], "skip")
            rest = self._pages.pop(query["$skiptoken"], None)
            if rest is None:
                raise self._stale(box, 410, {})
            return self._cut(rest, mark, wishes, met, first=False)
        if "$deltatoken" in query:
            mark = self._mark(box, query["$deltatoken"], "delta")
        else:
            start, end = window(query)
            mark = {"box": box.address, "g": box.generation, "n": -1, "from": start.isoformat(), "to": end.isoformat()}
        rows = self._rows(box, mark, wishes)
        if "partial" in met and mark["n"] >= 0:
            rows = [row for row in rows if row.get("type") != "occurrence" or self._world.dice.random() < 0.5]
        if "duplicate" in met:
            rows = [*rows, *rows[:2]]
        if "shuffle" in met:
            self._world.dice.shuffle(rows)
        mark = {**mark, "n": self._world.changes}
        return self._cut(rows, mark, wishes, met, first=True)

    def _cut(
        self, rows: list[Values], mark: Values, wishes: Wishes, met: Mapping[str, Any], first: bool
    ) -> tuple[list[Values], str]:
        size = 0 if first and "empty_page" in met else wishes.page
        if len(rows) <= size and not (first and "empty_page" in met):
            return rows, "$deltatoken=" + sealed(json.dumps({**mark, "kind": "delta"}))
        unique = {**mark, "kind": "skip", "u": self._world.tick()}
        token = sealed(json.dumps(unique))
        self._pages[token] = rows[size:]
        return rows[:size], f"$skiptoken={token}"

    def _mark(self, box: Mailbox, token: str, kind: str) -> Values:
        try:
            mark: Values = json.loads(opened(token))
        except ValueError:
            raise bad("Badly formed token.", "SyncStateInvalid") from None
        if mark.get("kind") != kind or mark.get("box") != box.address:
            raise bad("Badly formed token.", "SyncStateInvalid")
        if mark["g"] != box.generation:
            raise self._stale(box, 410, {}, mark["g"])
        return mark

    @staticmethod
    def _stale(box: Mailbox, status: int, options: Mapping[str, Any], held: int = 0) -> GraphError:
        text = f"The sync state generation is not found; generation={held};[highest={box.generation}]"
        return GraphError(status, str(options.get("code", "SyncStateNotFound")), text)

    def _rows(self, box: Mailbox, mark: Values, wishes: Wishes) -> list[Values]:
        start, end = datetime.fromisoformat(mark["from"]), datetime.fromisoformat(mark["to"])
        rows: list[Values] = []
        for event in sorted(box.events.values(), key=lambda one: one.changed):
            if event.changed <= mark["n"]:
                continue
            found = list(event.instances(start, end))
            if not found and mark["n"] >= 0:
                rows.append(tombstone(box, event.number, wishes))
            elif found and event.recurrence is not None:
                # What was deleted from the series is simply not among them, and gets no tombstone.
                rows.append(full(box, event.whole(), wishes))
                rows += [
                    bare(box, one, wishes) if one.kind == "occurrence" else full(box, one, wishes) for one in found
                ]
            else:
                rows += [full(box, one, wishes) for one in found]
        gone = [number for at, number, _ in box.tombstones if at > mark["n"] >= 0]
        return rows + [tombstone(box, number, wishes) for number in gone]


def tombstone(box: Mailbox, number: int, wishes: Wishes) -> Values:
    """What is left of an event that was deleted, or lies outside of the window: an id, not even a type."""
    item = id_of(box, number, None, wishes.immutable)
    return {"@odata.type": "#microsoft.graph.event", "id": item, "@removed": {"reason": "deleted"}}
