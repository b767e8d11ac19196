"""Who is in a group of the tenant, which rooms there are, and what items of an Exchange server are called here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from syncd.adapters.graph.client import Client
from syncd.adapters.graph.rounds import user
from syncd.errors import AccessDenied, CalendarError, CalendarNotFound, Rejected
from syncd.model.delta import GroupKey
from syncd.model.directory import ListedRoom
from syncd.ports import Member

T = TypeVar("T")

MOST = "999"
"""The longest page of directory objects."""
PAGES = 200
AT_ONCE = 1000
"""Ids in one translateExchangeIds."""
PERSON = "#microsoft.graph.user"


class Named(msgspec.Struct):
    """A group."""

    id: str


class Thing(msgspec.Struct, rename="camel"):
    """A member of a group, as far as we are told of it."""

    id: str
    kind: str = msgspec.field(default="", name="@odata.type")
    display_name: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None


class Place(msgspec.Struct, rename="camel"):
    """A room of Places; names differ between the documents and the service, so everything may be missing."""

    email_address: str | None = None
    display_name: str | None = None
    capacity: int | None = None
    building: str | None = None
    floor_number: int | None = None
    is_wheel_chair_accessible: bool | None = None
    booking_type: str | None = None
    tags: list[str] | None = None
    audio_device_name: str | None = None
    video_device_name: str | None = None
    display_device_name: str | None = None


class Converted(msgspec.Struct, rename="camel"):
    """An id of before and of now."""

    source_id: str | None = None
    target_id: str | None = None


class Page(msgspec.Struct, Generic[T]):
    """A part of a listing, and where it goes on."""

    value: list[T]
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")


_THINGS = msgspec.json.Decoder(Page[Thing])
_PLACES = msgspec.json.Decoder(Page[Place])
_GROUPS = msgspec.json.Decoder(Page[Named])
_CONVERTED = msgspec.json.Decoder(Page[Converted])


def expand(client: Client, address: str) -> tuple[Member, ...]:
    """See `syncd.ports.GroupSource.expand_group`; guests and closed accounts carry the reason why they are left out.

    :raises AccessDenied: the group can be read, but not who the people in it are.
    """
    group = _group(client, address)
    asked = {"$select": "id,displayName,mail,userPrincipalName,accountEnabled,userType", "$top": MOST}
    # Without a cast to user: that one is answered from an index which may lag behind.
    found = _listed(client, address, f"/groups/{quote(group, safe='')}/transitiveMembers", _THINGS, asked)
    people = [one for one in found if one.kind in (PERSON, "")]
    if any(one.display_name is None and one.user_principal_name is None for one in people):
        raise AccessDenied(
            f"{client.host} names the people in {address} by number only: the application lacks User.Read.All. "
            "Everybody known of the group stays."
        )
    told = {member.address: member for one in people if (member := _member(one)) is not None}
    return tuple(told[mail] for mail in sorted(told))


def listed_rooms(client: Client) -> tuple[ListedRoom, ...]:
    """See `syncd.ports.RoomSource.listed_rooms`: all rooms of Places that can be booked ahead."""
    try:
        places = _listed(client, "the rooms", "/places/microsoft.graph.room", _PLACES, {"$top": "100"})
    except AccessDenied as error:
        raise AccessDenied(
            f"{client.host} does not show its rooms: the application lacks Place.Read.All, which only the tenant can "
            "give. Without it keep the rooms in rooms_file."
        ) from error
    except (CalendarNotFound, Rejected) as error:
        raise Rejected(f"{client.host} has no Places (some clouds have none); keep the rooms in rooms_file.") from error
    rooms = {one.email_address.lower(): one for one in places if one.email_address and one.booking_type != "reserved"}
    return tuple(_room(mail, rooms[mail]) for mail in sorted(rooms))


def translated(client: Client, mailbox: str, keys: Collection[GroupKey]) -> Mapping[GroupKey, GroupKey]:
    """See `syncd.ports.Translating.translated` (POST translateExchangeIds, ewsId to restImmutableEntryId)."""
    found: dict[GroupKey, GroupKey] = {}
    rest = list(keys)
    try:
        for at in range(0, len(rest), AT_ONCE):
            body = {
                "inputIds": rest[at : at + AT_ONCE],
                "sourceIdType": "ewsId",
                "targetIdType": "restImmutableEntryId",
            }
            said = client.ask("POST", f"{user(mailbox)}/translateExchangeIds", mailbox, body=body)
            some = client.decoded(_CONVERTED, said, mailbox).value
            found |= {one.source_id: one.target_id for one in some if one.source_id and one.target_id}
    except CalendarError:
        return found  # times and stamps tell, too
    return found


def _group(client: Client, address: str) -> str:
    """The id of the group with a mail address.

    :raises CalendarNotFound: there is none, or more than one.
    """
    wanted = address.replace("'", "''")
    found = _listed(client, address, "/groups", _GROUPS, {"$filter": f"mail eq '{wanted}'", "$select": "id"})
    if len(found) != 1:
        raise CalendarNotFound(
            f"{client.host} knows {len(found)} groups with the address {address}. Is it right? "
            f"Get-Recipient {address} | Format-List PrimarySmtpAddress,RecipientTypeDetails"
        )
    return found[0].id


def _member(one: Thing) -> Member | None:
    """None for an account that never had a mailbox, such as a service account."""
    if not one.mail:
        return None
    guest = one.user_type == "Guest"
    reason = "a guest" if guest else "the account is disabled" if one.account_enabled is False else ""
    return Member(one.mail.lower(), one.display_name or one.mail, reason)


def _room(mail: str, place: Place) -> ListedRoom:
    devices = {
        "screen": place.display_device_name,
        "video": place.video_device_name,
        "audio": place.audio_device_name,
    }
    words = [word for word, device in devices.items() if device] + [tag.lower() for tag in place.tags or ()]
    return ListedRoom(
        mail,
        place.display_name or mail,
        capacity=place.capacity,
        floor=place.floor_number,
        step_free=place.is_wheel_chair_accessible,
        building=place.building or "",
        features=tuple(dict.fromkeys(word.strip().replace(" ", "-") for word in words)),
    )


def _listed(
    client: Client, about: str, path: str, decoder: msgspec.json.Decoder[Page[T]], params: Mapping[str, str]
) -> list[T]:
    """All pages of a listing.

    :raises Rejected: it does not come to an end.
    """
    page = client.read(path, about, decoder, params=params)
    rows = [*page.value]
    for _ in range(PAGES):
        if page.next is None:
            return rows
        page = client.read(page.next, about, decoder)
        rows += page.value
    raise Rejected(f"{client.host} does not come to the end of {about}.")
