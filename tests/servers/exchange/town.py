"""A town for the server: accounts, mailboxes, rooms, lists and entries, from one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.servers.exchange.control import series
from tests.servers.exchange.model import Address

if TYPE_CHECKING:
    from tests.servers.exchange.server import ExchangeServer


def fill(server: ExchangeServer, town: Mapping[str, Any]) -> None:
    """Put everything in that README.md lists under “A town”.

    :raises KeyError: something needed is missing; TypeError: something is there that nobody knows.
    """
    for one in town.get("accounts", ()):
        server.account(**{**one, "full_access": tuple(one.get("full_access", ()))})
    for one in town.get("applications", ()):
        server.application(one["client_id"], one["secret"])
    for one in town.get("mailboxes", ()):
        server.mailbox(**one)
    for one in town.get("rooms", ()):
        server.room(**one)
    for kind, lists in (("groups", server.world.groups), ("room_lists", server.world.room_lists)):
        for one in town.get(kind, ()):
            lists[one["email"].lower()] = (Address(one["email"], one.get("name", "")), list(one["members"]))
    for one in town.get("entries", ()):
        book(server, dict(one))


def book(server: ExchangeServer, entry: dict[str, Any]) -> str:
    """One entry as people write it; names are those of the schema."""
    email = entry.pop("email")
    start, end = (datetime.fromisoformat(entry.pop(key)) for key in ("start", "end"))
    recurrence = entry.pop("recurrence", None)
    rooms, people = (tuple(entry.pop(key, ())) for key in ("rooms", "people"))
    skipped, moved = entry.pop("skipped", ()), entry.pop("moved", ())
    if "Categories" in entry:
        entry["Categories"] = tuple(entry["Categories"])
    pattern = series(recurrence) if recurrence else None
    uid = server.outlook.book(email, start, end, recurrence=pattern, rooms=rooms, people=people, **entry)
    for original in skipped:
        server.outlook.delete(email, uid, datetime.fromisoformat(original))
    for original, new in moved:
        server.outlook.move(email, uid, datetime.fromisoformat(new), original=datetime.fromisoformat(original))
    return uid
