"""getSchedule: a last look at a room right before it is invited, so that one that is taken is passed over at once."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from syncd.adapters.graph.client import Client
from syncd.adapters.graph.rounds import user
from syncd.adapters.graph.rows import Moment
from syncd.adapters.graph.wire import Unusable, moment
from syncd.errors import CalendarError
from syncd.model.interval import Interval

MOST = 20
"""Calendars in one request, by Graph's documents."""
STEP = 15
"""availabilityViewInterval in minutes; it is not read, but nothing instead of it is answered by an error."""


class _Item(msgspec.Struct):
    status: str | None = None
    start: Moment | None = None
    end: Moment | None = None


class _Error(msgspec.Struct, rename="camel"):
    response_code: str | None = None


class _Schedule(msgspec.Struct, rename="camel"):
    schedule_id: str
    schedule_items: list[_Item] | None = None
    error: _Error | None = None


class _Schedules(msgspec.Struct):
    value: list[_Schedule]


_DECODER = msgspec.json.Decoder(_Schedules)


def free(client: Client, mailbox: str, rooms: Collection[str], span: Interval) -> dict[str, bool]:
    """Which of *rooms* have nothing in *span*; those that cannot be seen are left out.

    :param mailbox: in whose name it is asked.
    :raises CalendarError: it cannot be told.
    """
    found: dict[str, bool] = {}
    asked = sorted(rooms)
    for at in range(0, len(asked), MOST):
        body = {
            "schedules": asked[at : at + MOST],
            "startTime": {"dateTime": f"{span.start:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "endTime": {"dateTime": f"{span.end:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "availabilityViewInterval": STEP,
        }
        answer = client.ask("POST", f"{user(mailbox)}/calendar/getSchedule", mailbox, body=body)
        seen = client.decoded(_DECODER, answer, mailbox).value
        found |= {one.schedule_id.lower(): _is_free(one, span) for one in seen if one.error is None}
    return found


def taken(client: Client, mailbox: str, room: str, span: Interval) -> bool:
    """Whether *room* is surely taken in *span*; what cannot be told is left to its attendant to say.

    :param mailbox: in whose name it is asked.
    """
    try:
        return free(client, mailbox, [room], span).get(room.lower()) is False
    except CalendarError:
        return False


def _is_free(one: _Schedule, span: Interval) -> bool:
    return not any(_takes(item, span) for item in one.schedule_items or ())


def _takes(item: _Item, span: Interval) -> bool:
    """Whether an item blocks; one that cannot be understood does."""
    if item.status == "free":
        return False
    if item.start is None or item.end is None:
        return True
    try:
        start, end = moment(item.start), moment(item.end)
    except Unusable:
        return True
    return start < span.end and span.start < end
