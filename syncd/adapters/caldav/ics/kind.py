"""How an event blocks its owner's time: TRANSP, STATUS, PARTSTAT and Microsoft's finer word (docs: busy-rules.md)."""

from __future__ import annotations

import re
from typing import Final

from syncd.adapters.caldav.ics.lines import Component
from syncd.model.busy import BusyType

_PARTSTAT: Final = re.compile(r';PARTSTAT="?([A-Z-]+)', re.IGNORECASE)
_MICROSOFT: Final = {
    "FREE": BusyType.FREE,
    "TENTATIVE": BusyType.TENTATIVE,
    "BUSY": BusyType.BUSY,
    "OOF": BusyType.OUT_OF_OFFICE,
    "OUTOFOFFICE": BusyType.OUT_OF_OFFICE,
    "WORKINGELSEWHERE": BusyType.WORKING_ELSEWHERE,
}
FBTYPES: Final = {
    "FREE": BusyType.FREE,
    "BUSY": BusyType.BUSY,
    "BUSY-TENTATIVE": BusyType.TENTATIVE,
    "BUSY-UNAVAILABLE": BusyType.UNAVAILABLE,
}
"""FBTYPE (RFC 5545 3.2.9) and BUSYTYPE (RFC 7953 3.2); unknown ones are BUSY, says the RFC."""


def kind_of(event: Component, owner: str) -> BusyType | None:
    """How *event* blocks the time of *owner* (mail address, lower case); None when it is cancelled.

    CLASS is about who may read, not about time (RFC 5545 3.8.1.3), and is not looked at.
    """
    lines = event.lines
    status = event.value("STATUS") if "STATUS" in lines else ""
    if status == "CANCELLED":
        return None
    answer = _answer(event, owner) if owner and "ATTENDEE" in lines else ""
    if answer in ("DECLINED", "DELEGATED") or ("TRANSP" in lines and event.value("TRANSP") == "TRANSPARENT"):
        return BusyType.FREE
    finer = _finer(event)
    if finer in (BusyType.FREE, BusyType.OUT_OF_OFFICE):
        return finer
    if status == "TENTATIVE" or answer in ("TENTATIVE", "NEEDS-ACTION"):
        return BusyType.TENTATIVE
    return finer or BusyType.BUSY


def _finer(event: Component) -> BusyType | None:
    """BUSYSTATUS is what Outlook shows (MS-OXCICAL 2.1.3.1.1.20.31); what the organizer intended only stands in for it.

    INTENDEDSTATUS:FREE beside TRANSP:OPAQUE blocks: the organizer's wish does not free the owner.
    """
    for name in ("X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-MSNCALENDAR-BUSYSTATUS"):
        if name in event.lines:
            return _MICROSOFT.get(event.value(name))
    if "X-MICROSOFT-CDO-INTENDEDSTATUS" in event.lines:
        intended = _MICROSOFT.get(event.value("X-MICROSOFT-CDO-INTENDEDSTATUS"))
        return None if intended is BusyType.FREE and event.value("TRANSP") == "OPAQUE" else intended
    return None


def _answer(event: Component, owner: str) -> str:
    """PARTSTAT of *owner*; absent means NEEDS-ACTION (RFC 5545 3.2.12), except for the organizer, who comes."""
    for line in event.lines["ATTENDEE"]:
        if same_address(line, owner):
            match = _PARTSTAT.search(line)
            answer = match[1].upper() if match else "NEEDS-ACTION"
            if answer == "NEEDS-ACTION" and any(same_address(one, owner) for one in event.lines.get("ORGANIZER", [])):
                return "ACCEPTED"
            return answer
    return ""


def same_address(line: str, owner: str) -> bool:
    """Whether a calendar user address is the owner's: its value, or the EMAIL parameter beside an opaque one."""
    line = line.lower().rstrip()
    return line.endswith((f":mailto:{owner}", f":{owner}")) or f";email={owner}" in line.replace('"', "")
