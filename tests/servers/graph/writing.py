"""Creating, changing and deleting events, and what that sends to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.servers.graph.attendant import invite, withdraw
from tests.servers.graph.faults import conflict
from tests.servers.graph.wire import GraphError, bad, day, instant
from tests.servers.graph.world import Event, Instance, Mailbox, Values, World, etag_of

READ_ONLY = frozenset(
    ["id", "changeKey", "iCalUId", "uid", "type", "seriesMasterId", "createdDateTime", "lastModifiedDateTime"]
)
JOIN = "https://teams.example/l/meetup-join/"


@dataclass
class Writer:
    """Writes events.

    :param repeated: how a second create of a transactionId is answered: 201 (nothing new), or refused by 400 or 409.
    :param addressed: whether a place shows the address it was given; the documents say so, people say that it does not.
    """

    world: World
    repeated: int = 201
    addressed: bool = False

    def create(self, box: Mailbox, body: Values) -> Instance:
        """POST events.

        :raises GraphError: 400 for what cannot be; for a repeated transactionId, if so set.
        """
        wanted = body.get("transactionId")
        for event in box.events.values():
            if wanted and event.values.get("transactionId") == wanted:
                if self.repeated != 201:
                    raise GraphError(self.repeated, "ErrorDuplicateTransactionId", "Your request can't be completed.")
                return event.whole()
        if "start" not in body or "end" not in body:
            raise bad("Start and End are required.", "ErrorPropertyValidationFailure")
        values = {"isAllDay": False, **self._plain(body)}
        values |= _times(body, values["isAllDay"])
        _ordered(values)
        made_in = body["start"].get("timeZone") or "UTC"
        event = self.world.add(box, values, made_in, recurrence=body.get("recurrence"))
        event.extended = _extended(body)
        self._online(box, event, body)
        self._send(box, event, set(), "invitation")
        return event.whole()

    def change(self, box: Mailbox, one: Instance, body: Values, if_match: str | None) -> Instance:
        """PATCH; also one that changes nothing gives a new version.

        :raises GraphError: 412 when `If-Match` names another version; 400.
        """
        event = one.event
        _same(event, if_match)
        if READ_ONLY & body.keys() or "transactionId" in body:
            raise bad("The property is read-only.", "ErrorInvalidPropertySet")
        changes = self._plain(body)
        if "start" in body or "end" in body or "isAllDay" in body:
            shown = {**one.values, **changes}
            changes |= _times(body, bool(shown.get("isAllDay")))
            _ordered({**one.values, **changes})
        target = event.values if one.original is None else event.exceptions.setdefault(one.original, {})
        before = {who: target.get(who) for who in ("attendees", "start", "end", "location")}
        known = _addresses(one.values)
        _keep_answers(one.values, changes)
        target.update(changes)
        if one.original is None and "recurrence" in body:
            event.recurrence = body["recurrence"]
            event.exceptions, event.dropped = {}, set()
        event.extended.update(_extended(body))
        if "body" in body and event.values.get("isOnlineMeeting") and JOIN not in str(body["body"].get("content")):
            # Whoever overwrites the join link makes an ordinary meeting of it.
            event.values |= {"isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None}
        self._online(box, event, body)
        self.world.touch(event)
        moved = any(target.get(key) != before[key] for key in ("start", "end", "location"))
        self._send(box, event, set() if moved or not changes.keys() <= {"attendees"} else known, "update")
        for address in known - _addresses(event.values):
            withdraw(self.world, box, event, address)
        return event.whole() if one.original is None else event.at(one.original)

    def delete(self, box: Mailbox, one: Instance, if_match: str | None) -> None:
        """DELETE; the organiser's copy takes the rooms' copies with it, and guests hear of it.

        :raises GraphError: 412.
        """
        _same(one.event, if_match)
        if one.original is not None:
            one.event.dropped.add(one.original)
            one.event.exceptions.pop(one.original, None)
            self.world.touch(one.event)
            return
        self.world.remove(box, one.event)
        for address in _addresses(one.values):
            withdraw(self.world, box, one.event, address)
            self.world.posted.append((box.address, address, "cancellation"))

    def _plain(self, body: Mapping[str, Any]) -> Values:
        skipped = READ_ONLY | {"start", "end", "recurrence", "singleValueExtendedProperties", "onlineMeeting"}
        values = {key: value for key, value in body.items() if key not in skipped and not key.startswith("@odata")}
        if values.get("location"):
            values["location"] = self._place(values["location"])
            values["locations"] = [values["location"]]
        if "attendees" in values:
            none = {"response": "none", "time": "0001-01-01T00:00:00Z"}
            values["attendees"] = [{"type": "required", **one, "status": none} for one in values["attendees"]]
        if "body" in values:
            values["bodyPreview"] = str((values["body"] or {}).get("content", ""))[:255]
        return values

    def _place(self, given: Values) -> Values:
        hidden = () if self.addressed else ("locationEmailAddress",)
        kinds = {"locationType": "default", "uniqueId": given.get("displayName", ""), "uniqueIdType": "private"}
        return kinds | {key: value for key, value in given.items() if key not in hidden}

    def _online(self, box: Mailbox, event: Event, body: Values) -> None:
        """A join link, if the owner may use Teams; else the create succeeds without a word."""
        if not body.get("isOnlineMeeting") or event.values.get("onlineMeeting"):
            return
        if not box.teams:
            event.values |= {"isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None}
            return
        event.values["onlineMeetingProvider"] = "teamsForBusiness"
        if box.teams_delay:
            self.world.later(box.teams_delay, lambda: self._join(event))
        else:
            self._join(event)

    def _join(self, event: Event) -> None:
        """The join link is there."""
        url = f"{JOIN}{event.number}"
        kept = event.values.get("body") or {"contentType": "text", "content": ""}
        body = {**kept, "content": f"{kept['content']}\n________\n{url}"}
        event.values |= {"onlineMeeting": {"joinUrl": url}, "body": body}
        self.world.touch(event)

    def _send(self, box: Mailbox, event: Event, known: set[str], what: str) -> None:
        for address in _addresses(event.values) - known:
            self.world.posted.append((box.address, address, what))
            invite(self.world, box, event, address)


def _times(body: Mapping[str, Any], all_day: bool) -> Values:
    read = day if all_day else instant
    return {key: read(body[key]) for key in ("start", "end") if key in body}


def _ordered(values: Values) -> None:
    start, end = values["start"], values["end"]
    if isinstance(start, datetime) is not isinstance(end, datetime):
        raise bad("Start and end must both be given.", "ErrorPropertyValidationFailure")
    if start > end or (start == end and not isinstance(start, datetime)):
        raise bad("The event's end comes before its start.", "ErrorPropertyValidationFailure")


def _same(event: Event, if_match: str | None) -> None:
    if if_match not in (None, "*", etag_of(event)):
        raise conflict()


def _extended(body: Mapping[str, Any]) -> dict[str, str]:
    return {one["id"]: one["value"] for one in body.get("singleValueExtendedProperties") or ()}


def _addresses(values: Values) -> set[str]:
    return {one["emailAddress"]["address"].lower() for one in values.get("attendees") or ()}


def _keep_answers(before: Values, changes: Values) -> None:
    """The list replaces the old one whole, but who stays in it keeps the answer unless the time changed."""
    if "start" in changes or "end" in changes:
        kept: dict[str, Any] = {}
        changes.setdefault("attendees", [dict(one) for one in before.get("attendees") or ()])
        for one in changes["attendees"]:
            one["status"] = {"response": "none", "time": "0001-01-01T00:00:00Z"}
    else:
        kept = {one["emailAddress"]["address"].lower(): one["status"] for one in before.get("attendees") or ()}
    for one in changes.get("attendees", ()):
        one["status"] = kept.get(one["emailAddress"]["address"].lower(), one["status"])
