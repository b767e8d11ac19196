"""A calendar program as staff use it on Exchange: plain web services over HTTP, knowing nothing of syncd."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

import httpx2
from lxml import etree

from syncd.model.interval import Interval
from syncd.model.zones import wall_clock

_SECONDS = 20
_ENVELOPE = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>
 <t:RequestServerVersion Version="Exchange2016"/></s:Header><s:Body>{body}</s:Body></s:Envelope>"""
_FIND = """<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>
 <m:CalendarView StartDate="{start}" EndDate="{end}"/>
 <m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>"""
_GET = """<m:GetItem><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>
 <m:ItemIds>{ids}</m:ItemIds></m:GetItem>"""
_CREATE = """<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem>
 <t:Subject>{summary}</t:Subject>{marks}<t:Start>{start}</t:Start><t:End>{end}</t:End></t:CalendarItem></m:Items></m:CreateItem>"""
_FIELD = """<t:SetItemField><t:FieldURI FieldURI="calendar:{tag}"/><t:CalendarItem><t:{tag}>{moment}</t:{tag}>
 </t:CalendarItem></t:SetItemField>"""
_MOVE = """<m:UpdateItem ConflictResolution="AlwaysOverwrite"
 SendMeetingInvitationsOrCancellations="SendToAllAndSaveCopy">
 <m:ItemChanges><t:ItemChange><t:ItemId Id={id}/><t:Updates>{fields}</t:Updates></t:ItemChange></m:ItemChanges>
 </m:UpdateItem>"""


@dataclass(frozen=True, slots=True)
class OutlookItem:
    """One entry as its owner sees it."""

    id: str
    uid: str
    summary: str
    start: datetime | None
    end: datetime | None
    location: str
    rooms: tuple[str, ...]


class OutlookDesk:
    """One person's or room's calendar, opened with that account's own password."""

    def __init__(self, url: str, account: str, password: str) -> None:
        self._url = url
        self._http = httpx2.Client(auth=(account, password), timeout=_SECONDS)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def items(self, span: Interval) -> list[OutlookItem]:
        """Every entry that touches *span*; what goes between the two questions is left out."""
        found = self._asked(_FIND.format(start=_text(span.start), end=_text(span.end)))
        ids = [f"<t:ItemId Id={quoteattr(str(one.get('Id')))}/>" for one in found.iter("{*}ItemId")]
        if not ids:
            return []
        return [_item(one) for one in self._asked(_GET.format(ids="".join(ids))).iter("{*}CalendarItem")]

    def add(self, span: Interval, summary: str, zone: str, categories: tuple[str, ...] = ()) -> str:
        """Put a new entry into the calendar, as its owner would; its id."""
        times = {"start": _text(span.start, zone), "end": _text(span.end, zone)}
        made = self._asked(_CREATE.format(summary=escape(summary), marks=_marks(categories), **times))
        return str(next(made.iter("{*}ItemId")).get("Id"))

    def move(self, item: OutlookItem, span: Interval, zone: str) -> None:
        """Drag an entry to another time, as its owner would; Outlook tells the room."""
        times = (("Start", span.start), ("End", span.end))
        fields = "".join(_FIELD.format(tag=tag, moment=_text(moment, zone)) for tag, moment in times)
        self._asked(_MOVE.format(id=quoteattr(item.id), fields=fields))

    def _asked(self, body: str) -> etree._Element:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        answer = self._http.post(self._url, content=_ENVELOPE.format(body=body).encode(), headers=headers)
        answer.raise_for_status()
        return etree.fromstring(answer.content)


def _item(element: etree._Element) -> OutlookItem:
    def text(path: str) -> str:
        return element.findtext(path, "")

    whole = text("{*}IsAllDayEvent") == "true"
    return OutlookItem(
        id=str(next(element.iter("{*}ItemId")).get("Id")),
        uid=text("{*}UID"),
        summary=text("{*}Subject"),
        start=None if whole else datetime.fromisoformat(text("{*}Start")),
        end=None if whole else datetime.fromisoformat(text("{*}End")),
        location=text("{*}Location"),
        rooms=tuple(str(one.text) for one in element.iterfind("{*}Resources/{*}Attendee/{*}Mailbox/{*}EmailAddress")),
    )


def _marks(categories: tuple[str, ...]) -> str:
    named = "".join(f"<t:String>{escape(one)}</t:String>" for one in categories)
    return f"<t:Categories>{named}</t:Categories>" if named else ""


def _text(moment: datetime, zone: str = "UTC") -> str:
    """A moment as clocks in *zone* show it, with their offset."""
    return wall_clock(moment, zone).isoformat(timespec="seconds")
