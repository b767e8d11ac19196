"""Rooms as Places shows them, free/busy of many calendars at once, groups, and translated ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.servers.graph.render import Wishes, times
from tests.servers.graph.wire import GraphError, bad, instant, sealed
from tests.servers.graph.world import Mailbox, Values, World

_CODES = {"free": "0", "workingElsewhere": "0", "tentative": "1", "busy": "2", "oof": "3"}


def rooms(world: World) -> list[Values]:
    """All rooms, sorted by address."""
    return [_room(box) for _, box in sorted(world.boxes.items()) if box.policy is not None]


def _room(box: Mailbox) -> Values:
    assert box.policy is not None
    return {
        "@odata.type": "#microsoft.graph.room",
        "id": sealed(f"room {box.address}"),
        "placeId": sealed(f"place {box.address}"),
        "emailAddress": box.address,
        "displayName": box.name,
        "nickname": box.name,
        "capacity": box.policy.capacity,
        "bookingType": "standard",
        "tags": [],
        "isWheelChairAccessible": True,
    }


def user(box: Mailbox) -> Values:
    """A user as the directory shows it."""
    return {"id": sealed(box.address), "displayName": box.name, "mail": box.address, "userPrincipalName": box.address}


def members(world: World, group: str) -> list[Values]:
    """Users in a group, and in the groups inside it.

    :raises GraphError: there is no such group.
    """
    if group not in world.groups:
        raise GraphError(404, "Request_ResourceNotFound", f"Resource '{group}' does not exist.")
    found: dict[str, Values] = {}
    for one in world.groups[group]:
        inner = members(world, one) if one in world.groups else [user(world.boxes[one.lower()])]
        found |= {row["id"]: {"@odata.type": "#microsoft.graph.user", **row} for row in inner}
    return list(found.values())


def schedules(world: World, body: Mapping[str, Any], wishes: Wishes) -> list[Values]:
    """getSchedule; errors come beside the others, inside a 200.

    :raises GraphError: too many at once, a period too long, or an interval that is none.
    """
    asked = body.get("schedules") or []
    if len(asked) > 100:
        text = f"The size of MailboxDataArray is {len(asked)}, allowed size = 100"
        raise bad(text, "ErrorMailboxDataArrayTooBig")
    interval = body.get("availabilityViewInterval", 30)
    if interval is None:
        raise GraphError(500, "ErrorInternalServerError", "An internal server error occurred.")
    if not 5 <= interval <= 1440:
        raise bad("The interval must be between 5 and 1440 minutes.", "ErrorInvalidMergedFreeBusyInterval")
    start, end = instant(body["startTime"]), instant(body["endTime"])
    if end - start >= timedelta(days=62):
        raise bad("The requested time duration is too long.", "ErrorTimeIntervalTooBig")
    return [_schedule(world, address, start, end, interval, wishes) for address in asked]


def _schedule(world: World, address: str, start: datetime, end: datetime, interval: int, wishes: Wishes) -> Values:
    try:
        box = world.box(address)
    except GraphError as error:
        refused = {"message": error.text, "responseCode": "ErrorMailRecipientNotFound"}
        return {"scheduleId": address, "availabilityView": "", "scheduleItems": [], "error": refused}
    found = [one for event in box.events.values() for one in event.instances(start, end)]
    found = [one for one in found if not one.values.get("isCancelled")]
    rows = [{"status": one.values.get("showAs", "busy"), "isPrivate": True, **times(one, wishes)} for one in found]
    view, at = "", start
    while at < end:
        after = at + timedelta(minutes=interval)
        here = [_CODES.get(one.values.get("showAs", "busy"), "2") for one in found if one.touches(at, after)]
        view, at = view + max(here, default="0"), after
    return {"scheduleId": address, "availabilityView": view, "scheduleItems": rows}
