"""The mailbox's own list of categories (CategoryList, [MS-OXOCFG] 2.2.5.1): Outlook offers what is in it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection
from uuid import uuid4

from lxml import etree

from syncd.adapters.ews import soap
from syncd.adapters.ews.answer import M, T, text
from syncd.adapters.ews.client import Client
from syncd.adapters.ews.faults import ABSENT
from syncd.errors import Rejected
from syncd.model.marks import folded

SPACE = "CategoryList.xsd"
COLOURS = (4, 7, 0)
"""Green, blue and red: what opens time, what asks for a room, what records an absence."""
NEVER = "1601-01-01T00:00:00.000"
_EMPTY = f'<?xml version="1.0"?><categories default="" lastSavedSession="0" lastSavedTime="{NEVER}" xmlns="{SPACE}"/>'


def prepare(client: Client, mailbox: str, categories: Collection[str]) -> tuple[str, ...]:
    """See `syncd.ports.Preparing.prepare`.

    :raises Rejected: the list that is there cannot be understood; it was left as it is.
    """
    held = _held(client, mailbox)
    data, added = with_categories(held if held is not None else _EMPTY.encode(), categories)
    if added:
        encoded = b64encode(data).decode()
        write = soap.create_category_list if held is None else soap.update_category_list
        client.message(write(mailbox, encoded), mailbox, wrote=True)
    return added


def with_categories(data: bytes, categories: Collection[str]) -> tuple[bytes, tuple[str, ...]]:
    """The list *data* with those of *categories* that it lacks, whatever their case; and which those are.

    :raises Rejected: *data* is no list of categories.
    """
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Rejected("The list of categories cannot be understood; it was left as it is.") from error
    if root.tag != f"{{{SPACE}}}categories":
        raise Rejected("The list of categories cannot be understood; it was left as it is.")
    there = {folded(one.get("name", "")) for one in root}
    added = tuple(name for name in categories if folded(name) not in there)
    for name, colour in zip(added, COLOURS * len(added), strict=False):
        root.append(_category(name, colour))
    return etree.tostring(root, xml_declaration=True, encoding="utf-8"), added


def _category(name: str, colour: int) -> etree._Element:
    times = dict.fromkeys((f"lastTimeUsed{part}" for part in ("", "Calendar", "Mail", "Notes", "Tasks")), NEVER)
    made = etree.Element(f"{{{SPACE}}}category")
    values = {"name": name, "color": str(colour), "keyboardShortcut": "0", "usageCount": "0", **times}
    for key, value in (values | {"lastSessionUsed": "0", "guid": f"{{{uuid4()}}}".upper()}).items():
        made.set(key, value)
    return made


def _held(client: Client, mailbox: str) -> bytes | None:
    """The list as it stands; None when the owner never had one."""
    [message] = client.ask(soap.get_category_list(mailbox), mailbox).messages
    if message.problem is not None:
        if message.problem.code in ABSENT:
            return None
        client.fail(message.problem, mailbox)
    data = text(next(message.element.iter(f"{M}UserConfiguration"), None), f"{T}XmlData")
    return b64decode(data) if data else None
