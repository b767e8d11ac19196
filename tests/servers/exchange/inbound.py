"""Items as requests write them: whole ones, and single fields of an update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from tests.servers.exchange.model import Address, Attendee, ExtendedKey, Values
from tests.servers.exchange.properties import KNOWN
from tests.servers.exchange.recurrence import Recurrence
from tests.servers.exchange.recurrence import read as read_recurrence
from tests.servers.exchange.render import TOLERATED
from tests.servers.exchange.shape import ROLES, extended_key
from tests.servers.exchange.wire import Element, EwsError, child, children, local, value
from tests.servers.exchange.world import World
from tests.servers.exchange.zones import from_wall, iana, instant, wall

_TEXTS = ("Subject", "Sensitivity", "Importance", "LegacyFreeBusyStatus", "UID", "Location", "ItemClass")
_FLAGS = ("IsAllDayEvent", "ReminderIsSet", "IsResponseRequested", "AllowNewTimeProposal", "IsRead")
_TIMES = ("Start", "End")
_IGNORED = ("MeetingTimeZone", "Culture", "IsOnlineMeeting", "ConferenceType", "ReminderDueBy", "MimeContent")
READ_ONLY = frozenset(
    [
        "ItemId", "DateTimeCreated", "LastModifiedTime", "IsMeeting", "IsCancelled", "IsRecurring", "OriginalStart",
        "MeetingRequestWasSent", "CalendarItemType", "MyResponseType", "Organizer", "AppointmentSequenceNumber",
        "AppointmentState", "AppointmentReplyTime", "FirstOccurrence", "LastOccurrence", "ModifiedOccurrences",
        "DeletedOccurrences", "Duration", "EffectiveRights", "Size", "HasAttachments", "DisplayTo", "DisplayCc",
        "DateTimeReceived", "DateTimeSent", "LastModifiedName", "IsOrganizer", "RecurrenceId", "DateTimeStamp",
    ]
)  # fmt: skip


@dataclass
class Draft:
    """What a request says of an item.

    :param naive: Start and End without an offset, to be read once the item's zone is known.
    """

    values: Values = field(default_factory=dict)
    extended: dict[ExtendedKey, Any] = field(default_factory=dict)
    recurrence: Recurrence | None = None
    removed: set[str] = field(default_factory=set)
    removed_extended: set[ExtendedKey] = field(default_factory=set)
    naive: dict[str, str] = field(default_factory=dict)

    def fields(self) -> list[str]:
        """Names of everything it touches."""
        names = [*self.values, *self.removed, *("/".join(key) for key in (*self.extended, *self.removed_extended))]
        return [*names, "Recurrence"] if self.recurrence else names


def people(world: World, element: Element, role: str) -> list[Attendee]:
    """Attendees of one list."""
    found = []
    for one in children(element):
        email = value(one, "t:Mailbox/t:EmailAddress")
        if not email:
            raise EwsError("ErrorInvalidRecipients", "At least one recipient isn't valid.")
        found.append(Attendee(world.named(email, value(one, "t:Mailbox/t:Name")), role))
    return found


def recipients(world: World, element: Element | None) -> tuple[Address, ...]:
    """Mailboxes of a list such as ToRecipients."""
    rows = [] if element is None else list(children(element))
    return tuple(world.named(value(one, "t:EmailAddress"), value(one, "t:Name")) for one in rows)


def read(world: World, element: Element, draft: Draft | None = None) -> Draft:
    """Everything in a t:CalendarItem or t:Message."""
    draft = draft or Draft()
    for part in children(element):
        take(world, part, draft)
    return draft


def take(world: World, part: Element, draft: Draft) -> None:
    """One property of an item.

    :raises EwsError: ErrorInvalidPropertySet, nobody can set it.
    """
    tag = local(part)
    if tag in READ_ONLY:
        raise EwsError("ErrorInvalidPropertySet", f"Set action is invalid for property {tag}.")
    if tag in _TIMES:
        draft.naive[tag] = part.text or ""
    elif tag in ROLES:
        others = [one for one in draft.values.get("Attendees", ()) if one.role != tag]
        draft.values["Attendees"] = (*others, *people(world, part, tag))
    elif tag == "ExtendedProperty":
        _take_extended(part, draft)
    elif tag == "Recurrence":
        draft.recurrence = read_recurrence(part)
    elif tag not in _IGNORED:
        _take_plain(world, tag, part, draft)


def _take_plain(world: World, tag: str, part: Element, draft: Draft) -> None:
    readers: dict[str, Callable[[], Any]] = {
        **dict.fromkeys(_TEXTS, lambda: part.text or ""),
        **dict.fromkeys(_FLAGS, lambda: part.text in ("true", "1")),
        "ReminderMinutesBeforeStart": lambda: int(part.text or 0),
        "Categories": lambda: tuple(one.text or "" for one in children(part)),
        "Body": lambda: _body(part.get("BodyType") or "Text", part.text or ""),
        "StartTimeZone": lambda: _zone(part),
        "EndTimeZone": lambda: _zone(part),
        "ToRecipients": lambda: recipients(world, part),
        "CcRecipients": lambda: recipients(world, part),
    }
    if tag not in readers:
        raise EwsError("ErrorInvalidPropertySet", f"The simulator cannot set {tag}.")
    draft.values["To" if tag == "ToRecipients" else tag] = readers[tag]()


def _body(kind: str, text: str) -> tuple[str, str]:
    """A text as Exchange keeps it: Windows line ends, HTML with a head of its own; it does not come back unchanged."""
    text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    if kind == "Text" or "<meta" in text:
        return kind, text
    inner = text.partition("<body>")[2].partition("</body>")[0] if "<body>" in text else text
    head = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
    return kind, f"<html>\r\n<head>\r\n{head}\r\n</head>\r\n<body>\r\n{inner}\r\n</body>\r\n</html>\r\n"


def _take_extended(part: Element, draft: Draft) -> None:
    path, several = child(part, "t:ExtendedFieldURI"), child(part, "t:Values")
    assert path is not None
    content = value(part, "t:Value") if several is None else [one.text or "" for one in children(several)]
    draft.extended[extended_key(path)] = content


def _zone(element: Element) -> str:
    zone = element.get("Id") or ""
    iana(zone)
    return zone


def updates(world: World, element: Element) -> Draft:
    """The m:Updates of one item.

    :raises EwsError: a field that nobody knows or can set.
    """
    draft = Draft()
    for change in children(element):
        path, *parts = list(children(change))
        if local(change) == "DeleteItemField":
            _delete(path, draft)
        elif local(change) == "AppendToItemField":
            raise EwsError("ErrorInvalidPropertyAppend", "The simulator appends to nothing.")
        else:
            _set(world, path, parts[0], draft)
    return draft


def _set(world: World, path: Element, item: Element, draft: Draft) -> None:
    [part] = list(children(item))
    uri = path.get("FieldURI", "")
    if local(path) == "FieldURI":
        _known(uri)
        if uri.partition(":")[2] != local(part):
            raise EwsError("ErrorUpdatePropertyMismatch", f"{uri} is not {local(part)}.")
        if uri == "calendar:UID":
            raise EwsError("ErrorInvalidPropertySet", "Set action is invalid for property calendar:UID.")
    take(world, part, draft)


def _delete(path: Element, draft: Draft) -> None:
    if local(path) == "ExtendedFieldURI":
        draft.removed_extended.add(extended_key(path))
        return
    uri = path.get("FieldURI", "")
    _known(uri)
    tag = uri.partition(":")[2]
    if tag in READ_ONLY or tag in (*_TIMES, "UID"):
        raise EwsError("ErrorInvalidPropertyDelete", f"Delete action is invalid for property {uri}.")
    draft.removed.add(tag)


def _known(uri: str) -> None:
    if uri not in KNOWN | TOLERATED:
        raise EwsError("ErrorInvalidPropertySet", f"The simulator does not know {uri}.")


def place(draft: Draft, zone: str, before: Values | None = None) -> None:
    """Turn the times of a draft into instants; a day-long entry is widened to whole days of its zone.

    :param zone: of the request, for items that name none.
    :raises EwsError: the end lies before the start.
    """
    old = before or {}
    values = draft.values
    own = values.get("StartTimeZone") or old.get("StartTimeZone")
    if draft.naive:
        values.setdefault("StartTimeZone", own or zone)
        values.setdefault("EndTimeZone", old.get("EndTimeZone") or values["StartTimeZone"])
    for tag, text in draft.naive.items():
        # A time without an offset is one of the request's zone (TimeZoneContext), not of the item's.
        values[tag] = instant(text, zone)
    start, end = values.get("Start", old.get("Start")), values.get("End", old.get("End"))
    if start is None or end is None:
        return
    if end < start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate", "EndDate is earlier than StartDate.")
    if (end - start).days > 365 * 5:
        raise EwsError("ErrorCalendarDurationIsTooLong", "The duration is too long.")
    if values.get("IsAllDayEvent", old.get("IsAllDayEvent")):
        values["Start"], values["End"] = whole_days(start, end, str(values.get("StartTimeZone") or own or zone))


def whole_days(start: datetime, end: datetime, zone: str) -> tuple[datetime, datetime]:
    """The midnights around a span."""
    first, last = wall(start, zone), wall(end, zone)
    begin = datetime.combine(first.date(), time())
    stop = datetime.combine(last.date(), time())
    if stop < last or stop <= begin:
        stop += timedelta(days=1)
    return from_wall(begin, zone), from_wall(stop, zone)
