"""Finding a room for a meeting that is already agreed: a human moved it, or took its room away."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from syncd.booking.collide import foreign_events
from syncd.booking.relocate import relocate
from syncd.errors import SlotGone
from syncd.model.booking import Meeting, RoomState
from syncd.model.busy import BusyType
from syncd.model.directory import Directory, MailboxId, Room
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, trust
from syncd.model.offer import RoomRequirement, Rulebook
from syncd.model.zones import wall_clock, whole_days
from syncd.publish.moving import like, policy_of
from syncd.publish.roomday import rooms_of
from syncd.roomalloc import rank
from syncd.roomalloc.allocate import certificate
from syncd.roomalloc.timetable import ask_of, minutes
from syncd.store import Tx

AROUND = timedelta(hours=12)
"""How far around the meeting a room's other meetings are weighed, to leave no useless gaps."""


def give_room(
    tx: Tx,
    directory: Directory,
    rulebook: Rulebook,
    meeting: Meeting,
    *,
    now: datetime,
    max_age: timedelta,
    without: Collection[MailboxId] = (),
) -> MailboxId | None:
    """Claim a room for the meeting at its time, the one it has if that is still free; None when none can be had.

    Other meetings may change rooms for it, so the caller holds the lock of site and day.

    :param max_age: how old the mirror of a room's calendar may be. :param without: rooms that must not be chosen.
    """
    if meeting.caseworker not in directory.caseworkers:
        return None
    asked = requirement_of(directory, rulebook, meeting)
    for room in _wanted(tx, directory, meeting, asked, without, now, max_age):
        try:
            with tx.session.begin_nested():
                tx.meetings.claim(meeting.id, room, rank.claim(directory.rooms[room], meeting.interval))
        except IntegrityError:
            continue
        return room
    return _moved_free(tx, directory, rulebook, meeting, asked, without, now, max_age)


def _moved_free(
    tx: Tx,
    directory: Directory,
    rulebook: Rulebook,
    meeting: Meeting,
    asked: RoomRequirement,
    without: Collection[MailboxId],
    now: datetime,
    max_age: timedelta,
) -> MailboxId | None:
    """Claim a room that others leave for this meeting."""
    person = directory.caseworkers[meeting.caseworker]
    site = directory.sites[person.site]
    day = wall_clock(meeting.interval.start, site.zone).date()
    if meeting.interval.end > whole_days(day, day, site.zone).end:
        return None
    rooms = rooms_of(tx, directory, rulebook, site, day, now, max_age, ignoring=meeting.id)
    for room in without:
        if room in rooms.layout.number:
            rooms.foreign(f"not {room}", room, *minutes(whole_days(day, day, site.zone), meeting.interval))
    ask = ask_of(site, day, meeting.id, meeting.interval, asked, person.floor, person.teams)
    proof = certificate(rooms, ask, policy_of(site)) if site.rooms.moves else None
    if proof is None:
        return None
    try:
        with tx.session.begin_nested():
            relocate(tx, directory, proof.moves, now)
            tx.meetings.claim(meeting.id, proof.room, rank.claim(directory.rooms[proof.room], meeting.interval))
    except (SlotGone, IntegrityError):
        return None  # the calendars know better than the claims; a person is told
    return proof.room


def needs_room(directory: Directory, rulebook: Rulebook, meeting: Meeting) -> bool:
    """Whether meetings of this offer and form are held in a room; an offer no longer known keeps what it had."""
    if meeting.asks is not None or meeting.beside is not None:
        return meeting.asks is not None
    offer, person = rulebook.offers.get(meeting.offer), directory.caseworkers.get(meeting.caseworker)
    if offer is None:
        return meeting.room is not None or meeting.room_state is RoomState.MISSING
    return offer.needs_room(meeting.form, open_plan=person is not None and person.open_plan)


def requirement_of(directory: Directory, rulebook: Rulebook, meeting: Meeting) -> RoomRequirement:
    """What the meeting asks of its room, by itself or by its offer; of an offer no longer known, one like it has."""
    offer, room = rulebook.offers.get(meeting.offer), directory.rooms.get(meeting.room or "")
    by_offer = offer.room_for(meeting.form) if offer else None
    return meeting.asks or by_offer or (like(room) if room is not None else RoomRequirement())


def _wanted(
    tx: Tx,
    directory: Directory,
    meeting: Meeting,
    asked: RoomRequirement,
    without: Collection[MailboxId],
    now: datetime,
    max_age: timedelta,
) -> list[MailboxId]:
    """Rooms that suit and are free, the present one first."""
    person = directory.caseworkers[meeting.caseworker]
    around = meeting.interval.padded(AROUND, AROUND)
    statuses = tx.mailboxes.statuses()
    rooms = [
        room
        for room in directory.rooms.values()
        if room.site == person.site
        and room.id not in without
        and readable(statuses.get(room.id), rank.claim(room, meeting.interval), now, max_age)
    ]
    ranked = rank.choose(
        rooms,
        asked,
        meeting.interval,
        taken(tx, rooms, around, meeting),
        site=directory.sites[person.site],
        floor=person.floor,
        teams=person.teams,
        closures=tx.meetings.closures([room.id for room in rooms], around),
    )
    return sorted(ranked, key=lambda room: room != meeting.room)


def readable(status: MailboxStatus | None, interval: Interval, now: datetime, max_age: timedelta) -> bool:
    """Whether the mirror of a room's calendar can be trusted for this time; unknown time is never free time."""
    known = trust(status, now, max_age, interval).window
    return known is not None and known.contains(interval)


def taken(tx: Tx, rooms: list[Room], around: Interval, meeting: Meeting) -> dict[MailboxId, list[Interval]]:
    """What takes these rooms, turnover included, beside the meeting itself."""
    ids = [room.id for room in rooms]
    found = tx.meetings.busy(ids, around, ignoring=meeting.id)
    events = foreign_events(tx, ids, around)
    for room in rooms:
        blocking = (event.interval for event in events[room.id] if event.busy is not BusyType.FREE)
        found[room.id] = sorted([*found[room.id], *(rank.claim(room, span) for span in blocking)])
    return found
