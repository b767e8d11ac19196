"""One meeting's room: where it has been and why, and another room for it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.booking.room_board import Bar, Change, Kind, RoomBoard, history
from syncd.errors import BookingError
from syncd.model.booking import Meeting
from syncd.model.directory import Room, Site
from syncd.model.zones import wall_clock
from syncd.roomalloc import rank
from syncd.roomalloc.layout import suits
from syncd.store.rooms import CHANGED, REARRANGED
from syncd.web.pages.language import N_
from syncd.web.pages.rooms.places import ACTING, Acting, Seeing, boards_of, rooms_at, whole_day
from syncd.web.pages.rooms.timeline import SPOKEN
from syncd.web.pages.visiting import Refusal, Visitor

router = APIRouter(include_in_schema=False)

NO_MEETING = N_("There is no such meeting in a room any more. It may have been cancelled or moved elsewhere.")
MEANWHILE = N_(
    "Somebody else was faster: the meeting is in another room, or the room you chose was taken. Nothing was changed; "
    "the page shows how it is now."
)
DONE = N_("The meeting has its room; its calendars follow within moments.")
LOOSE = N_("syncd may move the meeting again if that makes the day better.")
TOLD: dict[str, str] = {
    CHANGED: N_("Moved from %(origin)s to %(target)s, after people had been told."),
    REARRANGED: N_("Moved from %(origin)s to %(target)s, before anybody was told."),
    "meeting.room-lost": N_("Lost %(origin)s; no other room was free."),
    "meeting.room-gone": N_("%(origin)s is not in use any more; now in %(target)s."),
    "room.pinned": N_("Shall stay in %(origin)s."),
}
BY_US, BY_HAND = N_("by syncd, to make room or because the room was closed or taken"), N_("by hand")


@dataclass(frozen=True, slots=True)
class Option:
    """A room it could have. :param fits: it has what the meeting asks for. :param free: nothing is in the way."""

    room: Room
    free: bool
    fits: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The meeting where it stands."""

    meeting: Meeting
    room: Room
    site: Site
    bar: Bar
    boards: tuple[RoomBoard, ...]
    changes: tuple[Change, ...]


@router.get("/rooms/meeting/{name}")
def room_of_meeting(visitor: Seeing, name: str) -> Response:
    """The meeting's room, and what it could have instead."""
    return _page(visitor, name)


@router.post("/rooms/meeting/{name}/assign")
def assign(visitor: Acting, name: str) -> Response:
    """Give the meeting another room, or keep it in the one it has; the calendar follows."""
    keeper, form = visitor.deps.pages.keeper, visitor.form
    try:
        if keeper is not None:
            keeper.pin(name, form.get("room") or None, visitor.actor, visitor.deps.clock.now(), form.get("seen"))
    except BookingError:
        return _page(visitor, name, problem=visitor.say(MEANWHILE), status=409)
    return RedirectResponse(f"/rooms/meeting/{name}?done=1", 303)


@router.post("/rooms/meeting/{name}/loosen")
def loosen(visitor: Acting, name: str) -> Response:
    """Let syncd choose the room again."""
    keeper = visitor.deps.pages.keeper
    try:
        if keeper is not None:
            keeper.unpin(name, visitor.actor, visitor.deps.clock.now())
    except BookingError:
        return _page(visitor, name, problem=visitor.say(MEANWHILE), status=409)
    return RedirectResponse(f"/rooms/meeting/{name}?loose=1", 303)


def _place(visitor: Visitor, name: str) -> Place:
    directory = visitor.deps.directory()
    with visitor.deps.store.read() as tx:
        meeting = tx.meetings.get(name)
        changes = history(tx, name)
    room = directory.rooms.get(meeting.room or "") if meeting else None
    if meeting is None or room is None:
        raise Refusal(visitor, NO_MEETING, 404)
    site = directory.sites[room.site]
    day = wall_clock(meeting.interval.start, site.zone).date()
    boards = boards_of(visitor, rooms_at(visitor, site), whole_day(site, day))
    bar = next((bar for board in boards for bar in board.bars if bar.meeting == meeting.id), None)
    if bar is None:
        raise Refusal(visitor, NO_MEETING, 404)
    return Place(meeting, room, site, bar, tuple(boards), tuple(changes))


def _page(visitor: Visitor, name: str, problem: str = "", status: int = 200) -> Response:
    place, directory = _place(visitor, name), visitor.deps.directory()
    person = directory.caseworkers.get(place.meeting.caseworker)
    over = place.meeting.interval.end <= visitor.deps.clock.now() or place.bar.kind is Kind.RELEASED
    asked = visitor.request.query_params
    return visitor.show(
        "rooms/meeting.html",
        status,
        place=place,
        site=place.site,
        day=wall_clock(place.meeting.interval.start, place.site.zone).date(),
        kind=SPOKEN[place.bar.kind],
        person=person.name if person else "",
        told=[(change, _said(visitor, place, change)) for change in place.changes],
        options=options(visitor, place),
        may_act=visitor.may(*ACTING) and visitor.deps.pages.keeper is not None and not over,
        done=visitor.say(DONE) if asked.get("done") else visitor.say(LOOSE) if asked.get("loose") else "",
        problem=problem,
    )


def options(visitor: Visitor, place: Place) -> list[Option]:
    """Every other room of the site: those that fit and are free first."""
    meeting = place.meeting
    offer = visitor.deps.rulebook().offers.get(meeting.offer)
    need = meeting.asks or (offer.room_for(meeting.form) if offer else None)
    found = []
    for board in place.boards:
        span, room = rank.claim(board.room, meeting.interval), board.room
        inside = rank.is_open(room, meeting.interval, place.site)
        free = board.known and inside and not any(one.overlaps(span) for one in board.taken)
        if room.id != place.room.id:
            found.append(Option(room, free, need is None or suits(room, need)))
    return sorted(
        found, key=lambda one: (not one.free, not one.fits, abs(one.room.floor - place.room.floor), one.room.name)
    )


def _said(visitor: Visitor, place: Place, change: Change) -> str:
    """One thing that happened, as a sentence."""
    rooms = visitor.deps.directory().rooms
    origin, _, target = change.detail.partition(" > ")
    names = {
        key: rooms[one].name if one in rooms else one or "–" for key, one in (("origin", origin), ("target", target))
    }
    sentence = visitor.say(TOLD.get(change.action, "%(origin)s"), **names)
    closed = [
        bar.reason
        for board in place.boards
        for bar in board.bars
        if board.room.id == origin and bar.kind is Kind.CLOSED and bar.interval.overlaps(place.meeting.interval)
    ]
    if closed and change.action in (CHANGED, REARRANGED):
        return f"{sentence} {visitor.say(N_('The room was closed then: %(reason)s'), reason=closed[0] or '–')}"
    return f"{sentence} ({visitor.say(BY_US if change.actor == 'syncd' else BY_HAND)})"
