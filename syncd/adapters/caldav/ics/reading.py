"""One calendar object in, its dated occurrences inside a window out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from syncd.adapters.caldav.ics.availability import (
    Availability,
    availability_written,
    closed,
    read_availability,
    without,
)
from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.event import Event, Reader, read_event, written
from syncd.adapters.caldav.ics.freebusy import read_freebusy
from syncd.adapters.caldav.ics.groups import expand_all
from syncd.adapters.caldav.ics.lines import calendars
from syncd.adapters.caldav.ics.refusal import Unparsable
from syncd.adapters.caldav.ics.zones import Clocks
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval, merge, subtract
from syncd.model.marks import folded
from syncd.model.zones import clock

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
VERSION: Final = 2
"""Of what a memory holds. A greater one makes every calendar be fetched and read again: raise it whenever reading
keeps more than before (2: the category Selvbook), or understands the same text otherwise."""
MEMORY: Final = f"BEGIN:VCALENDAR\nX-SYNCD-MEMORY:{VERSION}\n".encode()
"""How every memory begins; another number means that another version of the program wrote it."""


@dataclass(frozen=True, slots=True)
class ReadObject:
    """What one calendar object means for its owner's time.

    :param uid: UID of the object; empty when it has none.
    :param occurrences: its instances that touch the window, in order.
    :param memory: a privacy-reduced form for `recall_object`.
    :param first: no instance begins before (UTC); 1970 when there is none at all.
    :param last: none ends after (UTC); None for a series that is endless, or too long to be counted.
    """

    uid: str
    occurrences: tuple[Occurrence, ...]
    memory: bytes
    first: datetime
    last: datetime | None


def read_object(
    data: bytes, zone: str, window: Interval, *, owner: str = "", obeyed: Collection[str] = ()
) -> ReadObject:
    """The occurrences of a calendar object that touch *window*.

    :param zone: IANA zone of the mailbox, for floating times and dates.
    :param owner: mail address of the calendar's owner; its PARTSTAT counts.
    :param obeyed: names of the categories to keep, in any case, whatever follows a colon; all others are dropped.
    :raises Unparsable: it cannot be understood, or would cost too much.
    """
    names = frozenset(folded(name) for name in obeyed)
    return _read(data, zone, window, owner.lower(), names)


def recall_object(memory: bytes, zone: str, window: Interval) -> ReadObject:
    """The same from our own *memory* of the object, for another *window*.

    :raises Unparsable: the memory was written by another version; fetch the object again.
    """
    if not memory.startswith(MEMORY):
        raise Unparsable("what was remembered of the object is of another version; fetch it again")
    return _read(memory, zone, window, ours=True)


def busy(
    data: bytes, zone: str, window: Interval, merged: bool = False, *, owner: str = ""
) -> list[tuple[Interval, BusyType]]:
    """The spans of *data* clipped to *window*, in order; with *merged*, one disjoint cover per busy type.

    :raises Unparsable: it cannot be understood, or would cost too much.
    """
    found = read_object(data, zone, window, owner=owner).occurrences
    spans = [(part, o.busy) for o in found if (part := o.interval.clip(window))]
    if merged:
        kinds = {kind for _, kind in spans}
        spans = [(span, kind) for kind in kinds for span in merge(s for s, k in spans if k is kind)]
    return sorted(spans)


def open_hours(data: bytes, zone: str, window: Interval) -> list[Interval] | None:
    """The time in *window* that a text's VAVAILABILITY leaves open (RFC 7953); None when it has none.

    :raises Unparsable: it cannot be understood.
    """
    text = _parse(data, clock(zone))
    if not text.availabilities:
        return None
    spans = closed(text.availabilities, text.reader, window, Budget.of(len(text.events)))
    return subtract(window, merge(span for span, _ in spans))


@dataclass(frozen=True, slots=True)
class _Text:
    """What a text holds that bears on time."""

    reader: Reader
    clocks: Clocks
    events: list[Event]
    availabilities: list[Availability]


def _parse(
    data: bytes, home: tzinfo, owner: str = "", obeyed: frozenset[str] = frozenset(), ours: bool = False
) -> _Text:
    """Read every component that bears on time."""
    roots, blocks = calendars(data)
    clocks = Clocks(blocks)
    reader = Reader(clocks, home, owner, obeyed, ours)
    events: list[Event] = []
    availabilities: list[Availability] = []
    for part in (part for root in roots for part in root.parts):
        if part.name == "VEVENT":
            events.append(read_event(part, reader))
        elif part.name == "VFREEBUSY":
            events.extend(read_freebusy(part, reader))
        elif part.name == "VAVAILABILITY":
            availabilities.append(read_availability(part, reader))
    return _Text(reader, clocks, events, availabilities)


def _read(
    data: bytes, zone: str, window: Interval, owner: str = "", obeyed: frozenset[str] = frozenset(), ours: bool = False
) -> ReadObject:
    try:
        text = _parse(data, clock(zone), owner, obeyed, ours)
        return _expanded(text, window, data if ours else _memory(text))
    except OverflowError as error:
        raise Unparsable("a date in it lies outside the years 1 to 9999") from error


def _expanded(text: _Text, window: Interval, memory: bytes) -> ReadObject:
    budget = Budget.of(len(text.events))
    groups = expand_all(text.events, text.reader.home, window, budget)
    occurrences = [occurrence for group in groups for occurrence in group.occurrences]
    if text.availabilities:
        occurrences += _closed(text, occurrences, window, budget)
    firsts = [group.first for group in groups] + [one.first or NEVER for one in text.availabilities]
    ends = [group.last for group in groups] + [one.last for one in text.availabilities]
    if len(occurrences) > 1:
        occurrences.sort(key=_order)
    return ReadObject(
        uid=_uid(text),
        occurrences=tuple(occurrences),
        memory=memory,
        first=min(firsts, default=NEVER),
        last=None if None in ends else max((end for end in ends if end is not None), default=NEVER),
    )


def _uid(text: _Text) -> str:
    uids = [event.uid for event in text.events] + [one.uid for one in text.availabilities]
    return next(filter(None, uids), "")


def _order(occurrence: Occurrence) -> tuple[datetime, datetime]:
    return occurrence.interval.start, occurrence.interval.end


def _closed(text: _Text, occurrences: list[Occurrence], window: Interval, budget: Budget) -> list[Occurrence]:
    """Closed hours as occurrences; where an event says more about the same time, the event stands (RFC 7953 5)."""
    taken = merge(occurrence.interval for occurrence in occurrences if occurrence.busy is not BusyType.FREE)
    return [
        Occurrence(one.uid, None, part, one.kind)
        for span, one in closed(text.availabilities, text.reader, window, budget)
        for part in without([span], taken)
    ]


def _memory(text: _Text) -> bytes:
    lines = [line for event in text.events for line in written(event)]
    lines += [line for one in text.availabilities for line in availability_written(one)]
    zones = text.clocks.blocks_used()
    return MEMORY + "\n".join([*zones, *lines, "END:VCALENDAR", ""]).encode()
