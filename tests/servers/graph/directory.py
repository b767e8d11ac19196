"""Rooms as Places shows them, free/busy of many calendars at once, groups, and translated ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.servers.graph.render import Wishes, times
from tests.servers.graph.wire import GraphError, bad, instant, opened, sealed
from tests.servers.graph.world import Mailbox, Values, World, id_of

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
        **box.place,
    }


def room_lists(world: World) -> list[Values]:
    """All room lists."""
    kind = "#microsoft.graph.roomList"
    return [
        {"@odata.type": kind, "id": sealed(f"list {mail}"), "displayName": name, "emailAddress": mail}
        for mail, (name, _) in sorted(world.room_lists.items())
    ]


def rooms_in(world: World, mail: str) -> list[Values]:
    """The rooms of one list.

    :raises GraphError: there is none.
    """
    if mail.lower() not in world.room_lists:
        raise GraphError(404, "ErrorPlaceNotFound", "The place is not there.")
    listed = {one.lower() for one in world.room_lists[mail.lower()][1]}
    return [_room(box) for _, box in sorted(world.boxes.items()) if box.policy is not None and box.address in listed]


def user(box: Mailbox) -> Values:
    """A user as the directory shows it."""
    names = {"displayName": box.name, "mail": box.address, "userPrincipalName": box.address}
    return {
        "id": sealed(box.address),
        **names,
        "accountEnabled": box.enabled,
        "userType": "Guest" if box.guest else "Member",
    }


def groups(world: World, wanted: str) -> list[Values]:
    """Groups with a mail address, by a filter on it.

    :raises GraphError: another filter.
    """
    named = re.fullmatch(r"mail eq '([^']+)'", wanted)
    if named is None:
        raise bad("The query filter is not played here.", "Request_UnsupportedQuery")
    mail = named[1].lower()
    return [{"id": sealed(f"group {mail}"), "mail": mail, "displayName": mail}] if mail in world.groups else []


def translated(world: World, box: Mailbox, body: Mapping[str, Any]) -> list[Values]:
    """translateExchangeIds: what ids of the premises are called here; unknown ones are answered without a target."""
    if body.get("sourceIdType") != "ewsId" or body.get("targetIdType") != "restImmutableEntryId":
        raise bad("These types are not played here.")
    if len(body["inputIds"]) > 1000:
        raise bad("Too many ids.", "ErrorInvalidParameter")
    found = []
    for source in body["inputIds"]:
        number = world.translations.get((box.address, source))
        found.append({"sourceId": source, **({"targetId": id_of(box, number, None, True)} if number else {})})
    return found


def members(world: World, group: str) -> list[Values]:
    """Users in a group, and in the groups inside it.

    :raises GraphError: there is no such group.
    """
    name = group if group in world.groups else opened(group).removeprefix("group ")
    if name not in world.groups:
        raise GraphError(404, "Request_ResourceNotFound", f"Resource '{group}' does not exist.")
    found: dict[str, Values] = {}
    _gather(world, name, found)
    rows = list(found.values())
    return [{"@odata.type": row["@odata.type"], "id": row["id"]} for row in rows] if world.numbers_only else rows


def _gather(world: World, name: str, found: dict[str, Values]) -> None:
    """Everybody in a group and the groups inside it, which are listed too; circles end."""
    for one in world.groups[name]:
        if one in world.groups:
            row = {"@odata.type": "#microsoft.graph.group", "id": sealed(f"group {one}"), "displayName": one}
            if row["id"] not in found:
                found[row["id"]] = row
                _gather(world, one, found)
        elif one.lower() in world.boxes:
            row = user(world.boxes[one.lower()])
            found[row["id"]] = {"@odata.type": "#microsoft.graph.user", **row}
        else:
            found[one] = {"@odata.type": "#microsoft.graph.user", "id": sealed(one), "displayName": one, "mail": None}


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
