"""What comes nearest when no room can be had: other rooms at the same time, other times with a room."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from syncd.booking.collide import blocks, foreign_events
from syncd.booking.rooms import readable, requirement_of, taken
from syncd.model.booking import Meeting
from syncd.model.directory import Caseworker, Directory, MailboxId, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import RoomRequirement, Rulebook
from syncd.model.zones import days, instant, wall_clock
from syncd.roomalloc import rank
from syncd.store import Tx

SHOWN = 3
DAYS = 7
"""How far ahead, beside the day itself, other times are looked for."""
OPENS, CLOSES = time(8), time(16)
"""Wall clock: other times are proposed between these, or at the wanted hour itself."""
STEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Options:
    """What comes nearest. :param instead: rooms free at the same time that fall short of what was asked."""

    asked: RoomRequirement
    instead: tuple[Room, ...]
    times: tuple[tuple[Interval, Room], ...]


@dataclass(frozen=True, slots=True)
class _Week:
    """Everything about the rooms and the caseworker in the days looked at."""

    site: Site
    person: Caseworker
    rooms: Sequence[Room]
    taken: Mapping[MailboxId, Sequence[Interval]]
    closures: Mapping[MailboxId, Sequence[Interval]]
    busy: Sequence[Interval]

    def rooms_for(self, asked: RoomRequirement, interval: Interval) -> tuple[MailboxId, ...]:
        """Rooms that could take it, best first."""
        return rank.choose(
            self.rooms,
            asked,
            interval,
            self.taken,
            closures=self.closures,
            site=self.site,
            floor=self.person.floor,
            teams=self.person.teams,
        )


def options(
    tx: Tx, directory: Directory, rulebook: Rulebook, meeting: Meeting, now: datetime, max_age: timedelta
) -> Options | None:
    """What comes nearest to the room that *meeting* lacks; None when its caseworker is not known any more."""
    person, asked = directory.caseworkers.get(meeting.caseworker), requirement_of(directory, rulebook, meeting)
    if person is None:
        return None
    week = _week(tx, directory, rulebook, meeting, person, now, max_age)
    rooms = {room.id: room for room in week.rooms}
    same = [rooms[one] for one in week.rooms_for(RoomRequirement(1), meeting.interval)]
    best = sorted(same, key=lambda room: _short_of(room, asked))[:SHOWN]
    times: list[tuple[Interval, Room]] = []
    for interval in _near(meeting, week.site, now):
        if len(times) == SHOWN:
            break
        found = () if _taken(week.busy, interval) else week.rooms_for(asked, interval)
        times += [(interval, rooms[found[0]])] if found else []
    return Options(asked, tuple(best), tuple(times))


def _week(
    tx: Tx,
    directory: Directory,
    rulebook: Rulebook,
    meeting: Meeting,
    person: Caseworker,
    now: datetime,
    max_age: timedelta,
) -> _Week:
    around = meeting.interval.padded(timedelta(days=1), timedelta(days=DAYS + 1))
    statuses = tx.mailboxes.statuses()
    rooms = [
        room
        for room in directory.rooms.values()
        if room.site == person.site and readable(statuses.get(room.id), meeting.interval, now, max_age)
    ]
    return _Week(
        directory.sites[person.site],
        person,
        rooms,
        taken(tx, rooms, around, meeting),
        tx.meetings.closures([room.id for room in rooms], around),
        _busy(tx, rulebook, meeting, around),
    )


def _busy(tx: Tx, rulebook: Rulebook, meeting: Meeting, around: Interval) -> list[Interval]:
    """What the caseworker has, without the event or meeting itself that needs the room."""
    person, policy = meeting.caseworker, rulebook.policy(meeting.caseworker)
    itself = (meeting.beside or "").partition(":")[2]
    events = foreign_events(tx, [person], around)[person]
    hers = [e.interval for e in events if e.uid not in (itself, meeting.uid) and blocks(e, policy, meeting.form)]
    return sorted([*hers, *tx.meetings.busy([person], around, ignoring=meeting.id)[person]])


def _taken(busy: Collection[Interval], interval: Interval) -> bool:
    return any(interval.overlaps(span) for span in busy)


def _short_of(room: Room, asked: RoomRequirement) -> tuple[bool, int, int]:
    """How far the room falls short: steps first, then seats, then features."""
    return (
        asked.step_free and not room.step_free,
        max(0, asked.seats - room.capacity),
        len(asked.features - room.features),
    )


def _near(meeting: Meeting, site: Site, now: datetime) -> Iterator[Interval]:
    """Times of the same length to come: the same day by distance, then the same hour on the days after."""
    start, minutes = meeting.interval.start, int(meeting.interval.duration / timedelta(minutes=1))
    local = wall_clock(start, site.zone)
    first, last = instant(local.date(), OPENS, site.zone), instant(local.date(), CLOSES, site.zone)
    steps = range(1, 24 * 4)
    same_day = [start + sign * n * STEP for n in steps for sign in (1, -1)]
    later = [
        instant(day, local.time(), site.zone)
        for day in days(Interval(start + timedelta(days=1), start + timedelta(days=DAYS)), site.zone)
        if day.weekday() < 5
    ]
    for at in [one for one in same_day if first <= one and one + meeting.interval.duration <= last] + later:
        if at > now:
            yield Interval.at(at, minutes)
