"""Room policies that look no further than the meeting at hand: rivals of the allocator, sharing no code with it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from syncd.roomalloc.instance import Cancel, External, Instance, Request
from syncd.roomalloc.layout import Space
from syncd.roomalloc.replay import Log

Choice = Callable[[Space], tuple[Any, ...]]


def first_fit(instance: Instance) -> Log:
    """The free room with the lowest id."""
    return _decide(instance, lambda space: (space.id,))


def best_fit(instance: Instance) -> Log:
    """The smallest free room with the least equipment."""
    return _decide(instance, lambda space: (space.capacity, len(space.features), space.id))


def _decide(instance: Instance, order: Choice) -> Log:
    log = Log()
    taken: dict[tuple[str, int], dict[str, tuple[int, int]]] = defaultdict(dict)
    busy: dict[tuple[str, int], dict[str, tuple[int, int]]] = defaultdict(dict)
    spaces = {space.id: space for layout in instance.layouts.values() for space in layout.spaces}

    def free(room: str, day: int, start: int, end: int) -> bool:
        rest = spaces[room].turnover
        return all(end + rest <= s or e + rest <= start for s, e in taken[room, day].values())

    for event in instance.events:
        if isinstance(event, External) and free(event.room, event.day, event.start, event.end):
            taken[event.room, event.day][event.id] = event.start, event.end
        elif isinstance(event, Cancel):
            for held in (*taken.values(), *busy.values()):
                held.pop(event.id, None)
        elif isinstance(event, Request):
            began = time.perf_counter()
            log.decisions[event.id] = None
            ranked = sorted((s for s in spaces.values() if _suits(instance, s, event)), key=order)
            for start in event.starts:
                end, mine = start + event.minutes, busy[event.caseworker, event.day]
                if any(s < end and start < e for s, e in mine.values()):
                    continue
                room = next(
                    (
                        s.id
                        for s in ranked
                        if _open(instance, s, event.day, start, end) and free(s.id, event.day, start, end)
                    ),
                    None,
                )
                if room:
                    taken[room, event.day][event.id] = mine[event.id] = (start, end)
                    log.decisions[event.id] = {"room": room, "start": start, "moves": []}
                    break
            log.seconds.append(time.perf_counter() - began)
    return log


def _suits(instance: Instance, space: Space, request: Request) -> bool:
    want = request.requirement
    return (
        instance.site_of[space.id] == request.site
        and space.capacity >= want.seats
        and want.features <= space.features
        and (space.step_free or not want.step_free)
    )


def _open(instance: Instance, space: Space, day: int, start: int, end: int) -> bool:
    ((opens, closes),) = instance.hours[space.id]
    blocked = instance.blocked.get((space.id, day), ())
    return opens <= start and end <= closes and all(end <= s or e <= start for s, e in blocked)
