"""Bytes become content lines and components (RFC 5545 3.1, 3.6); only lines that bear on time are looked at.

The scanner is lean on purpose: unfolding is a few byte replacements, VTIMEZONE blocks are cut out unread (the same text
comes with every object, and most names need no definition), and the first three letters of a line decide whether it is
looked at.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from syncd.adapters.caldav.ics.refusal import Unparsable

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 12
MAX_LINES: Final = 600_000

_KNOWN: Final = frozenset(
    (
        "BEGIN", "END", "DTSTART", "DTEND", "DURATION", "UID", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "EXRULE",
        "SEQUENCE", "TRANSP", "STATUS", "ATTENDEE", "ORGANIZER", "CATEGORIES", "FREEBUSY", "BUSYTYPE", "PRIORITY",
        "X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-INTENDEDSTATUS", "X-MICROSOFT-MSNCALENDAR-BUSYSTATUS",
        "X-SYNCD-STAMP", "X-SYNCD-BUSY", "X-SYNCD-CATEGORY", "X-SYNCD-GUEST", "TZID", "TZOFFSETFROM", "TZOFFSETTO",
        "X-LIC-LOCATION",
    )
)  # fmt: skip
_HEADS: Final = frozenset(
    "".join(letters)
    for name in _KNOWN
    for letters in product(*((letter.upper(), letter.lower()) for letter in name[:3]))
)
_ZONE: Final = re.compile(r"\nBEGIN:VTIMEZONE[ \t]*\n", re.IGNORECASE)
_ZONE_END: Final = re.compile(r"\nEND:VTIMEZONE[ \t]*(?=\n|$)", re.IGNORECASE)


class Component:
    """BEGIN to END of one component.

    :ivar lines: by property name (upper case), what follows the name: parameters, colon and value, in file order.
    :ivar parts: the components inside.
    """

    __slots__ = ("lines", "name", "parts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[str, list[str]] = {}
        self.parts: list[Component] = []

    def first(self, name: str) -> str | None:
        """The first line of that name; the RFC allows no second one where this is asked."""
        found = self.lines.get(name)
        return found[0] if found else None

    def value(self, name: str) -> str:
        """The upper-case value of a one-word property such as STATUS; empty when absent."""
        found = self.lines.get(name)
        return found[0].rpartition(":")[2].strip().upper() if found else ""


def unfold(data: bytes) -> str:
    """The text with folded lines joined and line ends as single line feeds; it begins with one.

    Folding may cut a UTF-8 sequence in two (RFC 5545 3.1), so bytes are joined before they are decoded.
    Old Mac and doubled line ends, byte order marks and Latin-1 are what servers have been seen to send.

    :raises Unparsable: larger than `MAX_BYTES`.
    """
    if len(data) > MAX_BYTES:
        raise Unparsable(f"the object is larger than {MAX_BYTES // 1024 // 1024} MiB")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    if b"\r" in data:
        data = data.replace(b"\r", b"" if b"\n" in data else b"\n")
    if b"\n " in data:
        data = data.replace(b"\n ", b"")
    if b"\n\t" in data:
        data = data.replace(b"\n\t", b"")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return "\n" + text.lstrip("\ufeff \t\n")


def cut_zones(text: str) -> tuple[str, list[str]]:
    """The text without its VTIMEZONE components, and the inner text of each of them.

    :raises Unparsable: one of them does not end.
    """
    kept, *pieces = text.split("\nBEGIN:VTIMEZONE\n")
    outside, blocks = [kept], []
    for piece in pieces:
        block, end, rest = piece.partition("\nEND:VTIMEZONE\n")
        if not end:
            return _cut_odd_zones(text)
        blocks.append("\n" + block)
        outside.append("\n" + rest)
    return "".join(outside), blocks


def _cut_odd_zones(text: str) -> tuple[str, list[str]]:
    """The same for lower case and trailing blanks."""
    kept, *pieces = _ZONE.split(text)
    outside, blocks = [kept], []
    for piece in pieces:
        end = _ZONE_END.search(piece)
        if end is None:
            raise Unparsable("the text ends inside a VTIMEZONE")
        blocks.append("\n" + piece[: end.start()])
        outside.append(piece[end.end() :])
    return "".join(outside), blocks


def components(text: str) -> list[Component]:
    """The outermost components of an unfolded text.

    :raises Unparsable: BEGIN and END do not match, nest too deep, or the lines are too many.
    """
    outermost: list[Component] = []
    stack: list[Component] = []
    lines: dict[str, list[str]] = {}
    if text.count("\n") > MAX_LINES:
        raise Unparsable(f"it has more than {MAX_LINES} lines")
    for line in text.split("\n"):
        if line[:3] not in _HEADS or (colon := line.find(":")) < 0:
            continue
        name = line[:colon]
        if ";" in name:
            name = name[: name.find(";")]
        rest = line[len(name) :]
        if name not in _KNOWN and (name := name.upper()) not in _KNOWN:
            continue
        if name == "BEGIN":
            component = Component(rest[1:].strip().upper())
            (stack[-1].parts if stack else outermost).append(component)
            stack.append(component)
            lines = component.lines
            if len(stack) > MAX_DEPTH:
                raise Unparsable(f"its components nest deeper than {MAX_DEPTH}")
        elif name == "END":
            if not stack or stack.pop().name != rest[1:].strip().upper():
                raise Unparsable("BEGIN and END do not match")
            lines = stack[-1].lines if stack else {}
        elif name in lines:
            lines[name].append(rest)
        else:
            lines[name] = [rest]
    if stack:
        raise Unparsable("the text ends inside a component")
    return outermost


def calendars(data: bytes) -> tuple[list[Component], list[str]]:
    """The VCALENDAR components of *data* and the inner texts of its VTIMEZONEs.

    :raises Unparsable: not an iCalendar text, cut short, or too large.
    """
    text = unfold(data)
    rest, zones = cut_zones(text)
    found = [component for component in components(rest) if component.name == "VCALENDAR"]
    if any(part.name == "VTIMEZONE" for component in found for part in component.parts):
        rest, zones = _cut_odd_zones(text)
        found = [component for component in components(rest) if component.name == "VCALENDAR"]
    if not found:
        raise Unparsable("there is no VCALENDAR in it")
    return found, zones
