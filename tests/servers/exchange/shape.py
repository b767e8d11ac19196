"""What a request wants to see of an item, and the parts that answers are made of."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.servers.exchange.ids import foreign_goid
from tests.servers.exchange.model import Address, Attendee, ExtendedKey, Sight
from tests.servers.exchange.wire import Element, child, children, local, t, value
from tests.servers.exchange.world import Mailbox, World

ROLES = ("RequiredAttendees", "OptionalAttendees", "Resources")
GOID = ("6ed8da90-450b-101b-98da-00aa003f1305", "3", "Binary")
CLEAN_GOID = ("6ed8da90-450b-101b-98da-00aa003f1305", "35", "Binary")
PROPERTY_SETS = {
    "Meeting": "6ed8da90-450b-101b-98da-00aa003f1305",
    "Appointment": "00062002-0000-0000-c000-000000000046",
    "Common": "00062008-0000-0000-c000-000000000046",
    "PublicStrings": "00020329-0000-0000-c000-000000000046",
    "Address": "00062004-0000-0000-c000-000000000046",
    "InternetHeaders": "00020386-0000-0000-c000-000000000046",
    "CalendarAssistant": "11000e07-b51b-40d6-af21-caa85edab1d0",
    "UnifiedMessaging": "4442858e-a9e3-4e80-b900-317a210cc15b",
    "Task": "00062003-0000-0000-c000-000000000046",
}


@dataclass
class Shape:
    """What a request wants to see.

    :param summary: FindItem and SyncFolderItems know less of an item than GetItem.
    :param strange_zones: name time zones as odd clients leave them behind.
    :param plans: what that comes to for each kind of item, once worked out.
    """

    base: str = "IdOnly"
    fields: frozenset[str] = frozenset()
    extended: tuple[Element, ...] = ()
    body_type: str = "Best"
    summary: bool = False
    strange_zones: str = ""
    plans: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, element: Element | None, summary: bool = False) -> Shape:
        """Read m:ItemShape."""
        if element is None:
            return cls(summary=summary)
        wanted = child(element, "t:AdditionalProperties")
        paths = [] if wanted is None else list(children(wanted))
        return cls(
            value(element, "t:BaseShape", "IdOnly"),
            frozenset(str(path.get("FieldURI")) for path in paths if local(path) == "FieldURI"),
            tuple(path for path in paths if local(path) == "ExtendedFieldURI"),
            value(element, "t:BodyType", "Best"),
            summary,
        )

    def wants(self, uri: str, default: bool) -> bool:
        """Whether a property is to be shown."""
        return uri in self.fields or self.base == "AllProperties" or (self.base == "Default" and default)


@dataclass
class Look:
    """One item being shown."""

    world: World
    box: Mailbox
    sight: Sight
    shape: Shape

    def get(self, key: str, default: Any = None) -> Any:
        return self.sight.values.get(key, default)


def extended_key(path: Element) -> ExtendedKey:
    """What an ExtendedFieldURI names."""
    kind = path.get("PropertyType") or ""
    if tag := path.get("PropertyTag"):
        return (hex(int(tag, 0)), "", kind)
    group = path.get("PropertySetId") or PROPERTY_SETS.get(path.get("DistinguishedPropertySetId") or "", "?")
    title = path.get("PropertyName")
    return (group.lower(), title if title is not None else str(int(path.get("PropertyId") or "0", 0)), kind)


def extended_value(sight: Sight, key: ExtendedKey) -> Any:
    """Value of an extended property; GlobalObjectId follows from the UID."""
    if key in (GOID, CLEAN_GOID) and sight.values.get("UID"):
        return b64encode(foreign_goid(str(sight.values["UID"]))).decode()
    return sight.extended.get(key)


def extended_property(path: Element, content: Any) -> Element:
    """One t:ExtendedProperty."""
    attributes = {str(key): str(text) for key, text in path.attrib.items()}
    if isinstance(content, (list, tuple)):
        inner = t("Values", [t("Value", one) for one in content])
    else:
        inner = t("Value", content)
    return t("ExtendedProperty", t("ExtendedFieldURI", **attributes), inner)


def mailbox(address: Address, bare: bool = False) -> Element:
    """One t:Mailbox; FindItem does not look addresses up, it shows the name alone."""
    if bare:
        return t("Mailbox", t("Name", address.name))
    parts = [t("Name", address.name), t("EmailAddress", address.email), t("RoutingType", "SMTP")]
    return t("Mailbox", parts, t("MailboxType", address.kind))


def attendees(everybody: Iterable[Attendee], role: str) -> Element | None:
    """One of the three lists."""
    rows = [
        t(
            "Attendee",
            mailbox(one.address),
            t("ResponseType", one.response),
            t("LastResponseTime", one.replied) if one.replied else None,
        )
        for one in everybody
        if one.role == role
    ]
    return t(role, rows) if rows else None


def item_id(look: Look) -> Element:
    key = look.world.key(look.box, look.sight)
    return t("ItemId", Id=key.text(), ChangeKey=look.world.version_text(look.sight.entry))
