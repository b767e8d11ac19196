"""A town for the server: applications, mailboxes, rooms, groups and entries, from one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.servers.graph.server import GraphServer


def fill(server: GraphServer, town: Mapping[str, Any]) -> None:
    """Put everything in that README.md lists under “A town”.

    :raises KeyError: something needed is missing; TypeError: something is there that nobody knows.
    """
    for one in town.get("applications", ()):
        server.door.application(one["client_id"], one["secret"])
    for one in town.get("mailboxes", ()):
        server.mailbox(one["email"], **{key: value for key, value in one.items() if key != "email"})
    for one in town.get("rooms", ()):
        room = dict(one)
        place = room.pop("place", {})
        server.room(room.pop("email"), room.pop("name", ""), **room).place.update(place)
    for one in town.get("groups", ()):
        server.world.groups[one["email"].lower()] = list(one["members"])
    for one in town.get("room_lists", ()):
        server.world.room_lists[one["email"].lower()] = (one.get("name", one["email"]), list(one["members"]))
    for one in town.get("entries", ()):
        book(server, dict(one))


def book(server: GraphServer, entry: dict[str, Any]) -> str:
    """One entry as people write it; names are those of Graph's event. ``skipped`` and ``moved`` are dates of a series.

    Whole days are given by dates.
    """
    email, rule = entry.pop("email"), entry.pop("recurrence", None)
    skipped, moved = entry.pop("skipped", ()), entry.pop("moved", ())
    start, end = entry.pop("start"), entry.pop("end")
    if entry.get("isAllDay"):
        event = server.outlook.days(email, date.fromisoformat(start), date.fromisoformat(end), **entry)
        event.recurrence = rule
    else:
        span = datetime.fromisoformat(start), datetime.fromisoformat(end)
        event = server.outlook.book(email, *span, recurrence=rule, **entry)
    for original in skipped:
        server.outlook.drop(event, date.fromisoformat(original))
    for original, new in moved:
        begin = datetime.fromisoformat(new)
        whole = event.whole().span()
        server.outlook.change(event, date.fromisoformat(original), start=begin, end=begin + (whole[1] - whole[0]))
    return event.uid
