"""Items as answers show them: every property in the schema's order, chosen by the request's ItemShape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.servers.exchange.model import Sight
from tests.servers.exchange.properties import BEFORE_EXTENDED, CALENDAR, ITEM, KNOWN, MEETING, MESSAGE, Show, extended
from tests.servers.exchange.shape import Look, Shape, item_id
from tests.servers.exchange.wire import Element, EwsError, local, t
from tests.servers.exchange.world import Mailbox, World


def item(world: World, box: Mailbox, sight: Sight, shape: Shape) -> Element:
    """An item as the request wants it."""
    kind = sight.entry.kind
    if kind not in shape.plans:
        shape.plans[kind] = list(_plan(kind, shape))
    look = Look(world, box, sight, shape)
    made = t(kind, item_id(look))
    for show in shape.plans[kind]:
        shown = show(look)
        if shown is not None:
            made.append(shown)
    if shape.extended:
        _insert(made, extended(look))
    return made


def _plan(kind: str, shape: Shape) -> Iterator[Show]:
    """What of a kind of item is shown, in the schema's order."""
    tables = {"CalendarItem": (ITEM, CALENDAR), "Message": (ITEM, MESSAGE)}.get(kind, (ITEM, MESSAGE, MEETING))
    for table in tables:
        for _, uri, default, in_summary, show in table:
            if shape.wants(uri, default) and (in_summary or not shape.summary):
                yield show


def _insert(made: Element, properties: Iterable[Element]) -> None:
    """Extended properties stand in the middle of an item."""
    place = sum(local(part) in BEFORE_EXTENDED for part in made)
    for number, one in enumerate(properties):
        made.insert(place + number, one)


def refuse_unknown(shape: Shape, known: Iterable[str] = KNOWN) -> None:
    """Properties that a caller needs and the simulator does not have must not go missing in silence.

    :raises EwsError: ErrorInvalidPropertyRequest.
    """
    missing = {uri for uri in shape.fields - frozenset(known) - TOLERATED if not uri.startswith(_OF_MAIL)}
    if missing:
        raise EwsError("ErrorInvalidPropertyRequest", f"The simulator does not know {sorted(missing)}.")


_OF_MAIL = ("message:", "meeting:", "meetingRequest:")
TOLERATED = frozenset(
    [
        "item:ItemId", "item:MimeContent", "item:Attachments", "item:ConversationId", "item:UniqueBody",
        "item:InternetMessageHeaders", "item:ResponseObjects", "item:InReplyTo", "item:ReminderNextTime",
        "item:WebClientReadFormQueryString", "item:WebClientEditFormQueryString", "item:TextBody", "item:Flag",
        "item:StoreEntryId", "item:InstanceKey", "item:NormalizedBody", "item:Preview",
        "calendar:ConflictingMeetingCount", "calendar:AdjacentMeetingCount", "calendar:ConflictingMeetings",
        "calendar:AdjacentMeetings", "calendar:When", "calendar:TimeZone", "calendar:MeetingTimeZone",
        "calendar:MeetingWorkspaceUrl", "calendar:NetShowUrl", "calendar:EnhancedLocation",
        "calendar:StartWallClock", "calendar:EndWallClock", "calendar:JoinOnlineMeetingUrl",
        "calendar:OnlineMeetingSettings",
    ]
)  # fmt: skip
"""Properties a real server may leave out as well; nothing here decides by them."""
