"""Operations on people and rooms: names, groups, room lists, time zones, ids and per-mailbox settings."""

from __future__ import annotations

from typing import Any

from tests.servers.exchange.ids import folder_id
from tests.servers.exchange.model import Address
from tests.servers.exchange.request import Request
from tests.servers.exchange.wire import (
    Element,
    EwsError,
    child,
    children,
    error_parts,
    failure,
    m,
    reply,
    success,
    t,
    value,
)
from tests.servers.exchange.world import World
from tests.servers.exchange.zones import ZONES, definition

_PARTS = ("Dictionary", "XmlData", "BinaryData")


def _address(tag: str, who: Address, kind: str = "Mailbox") -> Element:
    names = [t("Name", who.name), t("EmailAddress", who.email), t("RoutingType", "SMTP"), t("MailboxType", kind)]
    return t(tag, names)


def resolve_names(request: Request) -> Element:
    """ResolveNames: every mailbox or group whose name or address begins like the entry."""
    asked = value(request.element, "m:UnresolvedEntry").lower().removeprefix("smtp:")
    found = [(who, "Mailbox") for who in _people(request.world) if _fits(who, asked)]
    found += [(who, "PublicDL") for who, _ in request.world.groups.values() if _fits(who, asked)]
    if not found:
        error = EwsError("ErrorNameResolutionNoResults", "No results were found.")
        return reply(request.operation, [failure(request.operation, error)])
    full = request.element.get("ReturnFullContactData") in ("true", "1")
    rows = [t("Resolution", _address("Mailbox", who, kind), _contact(who, full)) for who, kind in found[:100]]
    total = {"TotalItemsInView": str(len(rows)), "IncludesLastItemInRange": "true"}
    answer = success(request.operation, m("ResolutionSet", rows, **total))
    if len(rows) > 1:
        answer = m(f"{request.operation}ResponseMessage", ResponseClass="Warning")
        error = EwsError("ErrorNameResolutionMultipleResults", "Multiple results were found.")
        answer.extend([*error_parts(error), m("ResolutionSet", rows, **total)])
    return reply(request.operation, [answer])


def _contact(who: Address, full: bool) -> Element | None:
    return t("Contact", t("DisplayName", who.name)) if full else None


def _people(world: World) -> list[Address]:
    return [box.address for box in world.boxes.values()]


def _fits(who: Address, asked: str) -> bool:
    words = [who.email.lower(), who.name.lower(), *who.name.lower().split()]
    return any(word.startswith(asked) for word in words)


def expand_dl(request: Request) -> Element:
    """ExpandDL: members of a group, one level deep."""
    asked = value(request.element, "m:Mailbox/t:EmailAddress").lower()
    group = request.world.groups.get(asked)
    if group is None:
        error = EwsError("ErrorNameResolutionNoResults", "No results were found.")
        return reply(request.operation, [failure(request.operation, error)])
    rows = []
    for email in group[1]:
        inner = request.world.groups.get(email.lower())
        who = inner[0] if inner else request.world.named(email)
        rows.append(_address("Mailbox", who, "PublicDL" if inner else "Mailbox"))
    total = {"TotalItemsInView": str(len(rows)), "IncludesLastItemInRange": "true"}
    return reply(request.operation, [success(request.operation, m("DLExpansion", rows, **total))])


def get_room_lists(request: Request) -> Element:
    """GetRoomLists."""
    lists = [_address("Address", who, "PublicDL") for who, _ in request.world.room_lists.values()]
    return m("GetRoomListsResponse", m("ResponseCode", "NoError"), m("RoomLists", lists), ResponseClass="Success")


def get_rooms(request: Request) -> Element:
    """GetRooms: members of one room list that are rooms."""
    asked = value(request.element, "m:RoomList/t:EmailAddress").lower()
    found = request.world.room_lists.get(asked)
    if found is None:
        error = EwsError("ErrorNameResolutionNoResults", "The room list does not exist.")
        return m("GetRoomsResponse", error_parts(error), ResponseClass="Error")
    boxes = [box for email in found[1] if (box := request.world.find(email))]
    rows = [t("Room", _address("Id", box.address)) for box in boxes if box.policy is not None]
    return m("GetRoomsResponse", m("ResponseCode", "NoError"), m("Rooms", rows), ResponseClass="Success")


def get_server_time_zones(request: Request) -> Element:
    """GetServerTimeZones."""
    asked = child(request.element, "m:Ids")
    names = [one.text or "" for one in children(asked)] if asked is not None else list(ZONES)
    full = request.element.get("ReturnFullTimeZoneData") != "false"
    year = request.world.now().year
    rows = [definition(name, year, full) for name in names if name in ZONES]
    if not rows:
        error = EwsError("ErrorTimeZone", "The time zones are unknown.")
        return reply(request.operation, [failure(request.operation, error, m("TimeZoneDefinitions"))])
    return reply(request.operation, [success(request.operation, m("TimeZoneDefinitions", rows))])


def convert_id(request: Request) -> Element:
    """ConvertId: ids come back as they are; clients ask it to learn the server's version."""
    holder = child(request.element, "m:SourceIds")
    assert holder is not None
    messages = []
    for one in children(holder):
        wanted, text = request.element.get("DestinationFormat") or "EwsId", one.get("Id") or ""
        if not text.startswith("AAMk"):
            error = EwsError("ErrorInvalidIdMalformed", "Id is malformed.")
            messages.append(failure(request.operation, error))
            continue
        made = m("AlternateId", Format=wanted, Id=text, Mailbox=one.get("Mailbox") or "")
        made.set("{http://www.w3.org/2001/XMLSchema-instance}type", "t:AlternateIdType")
        messages.append(success(request.operation, made))
    return reply(request.operation, messages)


def _named(request: Request, path: str) -> tuple[Any, str, str]:
    """Mailbox, folder and name of a UserConfigurationName."""
    element = child(request.element, path)
    assert element is not None
    box, folder = request.folder(next(children(element)))
    return box, folder, element.get("Name") or ""


def get_user_configuration(request: Request) -> Element:
    """GetUserConfiguration, such as the category list in the calendar folder."""
    box, folder, name = _named(request, "m:UserConfigurationName")
    stored = box.configurations.get((folder, name))
    if stored is None:
        raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
    wanted = value(request.element, "m:UserConfigurationProperties").split()
    title = t("UserConfigurationName", t("FolderId", Id=folder_id(box.mark, folder)), Name=name)
    parts = [t(part, stored[part]) for part in _PARTS[1:] if part in stored and {"All", part} & set(wanted)]
    if {"All", "Dictionary"} & set(wanted):
        parts.insert(0, t("Dictionary"))
    return reply(request.operation, [success(request.operation, m("UserConfiguration", title, parts))])


def update_user_configuration(request: Request) -> Element:
    """UpdateUserConfiguration: what is named replaces what was there."""
    box, folder, name = _named(request, "m:UserConfiguration/t:UserConfigurationName")
    if (folder, name) not in box.configurations:
        raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
    return _store(request, box, folder, name)


def create_user_configuration(request: Request) -> Element:
    """CreateUserConfiguration."""
    box, folder, name = _named(request, "m:UserConfiguration/t:UserConfigurationName")
    if (folder, name) in box.configurations:
        raise EwsError("ErrorItemSave", "An object with that name exists already.")
    return _store(request, box, folder, name)


def _store(request: Request, box: Any, folder: str, name: str) -> Element:
    stored = box.configurations.setdefault((folder, name), {})
    for part in _PARTS[1:]:
        if (found := child(request.element, f"m:UserConfiguration/t:{part}")) is not None:
            stored[part] = found.text or ""
    return reply(request.operation, [success(request.operation)])
