"""The requests we write ourselves: small, fixed, and asking for no more than is needed; pure.

exchangelib would ask for about 80 properties of each entry, and for none of these in the one request that can bring
them (`FindItem` with additional properties). What is asked for here is all that is ever asked for of other people's
entries: times, busy type, ids, categories, and our own two properties.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from syncd.adapters.properties import PROPERTY_SET, STAMP_PROPERTY, UID_PROPERTY
from syncd.model.interval import Interval

VERSION = "Exchange2016"
"""The schema we ask for: Exchange Server 2016, 2019 and SE speak it."""

TIMES = (
    "item:Categories",
    "calendar:UID",
    "calendar:RecurrenceId",
    "calendar:Start",
    "calendar:End",
    "calendar:OriginalStart",
    "calendar:IsAllDayEvent",
    "calendar:LegacyFreeBusyStatus",
    "calendar:IsCancelled",
    "calendar:CalendarItemType",
    "calendar:MyResponseType",
    "calendar:StartTimeZone",
)
"""Properties asked for of everybody's entries."""

DELETED = "deleteditems"
"""The folder into which a caseworker's deletions go, and ours."""

OURS = (*TIMES, "item:Subject", "calendar:Location", "calendar:Resources")
"""Properties asked for of entries that bear our own mark."""

_SPACES = (
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
)


class ItemRef(NamedTuple):
    """An item by its identity, with the version it must still have where that matters."""

    id: str
    change_key: str = ""


class Body(NamedTuple):
    """The text of an entry."""

    text: str
    html: bool = False


def envelope(body: str, acting_as: str | None) -> bytes:
    """A whole message; *acting_as* is the mailbox the service account impersonates."""
    who = (
        f"<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>{escape(acting_as)}</t:PrimarySmtpAddress>"
        "</t:ConnectingSID></t:ExchangeImpersonation>"
        if acting_as
        else ""
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope {_SPACES}><s:Header>'
        f'<t:RequestServerVersion Version="{VERSION}"/>{who}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def calendar_folder(mailbox: str) -> str:
    """The mailbox's own calendar, whether we impersonate or are a delegate."""
    return _folder(mailbox, "calendar")


def _folder(mailbox: str, name: str) -> str:
    return (
        f'<t:DistinguishedFolderId Id="{name}"><t:Mailbox><t:EmailAddress>{escape(mailbox)}</t:EmailAddress>'
        "</t:Mailbox></t:DistinguishedFolderId>"
    )


def sync_items(mailbox: str, state: str | None, most: int = 512) -> str:
    """SyncFolderItems, ids only: what changed after *state*, or everything there is."""
    known = f"<m:SyncState>{escape(state)}</m:SyncState>" if state else ""
    return (
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
        f"<m:SyncFolderId>{calendar_folder(mailbox)}</m:SyncFolderId>{known}"
        f"<m:MaxChangesReturned>{most}</m:MaxChangesReturned></m:SyncFolderItems>"
    )


def calendar_view(mailbox: str, window: Interval, most: int) -> str:
    """FindItem with CalendarView: every dated instance that touches *window*, at most *most*."""
    return (
        f'<m:FindItem Traversal="Shallow">{item_shape(TIMES)}'
        f'<m:CalendarView MaxEntriesReturned="{most}" StartDate="{moment(window.start)}" '
        f'EndDate="{moment(window.end)}"/>'
        f"<m:ParentFolderIds>{calendar_folder(mailbox)}</m:ParentFolderIds></m:FindItem>"
    )


def find_by_uid(mailbox: str, uid: str, *beside: str) -> str:
    """FindItem: the entries that bear our own property with this value.

    :param beside: further folders to look in; each gets a response message of its own, after the calendar's.
    """
    folders = calendar_folder(mailbox) + "".join(_folder(mailbox, name) for name in beside)
    return (
        f'<m:FindItem Traversal="Shallow">{item_shape(())}'
        '<m:IndexedPageItemView MaxEntriesReturned="100" Offset="0" BasePoint="Beginning"/>'
        f"<m:Restriction><t:IsEqualTo>{_extended(UID_PROPERTY)}<t:FieldURIOrConstant>"
        f"<t:Constant Value={quoteattr(uid)}/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>"
        f"<m:ParentFolderIds>{folders}</m:ParentFolderIds></m:FindItem>"
    )


def get_items(ids: Iterable[str], properties: Sequence[str] = TIMES) -> str:
    """GetItem of these ids."""
    wanted = "".join(f"<t:ItemId Id={quoteattr(one)}/>" for one in ids)
    return f"<m:GetItem>{item_shape(properties)}<m:ItemIds>{wanted}</m:ItemIds></m:GetItem>"


def get_body(key: str) -> str:
    """GetItem of one entry of ours that is about to be written, with its body as it is kept: text or HTML."""
    shape = item_shape((*OURS, "item:Body")).replace("</t:BaseShape>", "</t:BaseShape><t:BodyType>Best</t:BodyType>")
    return f"<m:GetItem>{shape}<m:ItemIds><t:ItemId Id={quoteattr(key)}/></m:ItemIds></m:GetItem>"


def get_masters(occurrences: Iterable[str]) -> str:
    """GetItem of the series that these occurrences belong to."""
    wanted = "".join(f"<t:RecurringMasterItemId OccurrenceId={quoteattr(one)}/>" for one in occurrences)
    return f"<m:GetItem>{item_shape(TIMES)}<m:ItemIds>{wanted}</m:ItemIds></m:GetItem>"


def get_calendar(mailbox: str) -> str:
    """GetFolder of the calendar, with what we may do there."""
    return (
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
        '<t:FieldURI FieldURI="folder:EffectiveRights"/></t:AdditionalProperties></m:FolderShape>'
        f"<m:FolderIds>{calendar_folder(mailbox)}</m:FolderIds></m:GetFolder>"
    )


def delete_item(ref: ItemRef, tell: str) -> str:
    """DeleteItem into the folder of deleted items.

    :param tell: SendMeetingCancellations: ``SendToNone`` or ``SendToAllAndSaveCopy``.
    """
    return (
        f'<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="{tell}"><m:ItemIds>'
        f"{item_id(ref)}</m:ItemIds></m:DeleteItem>"
    )


def expand_group(address: str) -> str:
    """ExpandDL: the members of a distribution group."""
    return f"<m:ExpandDL><m:Mailbox><t:EmailAddress>{escape(address)}</t:EmailAddress></m:Mailbox></m:ExpandDL>"


def get_category_list(mailbox: str) -> str:
    """GetUserConfiguration: the mailbox's own list of categories."""
    return (
        f"<m:GetUserConfiguration>{_category_list(mailbox)}"
        "<m:UserConfigurationProperties>XmlData</m:UserConfigurationProperties></m:GetUserConfiguration>"
    )


def update_category_list(mailbox: str, data: str) -> str:
    """UpdateUserConfiguration: put *data* (base64) in place of the list of categories."""
    return (
        f"<m:UpdateUserConfiguration><m:UserConfiguration>{_category_list(mailbox, 't')}"
        f"<t:XmlData>{data}</t:XmlData></m:UserConfiguration></m:UpdateUserConfiguration>"
    )


def create_category_list(mailbox: str, data: str) -> str:
    """CreateUserConfiguration, for a mailbox whose owner never opened its categories."""
    return (
        f"<m:CreateUserConfiguration><m:UserConfiguration>{_category_list(mailbox, 't')}"
        f"<t:XmlData>{data}</t:XmlData></m:UserConfiguration></m:CreateUserConfiguration>"
    )


def subscribe(mailbox: str) -> str:
    """Subscribe to streaming notifications about the calendar."""
    events = "".join(
        f"<t:EventType>{kind}Event</t:EventType>" for kind in ("Created", "Deleted", "Modified", "Moved", "Copied")
    )
    return (
        f"<m:Subscribe><m:StreamingSubscriptionRequest><t:FolderIds>{calendar_folder(mailbox)}</t:FolderIds>"
        f"<t:EventTypes>{events}</t:EventTypes></m:StreamingSubscriptionRequest></m:Subscribe>"
    )


def streaming_events(subscriptions: Iterable[str], minutes: int) -> str:
    """GetStreamingEvents for these subscriptions, for so many minutes."""
    ids = "".join(f"<t:SubscriptionId>{escape(one)}</t:SubscriptionId>" for one in subscriptions)
    return (
        f"<m:GetStreamingEvents><m:SubscriptionIds>{ids}</m:SubscriptionIds>"
        f"<m:ConnectionTimeout>{minutes}</m:ConnectionTimeout></m:GetStreamingEvents>"
    )


def get_room_lists() -> str:
    """GetRoomLists."""
    return "<m:GetRoomLists/>"


def get_rooms(room_list: str) -> str:
    """GetRooms of one room list."""
    return f"<m:GetRooms><m:RoomList><t:EmailAddress>{escape(room_list)}</t:EmailAddress></m:RoomList></m:GetRooms>"


def item_id(ref: ItemRef) -> str:
    """ItemId, with the change key when there is one."""
    version = f" ChangeKey={quoteattr(ref.change_key)}" if ref.change_key else ""
    return f"<t:ItemId Id={quoteattr(ref.id)}{version}/>"


def item_shape(properties: Sequence[str]) -> str:
    """Ids, these properties and, with any, our own two."""
    fields = "".join(f'<t:FieldURI FieldURI="{name}"/>' for name in properties)
    ours = f"{_extended(UID_PROPERTY)}{_extended(STAMP_PROPERTY)}"
    more = f"<t:AdditionalProperties>{fields}{ours}</t:AdditionalProperties>" if properties else ""
    return f"<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{more}</m:ItemShape>"


def moment(when: datetime) -> str:
    """An instant as xs:dateTime in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _extended(name: str) -> str:
    return f'<t:ExtendedFieldURI PropertySetId="{PROPERTY_SET}" PropertyName="{name}" PropertyType="String"/>'


def _category_list(mailbox: str, prefix: str = "m") -> str:
    tag = f"{prefix}:UserConfigurationName"
    return f'<{tag} Name="CategoryList">{calendar_folder(mailbox)}</{tag}>'
