"""Meetings that no room can be found for, or whose pinned room is gone: a person decides, with the options listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select

from syncd.booking.announce import site_of
from syncd.booking.rooms import requirement_of
from syncd.booking.texts import reference
from syncd.model.booking import Meeting, RoomState
from syncd.model.directory import Directory, Site
from syncd.model.offer import Rulebook
from syncd.model.task import Facts, TaskKind
from syncd.model.zones import wall_clock, whole_days
from syncd.publish.roomday import rooms_of
from syncd.roomalloc.timetable import ask_of, start_of
from syncd.roomalloc.upset import other_starts, unsuitable
from syncd.store import Tx, meeting_rows
from syncd.store.instants import epoch
from syncd.store.prepared import prepared
from syncd.store.tables import MeetingRow

NOTHING = "-"
_NONE = MeetingRow.room_state == RoomState.MISSING.value
_LACKING = prepared(
    select(*MeetingRow.__table__.c)
    .where(MeetingRow.wanted, MeetingRow.start > bindparam("now"))
    .where(or_(_NONE, MeetingRow.id.in_(bindparam("pinned", expanding=True))))
    .order_by(MeetingRow.start, MeetingRow.id)
)


@dataclass(frozen=True, slots=True)
class Houses:
    """What is needed to look for options."""

    directory: Directory
    rulebook: Rulebook
    now: datetime
    max_age: timedelta


def tell_people(tx: Tx, houses: Houses, pinned: dict[str, str]) -> int:
    """Raise a task for each meeting that lacks a room, settle those that have one again; returns how many wait.

    :param pinned: meetings whose pinned room is closed or taken, with that room.
    """
    waiting: set[str] = set()
    for meeting in _without_room(tx, houses.now, pinned):
        facts = _options(tx, houses, meeting, pinned.get(meeting.id))
        if facts is not None:
            tx.tasks.raise_(TaskKind.ROOM_NEEDED, f"meeting:{meeting.id}", facts, houses.now)
            waiting.add(f"meeting:{meeting.id}")
    for task in tx.tasks.waiting(TaskKind.ROOM_NEEDED):
        if task.about not in waiting:
            tx.tasks.settle(TaskKind.ROOM_NEEDED, task.about, houses.now)
    return len(waiting)


def _without_room(tx: Tx, now: datetime, pinned: dict[str, str]) -> Iterator[Meeting]:
    for row in tx.session.execute(_LACKING, {"now": epoch(now), "pinned": list(pinned)}).all():
        yield meeting_rows.meeting(row)


def _options(tx: Tx, houses: Houses, meeting: Meeting, pinned: str | None) -> Facts | None:
    """What a person can choose from: other times with a room, and free rooms that lack something."""
    site = site_of(houses.directory, meeting.caseworker, None)
    if site is None:
        return None
    day = wall_clock(meeting.interval.start, site.zone).date()
    rooms = rooms_of(tx, houses.directory, houses.rulebook, site, day, houses.now, houses.max_age, ignoring=meeting.id)
    need = requirement_of(houses.directory, houses.rulebook, meeting)
    ask = ask_of(site, day, meeting.id, meeting.interval, need)
    starts = [_clock(site, meeting, start) for start in other_starts(rooms, ask)]
    lacking = [f"{room} ({lacks})" for room, lacks in unsuitable(rooms, rooms.seat(ask))]
    return {
        "when": f"{wall_clock(meeting.interval.start, site.zone):%d.%m.%Y %H:%M}",
        "reference": reference(meeting.id),
        "room": pinned or NOTHING,
        "times": ", ".join(starts) or NOTHING,
        "rooms": ", ".join(lacking) or NOTHING,
    }


def _clock(site: Site, meeting: Meeting, minute: int) -> str:
    day = wall_clock(meeting.interval.start, site.zone).date()
    return f"{wall_clock(start_of(whole_days(day, day, site.zone), minute), site.zone):%H:%M}"
