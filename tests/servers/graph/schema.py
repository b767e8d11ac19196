"""A JSON Schema derived from Microsoft's published metadata (CSDL), as judge of both directions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from lxml import etree

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
ROOTS = (
    "event",
    "room",
    "roomList",
    "scheduleInformation",
    "user",
    "group",
    "dateTimeTimeZone",
    "convertIdResult",
    "subscription",
)
NAVIGATED = ("singleValueExtendedProperties", "exceptionOccurrences")
"""Other entities that may stand inside; all others lead through half of Graph, and nobody here writes them."""
_PLAIN: dict[str, Any] = {
    "Edm.String": {"type": "string"},
    "Edm.Boolean": {"type": "boolean"},
    "Edm.DateTimeOffset": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
    "Edm.Date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "Edm.TimeOfDay": {"type": "string"},
    "Edm.Duration": {"type": "string"},
    "Edm.Guid": {"type": "string"},
    "Edm.Binary": {"type": "string"},
    "Edm.Stream": {"type": "string"},
    "Edm.Double": {"type": "number"},
    "Edm.Single": {"type": "number"},
    "Edm.Decimal": {"type": "number"},
    **{name: {"type": "integer"} for name in ("Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte")},
}


def derived(metadata: Path) -> dict[str, Any]:
    """The definitions of `ROOTS` and all they refer to; no property beside those of the metadata is allowed."""
    schemas = etree.parse(metadata).getroot().iter(f"{_EDM}Schema")
    own = next(one for one in schemas if one.get("Namespace") == "microsoft.graph")
    kinds = (f"{_EDM}EntityType", f"{_EDM}ComplexType", f"{_EDM}EnumType")
    types = {one.get("Name") or "": one for one in own if one.tag in kinds}
    definitions: dict[str, Any] = {}
    wanted = list(ROOTS)
    while wanted:
        name = wanted.pop()
        if name in definitions or name not in types:
            continue
        definitions[name] = _enum(types[name]) if types[name].tag == f"{_EDM}EnumType" else _object(types, name, wanted)
    return definitions


def _enum(element: Any) -> dict[str, Any]:
    return {"enum": [one.get("Name") for one in element.iter(f"{_EDM}Member")]}


def _object(types: dict[str, Any], name: str, wanted: list[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    current: str | None = name
    while current:
        element = types[current]
        for one in element:
            if one.tag == f"{_EDM}Property" or one.get("Name") in NAVIGATED:
                properties[one.get("Name")] = _kind(one.get("Type"), one.get("Nullable") != "false", wanted)
        current = (element.get("BaseType") or "").rpartition(".")[2] or None
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {"@odata\\.": True, "^@removed$": {"type": "object"}},
        "additionalProperties": False,
    }


def _kind(text: str, nullable: bool, wanted: list[str]) -> dict[str, Any]:
    if text.startswith("Collection("):
        return {"type": "array", "items": _kind(text[11:-1], True, wanted)}
    if text in _PLAIN:
        found = _PLAIN[text]
    elif text.startswith("graph."):
        wanted.append(text[6:])
        found = {"$ref": f"#/$defs/{text[6:]}"}
    else:
        raise ValueError(f"the metadata has a type that is not known here: {text}")
    return {"anyOf": [found, {"type": "null"}]} if nullable else found


@cache
def _judges(metadata: Path) -> dict[str, Any]:
    definitions = derived(metadata)
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {
        name: jsonschema_rs.validator_for({"$schema": draft, "$ref": f"#/$defs/{name}", "$defs": definitions})
        for name in ROOTS
    }


class Validator:
    """Collects what is not as Microsoft's metadata has it."""

    def __init__(self, metadata: Path) -> None:
        self._judges = _judges(metadata)
        self.violations: list[str] = []
        self.judged = 0

    def check(self, direction: str, name: str, values: Iterable[Any]) -> list[str]:
        """What is wrong with objects of one type; remembered, too."""
        found: list[str] = []
        for value in values:
            self.judged += 1
            found += [f"{direction} {name}: {_said(error)}" for error in self._judges[name].iter_errors(value)]
        self.violations += found
        return found


def _said(error: Any) -> str:
    return f"{error.message} at {'/'.join(str(one) for one in error.instance_path)}"
