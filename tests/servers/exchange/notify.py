"""Subscriptions: who listens to which folders, what happened there, and how it is told."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.servers.exchange.ids import folder_id, seal, unseal
from tests.servers.exchange.model import Entry
from tests.servers.exchange.request import Request
from tests.servers.exchange.wire import Element, EwsError, child, children, failure, local, m, reply, success, t, value
from tests.servers.exchange.world import Change, World

KINDS = {
    "Created": "CreatedEvent",
    "Modified": "ModifiedEvent",
    "Deleted": "DeletedEvent",
    "Moved": "MovedEvent",
    "NewMail": "NewMailEvent",
}


@dataclass
class Subscription:
    """One listener.

    :param folders: (mailbox mark, folder); None for all folders of one mailbox.
    :param backend: the server of the farm that knows it; the others do not.
    :param late: seconds by which its events are told late.
    :param twice: events are told twice.
    """

    id: str
    mark: bytes
    folders: frozenset[tuple[bytes, str]] | None
    kinds: frozenset[str]
    streaming: bool
    backend: str
    late: float = 0.0
    twice: bool = False
    number: int = 0
    events: list[tuple[datetime, int, Change]] = field(default_factory=list)


class Subscriptions:
    """All listeners of a world.

    `limit` is how many one mailbox may have (EWSMaxSubscriptions); `late` and `twice` hold for all of them.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.alive: dict[str, Subscription] = {}
        self.news = threading.Condition(world.lock)
        self.late = 0.0
        self.twice = False
        self.limit = 5000
        world.listeners.append(self._heard)

    def _heard(self, change: Change) -> None:
        with self.news:
            for one in self.alive.values():
                for _ in range(2 if one.twice or self.twice else 1) if self._concerns(one, change) else ():
                    one.number += 1
                    one.events.append((change.at, one.number, change))
            self.news.notify_all()

    @staticmethod
    def _concerns(one: Subscription, change: Change) -> bool:
        if KINDS[change.event] not in one.kinds:
            return False
        places = {(change.mailbox.mark, change.folder)}
        if change.old:
            places.add((change.old[0].mark, change.old[1]))
        return bool(places & one.folders) if one.folders is not None else change.mailbox.mark == one.mark

    def drop(self, mailbox: str = "*") -> int:
        """Forget subscriptions, as a fail-over does; how many."""
        with self.news:
            marks = None if mailbox == "*" else self.world.box(mailbox).mark
            lost = [key for key, one in self.alive.items() if marks in (None, one.mark)]
            for key in lost:
                del self.alive[key]
            self.news.notify_all()
            return len(lost)

    def take(self, one: Subscription, now: datetime) -> list[tuple[int, Change]]:
        """Events whose time to be told has come; they are told once."""
        late = max(one.late, self.late)
        due = [event for event in one.events if (now - event[0]).total_seconds() >= late]
        one.events = [event for event in one.events if event not in due]
        return [(number, change) for _, number, change in due]


def subscribe(request: Request, subscriptions: Subscriptions) -> Element:
    """Subscribe, streaming or pull."""
    asked = next(children(request.element))
    streaming = local(asked) == "StreamingSubscriptionRequest"
    if local(asked) == "PushSubscriptionRequest":
        raise EwsError("ErrorInvalidRequest", "The simulator does not push.")
    holder = child(asked, "t:FolderIds")
    places = [request.folder(one) for one in children(holder)] if holder is not None else []
    owner = places[0][0] if places else request.mailbox
    if owner is None:
        raise EwsError("ErrorMissingEmailAddress", "The account has no mailbox, and none was named.")
    folders = frozenset((box.mark, name) for box, name in places) if places else None
    if sum(one.mark == owner.mark for one in subscriptions.alive.values()) >= subscriptions.limit:
        raise EwsError("ErrorExceededSubscriptionCount", "You have exceeded the available subscriptions.")
    kinds = frozenset(one.text or "" for one in asked.iterfind("{*}EventTypes/{*}EventType"))
    made = Subscription(str(uuid.uuid4()), owner.mark, folders, kinds, streaming, request.backend or owner.backend)
    subscriptions.alive[made.id] = made
    watermark = None if streaming else m("Watermark", seal({"id": made.id, "at": 0}))
    parts = [m("SubscriptionId", made.id), watermark]
    return reply(request.operation, [success(request.operation, *parts)])


def unsubscribe(request: Request, subscriptions: Subscriptions) -> Element:
    """Unsubscribe."""
    one = find(request, subscriptions, value(request.element, "m:SubscriptionId"))
    del subscriptions.alive[one.id]
    return reply(request.operation, [success(request.operation)])


def find(request: Request, subscriptions: Subscriptions, key: str) -> Subscription:
    """A living subscription on the server that the request reached.

    :raises EwsError: ErrorSubscriptionNotFound.
    """
    one = subscriptions.alive.get(key)
    if one is None or (request.backend and one.backend != request.backend):
        raise EwsError("ErrorSubscriptionNotFound", "The subscription was not found.")
    return one


def get_events(request: Request, subscriptions: Subscriptions) -> Element:
    """GetEvents of a pull subscription."""
    one = find(request, subscriptions, value(request.element, "m:SubscriptionId"))
    mark = unseal(value(request.element, "m:Watermark"))
    if mark is None or mark.get("id") != one.id:
        raise EwsError("ErrorInvalidWatermark", "The watermark is invalid.")
    news = subscriptions.take(one, request.world.now())
    one.number += not news
    at = seal({"id": one.id, "at": one.number})
    rows = [told(request.world, number, change, one.id) for number, change in news]
    rows = rows or [t("StatusEvent", t("Watermark", at))]
    before = t("PreviousWatermark", value(request.element, "m:Watermark"))
    body = m("Notification", t("SubscriptionId", one.id), before, t("MoreEvents", False), rows)
    return reply(request.operation, [success(request.operation, body)])


def told(world: World, number: int, change: Change, subscription: str = "") -> Element:
    """One event; those of pull subscriptions carry a watermark."""
    entry = change.mailbox.entries.get(change.key.number)
    version = world.version_text(entry) if isinstance(entry, Entry) else "DwAAAA=="
    watermark = t("Watermark", seal({"id": subscription, "at": number})) if subscription else None
    rows = [watermark, t("TimeStamp", change.at), t("ItemId", Id=change.key.text(), ChangeKey=version)]
    rows.append(_parent("ParentFolderId", change.mailbox.mark, change.folder))
    if change.old is not None:
        rows.append(t("OldItemId", Id=change.old[0].text(), ChangeKey="DwAAAA=="))
        rows.append(_parent("OldParentFolderId", change.old[0].mark, change.old[1]))
    return t(KINDS[change.event], rows)


def _parent(tag: str, mark: bytes, folder: str) -> Element:
    return t(tag, Id=folder_id(mark, folder), ChangeKey="AQAAAA==")


def stream(request: Request, subscriptions: Subscriptions, seconds: float, beat: float) -> Iterator[Element]:
    """Bodies of a streaming answer, as they come; the lock is held between two of them, never during a wait.

    :param seconds: until the connection is closed in good order.
    :param beat: seconds between two signs of life.
    """
    operation, world = request.operation, request.world
    keys = [one.text or "" for one in request.element.iterfind("{*}SubscriptionIds/{*}SubscriptionId")]
    ended, spoke = time.monotonic() + seconds, time.monotonic()
    yield _status(operation, "OK")
    while time.monotonic() < ended:
        with world.lock:
            world.settle()
            lost = _lost(request, subscriptions, keys)
            notes = [] if lost else list(_notes(world, subscriptions, keys))
        if lost:
            yield _gone(operation, lost)
            return
        if notes:
            yield reply(operation, [success(operation, m("Notifications", notes))])
        elif time.monotonic() - spoke >= beat:
            spoke = time.monotonic()
            yield _status(operation, "OK")
        with subscriptions.news:
            if not any(subscriptions.alive[key].events for key in keys if key in subscriptions.alive):
                subscriptions.news.wait(0.05)
                continue
        threading.Event().wait(0.02)
    yield _status(operation, "Closed")


def _lost(request: Request, subscriptions: Subscriptions, keys: Iterable[str]) -> list[str]:
    lost = []
    for key in keys:
        try:
            find(request, subscriptions, key)
        except EwsError:
            lost.append(key)
    return lost


def _notes(world: World, subscriptions: Subscriptions, keys: Iterable[str]) -> Iterator[Element]:
    for key in keys:
        news = subscriptions.take(subscriptions.alive[key], world.clock())
        if news:
            yield t("Notification", t("SubscriptionId", key), [told(world, number, change) for number, change in news])


def _status(operation: str, text: str) -> Element:
    return reply(operation, [success(operation, m("ConnectionStatus", text))])


def _gone(operation: str, lost: list[str]) -> Element:
    error = EwsError("ErrorSubscriptionNotFound", "One or more subscriptions in the request were not found.")
    ids = m("ErrorSubscriptionIds", [t("SubscriptionId", key) for key in lost])
    return reply(operation, [failure(operation, error, ids, m("ConnectionStatus", "Closed"))])
