"""Our own entries ↔ iCalendar; everybody else's entries are read by `ics`, which keeps no text."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
from icalendar import vCalAddress, vText
from icalendar.error import IncompleteComponent, InvalidCalendar

from syncd.adapters.caldav.vtimezone import vtimezone
from syncd.model.busy import BusyType, Stamp
from syncd.model.entry import Entry, EntryDraft, Resource, digest
from syncd.model.interval import Interval
from syncd.model.zones import clock, whole_days

STAMP = "X-SYNCD-STAMP"
PRODUCT = "-//syncd//self-booking//EN"
UNREADABLE_TIMES = (
    *(ValueError, KeyError, TypeError, AttributeError, OverflowError),
    *(IncompleteComponent, InvalidCalendar),
)

BUSY_STATUS = {
    BusyType.FREE: "FREE",
    BusyType.TENTATIVE: "TENTATIVE",
    BusyType.BUSY: "BUSY",
    BusyType.OUT_OF_OFFICE: "OOF",
    BusyType.UNAVAILABLE: "OOF",
    BusyType.WORKING_ELSEWHERE: "WORKINGELSEWHERE",
}
"""X-MICROSOFT-CDO-BUSYSTATUS (MS-OXCICAL); written beside TRANSP, which Outlook does not trust alone."""


def write_entry(
    draft: EntryDraft, organizer: str, now: datetime, *, sequence: int = 0, answer: str | None = None
) -> bytes:
    """*draft* as an iCalendar object.

    :param organizer: mail address of the calendar's owner; named only when a room is invited.
    :param now: instant of writing (UTC), for DTSTAMP and LAST-MODIFIED.
    :param sequence: SEQUENCE (RFC 5545 3.8.7.4), greater than that of the copy it replaces.
    :param answer: what an invited room has answered for this very time already; the server does not ask it again, so
        writing anything else would forget it.
    """
    event = icalendar.Event()
    event.add("UID", draft.uid)
    event.add("DTSTAMP", now)
    event.add("LAST-MODIFIED", now)
    event.add("SEQUENCE", sequence)
    _add_times(event, draft)
    event.add("SUMMARY", draft.summary)
    if draft.description:
        event.add("DESCRIPTION", draft.description)
    if draft.location:
        event.add("LOCATION", draft.location)
    event.add("STATUS", "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT" if draft.busy is BusyType.FREE else "OPAQUE")
    event.add("X-MICROSOFT-CDO-BUSYSTATUS", BUSY_STATUS[draft.busy])
    event.add("CLASS", "PRIVATE" if draft.private else "PUBLIC")
    if draft.categories:
        event.add("CATEGORIES", list(draft.categories))
    event.add(STAMP, vText(draft.stamp.encode()))
    if draft.room:
        event.add("ORGANIZER", _organizer(organizer))
        event.add("ATTENDEE", _attendee(draft.room, answer))
    return _object(event, draft)


def _object(event: icalendar.Event, draft: EntryDraft) -> bytes:
    """The whole VCALENDAR; METHOD must not be set in a stored object (RFC 4791 4.1)."""
    inner = bytes(event.to_ical())
    if draft.zone != "UTC":
        inner = vtimezone(draft.zone, draft.interval.start.year) + inner
    head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODUCT}\r\nCALSCALE:GREGORIAN\r\n".encode()
    return head + inner + b"END:VCALENDAR\r\n"


def _add_times(event: icalendar.Event, draft: EntryDraft) -> None:
    event.add("DTSTART", _written(draft.interval.start, draft.zone))
    event.add("DTEND", _written(draft.interval.end, draft.zone))


def _written(moment: datetime, zone: str) -> datetime:
    """*moment* on the wall clock of *zone*; in UTC where that hour comes twice and would be read as the first."""
    local = moment if zone == "UTC" else moment.astimezone(clock(zone))
    return moment if local.fold else local


def _organizer(address: str) -> vCalAddress:
    return vCalAddress(f"mailto:{address}")


def _attendee(room: Resource, answer: str | None) -> vCalAddress:
    """The room as a resource (RFC 5545 3.2.3): asked by the server, or ours.

    In the latter case the server is kept out of it (SCHEDULE-AGENT, RFC 6638 7.1).
    """
    attendee = vCalAddress(f"mailto:{room.address}")
    attendee.params["CN"] = room.name
    attendee.params["CUTYPE"] = "ROOM"
    if room.invited:
        attendee.params["ROLE"] = "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = answer or "NEEDS-ACTION"
        attendee.params["RSVP"] = "TRUE"
    else:
        attendee.params["ROLE"] = "NON-PARTICIPANT"
        attendee.params["PARTSTAT"] = "ACCEPTED"
        attendee.params["SCHEDULE-AGENT"] = "NONE"
    return attendee


def answer_of(data: bytes, draft: EntryDraft) -> str | None:
    """PARTSTAT of the draft's invited room in the object that is to be replaced, if that asked it for the same time."""
    if draft.room is None or not draft.room.invited:
        return None
    for event in _events(data):
        if str(event.get("UID", "")) == draft.uid and interval_of(event, draft.zone) == draft.interval:
            return _room_answer(event, draft.room.address.lower())
    return None


def body_of(data: bytes, uid: str) -> str:
    """DESCRIPTION of the entry that is to be replaced: our block and a person's own words; never to be kept."""
    mine = [event for event in _events(data) if str(event.get("UID", "")) == uid]
    event = next((e for e in mine if "RECURRENCE-ID" not in e), None)
    return "" if event is None else str(event.get("DESCRIPTION", ""))


def read_entry(data: bytes, uid: str, key: str, version: str, zone: str) -> Entry | None:
    """The entry with *uid* in *data*; None when the object holds none.

    A person may have moved it, shortened it, made it last all day or repeat: the interval says where it stands
    now (its first instance when it repeats), and the digest differs from the one in the stamp.

    :param zone: IANA zone in which floating times and dates are read.
    """
    mine = [event for event in _events(data) if str(event.get("UID", "")) == uid]
    if not mine:
        # A broken copy of ours is there all the same; it must not be written a second time.
        named = re.search(rb"^UID:" + re.escape(uid.encode()) + rb"\s*$", data, re.MULTILINE)
        return Entry(key, version, uid, None, "", None, "") if named else None
    event = next((e for e in mine if "RECURRENCE-ID" not in e), mine[0])
    interval = interval_of(event, zone)
    location = str(event.get("LOCATION", ""))
    repeats = any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID"))
    summary = str(event.get("SUMMARY", "")) + ("\n(repeats)" if repeats else "")
    return Entry(
        key=key,
        version=version,
        uid=uid,
        interval=interval,
        location=location,
        stamp=Stamp.decode(str(event.get(STAMP, ""))),
        digest=digest(interval, summary, location),
        categories=tuple(_categories(event)),
        cancelled=str(event.get("STATUS", "")).upper() == "CANCELLED",
        room_answer=_room_answer(event),
        rooms=tuple(_rooms(event)),
        series=repeats,
    )


def sequence_of(data: bytes) -> int:
    """SEQUENCE of the object that is to be replaced; 0 when it cannot be read."""
    with contextlib.suppress(ValueError, TypeError):
        return max((int(event.get("SEQUENCE", 0)) for event in _events(data)), default=0)
    return 0


def _events(data: bytes) -> list[Any]:
    """The VEVENTs of an object; none when it cannot be read."""
    try:
        return list(icalendar.Calendar.from_ical(data).walk("VEVENT"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return []


def interval_of(event: Any, zone: str) -> Interval | None:
    """The time of one VEVENT, without regard to its recurrence; None when it has no usable one."""
    try:
        start, end = event.start, event.end
        if not isinstance(start, datetime):
            return whole_days(start, max(end - timedelta(days=1), start), zone)
        return Interval(_utc(start, zone), _utc(end, zone))
    except UNREADABLE_TIMES:
        return None


def _utc(moment: date, zone: str) -> datetime:
    """An instant; a floating time is read in *zone*."""
    if not isinstance(moment, datetime):
        raise TypeError("a date beside a date-time")
    return (moment if moment.tzinfo else moment.replace(tzinfo=clock(zone))).astimezone(UTC)


def _several(value: Any) -> list[Any]:
    """The values of a property: icalendar gives one bare and several as a list."""
    return value if isinstance(value, list) else [value]


def _categories(event: Any) -> Iterable[str]:
    for group in _several(event.get("CATEGORIES", [])):
        yield from (str(name) for name in getattr(group, "cats", ()))


def _room_answer(event: Any, address: str | None = None) -> str | None:
    """PARTSTAT of the room named on the entry, or of the one with this mail address."""
    return next((says for room, says, _ in _resources(event) if address in (None, room)), None)


def _rooms(event: Any) -> Iterable[tuple[str, str]]:
    """The rooms that the server has invited, each with its answer; one that is ours says nothing."""
    return ((room, says) for room, says, agent in _resources(event) if agent == "SERVER")


def _resources(event: Any) -> Iterable[tuple[str, str, str]]:
    """Mail address (lower case), PARTSTAT and SCHEDULE-AGENT (RFC 6638 7.1) of each room and resource."""
    for attendee in _several(event.get("ATTENDEE", [])):
        params = getattr(attendee, "params", {})
        if str(params.get("CUTYPE", "")).upper() in ("ROOM", "RESOURCE"):
            says, agent = str(params.get("PARTSTAT", "NEEDS-ACTION")), str(params.get("SCHEDULE-AGENT", "SERVER"))
            yield str(attendee).lower().removeprefix("mailto:"), says.upper(), agent.upper()
