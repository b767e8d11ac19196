"""The booking attendant of rooms: takes an invitation, answers some time later, frees what is withdrawn."""

from __future__ import annotations

from datetime import timedelta

from tests.servers.graph.wire import stamp
from tests.servers.graph.world import Event, Mailbox, World


def invite(world: World, box: Mailbox, event: Event, address: str) -> None:
    """Ask somebody; only rooms answer here, and never before the request itself is answered."""
    room = world.boxes.get(address)
    if room is None or room.policy is None or room.policy.silent or room.hosted != "cloud":
        return
    asked = event.changed
    world.later(room.policy.delay, lambda: _decide(world, box, event, room, asked))


def withdraw(world: World, box: Mailbox, event: Event, address: str) -> None:
    """A meeting does not want the room any more."""
    room = world.boxes.get(address)
    if room is not None and (copy := _copy(room, event)):
        world.remove(room, copy)


def _decide(world: World, box: Mailbox, event: Event, room: Mailbox, asked: int) -> None:
    """Accept what is free and allowed, decline the rest; a question that was overtaken is not answered."""
    attendee = next((one for one in event.values.get("attendees", ()) if _is(one, room)), None)
    if event.number not in box.events or attendee is None:
        return
    assert room.policy is not None
    allowed = room.policy.book_in_policy
    free = (allowed is None or box.address in allowed) and not _taken(room, event)
    copy = _copy(room, event)
    if copy is not None:
        world.remove(room, copy)
    if free:
        values = {**event.values, "subject": box.name, "body": {"contentType": "text", "content": ""}}
        values |= {"transactionId": None, "isOrganizer": False, "bodyPreview": "", "categories": []}
        values["organizer"] = {"emailAddress": {"name": box.name, "address": box.address}}
        values["responseStatus"] = {"response": "accepted", "time": stamp(world.clock())}
        made = world.add(room, values, event.zone, event.uid, event.recurrence)
        made.exceptions, made.dropped = dict(event.exceptions), set(event.dropped)
    attendee["status"] = {"response": "accepted" if free else "declined", "time": stamp(world.clock())}
    world.touch(event)
    world.posted.append((room.address, box.address, "accepted" if free else "declined"))


def _is(attendee: dict[str, dict[str, str]], room: Mailbox) -> bool:
    return attendee["emailAddress"]["address"].lower() == room.address


def _copy(room: Mailbox, event: Event) -> Event | None:
    return next((one for one in room.events.values() if one.uid == event.uid), None)


def _taken(room: Mailbox, event: Event) -> bool:
    start, horizon = event.whole().span()
    for one in event.instances(start, max(horizon, start + timedelta(days=180))):
        start, end = one.span()
        for other in room.events.values():
            if other.uid != event.uid and any(True for _ in other.instances(start, end)):
                return True
    return False
