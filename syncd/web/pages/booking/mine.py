"""What a personal link leads to: the form while a time is kept, then the meeting, to move, cancel or take along."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Response

from syncd.errors import BookingError, Contention, Transient, UnknownBooking
from syncd.model.booking import BookingState
from syncd.model.offer import Form
from syncd.web.pages.booking.asking import Asking, desk_of, go, show
from syncd.web.pages.booking.choose import NO_TIME, moment
from syncd.web.pages.booking.taken_along import taken_along
from syncd.web.pages.booking.telling import Mine, told
from syncd.web.pages.booking.times import week
from syncd.web.pages.booking.words import said
from syncd.web.pages.booking.written import FIELDS, contact_of
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Refusal, Visitor

router = APIRouter(include_in_schema=False)

NO_LINK = N_("The link does not lead to a meeting any more: it is over, or the link was not copied whole.")
LOOK = N_("Please look at what is marked below. Nothing was booked yet.")
KEPT_ON = N_("The time is kept for you a little longer.")
UNKNOWN_OFFER = N_("This meeting is not on offer any more. Nothing was changed; please call us.")
OPEN = (BookingState.HELD, BookingState.EXPIRED)
DONE = {
    "booked": N_("The meeting is booked."),
    "moved": N_("The meeting is moved."),
    "cancelled": N_("The meeting is cancelled."),
}


@router.get("/book/{secret}")
def look(visitor: Asking, secret: str) -> Response:
    """The form, or the meeting."""
    mine = _mine(visitor, secret)
    return _form(visitor, mine, {}) if _open(mine) else _meeting(visitor, mine)


@router.post("/book/{secret}")
def send(visitor: Asking, secret: str) -> Response:
    """Book it, keep the time longer, or give it back, by the button that was pressed."""
    mine, typed = _mine(visitor, secret), {name: visitor.form.get(name, "") for name in FIELDS}
    if not _open(mine):
        return go(visitor, mine.address)
    try:
        match visitor.form.get("do", "book"):
            case "more":
                return _longer(visitor, mine, typed)
            case "back":
                desk_of(visitor.deps).cancel(secret, visitor.deps.clock.now())
                chosen = mine.found.meeting
                return go(visitor, "/book/times", offer=chosen.offer, form=chosen.form.value)
            case _:
                return _book(visitor, mine, typed)
    except (BookingError, Transient, Contention) as error:
        return _form(visitor, mine, typed, said(visitor, error, booking=True), status=getattr(error, "status", 503))


@router.get("/book/{secret}/move")
def other_times(visitor: Asking, secret: str) -> Response:
    """Times to move it to."""
    return _moving(visitor, _mine(visitor, secret))


@router.post("/book/{secret}/move")
def move(visitor: Asking, secret: str) -> Response:
    """Take the other time and give the old one back, both or neither."""
    mine, deps = _mine(visitor, secret), visitor.deps
    try:
        start = moment(visitor.form.get("at", ""))
        deps.freshen(mine.found.meeting.offer, start, mine.found.meeting.caseworker, deps.clock.now())
        desk_of(deps).move(secret, start, deps.clock.now())
    except ValueError:
        return _moving(visitor, mine, visitor.say(NO_TIME), 422)
    except (BookingError, Transient, Contention) as error:
        return _moving(visitor, mine, said(visitor, error), getattr(error, "status", 503))
    return go(visitor, mine.address, done="moved")


@router.get("/book/{secret}/cancel")
def sure(visitor: Asking, secret: str) -> Response:
    """Ask once more."""
    mine = _mine(visitor, secret)
    return show(visitor, "cancel.html", here=f"{mine.address}/cancel", problem="", **told(visitor, mine))


@router.post("/book/{secret}/cancel")
def cancel(visitor: Asking, secret: str) -> Response:
    """Give it up; the time is somebody else's at once."""
    mine, deps = _mine(visitor, secret), visitor.deps
    try:
        desk_of(deps).cancel(secret, deps.clock.now())
    except (BookingError, Contention) as error:
        problem, status = said(visitor, error), getattr(error, "status", 503)
        here = f"{mine.address}/cancel"
        return show(visitor, "cancel.html", status, here=here, problem=problem, **told(visitor, mine))
    return go(visitor, mine.address, done="cancelled")


@router.get("/book/{secret}/meeting.ics")
def calendar(visitor: Asking, secret: str) -> Response:
    """The meeting for the citizen's own calendar."""
    mine = _mine(visitor, secret)
    if _open(mine):
        raise Refusal(visitor, NO_LINK, 404)
    deps, says = visitor.deps, told(visitor, mine)
    body = taken_along(mine.found, says["title"], says["place"], deps.directory().organisation, deps.clock.now())
    headers = {"Content-Disposition": 'attachment; filename="meeting.ics"'}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


def _mine(visitor: Visitor, secret: str) -> Mine:
    """:raises Refusal: the link leads nowhere."""
    deps = visitor.deps
    try:
        found = desk_of(deps).find(secret, deps.clock.now())
    except UnknownBooking:
        raise Refusal(visitor, NO_LINK, 404) from None
    return Mine(secret, found, deps.rulebook().offers.get(found.meeting.offer))


def _open(mine: Mine) -> bool:
    """Whether the form is still to be sent."""
    return mine.found.booking.state in OPEN


def _longer(visitor: Visitor, mine: Mine, typed: dict[str, str]) -> Response:
    deps = visitor.deps
    minutes = mine.offer.hold_minutes if mine.offer else 0
    _freshen(visitor, mine)
    found = desk_of(deps).more(mine.secret, minutes, deps.clock.now())
    return _form(visitor, Mine(mine.secret, found, mine.offer), typed, good=visitor.say(KEPT_ON))


def _book(visitor: Visitor, mine: Mine, typed: dict[str, str]) -> Response:
    deps = visitor.deps
    if mine.offer is None:
        return _form(visitor, mine, typed, visitor.say(UNKNOWN_OFFER), status=409)
    contact, wrong = contact_of(typed, mine.offer, mine.found.meeting.form)
    if wrong:
        return _form(visitor, mine, typed, visitor.say(LOOK), wrong, status=422)
    _freshen(visitor, mine)
    desk_of(deps).book(mine.secret, contact, typed["topic"], deps.clock.now())
    return go(visitor, mine.address, done="booked")


def _freshen(visitor: Visitor, mine: Mine) -> None:
    """Look at the calendar before a time that ran out is taken again."""
    meeting, deps = mine.found.meeting, visitor.deps
    expires = mine.found.booking.expires
    if expires is None or expires <= deps.clock.now():
        deps.freshen(meeting.offer, meeting.interval.start, meeting.caseworker, deps.clock.now())


def _form(
    visitor: Visitor,
    mine: Mine,
    typed: dict[str, str],
    problem: str = "",
    wrong: dict[str, str] | None = None,
    *,
    good: str = "",
    status: int = 200,
) -> Response:
    booking, now = mine.found.booking, visitor.deps.clock.now()
    left = max(timedelta(0), booking.expires - now) if booking.expires else timedelta(0)
    return show(
        visitor,
        "form.html",
        status,
        here=mine.address,
        typed=dict.fromkeys(FIELDS, "") | typed,
        wrong={field: visitor.say(text) for field, text in (wrong or {}).items()},
        problem=problem,
        good=good,
        left=int(left.total_seconds()) if booking.state is BookingState.HELD else 0,
        until=booking.expires,
        topics=mine.offer.topics if mine.offer else (),
        told_by=sorted(visitor.deps.pages.told_by),
        needs_phone=bool(mine.offer and mine.offer.number == "asked" and mine.found.meeting.form is Form.PHONE),
        **told(visitor, mine),
    )


def _meeting(visitor: Visitor, mine: Mine) -> Response:
    return show(
        visitor,
        "meeting.html",
        here=mine.address,
        told_by=visitor.deps.pages.told_by,
        secret=mine.secret,
        done=visitor.say(DONE[done]) if (done := visitor.request.query_params.get("done", "")) in DONE else "",
        **told(visitor, mine),
    )


def _moving(visitor: Visitor, mine: Mine, problem: str = "", status: int = 200) -> Response:
    if mine.offer is None:
        raise Refusal(visitor, UNKNOWN_OFFER, 409)
    meeting = mine.found.meeting
    asked = visitor.request.query_params.get("day", "")
    found = week(visitor, mine.offer, meeting.form, asked, meeting.caseworker)
    values = {"week": found, "problem": problem, **told(visitor, mine)}
    return show(visitor, "move.html", status, here=f"{mine.address}/move", **values)
