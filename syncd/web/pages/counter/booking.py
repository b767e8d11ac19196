"""One booking: how it stands, its history in sentences, and what staff may do with it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.booking.options import Options, options
from syncd.booking.proposals import Proposal, Remedy
from syncd.booking.texts import reference
from syncd.errors import BookingError
from syncd.model.booking import Meeting, RoomState
from syncd.model.task import Task, TaskKind
from syncd.store.finding import Found, named
from syncd.store.history import steps_of
from syncd.web.pages.counter.deciding import Unreadable, away_of, handover_of, read, written
from syncd.web.pages.counter.search import line_of
from syncd.web.pages.counter.story import story
from syncd.web.pages.counter.tasks import spoken
from syncd.web.pages.counter.words import (
    ACTING,
    FORMS,
    KNOWING,
    MEANWHILE,
    NOT_FITTING,
    PURPOSES,
    UNKNOWN,
    Acting,
    Seeing,
    name_of,
    said,
)
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Refusal, Visitor

router = APIRouter(include_in_schema=False)

DONE: dict[str, str] = {
    Remedy.COLLEAGUE: N_("The meeting is held by somebody else now; the calendars follow within moments."),
    Remedy.PHONE: N_("The meeting is a talk by telephone now; the calendars follow within moments."),
    Remedy.NEW_TIME: N_("The meeting is moved; the calendars follow within moments."),
    Remedy.CANCEL: N_("The meeting is cancelled; the calendars follow within moments."),
    "room": N_("The meeting has a room; the calendars follow within moments."),
    "booked": N_("The meeting is booked for the citizen; the calendars follow within moments."),
    "linked": N_("The citizen is linked to the meeting; it is reported to DFDG within minutes."),
}
CALL = N_("It is less than 24 hours away: please call the citizen. The call is on the list for reception.")


@router.get("/bookings/{name}")
def one_booking(visitor: Seeing, name: str) -> Response:
    """The booking's page."""
    return shown(visitor, name)


@router.post("/bookings/{name}/decide")
def decide(visitor: Acting, name: str) -> Response:
    """Move it, give it to somebody, make it a talk by telephone, or cancel it."""
    found = found_named(visitor, name)
    meeting = found[0].meeting.id
    try:
        choice = read(meeting, visitor.form.get("do", ""))
    except Unreadable:
        return shown(visitor, name, problem=visitor.say(NOT_FITTING), status=422)
    if choice is None:
        return RedirectResponse(f"/bookings/{meeting}", 303)
    [done] = handover_of(visitor.deps).carry_out([choice], visitor.actor, visitor.deps.clock.now())
    if done.error is not None:
        return shown(visitor, name, problem=said(visitor, done.error), status=done.error.status)
    return RedirectResponse(f"/bookings/{meeting}?done={choice.remedy}" + ("&call=1" if done.call else ""), 303)


@router.post("/bookings/{name}/room")
def give_room(visitor: Acting, name: str) -> Response:
    """Choose a room for a meeting that lacks one."""
    meeting, keeper = found_named(visitor, name)[0].meeting, visitor.deps.pages.keeper
    try:
        if keeper is not None:
            seen = visitor.form.get("seen", "")
            keeper.pin(meeting.id, visitor.form.get("room") or None, visitor.actor, visitor.deps.clock.now(), seen)
    except BookingError:
        return shown(visitor, name, problem=visitor.say(MEANWHILE), status=409)
    return RedirectResponse(f"/bookings/{meeting.id}?done=room", 303)


def found_named(visitor: Visitor, name: str) -> list[Found]:
    """The meeting of that name with its seats.

    :raises Refusal: there is none.
    """
    with visitor.deps.store.read() as tx:
        found = named(tx.session, name[:64])
    if not found:
        raise Refusal(visitor, UNKNOWN, 404)
    return found


def shown(visitor: Visitor, name: str, *, problem: str = "", status: int = 200, **more: Any) -> Response:
    """The page. :param more: what else stands on it, such as whose it is."""
    deps, now = visitor.deps, visitor.deps.clock.now()
    with deps.store.read() as tx:
        found = named(tx.session, name[:64])
        if not found:
            raise Refusal(visitor, UNKNOWN, 404)
        meeting = found[0].meeting
        seats = [one.booking for one in found if one.booking]
        steps = steps_of(tx.session, meeting.id, [one.id for one in seats])
        entries = tx.meetings.entries(meeting.id)
        tasks = [one for one in tx.tasks.waiting() if one.about == f"meeting:{meeting.id}"]
        linked = {one.id for one in seats if tx.jobnet.link_of(one.id) is not None}
    open_ = meeting.wanted and meeting.interval.end > now
    may_act = visitor.may(*ACTING) and open_
    happened, looked = story(visitor, steps, meeting.zone)
    return visitor.show(
        "counter/booking.html",
        status,
        code=reference(meeting.id),
        meeting=meeting,
        lines=[line_of(visitor, one) for one in found],
        seats=seats,
        form_word=FORMS[meeting.form],
        person=name_of(deps.directory(), meeting.caseworker),
        partners=[name_of(deps.directory(), one) for one in meeting.partners],
        room=name_of(deps.directory(), meeting.room),
        calendars=[(name_of(deps.directory(), one.mailbox), one.generation > 0) for one in entries if one.wanted],
        happened=happened,
        looked=looked,
        waiting=_waiting(visitor, meeting, tasks),
        proposal=_proposal(visitor, meeting) if may_act and meeting.beside is None else None,
        rooms=_rooms(visitor, meeting) if may_act else None,
        may_act=may_act,
        may_know=visitor.may(*KNOWING),
        may_link=may_act and deps.reporting is not None and len(linked) < max(1, len(seats)),
        purposes=PURPOSES,
        problem=problem,
        done=_done(visitor),
        name_of=lambda mailbox: name_of(deps.directory(), mailbox),
        value=lambda remedy, to=None, start=None: written(meeting, Remedy(remedy), to, start),
        **({"citizens": None} | more),
    )


def _waiting(visitor: Visitor, meeting: Meeting, tasks: list[Task]) -> list[str]:
    """What waits for a person, as the list of tasks says it; else what was noted beside the meeting."""
    found = [spoken(one, visitor.language.code) for one in tasks if one.kind is not TaskKind.CALL_CITIZEN]
    return found or ([meeting.attention] if meeting.attention else [])


def _done(visitor: Visitor) -> list[str]:
    asked = visitor.request.query_params
    told = [visitor.say(DONE[asked["done"]])] if asked.get("done", "") in DONE else []
    return [*told, visitor.say(CALL)] if asked.get("call") and told else told


def _proposal(visitor: Visitor, meeting: Meeting) -> Proposal | None:
    return away_of(visitor.deps).of(meeting.id, visitor.deps.clock.now())


def _rooms(visitor: Visitor, meeting: Meeting) -> Options | None:
    """What comes nearest to the room that it lacks."""
    if meeting.room_state is not RoomState.MISSING or visitor.deps.pages.keeper is None:
        return None
    deps = visitor.deps
    with deps.store.read() as tx:
        return options(tx, deps.directory(), deps.rulebook(), meeting, deps.clock.now(), deps.publisher.max_age)
