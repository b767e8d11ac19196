"""Events as JSON: whole, bare as occurrences are in delta answers, and only what was selected."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from html import escape

from tests.servers.graph.wire import shown, shown_day, stamp
from tests.servers.graph.world import Instance, Mailbox, Values, change_key, etag_of, id_of

_LINK = re.compile(r"(https?://[^\s<]+)")
PLAIN = {
    "subject": "",
    "bodyPreview": "",
    "importance": "normal",
    "sensitivity": "normal",
    "isAllDay": False,
    "isCancelled": False,
    "isOrganizer": True,
    "responseRequested": True,
    "showAs": "busy",
    "categories": [],
    "attendees": [],
    "hasAttachments": False,
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
    "isDraft": False,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "onlineMeeting": None,
    "onlineMeetingUrl": None,
    "transactionId": None,
    "body": {"contentType": "text", "content": ""},
    "location": {"displayName": "", "locationType": "default", "uniqueIdType": "unknown"},
    "locations": [],
    "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
}


@dataclass(frozen=True)
class Wishes:
    """What the request's headers and query ask of the form.

    :param select: names of properties; all if empty.
    :param extended: ids of extended properties to expand.
    :param text: bodies as text; else everything is HTML, whatever it was written as.
    """

    immutable: bool = False
    zone: str = "UTC"
    page: int = 10
    select: frozenset[str] = frozenset()
    extended: Collection[str] = ()
    text: bool = False


def times(one: Instance, wishes: Wishes) -> Values:
    """Start and end in the zone asked for; all-day events keep their dates, whatever the zone."""
    start, end = one.values["start"], one.values["end"]
    if isinstance(start, datetime):
        return {"start": shown(start, wishes.zone), "end": shown(end, wishes.zone)}
    return {"start": shown_day(start, wishes.zone), "end": shown_day(end, wishes.zone)}


def bare(box: Mailbox, one: Instance, wishes: Wishes) -> Values:
    """An occurrence in a delta answer: without showAs, subject or sensitivity."""
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": etag_of(one.event),
        "id": id_of(box, one.event.number, one.original, wishes.immutable),
        "seriesMasterId": id_of(box, one.event.number, None, wishes.immutable),
        "type": "occurrence",
        **times(one, wishes),
        **one.event.raw,
    }


def _page(text: str) -> str:
    """A text as Exchange makes HTML of it: lines are broken, addresses become links."""
    lines = [_LINK.sub(r'<a href="\1">\1</a>', escape(line)) for line in text.splitlines()]
    head = '<meta name="Generator" content="Microsoft Exchange Server">\r\n<!-- converted from text -->'
    inner = "<br>\r\n".join(lines)
    return (
        f"<html><head>{head}\r\n<style><!-- .EmailQuote {{ margin-left: 1pt; }} --></style></head>\r\n<body>\r\n"
        f'<font size="2"><span style="font-size:11pt;"><div class="PlainText">{inner}</div></span></font>\r\n'
        "</body>\r\n</html>\r\n"
    )


def full(box: Mailbox, one: Instance, wishes: Wishes) -> Values:
    """An event with everything, or with what was selected."""
    event = one.event
    found: Values = {
        **PLAIN,
        "organizer": {"emailAddress": {"name": box.name, "address": box.address}},
        **{key: value for key, value in one.values.items() if key not in ("start", "end")},
        "id": id_of(box, event.number, one.original, wishes.immutable),
        "changeKey": change_key(event),
        "createdDateTime": stamp(event.born),
        "lastModifiedDateTime": stamp(event.touched),
        "iCalUId": event.uid + (f"-{one.original}" if one.original else ""),
        "type": one.kind,
        "seriesMasterId": id_of(box, event.number, None, wishes.immutable) if one.original else None,
        "originalStartTimeZone": event.zone,
        "originalEndTimeZone": event.zone,
        "recurrence": event.recurrence if one.original is None else None,
        **times(one, wishes),
    }
    if one.original is not None:
        found["originalStart"] = stamp(Instance(event, one.original, event.ruled(one.original)).span()[0])
    if one.kind == "seriesMaster":
        found["cancelledOccurrences"] = [f"OID.{found['id']}.{day}" for day in sorted(event.dropped)]
    if not wishes.text and found["body"]["contentType"] == "text":
        found["body"] = {"contentType": "html", "content": _page(found["body"]["content"])}
    found |= event.raw
    if wishes.select:
        found = {key: found[key] for key in found if key in wishes.select | {"id"}}
    expanded = [{"id": key, "value": event.extended[key]} for key in event.extended if key in wishes.extended]
    if expanded:
        found["singleValueExtendedProperties"] = expanded
    return {"@odata.etag": etag_of(event), **found}
