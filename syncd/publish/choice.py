"""Names the room for a time that was found to have one, and who must move for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from syncd.errors import NoRoom
from syncd.model.directory import MailboxId, Room
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.publish.mirror import ROOM_POLICY, counted_events
from syncd.publish.moving import policy_of
from syncd.publish.rooms import RoomTime
from syncd.publish.scene import Scene
from syncd.roomalloc import rank
from syncd.roomalloc.allocate import Certificate, certify, direct
from syncd.roomalloc.repair import find
from syncd.slots.blocking import Event, blocks
from syncd.store import Tx
from syncd.store.instants import epoch, span
from syncd.store.supply import Supply

AROUND = timedelta(hours=12)
"""Around the meeting: which gaps a room would be left with."""
NO_ROOM = "There is no free room at this time any more. Nothing was changed; choose another one."


def prove(tx: Tx, scene: Scene, slot: Slot) -> Certificate:
    """The room that suits best by the order of `syncd.roomalloc.rank`; when none is free, one that moves free.

    :raises NoRoom: none can be had.
    """
    asked = scene.asked
    person = asked.directory.caseworkers[slot.caseworker]
    site = asked.directory.sites[person.site]
    policy = policy_of(site)
    asking = scene.moving.asking(site, asked.offer, slot.form, slot.interval, person.floor, person.teams)
    if asking and (plan := direct(*asking, policy)):
        return certify(asking[0], plan)
    if free := choose(tx, scene, slot):  # the day's grid is coarser than the minute, and ends at midnight
        return Certificate(free[0])
    if asking and (plan := find(*asking, policy)):
        return certify(asking[0], plan)
    raise NoRoom(NO_ROOM)


def choose(tx: Tx, scene: Scene, slot: Slot) -> tuple[MailboxId, ...]:
    """The rooms that are free for *slot*, best first."""
    asked = scene.asked
    person = asked.directory.caseworkers[slot.caseworker]
    rooms = [each.room for each in scene.halls if _known(each, slot.interval)]
    around = slot.interval.padded(AROUND, AROUND)
    return rank.choose(
        rooms,
        asked.offer.room_for(slot.form),
        slot.interval,
        _busy(tx, scene, rooms, around),
        site=asked.directory.sites[person.site],
        floor=person.floor,
        teams=person.teams,
        closures={each.room.id: [span(*closure) for closure in each.closures] for each in scene.halls},
        shortest=min(asked.offer.minutes.values()),
    )


def _known(each: RoomTime, interval: Interval) -> bool:
    """Whether the room's calendar is known until the meeting's turnover is over."""
    taken = rank.claim(each.room, interval)
    return each.covered[0] <= epoch(taken.start) and epoch(taken.end) <= each.covered[1]


def _busy(tx: Tx, scene: Scene, rooms: Sequence[Room], around: Interval) -> dict[MailboxId, list[Interval]]:
    """What takes each room: events with the room's turnover behind them, and claims."""
    asked = scene.asked
    supply = Supply(tx.session, tx.settings.installation())
    ids = [room.id for room in rooms]
    start, end, now = epoch(around.start), epoch(around.end), epoch(asked.now)
    events = counted_events(supply, ids, start, end, asked.ignoring)
    claims = supply.claims(ids, start, end)
    busy: dict[MailboxId, list[Interval]] = {}
    for room in rooms:
        busy[room.id] = [rank.claim(room, span(event.start, event.end)) for event in events[room.id] if _takes(event)]
        busy[room.id] += [
            span(claim.start, claim.end)
            for claim in claims[room.id]
            if claim.meeting != asked.ignoring and (claim.expires is None or claim.expires > now)
        ]
    return busy


def _takes(event: Event) -> bool:
    return event.start < event.end and blocks(event, ROOM_POLICY, Form.IN_PERSON)
