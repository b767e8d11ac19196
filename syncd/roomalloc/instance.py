"""Reads instances of the room benchmark (``rooms-bench/1``) and says precisely what is wrong with a bad one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any, TypeAlias

from syncd.errors import ConfigError
from syncd.model.offer import RoomRequirement
from syncd.roomalloc.day import Ask, Span
from syncd.roomalloc.layout import Layout, Space

FORMAT = "rooms-bench/1"
Raw: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody wants a meeting; :param at: minutes since midnight of day 0. :param starts: acceptable, best first."""

    at: int
    id: str
    day: int
    starts: tuple[int, ...]
    minutes: int
    site: str
    requirement: RoomRequirement
    caseworker: str
    floor: int

    def ask(self, start: int) -> Ask:
        """The meeting at one of its starts."""
        return Ask(self.id, start, start + self.minutes, self.requirement, self.floor)


@dataclass(frozen=True, slots=True)
class External:
    """A booking made directly in a room's calendar; it stands only if the room is free at that moment."""

    at: int
    id: str
    day: int
    room: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request is withdrawn."""

    at: int
    id: str


@dataclass(frozen=True, slots=True)
class Tick:
    """The last moment before the rooms of a day are frozen."""

    at: int
    day: int


Event: TypeAlias = Request | External | Cancel | Tick


@dataclass(frozen=True, slots=True)
class Instance:
    """Rooms, and what happens to them; all times in minutes.

    :param freeze_lead, announce_lead: minutes before a day's midnight; announce None means told on booking.
    :param hours, blocked: per room, and for blocked also per day.
    """

    name: str
    grid: int
    days: int
    freeze_lead: int
    announce_lead: int | None
    layouts: Mapping[str, Layout]
    hours: Mapping[str, tuple[Span, ...]]
    blocked: Mapping[tuple[str, int], tuple[Span, ...]]
    site_of: Mapping[str, str]
    events: tuple[Event, ...]
    shortest: int
    starts: int


class _Reader:
    """Collects all problems of one file."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.problems: list[str] = []

    def fault(self, where: str, what: str) -> None:
        """Note one problem."""
        self.problems.append(f"{where}: {what}")

    def number(self, raw: Raw, key: str, where: str, least: int | None = None) -> int:
        """The whole number at *key*, or a problem and 0."""
        value = raw.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(f"{where}.{key}", f"a whole number is needed, not {value!r}")
            return 0
        if least is not None and value < least:
            self.fault(f"{where}.{key}", f"must be at least {least}, not {value}")
        return value

    def unique(self, rows: Iterable[Raw], where: str) -> list[Raw]:
        """The rows, with a problem for each that has no id or one that was there before."""
        seen: set[object] = set()
        listed = list(rows)
        for n, row in enumerate(listed):
            if not isinstance(row.get("id"), str) or not row["id"]:
                self.fault(f"{where}[{n}].id", "an id is needed")
            elif row["id"] in seen:
                self.fault(f"{where}[{n}].id", f"{row['id']} is there twice")
            seen.add(row.get("id"))
        return listed


def parse(text: str, source: str = "instance") -> Instance:
    """Read an instance.

    :raises ConfigError: it is not JSON, not this format, or contradicts itself; lists every problem.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ConfigError(source, [f"not JSON: {error}"]) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise ConfigError(source, [f"format: {FORMAT!r} is needed, not {found!r}"])
    reader = _Reader(raw)
    try:
        instance = _read(reader)
    except KeyError as error:
        raise ConfigError(source, [*reader.problems, f"the key {error} is missing somewhere"]) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(source, [*reader.problems, f"something is of the wrong kind: {error}"]) from error
    if reader.problems:
        raise ConfigError(source, reader.problems)
    return instance


def _read(reader: _Reader) -> Instance:
    raw = reader.raw
    grid = max(1, reader.number(raw, "grid", "instance", 1))
    days = reader.number(raw, "days", "instance", 1)
    rooms = reader.unique(raw["rooms"], "rooms")
    people = {row["id"]: row for row in reader.unique(raw["caseworkers"], "caseworkers")}
    hours, blocked = _calendar(reader, rooms)
    site_of = {row["id"]: row["site"] for row in rooms}
    events = _events(reader, people, site_of, days)
    layouts = _layouts(reader, rooms)
    lead = raw.get("announce_lead")
    starts = [start for e in events if isinstance(e, Request) for start in e.starts]
    lengths = [e.minutes for e in events if isinstance(e, Request)]
    times = [*starts, *lengths, *(t for e in events if isinstance(e, External) for t in (e.start, e.end))]
    times += [t for spans in (*hours.values(), *blocked.values()) for span in spans for t in span]
    times += [space.turnover for layout in layouts.values() for space in layout.spaces]
    freeze = reader.number(raw, "freeze_lead", "instance")
    told = None if lead is None else reader.number(raw, "announce_lead", "instance", freeze)
    step, name = gcd(grid, *times) or grid, str(raw.get("name", ""))
    shortest = min(lengths, default=30)
    return Instance(
        name, step, days, freeze, told, layouts, hours, blocked, site_of, events, shortest, gcd(*starts) or step
    )


def _layouts(reader: _Reader, rooms: list[Raw]) -> dict[str, Layout]:
    sites: dict[str, dict[str, Space]] = {}
    for n, row in enumerate(rooms):
        where = f"rooms[{n}]"
        site = row.get("site")
        if not site:
            reader.fault(f"{where}.site", f"room {row.get('id')} is in no site")
        space = Space(
            row["id"],
            reader.number(row, "floor", where),
            reader.number(row, "capacity", where, 1),
            frozenset(row["equipment"]),
            bool(row["accessible"]),
            reader.number(row, "buffer", where, 0),
        )
        sites.setdefault(str(site), {})[space.id] = space
        opens, closes = row["open"]
        if space.turnover > closes - opens:
            reader.fault(f"{where}.buffer", f"{space.turnover} minutes are longer than the room is open")
    return {site: Layout(spaces.values()) for site, spaces in sites.items()}


def _calendar(
    reader: _Reader, rooms: list[Raw]
) -> tuple[dict[str, tuple[Span, ...]], dict[tuple[str, int], tuple[Span, ...]]]:
    hours: dict[str, tuple[Span, ...]] = {}
    blocked: dict[tuple[str, int], tuple[Span, ...]] = {}
    for n, row in enumerate(rooms):
        opens, closes = row["open"]
        if not 0 <= opens < closes <= 1440:
            reader.fault(f"rooms[{n}].open", f"{opens}..{closes} is no time of a day")
        hours[row["id"]] = ((opens, closes),)
        for day, start, end in sorted(row.get("blocked", ())):
            spans = blocked.get((row["id"], day), ())
            if start >= end:
                reader.fault(f"rooms[{n}].blocked", f"day {day}: {start}..{end} ends before it begins")
            elif spans and start < spans[-1][1]:
                before = f"{spans[-1][0]}..{spans[-1][1]}"
                reader.fault(f"rooms[{n}].blocked", f"day {day}: {start}..{end} overlaps {before} in {row['id']}")
            blocked[row["id"], day] = (*spans, (start, end))
    return hours, blocked


def _events(reader: _Reader, people: Mapping[str, Raw], site_of: Mapping[str, str], days: int) -> tuple[Event, ...]:
    rows: list[Raw] = reader.raw["events"]
    reader.unique((row for row in rows if row["type"] in ("request", "external")), "events (requests and externals)")
    asked = {row["id"] for row in rows if row["type"] == "request"}
    events: list[Event] = []
    last: int | None = None
    for n, row in enumerate(rows):
        where = f"events[{n}]"
        at = reader.number(row, "t", where)
        if last is not None and at < last:
            reader.fault(f"{where}.t", f"{at} comes after {last}: events must be sorted by time")
        last = at
        if row["type"] != "cancel" and not 0 <= reader.number(row, "day", where) < days:
            reader.fault(f"{where}.day", f"{row['day']} is none of the {days} days")
        if row["type"] == "request":
            events.append(_request(reader, row, where, people, set(site_of.values())))
        elif row["type"] == "external":
            events.append(_external(reader, row, where, site_of))
        elif row["type"] == "cancel":
            if row["id"] not in asked:
                reader.fault(f"{where}.id", f"unknown request {row['id']}")
            events.append(Cancel(at, row["id"]))
        elif row["type"] == "tick":
            events.append(Tick(at, row["day"]))
        else:
            reader.fault(f"{where}.type", f"unknown type {row['type']!r}")
    return tuple(events)


def _request(reader: _Reader, row: Raw, where: str, people: Mapping[str, Raw], sites: set[str]) -> Request:
    if row["caseworker"] not in people:
        reader.fault(f"{where}.caseworker", f"unknown caseworker {row['caseworker']}")
    if row["site"] not in sites:
        reader.fault(f"{where}.site", f"no room is at site {row['site']}")
    if not row["options"]:
        reader.fault(f"{where}.options", f"request {row['id']} has no start")
    minutes = reader.number(row, "dur", where, 1)
    for start in row["options"]:
        if not 0 <= start <= 1440 - minutes:
            reader.fault(f"{where}.options", f"{start} is no start of a meeting of {minutes} minutes")
    floor = int(people.get(row["caseworker"], {}).get("floor", 0))
    requirement = RoomRequirement(
        reader.number(row, "party", where, 1), frozenset(row["needs"]), bool(row["accessible"])
    )
    starts = tuple(row["options"])
    return Request(row["t"], row["id"], row["day"], starts, minutes, row["site"], requirement, row["caseworker"], floor)


def _external(reader: _Reader, row: Raw, where: str, site_of: Mapping[str, str]) -> External:
    if row["room"] not in site_of:
        reader.fault(f"{where}.room", f"unknown room {row['room']}")
    start, end = reader.number(row, "start", where, 0), reader.number(row, "end", where)
    if not start < end <= 1440:
        reader.fault(where, f"{start}..{end} is no time of a day")
    return External(row["t"], row["id"], row["day"], row["room"], start, end)
