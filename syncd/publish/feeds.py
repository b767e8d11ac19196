"""Somebody's free and busy time, for calendar programs: what is offered of it, and when it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.busy import BusyType
from syncd.model.directory import Caseworker, Directory
from syncd.model.interval import Interval, merge
from syncd.model.mirror import trust
from syncd.model.offer import Form, Rulebook
from syncd.publish.publisher import Publisher
from syncd.store import Tx

AHEAD = timedelta(days=90)
"""A little further than calendars are usually read: what lies beyond is told as not free."""


@dataclass(frozen=True, slots=True)
class FreeTime:
    """One bookable time. :param forms: those it can be held in; *titles* by language."""

    offer: str
    titles: Mapping[str, str]
    interval: Interval
    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """When one caseworker is not free. :param spans: sorted, disjoint, by busy type."""

    caseworker: Caseworker
    spans: Mapping[BusyType, Sequence[Interval]]


def people_of(directory: Directory, kind: str, subject: str) -> list[Caseworker]:
    """The caseworker of that id, or all of that team; empty when nobody is left."""
    if kind == "caseworker":
        found = directory.caseworkers.get(subject)
        return [found] if found else []
    return [person for person in directory.caseworkers.values() if subject in person.teams]


def free_times(publisher: Publisher, book: Rulebook, people: Sequence[Caseworker], now: datetime) -> list[FreeTime]:
    """The times on offer with any of *people*, each once per offer."""
    window = Interval(now, now + AHEAD)
    found: dict[tuple[Interval, str], set[Form]] = {}
    for offer in book.offers.values():
        for person in people:
            if person.id in offer.caseworkers:
                for slot in publisher.answer(offer.name, window, now, caseworker=person.id).slots:
                    found.setdefault((slot.interval, offer.name), set()).add(slot.form)
    return [
        FreeTime(name, book.offers[name].title, interval, tuple(sorted(forms)))
        for (interval, name), forms in sorted(found.items())
    ]


def taken(tx: Tx, people: Sequence[Caseworker], now: datetime, max_age: timedelta) -> list[Taken]:
    """When each of *people* is not free; whose calendar cannot be trusted is not free at all."""
    window = window_of(now)
    ids = [person.id for person in people]
    events, claims = tx.mailboxes.occurrences(ids, window), tx.meetings.busy(ids, window, now)
    statuses = tx.mailboxes.statuses(ids)
    found: list[Taken] = []
    for person in people:
        spans: dict[BusyType, list[Interval]] = {BusyType.BUSY: list(claims[person.id])}
        for event in events[person.id]:
            if event.busy is not BusyType.FREE:
                spans.setdefault(event.busy, []).append(event.interval)
        for span in unknown(trust(statuses.get(person.id), now, max_age, window).window, window):
            spans.setdefault(BusyType.UNAVAILABLE, []).append(span)
        clipped = {kind: [part for one in some if (part := one.clip(window))] for kind, some in spans.items()}
        found.append(Taken(person, {kind: merge(some) for kind, some in sorted(clipped.items()) if some}))
    return found


def unknown(known: Interval | None, window: Interval) -> list[Interval]:
    """The parts of *window* about which nothing may be believed."""
    if known is None:
        return [window]
    edges = [(window.start, known.start), (known.end, window.end)]
    return [Interval(start, end) for start, end in edges if start < end]


def window_of(now: datetime) -> Interval:
    """What a feed covers; the same for an hour, so that a feed of which nothing changed is not sent again."""
    start = now.replace(minute=0, second=0, microsecond=0)
    return Interval(start, start + AHEAD)
