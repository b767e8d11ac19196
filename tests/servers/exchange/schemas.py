"""Microsoft's schemas as judges of both directions; read in place from beside the checkout, never copied."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from tests.servers.exchange.wire import MESSAGES, TYPES, Element, name

_XS = "http://www.w3.org/2001/XMLSchema"
_XML = f"""<xs:schema xmlns:xs="{_XS}" targetNamespace="http://www.w3.org/XML/1998/namespace">
<xs:attribute name="lang" type="xs:language"/><xs:attribute name="space" type="xs:string"/>
<xs:attribute name="base" type="xs:anyURI"/></xs:schema>"""
_WRAP = f"""<xs:schema xmlns:xs="{_XS}">
<xs:import namespace="{MESSAGES}" schemaLocation="messages.xsd"/>
<xs:import namespace="{TYPES}" schemaLocation="types.xsd"/></xs:schema>"""


class _Files(etree.Resolver):
    """Gives lxml the schema files from memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.files = files

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        wanted = (system_url or "").rpartition("/")[2].lower()
        return self.resolve_string(self.files[wanted], context)


def _compile(files: dict[str, bytes]) -> etree.XMLSchema:
    parser = etree.XMLParser()
    parser.resolvers.add(_Files({**files, "xml.xsd": _XML.encode()}))
    return etree.XMLSchema(etree.fromstring(_WRAP.encode(), parser))


def _sp1(folder: Path) -> dict[str, bytes]:
    """As they are, but the import of the xml namespace says where to look."""
    old, new = b'XML/1998/namespace"/>', b'XML/1998/namespace" schemaLocation="xml.xsd"/>'
    files = {f"{one}.xsd": folder / "exchange2013sp1" / f"{one}.xsd" for one in ("messages", "types")}
    return {key: path.read_bytes().replace(old, new) for key, path in files.items()}


def _merged(folder: Path) -> dict[str, bytes]:
    """The Interop files import each other; every namespace becomes one schema."""
    merged = {TYPES: _empty(TYPES), MESSAGES: _empty(MESSAGES)}
    seen: set[tuple[str, str, str]] = set()
    for path in sorted((folder / "interop").glob("*.xsd")):
        root = etree.parse(path).getroot()
        space = root.get("targetNamespace") or ""
        if space not in merged:
            continue
        for part in root:
            if not isinstance(part.tag, str) or part.tag in (f"{{{_XS}}}import", f"{{{_XS}}}include"):
                continue
            key = (space, part.tag, part.get("name") or "")
            if key not in seen:
                seen.add(key)
                merged[space].append(part)
    return {"types.xsd": etree.tostring(merged[TYPES]), "messages.xsd": etree.tostring(merged[MESSAGES])}


def _empty(space: str) -> Element:
    other, file = (TYPES, "types.xsd") if space == MESSAGES else (None, "")
    imports = f'<xs:import namespace="{other}" schemaLocation="{file}"/>' if other else ""
    text = f"""<xs:schema xmlns:xs="{_XS}" xmlns:t="{TYPES}" xmlns:m="{MESSAGES}" xmlns:tns="{space}" xmlns="{space}"
targetNamespace="{space}" elementFormDefault="qualified">{imports}
<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="xml.xsd"/></xs:schema>"""
    return etree.fromstring(text)


@cache
def judges(folder: Path) -> dict[str, etree.XMLSchema]:
    """Both sets of schemas in *folder*, compiled."""
    return {"Exchange 2013 SP1": _compile(_sp1(folder)), "Exchange 2016 (Interop)": _compile(_merged(folder))}


class Validator:
    """Collects what is not as Microsoft's schemas want it."""

    def __init__(self, folder: Path) -> None:
        self.judges = judges(folder)
        self.violations: list[str] = []
        self.judged = 0

    def check(self, direction: str, element: Element) -> list[str]:
        """What is wrong with a part of a message; remembered, too."""
        self.judged += 1
        # A copy without the envelope: lxml validates whole documents.
        document = etree.ElementTree(etree.fromstring(etree.tostring(element)))
        found = []
        for who, schema in self.judges.items():
            if not schema.validate(document):
                errors = [str(one.message) for one in schema.error_log]
                if not self._unknown_to(who, element, errors):
                    found.append(f"{direction} {etree.QName(element).localname}: {who}: {'; '.join(errors[:3])}")
        self.violations += found
        return found

    @staticmethod
    def _unknown_to(who: str, element: Element, errors: list[str]) -> bool:
        """Interop has no free/busy, and a wrong type for one answer: there it is no judge."""
        tag = element.tag if isinstance(element.tag, str) else ""
        if not who.endswith("(Interop)"):
            return False
        return tag == name("m:GetUserConfigurationResponse") or f"'{tag}': No matching global" in errors[0]


def header_parts(header: Element | None) -> list[Element]:
    """Parts of a SOAP header that the schemas judge; the version asked for may be older than theirs."""
    known = ("ExchangeImpersonation", "TimeZoneContext")
    return [] if header is None else [one for one in header if one.tag in {name(f"t:{tag}") for tag in known}]
