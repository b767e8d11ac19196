"""Messages as XML: read strictly from elements, written as text, both against the published schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import msgspec
from lxml import etree

from syncd.web.jobnet.messages import Message
from syncd.web.jobnet.xsd import Part

M = TypeVar("M", bound=Message)


class NotTheSchema(ValueError):
    """A document is not as the schema says; the text names the part and the rule, never a value."""


def parse(body: bytes) -> etree._Element:
    """The root of a document, without a document type, entities or a network.

    :raises NotTheSchema: it is not XML, or has a document type.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,  # a comment may not part a number
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        place = error.position if isinstance(error, etree.XMLSyntaxError) else (0, 0)
        raise NotTheSchema(f"it is not well-formed XML (line {place[0]})") from None
    info = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise NotTheSchema("a document type (DTD) is not taken")
    return root


class Xml:
    """Reads and writes the messages of one namespace.

    :param schema: the XSD as text.
    """

    def __init__(self, namespace: str, parts: Mapping[type[Message], tuple[Part, ...]], schema: str) -> None:
        self._namespace = namespace
        self._parts = parts
        self._schema = etree.XMLSchema(etree.fromstring(schema.encode()))

    def valid(self, element: etree._Element) -> None:
        """:raises NotTheSchema: the element violates the schema."""
        alone = etree.ElementTree(element) if element.getparent() is None else _copied(element)
        if self._schema.validate(alone):
            return
        raise NotTheSchema(_first(self._schema.error_log))

    def read(self, message: type[M], element: etree._Element) -> M:
        """The message in a valid element.

        :raises NotTheSchema: a value is beyond what we can know, such as a year of five digits.
        """
        try:
            return msgspec.convert(self._values(message, element), type=message)
        except (ValueError, OverflowError) as error:
            raise NotTheSchema("a number or a time is out of range") from error

    def written(self, message: Message, name: str) -> bytes:
        """The element *name* with a message, parsed again and validated as the other side will.

        :raises msgspec.ValidationError: it would violate what we publish.
        """
        inside = "".join(self._texts(message))
        text = f'<{name} xmlns="{self._namespace}">{inside}</{name}>'.encode()
        try:
            self.valid(etree.fromstring(text, etree.XMLParser(huge_tree=True, resolve_entities=False)))
        except (NotTheSchema, etree.XMLSyntaxError) as error:
            raise msgspec.ValidationError(str(error)) from None
        return text

    def _values(self, message: type[Message], element: etree._Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for part in self._parts[message]:
            child = element.find(f"{{{self._namespace}}}{part.name}")
            if child is None:
                continue
            if part.kind.many:
                found[part.field] = [self._value(part, one) for one in child.iterchildren(tag=etree.Element)]
            else:
                found[part.field] = self._value(part, child)
        return found

    def _value(self, part: Part, element: etree._Element) -> Any:
        base = part.kind.base
        if issubclass(base, Message):
            return self._values(base, element)
        text = "".join(element.itertext(with_tail=False))
        return text if base is str else _plain(base, text.strip())

    def _texts(self, message: Message) -> Iterator[str]:
        for part in self._parts[_base(message)]:
            value = getattr(message, part.field)
            if value is None:
                continue
            if part.kind.many:
                items = "".join(f"<{part.item}>{self._text(one)}</{part.item}>" for one in value)
                yield f"<{part.name}>{items}</{part.name}>"
            else:
                yield f"<{part.name}>{self._text(value)}</{part.name}>"

    def _text(self, value: Any) -> str:
        if isinstance(value, Message):
            return "".join(self._texts(value))
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime | date):
            return value.isoformat()
        return escape(str(value))


def _base(message: Message) -> type[Message]:
    return type(message)


def _plain(base: type, text: str) -> Any:
    if base is int:
        return int(text)
    if base is bool:
        return text in ("true", "1")
    if base is datetime:
        return datetime.fromisoformat(text)
    return date.fromisoformat(text[:10])  # xs:date may carry a zone, which says nothing about a day


def _copied(element: etree._Element) -> etree._ElementTree:
    """The element as a document of its own: a schema validates whole documents."""
    return etree.ElementTree(etree.fromstring(etree.tostring(element, with_tail=False)))


def _first(errors: Any) -> str:
    """The first thing that is wrong: where, and by which rule; values are left out, they may be a citizen's."""
    error = errors[0]
    where = "/".join(part.rpartition(":")[2] for part in (error.path or "").strip("/").split("/"))
    rule = error.type_name.removeprefix("SCHEMAV_").removeprefix("CVC_").replace("_", " ").lower()
    return f"{where or 'the message'} ({rule})"
