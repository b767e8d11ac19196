"""Our drafts as exchangelib's items, and those as the requests Exchange wants; loads exchangelib.

Its services only write the requests here. They are sent by `Client`, because exchangelib sends a creation again when
its answer is lost (two meetings, two invitations), and writes or deletes every property it knows when it is not told
which (`update_fields`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, cast

from exchangelib import (
    Account,
    Attendee,
    CalendarItem,
    Configuration,
    EWSDateTime,
    EWSTimeZone,
    ExtendedProperty,
    HTMLBody,
)
from exchangelib import Body as PlainBody
from exchangelib import Mailbox as Address
from exchangelib.properties import DistinguishedFolderId
from exchangelib.services import CreateItem, UpdateItem
from exchangelib.transport import NOAUTH
from exchangelib.version import EXCHANGE_2016, Version
from lxml import etree

from syncd.adapters.ews.soap import Body, ItemRef
from syncd.adapters.ews.wire import STATUS
from syncd.adapters.properties import PROPERTY_SET, STAMP_PROPERTY, UID_PROPERTY
from syncd.model.block import block
from syncd.model.entry import EntryDraft

REMINDER = 15
"""Minutes before the start at which Outlook reminds the caseworker."""

TO_NONE = "SendToNone"
TO_ALL = "SendToAllAndSaveCopy"
TO_CHANGED = "SendToChangedAndSaveCopy"


class UidProperty(ExtendedProperty):
    """The UID we chose; by it an entry is found again."""

    property_set_id = PROPERTY_SET  # type: ignore[assignment]  # exchangelib declares None
    property_name = UID_PROPERTY  # type: ignore[assignment]  # exchangelib declares None
    property_type = "String"


class StampProperty(ExtendedProperty):
    """Our stamp (architecture, decision 5)."""

    property_set_id = PROPERTY_SET  # type: ignore[assignment]  # exchangelib declares None
    property_name = STAMP_PROPERTY  # type: ignore[assignment]  # exchangelib declares None
    property_type = "String"


def create_request(mailbox: str, draft: EntryDraft) -> str:
    """CreateItem in the mailbox's calendar; a room that answers for itself, and nobody else, is invited."""
    item = CalendarItem(
        account=_paper(),
        uid=draft.uid,
        syncd_uid=draft.uid,
        is_response_requested=draft.room is not None and draft.room.invited,
        reminder_is_set=True,
        reminder_minutes_before_start=REMINDER,
        categories=list(draft.categories) or None,
        **_content(draft, Body(block(draft.description))),
    )
    folder = DistinguishedFolderId(id="calendar", mailbox=Address(email_address=mailbox))
    payload = CreateItem(account=_paper()).get_payload(
        items=[item],
        folder=folder,
        message_disposition="SaveOnly",
        send_meeting_invitations=TO_ALL if draft.room and draft.room.invited else TO_NONE,
    )
    return _text(payload)


def update_request(
    ref: ItemRef, draft: EntryDraft, body: Body, tell: str, *, kept: Collection[str], categories: Collection[str]
) -> str:
    """UpdateItem of exactly the properties that a draft speaks of, refused when the item changed since.

    :param body: our block, and what else stands around it.
    :param tell: who hears of it: `TO_NONE`, `TO_ALL` or `TO_CHANGED`.
    :param kept: names of properties that are right already; a room written again would have to answer again.
    :param categories: all that shall stand there, a person's own included.
    """
    wanted: dict[str, Any] = {"resources": None, "categories": list(categories)} | _content(draft, body)
    content = {name: value for name, value in wanted.items() if name not in kept}
    item = CalendarItem(account=_paper(), id=ref.id, changekey=ref.change_key, syncd_uid=draft.uid, **content)
    payload = UpdateItem(account=_paper()).get_payload(
        items=[(item, [*content, "syncd_uid"])],
        conflict_resolution="NeverOverwrite",
        message_disposition="SaveOnly",
        send_meeting_invitations_or_cancellations=tell,
        suppress_read_receipts=True,
    )
    return _text(payload)


def _content(draft: EntryDraft, body: Body) -> dict[str, Any]:
    """What a draft says, in exchangelib's words."""
    zone = EWSTimeZone(draft.zone)
    content: dict[str, Any] = {
        "subject": draft.summary,
        "body": HTMLBody(body.text) if body.html else PlainBody(body.text),
        "sensitivity": "Private" if draft.private else "Normal",
        "start": _local(draft.interval.start, zone),
        "end": _local(draft.interval.end, zone),
        "is_all_day": False,
        "legacy_free_busy_status": STATUS[draft.busy],
        "location": draft.location,
        "syncd_stamp": draft.stamp.encode(),
    }
    if draft.room is not None:
        room = Address(name=draft.room.name, email_address=draft.room.address)
        content["resources"] = [Attendee(mailbox=room, response_type="Unknown")]
    return content


def _local(moment: datetime, zone: EWSTimeZone) -> EWSDateTime:
    return cast(EWSDateTime, EWSDateTime.from_datetime(moment).astimezone(zone))


def _text(payload: etree._Element) -> str:
    return etree.tostring(payload, encoding="unicode")


@cache
def _paper() -> Account:
    """An account that only writes requests; it has no address anybody could reach."""
    CalendarItem.register("syncd_uid", UidProperty)
    CalendarItem.register("syncd_stamp", StampProperty)
    config = Configuration(
        service_endpoint="https://exchange.invalid/EWS/Exchange.asmx", auth_type=NOAUTH, version=Version(EXCHANGE_2016)
    )
    return Account(
        "nobody@exchange.invalid", config=config, default_timezone=EWSTimeZone("UTC"), access_type="delegate"
    )
