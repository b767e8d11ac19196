"""What staff, rooms and the network do in a schedule, besides clients and caseworkers' own calendars."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from syncd.booking.handover import Choice
from syncd.booking.proposals import Remedy
from syncd.model.interval import Interval
from tests.simulation.nothing import Nothing

if TYPE_CHECKING:
    from tests.simulation.world import World

PEOPLE, ROOMS = ("anna", "bo"), ("r1", "r2")


def hands_over(world: World) -> None:
    """Somebody is away: a colleague takes the meeting, or it is held by telephone, at another time, or not at all."""
    story = world._some_story()
    before = world.office.meeting(story.meeting)
    if not before.wanted:
        raise Nothing
    remedy = world.rng.choice([Remedy.COLLEAGUE, Remedy.COLLEAGUE, Remedy.PHONE, Remedy.NEW_TIME, Remedy.CANCEL])
    person, start = world.rng.choice(PEOPLE), world._slot()
    choice = Choice(before.id, remedy, person, start if remedy is Remedy.NEW_TIME else None)
    (done,) = world.office.handover.carry_out([choice], "cli:staff", world.now)
    meeting = world.office.meeting(story.meeting)
    if done.refused is not None or meeting == before:
        return
    if remedy is Remedy.CANCEL:
        story.must_end = True
    else:
        world._decided(story, before, meeting)
    world._note(story, f"{remedy} by staff: {meeting.caseworker} {meeting.interval.start:%d %H:%M} {meeting.form}")


def closes_a_room(world: World) -> None:
    """A room cannot be used for a while; its meetings get others."""
    room = world.rng.choice(ROOMS)
    span = Interval.at(world._slot(), world.rng.choice([60, 240]))
    world.office.keeper.block(room, span, "painted", "staff", world.now)
    world.closed.append((room, span))
    world.log.append(f"{world.now:%d %H:%M:%S} {room} closed {span.start:%d %H:%M} to {span.end:%H:%M}")


def pins_a_room(world: World) -> None:
    """A meeting must have its room, or another one that staff choose."""
    story = world._some_story()
    room = world.rng.choice([None, *ROOMS])
    pinned = world.office.keeper.pin(story.meeting, room, "staff", world.now)
    world._note(story, f"pinned to {pinned}")


def rearranges(world: World) -> None:
    """The night's work: rooms closed or taken are replaced, the others put together more closely."""
    world.office.keeper.repair(world.now)
    world.office.keeper.rearrange(world.now, timedelta(days=3))


def declines(world: World) -> None:
    """A room's attendant says no to a meeting that stands in its calendar."""
    story = world._some_story()
    meeting = world.office.meeting(story.meeting)
    keys = world._keys(meeting.room, meeting.uid) if meeting.room else []
    if not meeting.room or not keys:
        raise Nothing
    world.disturbed = True
    world.server.decline(meeting.room, meeting.uid, keys[0])
    world._note(story, f"declined by {meeting.room}")


def network_breaks(world: World) -> None:
    """Nothing reaches the server for a while."""
    world.server.cut_until = world.now + timedelta(seconds=world.rng.choice([30, 120, 900]))
    world.log.append(f"{world.now:%d %H:%M:%S} network cut until {world.server.cut_until:%H:%M:%S}")
