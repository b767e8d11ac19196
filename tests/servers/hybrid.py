"""An organisation with mailboxes on both simulated servers: it moves them, and carries invitations across."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.ids import ItemKey
from tests.servers.exchange.model import Address, Attendee, Entry
from tests.servers.exchange.world import CALENDAR
from tests.servers.exchange.world import Mailbox as HouseBox
from tests.servers.graph import GraphServer
from tests.servers.graph.recurrence import DAYS
from tests.servers.graph.wire import stamp
from tests.servers.graph.world import Event, RoomPolicy
from tests.servers.graph.world import Mailbox as CloudBox

BUSY = {"Free": "free", "Tentative": "tentative", "Busy": "busy", "OOF": "oof", "WorkingElsewhere": "workingElsewhere"}
ANSWERS = {"Accept": "accepted", "Decline": "declined", "Tentative": "tentativelyAccepted"}
HOUSE_BUSY = {cloud: house for house, cloud in BUSY.items()}
HOUSE_ANSWERS = {cloud: house for house, cloud in ANSWERS.items()}
NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Wanted:
    """A room that a meeting on the other side asks for."""

    room: str
    uid: str
    start: datetime
    end: datetime
    organizer: str
    answer: str


class Organisation:
    """Mailboxes live in the house until they are moved; the cloud knows all of them.

    :param translating: whether Graph can translate the ids of the house.
    """

    def __init__(self, exchange: ExchangeServer, graph: GraphServer, translating: bool = True) -> None:
        self.exchange, self.graph, self.translating = exchange, graph, translating

    def open(self, address: str, name: str, room: bool = False) -> None:
        """A new mailbox in the house."""
        (self.exchange.room if room else self.exchange.mailbox)(address, name)
        self.graph.mailbox(address, name, hosted="onprem", policy=RoomPolicy() if room else None)

    def times(self, address: str) -> list[tuple[datetime, datetime]]:
        """When everything in a calendar is, wherever it lives."""
        if address in self.exchange.world.boxes:
            spans = [(one.values["Start"], one.values["End"]) for one in self._house(address).folder(CALENDAR)]
        else:
            spans = [one.whole().span() for one in self._cloud(address).events.values()]
        return sorted(spans)

    def to_cloud(self, address: str) -> None:
        """Move a mailbox; its properties and UIDs go along, all ids are new."""
        with self.exchange.world.lock, self.graph.world.lock:
            source, target = self._house(address), self._cloud(address)
            for entry in source.folder(CALENDAR):
                event = self._received(source, target, entry)
                old = ItemKey(source.mark, entry.number).text()
                if self.translating:
                    self.graph.world.translations[target.address, old] = event.number
            self.exchange.world.remove_mailbox(address)
            target.hosted = "cloud"

    def to_house(self, address: str) -> None:
        """Move it back."""
        with self.exchange.world.lock, self.graph.world.lock:
            source = self._cloud(address)
            room = source.policy is not None
            target = (self.exchange.room if room else self.exchange.mailbox)(address, source.name)
            for event in source.events.values():
                self._returned(target, event)
            source.events.clear()
            source.hosted = "onprem"

    def carry(self) -> None:
        """Invitations, answers and cancellations cross to the other side."""
        with self.exchange.world.lock, self.graph.world.lock:
            self.exchange.world.settle()
            self.graph.world.settle()
            wanted = {(one.room, one.uid): one for one in (*self._asked_by_house(), *self._asked_by_cloud())}
            for address in [*self.exchange.world.boxes]:
                self._tidy_house(address, wanted)
            for box in self.graph.world.boxes.values():
                self._tidy_cloud(box, wanted)
            for one in wanted.values():
                if one.answer in ("none", "Unknown", "NoResponseReceived"):
                    self._decide(one)

    def _house(self, address: str) -> HouseBox:
        return self.exchange.world.box(address)

    def _cloud(self, address: str) -> CloudBox:
        return self.graph.world.boxes[address]

    def _received(self, source: HouseBox, target: CloudBox, entry: Entry) -> Event:
        values = entry.values
        organizer = entry.organizer or source.address
        made = {
            "start": values["Start"],
            "end": values["End"],
            "isAllDay": False,
            "subject": values.get("Subject", ""),
            "showAs": BUSY[values.get("LegacyFreeBusyStatus", "Busy")],
            "sensitivity": str(values.get("Sensitivity", "Normal")).lower(),
            "categories": [*values.get("Categories", ())],
            "body": {"contentType": "text", "content": values.get("Body", ("Text", ""))[1]},
            "location": {
                "displayName": values.get("Location") or "",
                "locationType": "default",
                "uniqueIdType": "unknown",
            },
            "attendees": [_guest(one) for one in entry.attendees],
            "isOrganizer": organizer == source.address,
            "organizer": {"emailAddress": {"name": organizer.name, "address": organizer.email}},
        }
        if not made["isOrganizer"]:
            made["responseStatus"] = {"response": "accepted", "time": stamp(self.graph.world.clock())}
        event = self.graph.world.add(target, made, "Europe/Copenhagen", entry.uid, _rule(entry))
        event.extended = {
            f"{kind} {{{group}}} Name {name}": text for (group, name, kind), text in entry.extended.items()
        }
        return event

    def _returned(self, target: HouseBox, event: Event) -> None:
        values, organizer = event.values, event.values.get("organizer", {}).get("emailAddress", {})
        mine = values.get("isOrganizer", True)
        people = [_attendee(one) for one in values.get("attendees") or ()]
        made: dict[str, Any] = {
            "Start": values["start"],
            "End": values["end"],
            "StartTimeZone": "Romance Standard Time",
            "EndTimeZone": "Romance Standard Time",
            "Subject": values.get("subject", ""),
            "LegacyFreeBusyStatus": HOUSE_BUSY[values.get("showAs", "busy")],
            "Sensitivity": str(values.get("sensitivity", "normal")).title(),
            "Body": ("Text", (values.get("body") or {}).get("content", "")),
            "Location": (values.get("location") or {}).get("displayName", ""),
            "UID": event.uid,
            "IsAllDayEvent": False,
            "Organizer": target.address if mine else Address(organizer["address"], organizer["name"]),
        }
        if values.get("categories"):
            made["Categories"] = tuple(values["categories"])
        if people:
            made["Attendees"] = tuple(people)
        if not mine:
            made["MyResponseType"] = "Accept"
        entry = self.exchange.world.add(target, CALENDAR, "CalendarItem", made)
        for key, text in event.extended.items():
            kind, group, _, name = key.split(" ", 3)
            entry.extended[group.strip("{}"), name, kind] = text

    def _asked_by_house(self) -> Iterator[Wanted]:
        for address, box in self.exchange.world.boxes.items():
            for entry in box.folder(CALENDAR):
                for one in entry.attendees if entry.organizer == box.address else ():
                    if one.role == "Resources" and one.address.email not in self.exchange.world.boxes:
                        span = entry.values["Start"], entry.values["End"]
                        yield Wanted(one.address.email, entry.uid, *span, address, one.response)

    def _asked_by_cloud(self) -> Iterator[Wanted]:
        for address, box in self.graph.world.boxes.items():
            for event in box.events.values() if box.hosted == "cloud" and box.policy is None else ():
                for one in event.values.get("attendees") or ():
                    room = one["emailAddress"]["address"].lower()
                    if one["type"] == "resource" and room in self.exchange.world.boxes:
                        yield Wanted(room, event.uid, *event.whole().span(), address, one["status"]["response"])

    def _tidy_house(self, address: str, wanted: dict[tuple[str, str], Wanted]) -> None:
        """Copies of meetings that do not want the room any more, or want it at another time."""
        box = self._house(address)
        for entry in box.folder(CALENDAR):
            organizer, one = entry.organizer, wanted.get((address, entry.uid))
            ours = organizer is not None and organizer.email not in self.exchange.world.boxes
            if ours and (one is None or (one.start, one.end) != (entry.values["Start"], entry.values["End"])):
                self.exchange.world.remove(box, entry)

    def _tidy_cloud(self, box: CloudBox, wanted: dict[tuple[str, str], Wanted]) -> None:
        for event in [*box.events.values()]:
            organizer = event.values.get("organizer", {}).get("emailAddress", {}).get("address", "")
            one = wanted.get((box.address, event.uid))
            ours = event.values.get("isOrganizer") is False and organizer in self.exchange.world.boxes
            if ours and (one is None or (one.start, one.end) != event.whole().span()):
                self.graph.world.remove(box, event)

    def _decide(self, one: Wanted) -> None:
        free = all(end <= one.start or start >= one.end for start, end in self.times(one.room))
        if one.room in self.exchange.world.boxes:
            box, guest = self._house(one.room), self._cloud(one.organizer)
            if free:
                name = Address(one.organizer, guest.name)
                values = {"Start": one.start, "End": one.end, "StartTimeZone": "UTC", "EndTimeZone": "UTC"}
                values |= {"UID": one.uid, "Subject": guest.name, "Organizer": name, "MyResponseType": "Accept"}
                self.exchange.world.add(box, CALENDAR, "CalendarItem", {**values, "LegacyFreeBusyStatus": "Busy"})
            event = next(event for event in guest.events.values() if event.uid == one.uid)
            for who in event.values["attendees"]:
                if who["emailAddress"]["address"].lower() == one.room:
                    now = stamp(self.graph.world.clock())
                    who["status"] = {"response": "accepted" if free else "declined", "time": now}
            self.graph.world.touch(event)
            return
        room, owner = self._cloud(one.room), self._house(one.organizer)
        if free:
            who = {"emailAddress": {"name": owner.address.name, "address": one.organizer}}
            values = {"start": one.start, "end": one.end, "isAllDay": False, "subject": owner.address.name}
            said = {"response": "accepted", "time": stamp(self.graph.world.clock())}
            self.graph.world.add(
                room, {**values, "isOrganizer": False, "organizer": who, "responseStatus": said}, "UTC", one.uid
            )
        entry = owner.by_uid(one.uid)
        assert entry is not None
        verdict = "Accept" if free else "Decline"
        entry.values["Attendees"] = tuple(
            replace(guest, response=verdict) if guest.address.email == one.room else guest for guest in entry.attendees
        )
        self.exchange.world.touch(owner, entry)


def _guest(one: Attendee) -> dict[str, Any]:
    kind = {"Resources": "resource", "OptionalAttendees": "optional"}.get(one.role, "required")
    said = {"response": ANSWERS.get(one.response, "none"), "time": NEVER}
    return {"type": kind, "emailAddress": {"name": one.address.name, "address": one.address.email}, "status": said}


def _attendee(one: dict[str, Any]) -> Attendee:
    role = {"resource": "Resources", "optional": "OptionalAttendees"}.get(one["type"], "RequiredAttendees")
    who = one["emailAddress"]
    answer = HOUSE_ANSWERS.get(one["status"]["response"], "Unknown")
    return Attendee(Address(who["address"], who["name"]), role, answer)


def _rule(entry: Entry) -> dict[str, Any] | None:
    """A weekly series; no other moves here."""
    rule = entry.recurrence
    if rule is None:
        return None
    if rule.kind != "Weekly" or rule.times is None:
        raise ValueError(f"a {rule.kind} series is not moved here")
    pattern = {"type": "weekly", "interval": rule.interval, "firstDayOfWeek": "monday"}
    pattern["daysOfWeek"] = [day for day in DAYS if day.title() in rule.days]
    span = {"type": "numbered", "startDate": str(rule.start), "numberOfOccurrences": rule.times}
    return {"pattern": pattern, "range": span}
