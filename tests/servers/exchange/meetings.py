"""Meetings travel: requests, updates and cancellations to attendees, answers back to the organiser."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.servers.exchange import attendant
from tests.servers.exchange.model import Address, Attendee, Deviation, Entry, Values
from tests.servers.exchange.world import CALENDAR, Mailbox, World

CARRIED = (
    *("Subject", "Body", "Location", "Start", "End", "IsAllDayEvent", "StartTimeZone", "EndTimeZone", "Sensitivity"),
    *("Importance", "Organizer", "Attendees", "AppointmentSequenceNumber", "UID", "IsResponseRequested"),
)
TIMES = ("Start", "End", "Recurrence", "IsAllDayEvent")


@dataclass(frozen=True)
class Invitation:
    """A request or cancellation under way.

    :param snapshot: the organiser's item when it was sent.
    :param original: the one date of a series that it is about; None for all of it.
    """

    organizer: Address
    snapshot: Entry
    original: datetime | None
    cancelled: bool = False

    @property
    def sequence(self) -> int:
        return int(self.snapshot.values.get("AppointmentSequenceNumber", 0))


def invite(world: World, box: Mailbox, entry: Entry, to: Iterable[Attendee], original: datetime | None = None) -> None:
    """Send a request or an update."""
    entry.values["MeetingRequestWasSent"] = True
    message = Invitation(box.address, entry.copy(), original)
    _send(world, message, to, "request")


def cancel(world: World, box: Mailbox, entry: Entry, to: Iterable[Attendee], original: datetime | None = None) -> None:
    """Tell people that a meeting, or one date of it, is off."""
    message = Invitation(box.address, entry.copy(), original, cancelled=True)
    _send(world, message, to, "cancel")


def _send(world: World, message: Invitation, to: Iterable[Attendee], kind: str) -> None:
    for one in to:
        if one.address == message.organizer:
            continue
        _note(world, kind, message.organizer, one.address, message.snapshot.uid)
        box = world.find(one.address.email)
        if box is not None:
            world.later(world.post_delay, lambda box=box: _arrive(world, box, message))  # type: ignore[misc]  # mypy infers no default of a lambda


def _note(world: World, kind: str, sender: Address, recipient: Address, uid: str, **more: Any) -> None:
    world.posted.append(
        {"kind": kind, "from": sender.email, "to": recipient.email, "uid": uid, "at": world.now().isoformat(), **more}
    )


def _arrive(world: World, box: Mailbox, message: Invitation) -> None:
    if box.address.email.lower() not in world.boxes:
        return
    if box.policy is None:
        _into_inbox(world, box, message)
        (_take_away if message.cancelled else take_in)(world, box, message)
    elif box.policy.silent:
        return
    elif box.policy.processing == "None":
        _into_inbox(world, box, message)
    elif box.policy.processing == "AutoUpdate":
        (_take_away if message.cancelled else take_in)(world, box, message)
    else:
        world.later(box.policy.delay, lambda: _attend(world, box, message))


def _into_inbox(world: World, box: Mailbox, message: Invitation) -> None:
    kind = "MeetingCancellation" if message.cancelled else "MeetingRequest"
    subject = message.snapshot.values.get("Subject", "")
    values = {"Subject": subject, "Sender": message.organizer, "UID": message.snapshot.uid, "To": (box.address,)}
    world.add(box, "inbox", kind, {**values, "DateTimeReceived": world.now()})


def take_in(world: World, box: Mailbox, message: Invitation) -> Entry | None:
    """The Calendar Attendant: put the meeting in tentatively, or bring it up to date; None if it is old news."""
    found = box.by_uid(message.snapshot.uid)
    if found and message.sequence < int(found.values.get("AppointmentSequenceNumber", 0)):
        return None
    if message.original is not None:
        return _take_date(world, box, message, found)
    carried = {key: message.snapshot.values[key] for key in CARRIED if key in message.snapshot.values}
    fresh = {"MyResponseType": "NoResponseReceived", "LegacyFreeBusyStatus": "Tentative", "IsCancelled": False}
    entry = found or world.add(box, CALENDAR, "CalendarItem", carried)
    moved = found is None or any(found.values.get(key) != carried.get(key) for key in TIMES[:2])
    entry.values.update(carried | (fresh if moved or found is None else {}))
    entry.recurrence = message.snapshot.recurrence
    entry.exceptions = {
        original: Deviation({k: v for k, v in one.values.items() if k in CARRIED}, {}, one.deleted)
        for original, one in message.snapshot.exceptions.items()
    }
    if found:
        world.touch(box, entry)
    return entry


def _take_date(world: World, box: Mailbox, message: Invitation, found: Entry | None) -> Entry | None:
    """One date of a series: an exception of what is there, or an item by itself."""
    assert message.original is not None
    seen = message.snapshot.occurrence(message.original)
    if seen is None:
        return None
    carried = {key: seen.values[key] for key in CARRIED if key in seen.values}
    if found is None or not found.recurrence:
        fresh = {"MyResponseType": "NoResponseReceived", "LegacyFreeBusyStatus": "Tentative"}
        entry = found or world.add(box, CALENDAR, "CalendarItem", carried)
        entry.values.update(carried | fresh)
        entry.original = message.original
    else:
        entry = found
        change = world.change_at(entry, message.original)
        change.deleted = False
        change.values.update({key: carried[key] for key in carried if carried[key] != entry.values.get(key)})
    world.touch(box, entry)
    return entry


def _take_away(world: World, box: Mailbox, message: Invitation) -> None:
    """A cancelled meeting stays in a person's calendar, free and marked, until she removes it."""
    found = box.by_uid(message.snapshot.uid)
    if found is None:
        return
    marks: Values = {"IsCancelled": True, "LegacyFreeBusyStatus": "Free"}
    subject = f"Canceled: {message.snapshot.values.get('Subject', '')}"
    if message.original is not None and found.recurrence:
        world.change_at(found, message.original).values.update(marks | {"Subject": subject})
    else:
        found.values.update(marks | {"Subject": subject})
    world.touch(box, found)


def _attend(world: World, box: Mailbox, message: Invitation) -> None:
    """The Resource Booking Attendant: free is accepted, busy is declined, cancelled is removed."""
    found = box.by_uid(message.snapshot.uid)
    if message.cancelled:
        if found is not None:
            remove_date(world, box, found, message.original)
        return
    if found and message.sequence < int(found.values.get("AppointmentSequenceNumber", 0)):
        return
    verdict = attendant.judge(world, box, message.snapshot, message.original)
    if verdict.accepted:
        entry = take_in(world, box, message)
        assert entry is not None
        named = box.policy is None or box.policy.organizer_in_subject
        attendant.cover(entry, message.organizer.name if named else "", message.original)
        for original in verdict.declined_dates:
            world.change_at(entry, original).deleted = True
        world.touch(box, entry)
    elif found is not None:
        remove_date(world, box, found, message.original)
    answer(world, box, message, "Accept" if verdict.accepted else "Decline", verdict.reason)


def remove_date(world: World, box: Mailbox, entry: Entry, original: datetime | None) -> None:
    """Take a meeting, or one date of it, out of a calendar."""
    if original is not None and entry.recurrence:
        world.change_at(entry, original).deleted = True
        world.touch(box, entry)
    else:
        world.remove(box, entry)


def answer(world: World, box: Mailbox, message: Invitation, response: str, reason: str = "") -> None:
    """Send an attendee's answer to the organiser, whose item then shows it."""
    _note(world, "response", box.address, message.organizer, message.snapshot.uid, answer=response, reason=reason)
    at = world.now()
    home = world.find(message.organizer.email)
    if home is not None:
        world.later(world.post_delay, lambda: _record(world, home, box.address, message, response, reason, at))


def _record(
    world: World, home: Mailbox, who: Address, message: Invitation, response: str, reason: str, at: datetime
) -> None:
    words = {"Accept": ("Accepted", "Pos"), "Decline": ("Declined", "Neg"), "Tentative": ("Tentative", "Tent")}
    subject = f"{words[response][0]}: {message.snapshot.values.get('Subject', '')}"
    values = {"Subject": subject, "Sender": who, "UID": message.snapshot.uid, "Body": ("Text", reason)}
    mail = {**values, "To": (home.address,), "Word": words[response][1], "ResponseType": response}
    world.add(home, "inbox", "MeetingResponse", {**mail, "DateTimeReceived": world.now()})
    entry = home.by_uid(message.snapshot.uid)
    if entry is None or message.sequence < int(entry.values.get("AppointmentSequenceNumber", 0)):
        return
    if message.original is not None and entry.recurrence:
        seen = entry.occurrence(message.original)
        if seen is None:
            return
        values_at = world.change_at(entry, message.original).values
        values_at["Attendees"] = answered(seen.attendees, who, response, at)
    else:
        entry.values["Attendees"] = answered(entry.attendees, who, response, at)
    world.touch(home, entry, "Attendees")


def answered(everybody: Iterable[Attendee], who: Address, response: str, at: datetime) -> tuple[Attendee, ...]:
    """The list with one answer in it."""
    return tuple(replace(one, response=response, replied=at) if one.address == who else one for one in everybody)
