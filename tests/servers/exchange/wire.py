"""Names, building blocks and errors of EWS messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element
Content: TypeAlias = "Element | str | int | bool | datetime | Iterable[Element | None] | None"

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
_MAP = {"s": SOAP, "m": MESSAGES, "t": TYPES}
_SPACES = {**_MAP, "e": ERRORS}

BUILD = {"MajorVersion": "15", "MinorVersion": "2", "MajorBuildNumber": "1544", "MinorBuildNumber": "4"}
"""Exchange Server 2019, as its answers name it; the schema version is one that no client knows by heart."""


class EwsError(Exception):
    """One answer of a response says no.

    :param code: ResponseCode of MS-OXWSCDATA, such as ``ErrorItemNotFound``.
    :param values: goes into MessageXml, such as BackOffMilliseconds.
    """

    def __init__(self, code: str, text: str = "", **values: str) -> None:
        self.code = code
        self.text = text or f"{code}."
        self.values = values
        super().__init__(f"{code}: {self.text}")


class Fault(EwsError):
    """The whole request is refused: HTTP 500 with a SOAP fault."""


@cache
def name(prefixed: str) -> str:
    """``t:Subject`` in lxml's notation."""
    prefix, _, local = prefixed.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"


def text_of(value: str | int | bool | datetime) -> str:
    """A value as XML Schema writes it; instants in UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def node(prefixed: str, *content: Content, **attributes: str | int | bool | datetime) -> Element:
    """An element; contents that are None are left out, elements appended, the rest becomes text."""
    made = etree.Element(name(prefixed), nsmap=_MAP)
    for key, value in attributes.items():
        made.set(key, text_of(value))
    for part in content:
        if part is None:
            continue
        if isinstance(part, etree._Element):
            made.append(part)
        elif isinstance(part, (str, int, bool, datetime)):
            made.text = text_of(part)
        else:
            made.extend(one for one in part if one is not None)
    return made


def t(local: str, *content: Content, **attributes: str | int | bool | datetime) -> Element:
    """An element of the types namespace."""
    return node(f"t:{local}", *content, **attributes)


def m(local: str, *content: Content, **attributes: str | int | bool | datetime) -> Element:
    """An element of the messages namespace."""
    return node(f"m:{local}", *content, **attributes)


def local(element: Element) -> str:
    """Its name without the namespace."""
    return etree.QName(element).localname


def children(element: Element) -> Iterator[Element]:
    """Child elements, without comments."""
    return (child for child in element if isinstance(child.tag, str))


def child(element: Element | None, path: str) -> Element | None:
    """The first descendant at *path*, such as ``m:ItemShape/t:BaseShape``."""
    for step in path.split("/"):
        if element is None:
            return None
        element = element.find(name(step))
    return element


def value(element: Element | None, path: str, default: str = "") -> str:
    """Text at *path*."""
    found = child(element, path)
    return default if found is None or found.text is None else found.text


def reply(operation: str, messages: Iterable[Element], tag: str | None = None) -> Element:
    """The usual answer: a list of response messages."""
    return m(f"{tag or operation}Response", m("ResponseMessages", messages))


def success(operation: str, *content: Content, **attributes: str) -> Element:
    """A response message that says yes."""
    made = m(f"{operation}ResponseMessage", m("ResponseCode", "NoError"), ResponseClass="Success", **attributes)
    for part in content:
        if isinstance(part, etree._Element):
            made.append(part)
    return made


def failure(operation: str, error: EwsError, *content: Element) -> Element:
    """A response message that says no, with what the schema wants in it all the same."""
    made = m(f"{operation}ResponseMessage", error_parts(error), ResponseClass="Error")
    made.extend(content)
    return made


def error_parts(error: EwsError) -> list[Element]:
    """MessageText, ResponseCode, DescriptiveLinkKey and MessageXml."""
    parts = [m("MessageText", error.text), m("ResponseCode", error.code), m("DescriptiveLinkKey", 0)]
    if error.values:
        parts.append(m("MessageXml", [t("Value", text, Name=key) for key, text in error.values.items()]))
    return parts


def envelope(body: Element, header: bool = True) -> bytes:
    """A whole message, with the server's version in its header."""
    version = t("ServerVersionInfo", **BUILD, Version="V2017_07_11") if header else None
    whole = node("s:Envelope", node("s:Header", version) if header else None, node("s:Body", body))
    return etree.tostring(whole, xml_declaration=True, encoding="utf-8")


def fault(error: EwsError) -> Element:
    """A SOAP 1.1 fault as Exchange words it."""
    prefix = "a" if error.code.startswith("Error") else "s"
    made = node("s:Fault")
    code = etree.SubElement(made, "faultcode", nsmap={"a": TYPES} if prefix == "a" else {})
    code.text = f"{prefix}:{error.code}" if prefix == "a" else "s:Client"
    words = etree.SubElement(made, "faultstring")
    words.text = error.text
    words.set("{http://www.w3.org/XML/1998/namespace}lang", "en-US")
    detail = etree.SubElement(made, "detail")
    for tag, text in (("e:ResponseCode", error.code), ("e:Message", error.text)):
        detail.append(node(tag, text))
    if error.values:
        detail.append(t("MessageXml", [t("Value", text, Name=key) for key, text in error.values.items()]))
    return made
