"""The XML schema of the SOAP generation, made from the messages and their names."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from syncd.web.jobnet.messages import MESSAGES, Message
from syncd.web.jobnet.names import ITEMS, OPEN_ENDED, SOAP_REQUIRED

XS = "http://www.w3.org/2001/XMLSchema"
_BASES: Mapping[type, str] = {
    str: "xs:string",
    int: "xs:int",
    bool: "xs:boolean",
    datetime: "xs:dateTime",
    date: "xs:date",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field holds.

    :param base: a plain type or a message. :param limits: constraints on it. :param many: it is a collection of those.
    :param least: fewest items.
    """

    base: type
    limits: tuple[msgspec.Meta, ...] = ()
    many: bool = False
    least: int = 0


def kind_of(annotation: Any) -> Kind:
    """What an annotation of a message's field means."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = kind_of(inside[0])
        metas = tuple(one for one in inside[1:] if isinstance(one, msgspec.Meta))
        if inner.many:
            return Kind(inner.base, inner.limits, many=True, least=max(one.min_length or 0 for one in metas))
        return Kind(inner.base, (*inner.limits, *metas))
    if origin in (Union, types.UnionType):
        return kind_of(next(part for part in inside if part is not type(None)))
    if origin is list:
        item = kind_of(inside[0])
        return Kind(item.base, item.limits, many=True)
    return Kind(annotation)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a message in XML.

    :param item: what one of a collection is called; empty for a single value.
    """

    field: str
    name: str
    kind: Kind
    required: bool
    item: str = ""


def parts_of(names: Mapping[str, str]) -> dict[type[Message], tuple[Part, ...]]:
    """Every message's fields in their order, as far as the generation has them.

    :param names: by message and field.
    """
    return {message: tuple(_parts(message, names)) for message in MESSAGES}


def _parts(message: type[Message], names: Mapping[str, str]) -> Iterator[Part]:
    for field in msgspec.structs.fields(message):
        key = f"{message.__name__}.{field.name}"
        if (name := names.get(key)) is None:
            continue
        kind = kind_of(field.type)
        item = ITEMS[key][0] if kind.many else ""
        yield Part(field.name, name, kind, field.required or key in SOAP_REQUIRED, item)


def schema(namespace: str, parts: Mapping[type[Message], tuple[Part, ...]], elements: Mapping[str, str]) -> str:
    """The XSD text.

    :param elements: names of top-level elements, each with the message it holds.
    """
    used = {message for message in parts if parts[message] or message.__name__ in elements.values()}
    lines = [
        (
            f'<xs:schema xmlns:xs="{XS}" xmlns:t="{namespace}" targetNamespace="{namespace}" '
            'elementFormDefault="qualified">'
        ),
        *(f'  <xs:element name="{name}" type="t:{message}"/>' for name, message in elements.items()),
    ]
    for message in MESSAGES:
        if message in used:
            lines += _complex(message, parts[message])
    return "\n".join([*lines, "</xs:schema>", ""])


def _complex(message: type[Message], parts: tuple[Part, ...]) -> Iterator[str]:
    yield f'  <xs:complexType name="{message.__name__}">'
    yield "    <xs:sequence>"
    for part in parts:
        least = "" if part.required else ' minOccurs="0"'
        if part.kind.many:
            yield f'      <xs:element name="{part.name}"{least}><xs:complexType><xs:sequence>'
            occurs = f' minOccurs="{part.kind.least}" maxOccurs="unbounded"'
            yield from _element(part.item, part.kind, occurs)
            yield "      </xs:sequence></xs:complexType></xs:element>"
        else:
            yield from _element(part.name, part.kind, least)
    if message.__name__ in OPEN_ENDED:
        yield '      <xs:any minOccurs="0" maxOccurs="unbounded" processContents="skip"/>'
    yield "    </xs:sequence>"
    yield "  </xs:complexType>"


def _element(name: str, kind: Kind, occurs: str) -> Iterator[str]:
    if issubclass(kind.base, Message):
        yield f'      <xs:element name="{name}" type="t:{kind.base.__name__}"{occurs}/>'
        return
    facets = list(_facets(kind))
    if not facets:
        yield f'      <xs:element name="{name}" type="{_BASES[kind.base]}"{occurs}/>'
        return
    yield f'      <xs:element name="{name}"{occurs}><xs:simpleType><xs:restriction base="{_BASES[kind.base]}">'
    yield "        " + "".join(facets)
    yield "      </xs:restriction></xs:simpleType></xs:element>"


def _facets(kind: Kind) -> Iterator[str]:
    for meta in kind.limits:
        if meta.pattern is not None:
            # XML Schema anchors patterns by itself.
            yield f'<xs:pattern value="{meta.pattern.removeprefix("^").removesuffix("$")}"/>'
        if meta.ge is not None:
            yield f'<xs:minInclusive value="{meta.ge}"/>'
        if meta.le is not None:
            yield f'<xs:maxInclusive value="{meta.le}"/>'
        if meta.min_length is not None:
            yield f'<xs:minLength value="{meta.min_length}"/>'
        if meta.max_length is not None:
            yield f'<xs:maxLength value="{meta.max_length}"/>'
