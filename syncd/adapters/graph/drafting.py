"""Our drafts as Graph's JSON, and what of an entry must be changed to make it equal to one; pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from syncd.adapters.graph.entry import Item
from syncd.adapters.graph.ours import PASSED_PROPERTY, STAMP_PROPERTY, UID_PROPERTY, passed_mark
from syncd.adapters.graph.wire import transaction_id
from syncd.adapters.page import renewed_page
from syncd.model.block import block, renewed
from syncd.model.busy import BusyType
from syncd.model.entry import EntryDraft, Resource
from syncd.model.zones import wall_clock

REMINDER = 15
"""Minutes before the start at which Outlook reminds the caseworker."""

SHOW_AS = {
    BusyType.FREE: "free",
    BusyType.TENTATIVE: "tentative",
    BusyType.BUSY: "busy",
    BusyType.OUT_OF_OFFICE: "oof",
    BusyType.UNAVAILABLE: "oof",
    BusyType.WORKING_ELSEWHERE: "workingElsewhere",
}
TEAMS = {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}

Body = dict[str, Any]


def new_event(draft: EntryDraft, *, teams: bool, passed: bool = False) -> Body:
    """The body of a create; a room that answers for itself, and nobody else, is invited.

    :param teams: make a Teams meeting of it. :param passed: the room is taken: name it, do not invite it.
    """
    invited = _invited(draft, passed)
    event = {
        "subject": draft.summary,
        "body": {"contentType": "text", "content": block(draft.description)},
        **_times(draft),
        "isAllDay": False,
        "showAs": SHOW_AS[draft.busy],
        "sensitivity": _sensitivity(draft),
        "categories": list(draft.categories),
        "location": _location(draft),
        "attendees": [_attendee(draft.room)] if draft.room and invited else [],
        "isReminderOn": True,
        "reminderMinutesBeforeStart": REMINDER,
        "responseRequested": bool(invited),
        "allowNewTimeProposals": False,
        "transactionId": transaction_id(draft.uid, draft.stamp.generation),
        "singleValueExtendedProperties": _properties(draft, passed),
    }
    return event | (TEAMS if teams else {})


def changes(current: Item, draft: EntryDraft, *, teams: bool, passed: bool = False) -> Body:
    """The body of a PATCH: exactly what differs; empty when nothing does, and then none is sent.

    The body of an online meeting is left alone, because the join link stands in it; people, categories and words that
    somebody added stay.

    :param teams, passed: see `new_event`.
    """
    patch: Body = {}
    invited = _invited(draft, passed)
    if current.all_day or (current.start, current.end) != (draft.interval.start, draft.interval.end):
        patch |= {**_times(draft), "isAllDay": False}
    wanted = {"subject": draft.summary, "showAs": SHOW_AS[draft.busy], "sensitivity": _sensitivity(draft)}
    shown = {"subject": current.subject, "showAs": current.show_as, "sensitivity": current.sensitivity}
    patch |= {name: value for name, value in wanted.items() if shown[name] != value}
    asked = {address for address, _ in current.rooms} != invited
    if _elsewhere(current, draft, asked=asked):
        patch["location"] = _location(draft)
    if asked:
        patch["attendees"] = [*current.people, *([_attendee(draft.room)] if draft.room and invited else [])]
        patch["responseRequested"] = bool(invited) or bool(current.people)
    if not set(draft.categories) <= set(current.categories):
        patch["categories"] = list(dict.fromkeys((*current.categories, *draft.categories)))
    if (content := _renewed(current, draft)) is not None:
        patch["body"] = content
    unsaid = passed and current.passed != _address(draft.room)
    if current.uid != draft.uid or current.stamp != draft.stamp or unsaid:
        patch["singleValueExtendedProperties"] = _properties(draft, passed)
    if teams and not current.online:
        patch |= TEAMS
    return patch


def _elsewhere(current: Item, draft: EntryDraft, *, asked: bool) -> bool:
    """Whether the place is another one.

    A change of the place mails everybody, and Graph seldom shows the address that a place was given; what it does not
    show is the same as long as the same rooms are asked.
    """
    if current.location != draft.location:
        return True
    shown = current.location_address
    return shown != _address(draft.room) if shown else asked and draft.room is not None


def _renewed(current: Item, draft: EntryDraft) -> Body | None:
    """The body with our block renewed; None when it says so already, or must not be touched."""
    if current.online:
        return None
    renew = renewed_page if current.html else renewed
    content = renew(current.body, draft.description)
    if content == current.body:
        return None
    return {"contentType": "html" if current.html else "text", "content": content}


def _times(draft: EntryDraft) -> Body:
    """Start and end on the wall clock of the draft's zone; in UTC where an hour comes twice and would be the first."""
    pair = draft.interval.start, draft.interval.end
    zone = draft.zone
    if any(wall_clock(moment, zone).fold for moment in pair):
        zone = "UTC"
    return {"start": _moment(pair[0], zone), "end": _moment(pair[1], zone)}


def _moment(moment: datetime, zone: str) -> dict[str, str]:
    local = moment.astimezone(UTC) if zone == "UTC" else wall_clock(moment, zone)
    return {"dateTime": f"{local:%Y-%m-%dT%H:%M:%S}", "timeZone": zone}


def _location(draft: EntryDraft) -> Body:
    place: Body = {"displayName": draft.location}
    if draft.room is not None:
        place |= {"locationEmailAddress": draft.room.address, "locationType": "conferenceRoom"}
    return place


def _attendee(room: Resource) -> Body:
    return {"type": "resource", "emailAddress": {"address": room.address, "name": room.name}}


def _invited(draft: EntryDraft, passed: bool) -> set[str]:
    """Address of the room that is invited, lower case."""
    return {draft.room.address.lower()} if draft.room is not None and draft.room.invited and not passed else set()


def _address(room: Resource | None) -> str:
    return room.address.lower() if room is not None else ""


def _sensitivity(draft: EntryDraft) -> str:
    return "private" if draft.private else "normal"


def _properties(draft: EntryDraft, passed: bool) -> list[dict[str, str]]:
    found = [
        {"id": UID_PROPERTY, "value": draft.uid},
        {"id": STAMP_PROPERTY, "value": draft.stamp.encode()},
    ]
    if passed and draft.room is not None:
        mark = passed_mark(draft.stamp.generation, draft.room.address)
        found.append({"id": PASSED_PROPERTY, "value": mark})
    return found
