"""TZID becomes a clock: by its name where IANA has the name, by the object's own VTIMEZONE where it has not.

Order, and why (docs/reference/busy-rules.md, "Time zones"): an IANA name, also behind a vendor's prefix, means the zone
of that name as this machine knows it today, because VTIMEZONEs in the wild are cut short or out of date (RFC 7809 lets
both sides leave them out for that reason). Other names mean what their VTIMEZONE says (RFC 5545 3.2.19, 3.6.5), also
one-word names such as GMT or EST, which are too vague to be trusted. Only then Windows' names, display names and
offsets are read as such. What nothing explains is read on the mailbox's own clock.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from syncd.adapters.caldav.ics.refusal import Unparsable
from syncd.adapters.caldav.ics.timezone import Definition, define, defined_tzid
from syncd.adapters.caldav.ics.windows_names import DISPLAY, WINDOWS
from syncd.model.zones import clock, known

_TZID: Final = re.compile(r';TZID=("[^"\n]*"|[^";\n]*)', re.IGNORECASE)
_OFFSET: Final = re.compile(r"(?:UTC|GMT|Z)? ?([+-])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)
_BRACKETS: Final = re.compile(r"\((?:UTC|GMT)[^)]*\)\s*", re.IGNORECASE)
_UTC_NAMES: Final = frozenset({"utc", "z", "etc/utc", "tzone://microsoft/utc", "zulu", "coordinated universal time"})
_LONGEST_TZID: Final = 200
MAX_DEFINITIONS: Final = 50


class Named(NamedTuple):
    """What a name alone says; unless ``sure``, a definition in the object goes first."""

    clock: tzinfo
    tzid: str
    sure: bool


class Clocks:
    """The clocks of one object: answers the parameters of a property with clock and TZID to remember."""

    def __init__(self, blocks: list[str]) -> None:
        self._blocks = blocks
        self._by_tzid: dict[str, str] | None = None
        self._used: dict[str, Definition] = {}

    def __call__(self, params: str) -> tuple[tzinfo, str] | None:
        """The clock named in *params*; None when there is no TZID, or nothing explains it.

        :raises Unparsable: its VTIMEZONE cannot be understood.
        """
        tzid = tzid_of(params)
        if not tzid:
            return None
        named = by_name(tzid)
        if named is not None and (named.sure or not self._blocks):
            return named.clock, named.tzid
        definition = self._definition(tzid)
        if definition is not None:
            where = by_name(definition.location) if definition.location else None
            return (where.clock, where.tzid) if where is not None and where.sure else (definition.clock, tzid)
        return (named.clock, named.tzid) if named is not None else None

    def _definition(self, tzid: str) -> Definition | None:
        if tzid in self._used:
            return self._used[tzid]
        if self._by_tzid is None:
            self._by_tzid = {defined_tzid(block): block for block in reversed(self._blocks)}
        if tzid not in self._by_tzid:
            return None
        if len(self._used) >= MAX_DEFINITIONS:
            raise Unparsable(f"it uses more than {MAX_DEFINITIONS} time zones of its own")
        definition = define(self._by_tzid[tzid])
        self._used[tzid] = definition
        return definition

    def blocks_used(self) -> list[str]:
        """The definitions that were needed, reduced to what defines, for our memory of the object."""
        return [definition.written for definition in self._used.values()]


def tzid_of(params: str) -> str:
    """The TZID among a property's parameters, unquoted; empty when there is none."""
    # What a stranger may make as long as he likes is not remembered.
    return _tzid_of(params) if len(params) <= 2 * _LONGEST_TZID else _tzid_of.__wrapped__(params)


@lru_cache(maxsize=4096)
def _tzid_of(params: str) -> str:
    match = _TZID.search(params)
    if match is None:
        return ""
    # Unquoted names with a colon or comma, "(UTC+01:00) Brussels, ...", are wrong but common.
    return match[1].strip().strip('"').strip()[:_LONGEST_TZID]


@lru_cache(maxsize=4096)
def by_name(tzid: str) -> Named | None:
    """The zone that a TZID names: IANA, Windows, behind a vendor's prefix, a display name, an offset."""
    if tzid.lower() in _UTC_NAMES:
        return Named(UTC, "UTC", sure=True)
    name = _iana(tzid) or _prefixed(tzid)
    if name:
        return Named(clock(name), name, sure="/" in name)
    name = _windows(tzid) or DISPLAY.get(_BRACKETS.sub("", tzid.lower()).strip())
    if name:
        return Named(clock(name), name, sure=False)
    return _offset(tzid)


def _iana(tzid: str) -> str | None:
    if tzid.startswith(("posix/", "right/", "/")) or tzid in ("localtime", "posixrules", "Factory"):
        return None
    if known(tzid):
        return tzid
    return _lower_case_names().get(tzid.lower().replace(" ", "_"))


@lru_cache(maxsize=1)
def _lower_case_names() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}


def _prefixed(tzid: str) -> str | None:
    """The IANA name at the end of "/vendor.example/20260101_1/Europe/Copenhagen"."""
    parts = [part for part in tzid.split("/") if part]
    for start in range(1, len(parts)) if not tzid.startswith("/") else range(len(parts)):
        rest = "/".join(parts[start:])
        if start < len(parts) - 1 and (name := _iana(rest)) is not None:
            return name
    return "UTC" if tzid.startswith("/") and parts and parts[-1].upper() in ("UTC", "GMT") else None


def _windows(tzid: str) -> str | None:
    """The zone of a Windows name; Outlook numbers doublets: "Romance Standard Time 1"."""
    name = tzid.lower().replace(" daylight time", " standard time").replace(" summer time", " standard time")
    return WINDOWS.get(name) or WINDOWS.get(name.rstrip(" 0123456789"))


def _offset(tzid: str) -> Named | None:
    """A clock without summer time from "GMT+0100", "UTC+01:00" or "+01:00": east is plus, unlike in Etc/GMT-1."""
    match = _OFFSET.fullmatch(tzid)
    if match is None or int(match[2]) > 14 or int(match[3] or 0) > 59:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return Named(timezone(-offset if match[1] == "-" else offset), tzid, sure=False)
