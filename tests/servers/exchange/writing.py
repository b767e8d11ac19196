"""Operations that write items: CreateItem with its response objects, UpdateItem, DeleteItem."""

from __future__ import annotations

from datetime import timedelta

from tests.servers.exchange import meetings
from tests.servers.exchange.changes import change_item, make_series
from tests.servers.exchange.ids import version_of
from tests.servers.exchange.inbound import Draft, place, read, updates
from tests.servers.exchange.model import Entry, Sight
from tests.servers.exchange.render import item
from tests.servers.exchange.request import Request
from tests.servers.exchange.shape import Shape
from tests.servers.exchange.wire import (
    Element,
    EwsError,
    child,
    children,
    failure,
    local,
    m,
    reply,
    success,
    t,
)
from tests.servers.exchange.world import CALENDAR, Mailbox, World

ANSWERS = {"AcceptItem": "Accept", "TentativelyAcceptItem": "Tentative", "DeclineItem": "Decline"}
_ID_ONLY = Shape()


def create_item(request: Request) -> Element:
    """CreateItem."""
    holder = child(request.element, "m:Items")
    assert holder is not None
    messages = []
    for one in children(holder):
        try:
            messages.append(success(request.operation, m("Items", _create(request, one))))
        except EwsError as error:
            messages.append(failure(request.operation, error, m("Items")))
    return reply(request.operation, messages)


def _create(request: Request, element: Element) -> list[Element]:
    kind = local(element)
    if kind == "CalendarItem":
        return [_appointment(request, element)]
    if kind == "Message":
        return _mail(request, element)
    if kind == "CancelCalendarItem":
        return _cancel(request, element)
    if kind in ANSWERS:
        return _answer(request, element, ANSWERS[kind])
    raise EwsError("ErrorInvalidRequest", f"The simulator does not create {kind}.")


def _target(request: Request, usual: str) -> tuple[Mailbox, str]:
    if child(request.element, "m:SavedItemFolderId") is not None:
        return request.target("m:SavedItemFolderId")
    if request.mailbox is None:
        raise EwsError("ErrorMissingEmailAddress", "The account has no mailbox, and none was named.")
    return request.mailbox, usual


def _appointment(request: Request, element: Element) -> Element:
    how = request.element.get("SendMeetingInvitations")
    if how is None:
        raise EwsError("ErrorSendMeetingInvitationsRequired", "SendMeetingInvitations attribute is required.")
    world = request.world
    box, folder = _target(request, CALENDAR)
    draft = read(world, element)
    place(draft, request.zone)
    values = draft.values
    if "Start" not in values or "End" not in values:
        start = world.now().replace(minute=0, second=0) + timedelta(hours=1)
        values |= {"Start": start, "End": start + timedelta(minutes=30), "StartTimeZone": request.zone}
    values.setdefault("LegacyFreeBusyStatus", "Free" if values.get("IsAllDayEvent") else "Busy")
    values.setdefault("EndTimeZone", values["StartTimeZone"])
    values["Organizer"] = box.address
    entry = world.add(box, folder, "CalendarItem", values)
    entry.extended = dict(draft.extended)
    make_series(entry, draft)
    if how != "SendToNone" and entry.attendees:
        meetings.invite(world, box, entry, entry.attendees)
    world.assist(box, entry)
    return item(world, box, entry.whole(), _ID_ONLY)


def _mail(request: Request, element: Element) -> list[Element]:
    """A message: saved, sent, or both."""
    how = request.element.get("MessageDisposition")
    if how is None:
        raise EwsError("ErrorMessageDispositionRequired", "Message disposition is required.")
    world = request.world
    box, folder = _target(request, "drafts" if how == "SaveOnly" else "sentitems")
    draft = read(world, element)
    values = {**draft.values, "Sender": box.address, "DateTimeReceived": world.now()}
    made = []
    if how != "SendOnly":
        saved = world.add(box, folder, "Message", values)
        saved.extended = dict(draft.extended)
        if how == "SaveOnly":
            made = [item(world, box, saved.whole(), _ID_ONLY)]
    if how != "SaveOnly":
        for who in (*values.get("To", ()), *values.get("CcRecipients", ())):
            note = {"kind": "mail", "from": box.address.email, "to": who.email, "subject": values.get("Subject", "")}
            world.posted.append({**note, "body": values.get("Body", ("", ""))[1], "at": world.now().isoformat()})
            if who.email.lower() in world.boxes:
                world.add(world.box(who.email), "inbox", "Message", dict(values))
    return made


def _referred(request: Request, element: Element) -> tuple[Mailbox, Sight]:
    reference = child(element, "t:ReferenceItemId")
    if reference is None:
        raise EwsError("ErrorInvalidReferenceItem", "There is no reference item.")
    if not reference.get("ChangeKey"):
        raise EwsError("ErrorChangeKeyRequired", "A change key is required for this operation.")
    return request.item(reference)


def _cancel(request: Request, element: Element) -> list[Element]:
    """CancelCalendarItem: everybody is told, and the organiser's item goes to the deleted ones."""
    world = request.world
    box, seen = _referred(request, element)
    if seen.entry.organizer != box.address:
        raise EwsError("ErrorCalendarIsNotOrganizer", "You must be the organizer to perform this action.")
    if not seen.attendees:
        raise EwsError("ErrorInvalidItemForOperationCancelItem", "The item is not a meeting.")
    key = world.key(box, seen)
    meetings.cancel(world, box, seen.entry, seen.attendees, key.original)
    _take_out(world, box, seen, "deleteditems")
    return []


def _answer(request: Request, element: Element, response: str) -> list[Element]:
    world = request.world
    box, seen = _referred(request, element)
    entry = seen.entry
    if entry.kind == "MeetingRequest":
        found = box.by_uid(entry.uid)
        if found is None:
            raise EwsError("ErrorMissingInformationReferenceItemId", "The meeting is not in the calendar.")
        entry, seen = found, found.whole()
    if entry.organizer == box.address:
        raise EwsError(f"ErrorCalendarIsOrganizerFor{response}", "You are the organizer of this meeting.")
    if entry.values.get("IsCancelled"):
        raise EwsError(f"ErrorCalendarIsCancelledFor{response}", "The meeting is cancelled.")
    respond(world, box, seen, response)
    return [] if response == "Decline" else [item(world, box, entry.whole(), _ID_ONLY)]


def respond(world: World, box: Mailbox, seen: Sight, response: str) -> None:
    """An attendee answers: her copy shows it, or is gone, and the organiser is told."""
    entry = seen.entry
    original = world.key(box, seen).original
    organizer = entry.organizer
    assert organizer is not None
    snapshot = entry.copy()
    if response == "Decline":
        meetings.remove_date(world, box, entry, original)
    else:
        values = world.change_at(entry, original).values if original else entry.values
        busy = "Busy" if response == "Accept" else "Tentative"
        values.update(MyResponseType=response, LegacyFreeBusyStatus=busy, AppointmentReplyTime=world.now())
        world.touch(box, entry)
    message = meetings.Invitation(organizer, snapshot, original or entry.original)
    meetings.answer(world, box, message, response)


def update_item(request: Request) -> Element:
    """UpdateItem."""
    holder = child(request.element, "m:ItemChanges")
    assert holder is not None
    messages = []
    for change in children(holder):
        conflicts = m("ConflictResults", t("Count", 0))
        try:
            messages.append(success(request.operation, m("Items", _update(request, change)), conflicts))
        except EwsError as error:
            messages.append(failure(request.operation, error, m("Items")))
    return reply(request.operation, messages)


def _update(request: Request, change: Element) -> Element:
    world = request.world
    path, wanted = list(children(change))
    box, seen = request.item(path)
    how = request.element.get("SendMeetingInvitationsOrCancellations")
    if how is None and seen.entry.kind == "CalendarItem":
        text = "SendMeetingInvitationsOrCancellations attribute is required for calendar items."
        raise EwsError("ErrorSendMeetingInvitationsOrCancellationsRequired", text)
    draft = updates(world, wanted)
    _check_version(request, seen.entry, path, draft)
    place(draft, request.zone, dict(seen.values))
    change_item(world, box, seen, draft, how or "SendToNone")
    world.assist(box, seen.entry)
    after = world.sight(world.key(box, seen))[1]
    return item(world, box, after, _ID_ONLY)


def _check_version(request: Request, entry: Entry, path: Element, draft: Draft) -> None:
    resolution = request.element.get("ConflictResolution")
    key = path.get("ChangeKey")
    if resolution == "AlwaysOverwrite":
        return
    if not key:
        text = "The change key is required for this operation."
        raise EwsError("ErrorChangeKeyRequiredForWriteOperations", text)
    if not request.world.stale(entry, key):
        return
    known = version_of(key)
    clash = any(entry.field_changes.get(one, 0) > known for one in draft.fields())
    if resolution == "NeverOverwrite" or clash:
        text = "The change key passed in the request does not match the current change key for the item."
        raise EwsError("ErrorIrresolvableConflict", text)


def delete_item(request: Request) -> Element:
    """DeleteItem."""
    ids = child(request.element, "m:ItemIds")
    assert ids is not None
    messages = []
    for one in children(ids):
        try:
            _delete(request, one)
            messages.append(success(request.operation))
        except EwsError as error:
            messages.append(failure(request.operation, error))
    return reply(request.operation, messages)


def _delete(request: Request, path: Element) -> None:
    world = request.world
    box, seen = request.item(path)
    how = request.element.get("SendMeetingCancellations")
    if how is None and seen.entry.kind == "CalendarItem":
        text = "SendMeetingCancellations attribute is required for Calendar items."
        raise EwsError("ErrorSendMeetingCancellationsRequired", text)
    key = world.key(box, seen)
    if how not in (None, "SendToNone") and seen.attendees and seen.entry.organizer == box.address:
        meetings.cancel(world, box, seen.entry, seen.attendees, key.original)
    _take_out(world, box, seen, "deleteditems" if request.element.get("DeleteType") == "MoveToDeletedItems" else None)


def _take_out(world: World, box: Mailbox, seen: Sight, to: str | None) -> None:
    original = world.key(box, seen).original
    if original is not None:
        world.change_at(seen.entry, original).deleted = True
        world.touch(box, seen.entry)
    else:
        world.remove(box, seen.entry, to)
