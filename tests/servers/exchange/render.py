"""Items as answers show them: every property in the schema's order, chosen by the request's ItemShape."""

from __future__ import annotations

from collections.abc import Iterable

from tests.servers.exchange.model import Sight
from tests.servers.exchange.properties import CALENDAR, EXTENDED_AFTER, ITEM, KNOWN, MEETING, MESSAGE, extended
from tests.servers.exchange.shape import Look, Shape, item_id
from tests.servers.exchange.wire import Element, EwsError, t
from tests.servers.exchange.world import Mailbox, World


def item(world: World, box: Mailbox, sight: Sight, shape: Shape) -> Element:
    """An item as the request wants it."""
    kind = sight.entry.kind
    look = Look(world, box, sight, shape)
    tables = {"CalendarItem": (ITEM, CALENDAR), "Message": (ITEM, MESSAGE)}.get(kind, (ITEM, MESSAGE, MEETING))
    made = t(kind, item_id(look))
    for table in tables:
        for tag, uri, default, in_summary, show in table:
            wanted = shape.wants(uri, default) and (in_summary or not shape.summary)
            shown = show(look) if wanted else None
            if shown is not None:
                made.append(shown)
            if tag == EXTENDED_AFTER:
                made.extend(extended(look))
    return made


def refuse_unknown(shape: Shape, known: Iterable[str] = KNOWN) -> None:
    """Properties that a caller needs and the simulator does not have must not go missing in silence.

    :raises EwsError: ErrorInvalidPropertyRequest.
    """
    if missing := shape.fields - frozenset(known) - TOLERATED:
        raise EwsError("ErrorInvalidPropertyRequest", f"The simulator does not know {sorted(missing)}.")


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
