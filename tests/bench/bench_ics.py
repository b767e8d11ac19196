"""Reading one calendar of about 2,000 events: ours against plain icalendar and recurring-ical-events, same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from syncd.adapters.caldav.ics import read_object, recall_object
from syncd.model.busy import BusyType
from tests import plain_ics
from tests.bench.figure import Figure
from tests.bench.ics_calendar import WINDOW, calendar, changed

NAME = "ics"
ZONE = "Europe/Copenhagen"

T = TypeVar("T")


def run() -> list[Figure]:
    """CPU seconds, best of a few runs; the intervals of both are compared, and must be identical."""
    texts = calendar()
    ours, cold = best(lambda: read_all(texts), 5)
    theirs, plain = best(lambda: plain_ics.spans(plain_ics.parsed(texts), ZONE, WINDOW), 1)
    if ours != theirs:
        raise AssertionError(f"{len(set(ours) ^ set(theirs))} intervals differ: the figures mean nothing")
    edited = changed(texts[7])
    _, one = best(lambda: read_object(edited, ZONE, WINDOW), 200)
    memories = [read_object(text, ZONE, WINDOW).memory for text in texts]
    _, again = best(lambda: [recall_object(memory, ZONE, WINDOW) for memory in memories], 3)
    events = sum(text.count(b"BEGIN:VEVENT") for text in texts)
    return [
        Figure("read and expand 1,850 objects, against icalendar + recurring-ical-events", cold, "s", plain / 8, plain),
        Figure("after one changed event, against the same cold run", one, "s", plain / 200, plain),
        Figure("events read per CPU second", events / cold, "1/s", more_is_better=True),
        Figure("expand all from memory for another window", again, "s"),
        Figure("memory kept per object", sum(map(len, memories)) / len(memories), "bytes"),
    ]


def read_all(texts: list[bytes]) -> list[tuple[datetime, datetime]]:
    """Begin and end of all that blocks, in order."""
    found = (occurrence for text in texts for occurrence in read_object(text, ZONE, WINDOW).occurrences)
    return sorted((o.interval.start, o.interval.end) for o in found if o.busy is not BusyType.FREE)


def best(work: Callable[[], T], times: int) -> tuple[T, float]:
    """The result of *work* and its least CPU time in seconds."""
    least = float("inf")
    for _ in range(times):
        begun = time.process_time()
        result = work()
        least = min(least, time.process_time() - begun)
    return result, least
