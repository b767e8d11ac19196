"""DAV XML: request bodies out, multistatus answers in (RFC 4918 13, RFC 4791, RFC 6578)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

from lxml import etree

from syncd.model.digits import digits

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
CALENDARSERVER = "{http://calendarserver.org/ns/}"

HREF, STATUS, PROPSTAT, VALUES = f"{DAV}href", f"{DAV}status", f"{DAV}propstat", f"{DAV}prop/*"
PLAIN_PATH = re.compile(r"/[A-Za-z0-9/_.~@:!$&'()*+,;=-]*")
"""A path that is spelled as `canonical` spells it."""

NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'
VERSION = "<D:getetag/>"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


class Garbled(Exception):
    """The answer is not the XML it should be; the text says what it is instead."""


class Broken(Garbled):
    """Meant as XML, but something inside breaks it: a control character, its sheer size, an early end."""


@dataclass(frozen=True, slots=True)
class Item:
    """One `DAV:response`: an href with a status of its own, or with properties.

    :param href: as the server spelled it.
    :param status: 200 when only properties came.
    :param props: what the server could give, by Clark name; properties it lacks (404) are left out.
    :param refused: worst status of the properties it could not give, other than 404; else 0.
    """

    href: str
    status: int
    props: Mapping[str, etree._Element]
    refused: int = 0

    def text(self, name: str) -> str | None:
        """Text of a property; None when absent or empty."""
        element = self.props.get(name)
        return (element.text or "").strip() or None if element is not None else None

    def hrefs(self, name: str) -> list[str]:
        """The `DAV:href` children of a property."""
        element = self.props.get(name)
        found = element.iterfind(f"{DAV}href") if element is not None else ()
        return [child.text.strip() for child in found if child.text]

    def has(self, name: str, child: str) -> bool:
        """Whether property *name* contains an element *child*, at any depth."""
        element = self.props.get(name)
        return element is not None and next(element.iter(child), None) is not None


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A whole answer; ``token`` is the sync-token beside the items (RFC 6578 6.2)."""

    items: tuple[Item, ...]
    token: str | None


def tree(body: bytes) -> etree._Element:
    """Parse XML from outside: no entities, no DTD, no network, libxml's size limits on.

    :raises Garbled: it is not XML, or carries a document type. :raises Broken: it is XML, but not well-formed.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if looks_like_html(body) or b"<" not in body[:200]:
            raise Garbled("HTML" if looks_like_html(body) else "something that is no XML") from error
        raise Broken("XML that is not well-formed") from error
    if root is None:
        raise Garbled("an empty document")
    if root.getroottree().docinfo.internalDTD is not None:
        raise Garbled("HTML" if looks_like_html(body) else "XML with a document type definition")
    return root


def looks_like_html(body: bytes) -> bool:
    """Whether it is a page for people: a login form, a proxy's error."""
    start = body[:512].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or b"<html" in start


def parse(body: bytes) -> Multistatus:
    """Read a multistatus.

    :raises Garbled: it is something else.
    """
    root = tree(body)
    if root.tag != f"{DAV}multistatus":
        raise Garbled("HTML" if looks_like_html(body) else "XML that is no multistatus")
    items: list[Item] = []
    for response in root.iterfind(f"{DAV}response"):
        items.extend(_items(response))
    token = root.findtext(f"{DAV}sync-token")
    return Multistatus(tuple(items), token.strip() if token and token.strip() else None)


def _items(response: etree._Element) -> Iterable[Item]:
    """One response element; with a status it may carry several hrefs (RFC 4918 14.24)."""
    hrefs: list[str] = []
    props: dict[str, etree._Element] = {}
    status, refused = 200, 0
    for part in response:
        if part.tag == HREF:
            hrefs.append((part.text or "").strip())
        elif part.tag == STATUS:
            status = status_code(part.text)
        elif part.tag == PROPSTAT:
            code = status_code(part.findtext(STATUS))
            if 200 <= code < 300:
                props.update((child.tag, child) for child in part.iterfind(VALUES) if isinstance(child.tag, str))
            elif code != 404:
                refused = max(refused, code)
    for href in hrefs:
        yield Item(href, status, props, refused)


def status_code(line: str | None) -> int:
    """The number in "HTTP/1.1 404 Not Found"; 200 when there is no line, 500 when it cannot be read."""
    if line == "HTTP/1.1 200 OK" or not line or not line.strip():
        return 200
    parts = line.split()
    code = digits(parts[1]) if len(parts) > 1 else None
    return 500 if code is None else code


def conditions(body: bytes) -> frozenset[str]:
    """Names of the preconditions in a `DAV:error` body (RFC 4918 16), without namespace; empty if none."""
    try:
        root = tree(body)
    except Garbled:
        return frozenset()
    if root.tag != f"{DAV}error":
        return frozenset()
    return frozenset(etree.QName(child).localname for child in root if isinstance(child.tag, str))


def canonical(href: str) -> str:
    """One spelling for each path: host dropped, every segment decoded and encoded again.

    Servers spell the same object with and without `%40`, with raw blanks and umlauts; a slash inside a
    segment (`%2F`) stays what it was.
    """
    if PLAIN_PATH.fullmatch(href):
        return href
    path = urlsplit(href).path if "://" in href else href.partition("?")[0]
    return "/".join(quote(unquote(part), safe="@:!$&'()*+,;=~") for part in path.split("/"))


def propfind(*names: str) -> bytes:
    """The body of a PROPFIND for these properties, given as `D:getetag`, `C:…` or `S:…`."""
    props = "".join(f"<{name}/>" for name in names)
    return f"{HEAD}<D:propfind {NAMESPACES}><D:prop>{props}</D:prop></D:propfind>".encode()


def sync_collection(token: str) -> bytes:
    """The body of a sync-collection report (RFC 6578 3.2).

    Never with DAV:limit: Xandikos forgets what did not fit.
    """
    return (
        f"{HEAD}<D:sync-collection {NAMESPACES}><D:sync-token>{escape(token)}</D:sync-token>"
        "<D:sync-level>1</D:sync-level>"
        f"<D:prop>{VERSION}</D:prop></D:sync-collection>"
    ).encode()


def multiget(hrefs: Iterable[str]) -> bytes:
    """The body of a calendar-multiget report (RFC 4791 7.9)."""
    wanted = "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
    return (
        f"{HEAD}<C:calendar-multiget {NAMESPACES}>"
        f"<D:prop>{VERSION}<C:calendar-data/></D:prop>{wanted}</C:calendar-multiget>"
    ).encode()


def expanded(start: datetime, end: datetime) -> bytes:
    """The body of a calendar-query for the events of a time (UTC), series expanded (RFC 4791 9.6.5)."""
    span = f'start="{start:%Y%m%dT%H%M%SZ}" end="{end:%Y%m%dT%H%M%SZ}"'
    return (
        f"{HEAD}<C:calendar-query {NAMESPACES}>"
        f"<D:prop><C:calendar-data><C:expand {span}/></C:calendar-data></D:prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f"<C:time-range {span}/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    ).encode()


def by_uid(uid: str) -> bytes:
    """The body of a calendar-query for one UID (RFC 4791 7.8.6)."""
    return (
        f"{HEAD}<C:calendar-query {NAMESPACES}>"
        f"<D:prop>{VERSION}<C:calendar-data/></D:prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID">'
        f'<C:text-match collation="i;octet">{escape(uid)}</C:text-match>'
        "</C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    ).encode()
