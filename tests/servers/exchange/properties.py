"""Every property of an item in the order of the schema, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

from tests.servers.exchange.ids import folder_id
from tests.servers.exchange.model import Sight
from tests.servers.exchange.recurrence import write as write_recurrence
from tests.servers.exchange.shape import (
    ROLES,
    Look,
    attendees,
    extended_key,
    extended_property,
    extended_value,
    item_id,
    mailbox,
)
from tests.servers.exchange.wire import Element, name, t
from tests.servers.exchange.zones import definition

Show = Callable[[Look], Element | None]


def _plain(key: str, default: Any = None) -> Show:
    def show(look: Look) -> Element | None:
        content = look.get(key, default)
        return None if content is None or content == "" else t(key, content)

    return show


def _given(key: str, find: Callable[[Look], Any]) -> Show:
    def show(look: Look) -> Element | None:
        content = find(look)
        return None if content is None else t(key, content)

    return show


def _body(look: Look) -> Element | None:
    kind, text = look.get("Body", ("Text", ""))
    wanted = kind if look.shape.body_type == "Best" else look.shape.body_type
    if wanted == "HTML" and kind == "Text":
        text = f"<html><body>{text}</body></html>"
    return t("Body", text, BodyType=wanted)


def _categories(look: Look) -> Element | None:
    names = look.get("Categories") or ()
    return t("Categories", [t("String", one) for one in names]) if names else None


def extended(look: Look) -> list[Element]:
    shown = []
    for path in look.shape.extended:
        content = extended_value(look.sight, extended_key(path))
        if content is not None:
            shown.append(extended_property(path, content))
    return shown


def _organizer(look: Look) -> Element | None:
    who = look.get("Organizer") or look.box.address
    return t("Organizer", mailbox(who, bare=look.shape.summary))


def _role(role: str) -> Show:
    return lambda look: attendees(look.sight.attendees, role)


def _series(show: Show) -> Show:
    return lambda look: show(look) if look.sight.kind == "RecurringMaster" else None


def _recurrence(look: Look) -> Element | None:
    series = look.sight.entry.recurrence
    return write_recurrence(series) if series else None


def _edge(tag: str) -> Show:
    def show(look: Look) -> Element | None:
        entry = look.sight.entry
        assert entry.recurrence
        if tag == "LastOccurrence" and entry.recurrence.end is None and entry.recurrence.times is None:
            return None
        dates = entry.originals() if tag == "LastOccurrence" else islice(entry.originals(), 1000)
        seen = [one for one in map(entry.occurrence, dates) if one]
        return _occurrence(look, tag, seen[0 if tag == "FirstOccurrence" else -1]) if seen else None

    return _series(show)


def _occurrence(look: Look, tag: str, sight: Sight) -> Element:
    original = t("OriginalStart", sight.original) if sight.original else None
    one = Look(look.world, look.box, sight, look.shape)
    return t(tag, item_id(one), t("Start", sight.start), t("End", sight.end), original)


def _modified(look: Look) -> Element | None:
    entry = look.sight.entry
    kept = sorted(one for one, change in entry.exceptions.items() if not change.deleted)
    rows = [_occurrence(look, "Occurrence", seen) for seen in map(entry.occurrence, kept) if seen]
    return t("ModifiedOccurrences", rows) if rows else None


def _deleted(look: Look) -> Element | None:
    gone = sorted(one for one, change in look.sight.entry.exceptions.items() if change.deleted)
    rows = [t("DeletedOccurrence", t("Start", one)) for one in gone]
    return t("DeletedOccurrences", rows) if rows else None


def _zone(tag: str) -> Show:
    def show(look: Look) -> Element | None:
        zone = str(look.get(tag) or look.get("StartTimeZone") or "UTC")
        made = definition(zone, look.sight.start.year, full=not look.shape.summary)
        made.tag = name(f"t:{tag}")
        if look.shape.strange_zones:
            made.set("Id", look.shape.strange_zones)
            made.set("Name", look.shape.strange_zones)
        return made

    return show


def _id_of_zone(key: str) -> Show:
    return _given(f"{key}Id", lambda look: look.shape.strange_zones or look.get(key) or "UTC")


def _duration(look: Look) -> str:
    minutes = int((look.sight.end - look.sight.start).total_seconds() // 60)
    return (
        f"P{minutes // 1440}DT{minutes % 1440 // 60}H{minutes % 60}M"
        if minutes >= 1440
        else (f"PT{minutes // 60}H{minutes % 60}M")
    )


def _dated(look: Look) -> datetime | None:
    return look.sight.original if look.sight.kind in ("Occurrence", "Exception") else None


def _state(look: Look) -> int:
    meeting, received = bool(look.sight.attendees), not _owns(look)
    return (1 if meeting else 0) + (2 if received else 0) + (4 if look.get("IsCancelled") else 0)


def _owns(look: Look) -> bool:
    who = look.get("Organizer")
    return who is None or who == look.box.address


def _my_response(look: Look) -> str:
    return "Organizer" if _owns(look) else str(look.get("MyResponseType", "NoResponseReceived"))


def _effective_rights(look: Look) -> Element:
    names = ("CreateAssociated", "CreateContents", "CreateHierarchy", "Delete", "Modify", "Read", "ViewPrivateItems")
    return t("EffectiveRights", [t(one, one in ("Delete", "Modify", "Read", "ViewPrivateItems")) for one in names])


def _reminder_due(look: Look) -> datetime | None:
    return look.sight.start if "Start" in look.sight.values else None


def _folder(look: Look) -> Element:
    return t("ParentFolderId", Id=folder_id(look.box.mark, look.sight.entry.folder), ChangeKey="AQAAAA==")


def _item_class(look: Look) -> str:
    classes = {
        "CalendarItem": "IPM.Appointment",
        "Message": "IPM.Note",
        "MeetingRequest": "IPM.Schedule.Meeting.Request",
        "MeetingResponse": f"IPM.Schedule.Meeting.Resp.{look.get('Word', 'Pos')}",
        "MeetingCancellation": "IPM.Schedule.Meeting.Canceled",
    }
    return classes[look.sight.entry.kind]


def _display_to(look: Look) -> str:
    return "; ".join(one.address.name for one in look.sight.attendees if one.role != "OptionalAttendees")


# name, FieldURI, in the Default shape, in summaries, how
ITEM: tuple[tuple[str, str, bool, bool, Show], ...] = (
    ("ParentFolderId", "item:ParentFolderId", False, True, _folder),
    ("ItemClass", "item:ItemClass", False, True, _given("ItemClass", _item_class)),
    ("Subject", "item:Subject", True, True, _plain("Subject")),
    ("Sensitivity", "item:Sensitivity", True, True, _plain("Sensitivity", "Normal")),
    ("Body", "item:Body", True, False, _body),
    ("DateTimeReceived", "item:DateTimeReceived", False, True, _plain("DateTimeReceived")),
    ("Size", "item:Size", False, True, _given("Size", lambda look: 4096)),
    ("Categories", "item:Categories", False, True, _categories),
    ("Importance", "item:Importance", False, True, _plain("Importance", "Normal")),
    ("IsSubmitted", "item:IsSubmitted", False, True, _given("IsSubmitted", lambda look: False)),
    ("IsDraft", "item:IsDraft", False, True, _given("IsDraft", lambda look: False)),
    ("IsFromMe", "item:IsFromMe", False, True, _given("IsFromMe", lambda look: False)),
    ("IsResend", "item:IsResend", False, True, _given("IsResend", lambda look: False)),
    ("IsUnmodified", "item:IsUnmodified", False, True, _given("IsUnmodified", lambda look: False)),
    (
        "DateTimeSent",
        "item:DateTimeSent",
        False,
        True,
        _given("DateTimeSent", lambda look: look.get("DateTimeCreated")),
    ),
    ("DateTimeCreated", "item:DateTimeCreated", False, True, _plain("DateTimeCreated")),
    ("ReminderDueBy", "item:ReminderDueBy", False, True, _given("ReminderDueBy", _reminder_due)),
    ("ReminderIsSet", "item:ReminderIsSet", False, True, _plain("ReminderIsSet", False)),
    (
        "ReminderMinutesBeforeStart",
        "item:ReminderMinutesBeforeStart",
        False,
        True,
        _plain("ReminderMinutesBeforeStart", 15),
    ),
    ("DisplayCc", "item:DisplayCc", False, True, _given("DisplayCc", lambda look: "")),
    ("DisplayTo", "item:DisplayTo", False, True, _given("DisplayTo", _display_to)),
    ("HasAttachments", "item:HasAttachments", True, True, _given("HasAttachments", lambda look: False)),
    ("Culture", "item:Culture", False, True, _given("Culture", lambda look: "da-DK")),
    ("EffectiveRights", "item:EffectiveRights", False, True, _effective_rights),
    (
        "LastModifiedName",
        "item:LastModifiedName",
        False,
        True,
        _given("LastModifiedName", lambda k: k.box.address.name),
    ),
    ("LastModifiedTime", "item:LastModifiedTime", False, True, _plain("LastModifiedTime")),
    ("IsAssociated", "item:IsAssociated", False, True, _given("IsAssociated", lambda look: False)),
)
_NAMES = [tag for tag, *_ in ITEM]
BEFORE_EXTENDED = frozenset(["ItemId", *_NAMES[: _NAMES.index("HasAttachments") + 1]])
"""What stands before extended properties."""
CALENDAR: tuple[tuple[str, str, bool, bool, Show], ...] = (
    ("UID", "calendar:UID", True, True, _plain("UID")),
    ("RecurrenceId", "calendar:RecurrenceId", False, True, _given("RecurrenceId", _dated)),
    (
        "DateTimeStamp",
        "calendar:DateTimeStamp",
        False,
        True,
        _given("DateTimeStamp", lambda k: k.get("DateTimeCreated")),
    ),
    ("Start", "calendar:Start", True, True, _plain("Start")),
    ("End", "calendar:End", True, True, _plain("End")),
    ("OriginalStart", "calendar:OriginalStart", False, True, _given("OriginalStart", _dated)),
    ("IsAllDayEvent", "calendar:IsAllDayEvent", False, True, _plain("IsAllDayEvent", False)),
    ("LegacyFreeBusyStatus", "calendar:LegacyFreeBusyStatus", True, True, _plain("LegacyFreeBusyStatus", "Busy")),
    ("Location", "calendar:Location", True, True, _plain("Location")),
    ("IsMeeting", "calendar:IsMeeting", False, True, _given("IsMeeting", lambda k: bool(k.sight.attendees))),
    ("IsCancelled", "calendar:IsCancelled", False, True, _plain("IsCancelled", False)),
    ("IsRecurring", "calendar:IsRecurring", False, True, _given("IsRecurring", lambda k: _dated(k) is not None)),
    ("MeetingRequestWasSent", "calendar:MeetingRequestWasSent", False, True, _plain("MeetingRequestWasSent", False)),
    ("IsResponseRequested", "calendar:IsResponseRequested", False, True, _plain("IsResponseRequested", True)),
    ("CalendarItemType", "calendar:CalendarItemType", True, True, _given("CalendarItemType", lambda k: k.sight.kind)),
    ("MyResponseType", "calendar:MyResponseType", False, True, _given("MyResponseType", _my_response)),
    ("Organizer", "calendar:Organizer", True, True, _organizer),
    *((role, f"calendar:{role}", True, False, _role(role)) for role in ROLES),
    ("Duration", "calendar:Duration", False, True, _given("Duration", _duration)),
    ("AppointmentReplyTime", "calendar:AppointmentReplyTime", False, True, _plain("AppointmentReplyTime")),
    (
        "AppointmentSequenceNumber",
        "calendar:AppointmentSequenceNumber",
        False,
        True,
        _plain("AppointmentSequenceNumber", 0),
    ),
    ("AppointmentState", "calendar:AppointmentState", False, True, _given("AppointmentState", _state)),
    ("Recurrence", "calendar:Recurrence", True, False, _series(_recurrence)),
    ("FirstOccurrence", "calendar:FirstOccurrence", True, False, _edge("FirstOccurrence")),
    ("LastOccurrence", "calendar:LastOccurrence", True, False, _edge("LastOccurrence")),
    ("ModifiedOccurrences", "calendar:ModifiedOccurrences", True, False, _series(_modified)),
    ("DeletedOccurrences", "calendar:DeletedOccurrences", True, False, _series(_deleted)),
    ("StartTimeZone", "calendar:StartTimeZone", True, True, _zone("StartTimeZone")),
    ("EndTimeZone", "calendar:EndTimeZone", True, True, _zone("EndTimeZone")),
    ("ConferenceType", "calendar:ConferenceType", False, True, _given("ConferenceType", lambda look: 0)),
    ("AllowNewTimeProposal", "calendar:AllowNewTimeProposal", False, True, _plain("AllowNewTimeProposal", True)),
    ("IsOnlineMeeting", "calendar:IsOnlineMeeting", False, True, _given("IsOnlineMeeting", lambda look: False)),
    ("StartTimeZoneId", "calendar:StartTimeZoneId", False, True, _id_of_zone("StartTimeZone")),
    ("EndTimeZoneId", "calendar:EndTimeZoneId", False, True, _id_of_zone("EndTimeZone")),
    ("IsOrganizer", "calendar:IsOrganizer", False, True, _given("IsOrganizer", _owns)),
)
MESSAGE: tuple[tuple[str, str, bool, bool, Show], ...] = (
    ("Sender", "message:Sender", True, True, lambda k: t("Sender", mailbox(k.get("Sender")))),
    ("ToRecipients", "message:ToRecipients", True, False, lambda k: t("ToRecipients", map(mailbox, k.get("To", ())))),
    ("From", "message:From", True, True, lambda k: t("From", mailbox(k.get("Sender")))),
    ("IsRead", "message:IsRead", True, True, _plain("IsRead", False)),
)
MEETING: tuple[tuple[str, str, bool, bool, Show], ...] = (
    ("ResponseType", "meeting:ResponseType", False, True, _plain("ResponseType")),
    ("UID", "calendar:UID", False, True, _plain("UID")),
)
KNOWN = frozenset(uri for table in (ITEM, CALENDAR, MESSAGE, MEETING) for _, uri, *_ in table)
