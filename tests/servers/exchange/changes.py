"""A change of an item or of one date of a series: what it does to the series, and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.servers.exchange import meetings
from tests.servers.exchange.inbound import Draft
from tests.servers.exchange.model import Attendee, Entry, Sight, day_of
from tests.servers.exchange.wire import (
    EwsError,
)
from tests.servers.exchange.world import Mailbox, World


def change_item(world: World, box: Mailbox, seen: Sight, draft: Draft, how: str) -> None:
    """Apply a draft to an item or one date of a series, and tell whom the organiser wants told.

    :param how: SendMeetingInvitationsOrCancellations.
    """
    entry, original = seen.entry, world.key(box, seen).original
    before = seen.attendees
    _keep_answers(draft, before)
    moved = _moves(seen, draft)
    if original is not None:
        _change_date(world, seen, original, draft)
    else:
        _change_whole(entry, draft, moved)
    told = how != "SendToNone" and entry.organizer == box.address
    if moved and told:
        entry.values["AppointmentSequenceNumber"] = int(entry.values.get("AppointmentSequenceNumber", 0)) + 1
    world.touch(box, entry, *draft.fields())
    if told:
        _tell(world, box, entry, original, before, moved, how)


def _keep_answers(draft: Draft, before: tuple[Attendee, ...]) -> None:
    """People who stay keep their answer; the lists that an update does not name stay whole."""
    if "Attendees" not in draft.values:
        return
    named = {one.role for one in draft.values["Attendees"]}
    known = {(one.address, one.role): one for one in before}
    fresh = [known.get((one.address, one.role), one) for one in draft.values["Attendees"]]
    draft.values["Attendees"] = (*(one for one in before if one.role not in named), *fresh)


def _moves(seen: Sight, draft: Draft) -> bool:
    times = any(tag in draft.values and draft.values[tag] != seen.values.get(tag) for tag in ("Start", "End"))
    return times or draft.recurrence is not None or "Recurrence" in draft.removed


def _remove_fields(values: dict[str, Any], removed: set[str], blank: bool) -> None:
    for tag in removed:
        if tag in ("RequiredAttendees", "OptionalAttendees", "Resources"):
            values["Attendees"] = tuple(one for one in values.get("Attendees", ()) if one.role != tag)
        elif blank:
            values[tag] = None
        else:
            values.pop(tag, None)


def _change_whole(entry: Entry, draft: Draft, moved: bool) -> None:
    entry.values.update(draft.values)
    _remove_fields(entry.values, draft.removed, blank=False)
    entry.extended.update(draft.extended)
    for key in draft.removed_extended:
        entry.extended.pop(key, None)
    if "Recurrence" in draft.removed:
        entry.recurrence = None
    if moved and entry.recurrence:
        # A new pattern or time forgets every exception, as Outlook warns before it.
        entry.exceptions.clear()
        if draft.recurrence is None:
            entry.recurrence = _shifted(entry)
    make_series(entry, draft)
    if moved and draft.recurrence is None and entry.recurrence:
        make_series(entry, Draft(recurrence=entry.recurrence))


def _shifted(entry: Entry) -> Any:
    """The range begins where the series now begins; its end stays."""
    assert entry.recurrence
    return replace(entry.recurrence, start=day_of(entry.values["Start"], entry.zone))


def _change_date(world: World, seen: Sight, original: datetime, draft: Draft) -> None:
    entry = seen.entry
    if draft.recurrence is not None or "Recurrence" in draft.removed:
        raise EwsError("ErrorInvalidPropertySet", "An occurrence has no recurrence.")
    if "Start" in draft.values:
        _stay_between(entry, original, draft.values["Start"], draft.values.get("End", seen.end))
    change = world.change_at(entry, original)
    change.values.update(draft.values)
    values = {"Attendees": seen.attendees, **change.values}
    _remove_fields(values, draft.removed, blank=True)
    change.values = (
        values
        if draft.removed & {"RequiredAttendees", "OptionalAttendees", "Resources"}
        else {**change.values, **dict.fromkeys(draft.removed)}
    )
    change.extended.update(draft.extended)
    for key in draft.removed_extended:
        change.extended[key] = None


def _stay_between(entry: Entry, original: datetime, start: datetime, end: datetime) -> None:
    """An occurrence may neither pass its neighbours nor share a day with them.

    :raises EwsError: ErrorOccurrenceCrossingBoundary.
    """
    day, last = day_of(start, entry.zone), day_of(end - timedelta(seconds=1) if end > start else end, entry.zone)
    before, after = _neighbours(entry, original)
    if (before and day <= day_of(before.start, entry.zone)) or (after and last >= day_of(after.start, entry.zone)):
        text = "Modified occurrence is crossing or overlapping adjacent occurrence."
        raise EwsError("ErrorOccurrenceCrossingBoundary", text)


def _neighbours(entry: Entry, original: datetime) -> tuple[Sight | None, Sight | None]:
    before = None
    for one in entry.originals():
        if one == original:
            continue
        seen = entry.occurrence(one)
        if one > original and seen is not None:
            return before, seen
        if one < original and seen is not None:
            before = seen
    return before, None


def _tell(
    world: World,
    box: Mailbox,
    entry: Entry,
    original: datetime | None,
    before: tuple[Attendee, ...],
    moved: bool,
    how: str,
) -> None:
    seen = entry.occurrence(original) if original else entry.whole()
    assert seen is not None
    after = seen.attendees
    gone = [one for one in before if one.address not in {a.address for a in after}]
    new = [one for one in after if one.address not in {b.address for b in before}]
    told = new if how.startswith(("SendOnlyToChanged", "SendToChanged")) else list(after)
    if moved and told:
        _ask_again(world, entry, original, seen, {one.address.email for one in told})
    meetings.cancel(world, box, entry, gone, original)
    meetings.invite(world, box, entry, told, original)


def _ask_again(world: World, entry: Entry, original: datetime | None, seen: Sight, told: set[str]) -> None:
    """A new time makes every answer to the old one void."""
    asked = tuple(
        replace(one, response="Unknown", replied=None) if one.address.email in told else one for one in seen.attendees
    )
    values = world.change_at(entry, original).values if original else entry.values
    values["Attendees"] = asked


def make_series(entry: Entry, draft: Draft) -> None:
    """A series begins at its pattern's first date, whatever Start said."""
    if draft.recurrence is None:
        return
    entry.recurrence = draft.recurrence
    entry.exceptions.clear()
    first = next(entry.originals(), None)
    if first is None:
        raise EwsError("ErrorRecurrenceHasNoOccurrence", "The recurrence pattern has no occurrence in its range.")
    _, end = entry._times(first)
    entry.values.update(Start=first, End=end)
