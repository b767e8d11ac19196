"""Subscriptions to change notifications of one calendar (``POST /subscriptions``)."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from syncd.adapters.graph.client import ITEM, Client
from syncd.adapters.graph.faults import Absent
from syncd.adapters.graph.rounds import user
from syncd.errors import CalendarNotFound, Rejected
from syncd.model.subscription import Subscription


class _Answer(msgspec.Struct, rename="camel"):
    id: str
    expiration_date_time: datetime


_ANSWER = msgspec.json.Decoder(_Answer)


def subscribe(client: Client, mailbox: str, url: str, word: str, until: datetime) -> Subscription:
    """Ask to be told at *url*, with *word*, of each change; how long it lasts is for Graph to say.

    :raises CalendarError: Graph refuses, or could not reach *url*.
    """
    body = {
        "changeType": "created,updated,deleted",
        "resource": f"{user(mailbox)}/events",
        "notificationUrl": url,
        "lifecycleNotificationUrl": url,
        "clientState": word,
        "expirationDateTime": _text(until),
    }
    return _answer(client, mailbox, client.ask("POST", "/subscriptions", mailbox, body=body, prefer=ITEM))


def renew(client: Client, mailbox: str, which: str, until: datetime) -> Subscription:
    """Let it last longer.

    :raises Rejected: it is not there any more.
    """
    body = {"expirationDateTime": _text(until)}
    try:
        content = client.ask("PATCH", _path(which), mailbox, body=body, prefer=ITEM)
    except (Absent, CalendarNotFound) as error:
        raise Rejected(f"The subscription to {mailbox} has ended; another one is made.") from error
    return _answer(client, mailbox, content)


def unsubscribe(client: Client, mailbox: str, which: str) -> None:
    """End it; one that is not there any more has ended."""
    try:
        client.ask("DELETE", _path(which), mailbox, prefer=ITEM)
    except (Absent, CalendarNotFound, Rejected):
        return


def _path(which: str) -> str:
    return f"/subscriptions/{quote(which, safe='')}"


def _answer(client: Client, mailbox: str, content: bytes) -> Subscription:
    found = client.decoded(_ANSWER, content, mailbox)
    return Subscription(found.id, found.expiration_date_time.astimezone(UTC))


def _text(until: datetime) -> str:
    return f"{until:%Y-%m-%dT%H:%M:%SZ}"
