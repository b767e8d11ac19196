"""Which rooms the server's own room lists name; their seats and equipment are not known to EWS."""

from __future__ import annotations

from syncd.adapters.ews import soap
from syncd.adapters.ews.answer import M, T, text
from syncd.adapters.ews.client import Client
from syncd.model.directory import ListedRoom


def listed_rooms(client: Client) -> tuple[ListedRoom, ...]:
    """See `syncd.ports.RoomSource.listed_rooms`."""
    found: dict[str, ListedRoom] = {}
    lists = client.message(soap.get_room_lists(), "the room lists", itself=True).element
    for one in lists.iterfind(f"{M}RoomLists/{T}Address"):
        address = text(one, f"{T}EmailAddress") or ""
        for room in client.message(soap.get_rooms(address), address, itself=True).element.iter(f"{T}Room"):
            mail = (text(room, f"{T}Id/{T}EmailAddress") or "").lower()
            if mail:
                found[mail] = ListedRoom(mail, text(room, f"{T}Id/{T}Name") or mail)
    return tuple(found[mail] for mail in sorted(found))
