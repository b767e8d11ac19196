"""Change notifications: subscriptions with their handshake, and what is told when somebody asks for it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from tests.servers.graph.wire import GraphError, bad, stamp
from tests.servers.graph.world import World, id_of

LONGEST = timedelta(minutes=4230)
HANDSHAKE = "Validation: Testing client application reachability for subscription Request-Id: 1 <æ> &"


@dataclass
class Subscription:
    """One promise to tell."""

    id: str
    address: str
    url: str
    word: str
    until: datetime
    seen: int

    def shown(self) -> dict[str, Any]:
        """As Graph answers."""
        return {
            "@odata.type": "#microsoft.graph.subscription",
            "id": self.id,
            "resource": f"/users/{self.address}/events",
            "changeType": "created,updated,deleted",
            "notificationUrl": self.url,
            "lifecycleNotificationUrl": self.url,
            "expirationDateTime": stamp(self.until),
        }


@dataclass
class Subscriptions:
    """All of them. Nothing is sent by itself: `deliver` sends what has happened, so that tests know when."""

    world: World
    known: dict[str, Subscription] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    made: int = 0

    def create(self, body: dict[str, Any]) -> Subscription:
        """POST: calls the address first, and wants its token back.

        :raises GraphError: 400, when that fails, or it shall last too long.
        """
        until = datetime.fromisoformat(body["expirationDateTime"])
        self._bounded(until)
        url, address = body["notificationUrl"], body["resource"].split("/")[2].lower()
        box = self.world.box(address)
        if _called(f"{url}?validationToken={quote(HANDSHAKE)}") != (200, HANDSHAKE):
            raise GraphError(400, "ValidationError", "Subscription validation request failed.")
        self.made += 1
        latest = max([one.changed for one in box.events.values()], default=0)
        made = Subscription(f"sub-{self.made}", address, url, body.get("clientState", ""), until, latest)
        self.known[made.id] = made
        return made

    def renew(self, which: str, body: dict[str, Any]) -> Subscription:
        """PATCH."""
        found = self.find(which)
        until = datetime.fromisoformat(body["expirationDateTime"])
        self._bounded(until)
        found.until = until
        return found

    def find(self, which: str) -> Subscription:
        """One that has not ended.

        :raises GraphError: 404.
        """
        found = self.known.get(which)
        if found is None or found.until <= self.world.clock():
            raise GraphError(404, "ResourceNotFound", "The object was not found.")
        return found

    def deliver(self, *, word: str | None = None) -> int:
        """Tell everybody of what has changed; how many notifications were sent.

        :param word: a forger's clientState.
        """
        sent = 0
        for one in list(self.known.values()):
            box = self.world.boxes[one.address]
            news = [(event.changed, event.number, "updated") for event in box.events.values()]
            news += [(at, number, "deleted") for at, number, _ in box.tombstones]
            news = [new for new in news if new[0] > one.seen and one.until > self.world.clock()]
            if not news:
                continue
            told = [
                self._notice(one, id_of(box, number, None, immutable=False), kind, word) for _, number, kind in news
            ]
            self.answers.append(_called(one.url, {"value": told})[0])
            one.seen, sent = max(at for at, _, _ in news), sent + len(told)
        return sent

    def lifecycle(self, address: str, event: str) -> None:
        """Tell of a subscription itself: ``missed``, ``subscriptionRemoved`` (it is then) or the need to renew it."""
        for one in [one for one in self.known.values() if one.address == address.lower()]:
            told = {"subscriptionId": one.id, "clientState": one.word, "lifecycleEvent": event, "tenantId": "t"}
            if event == "subscriptionRemoved":
                del self.known[one.id]
            self.answers.append(_called(one.url, {"value": [told]})[0])

    def _notice(self, one: Subscription, item: str, kind: str, word: str | None) -> dict[str, Any]:
        resource = f"Users/{one.address}/Events/{item}"
        return {
            "subscriptionId": one.id,
            "subscriptionExpirationDateTime": stamp(one.until),
            "changeType": kind,
            "resource": resource,
            "clientState": one.word if word is None else word,
            "tenantId": "t",
            "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": resource, "id": item},
        }

    def _bounded(self, until: datetime) -> None:
        if until > self.world.clock() + LONGEST:
            raise bad("Subscription expiration can only be 4230 minutes in the future.")


def _called(url: str, body: Any = None) -> tuple[int, str]:
    data = b"" if body is None else json.dumps(body).encode()
    sent = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(sent, timeout=3) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""
