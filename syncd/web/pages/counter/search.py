"""Search among bookings: by code, state, person, room and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.booking.states import Standing, standing
from syncd.booking.texts import reference
from syncd.model.booking import BookingState, Meeting
from syncd.model.zones import whole_days
from syncd.store.finding import Found, Wanted, named, search
from syncd.web.pages.counter.words import (
    FORMS,
    OWN,
    STANDINGS,
    UNKNOWN,
    Seeing,
    name_of,
    title_of,
)
from syncd.web.pages.language import N_
from syncd.web.pages.rooms.places import day_of, site_of
from syncd.web.pages.visiting import Visitor

router = APIRouter(include_in_schema=False)

SHOWN = 100
LONGEST = timedelta(days=366)
INVERTED = N_("The last day is before the first. The days are exchanged below.")
TOO_LONG = N_("More than a year was asked for. A year from the first day is shown.")

_BOOKED = frozenset({BookingState.PENDING.value, BookingState.CONFIRMED.value})
_ENDED = {
    Standing.HELD: BookingState.HELD,
    Standing.CANCELLED: BookingState.CANCELLED,
    Standing.EXPIRED: BookingState.EXPIRED,
    Standing.NO_SHOW: BookingState.NO_SHOW,
}
_LACKING = frozenset({Standing.ROOM_MISSING, Standing.CONFLICT, Standing.ATTENTION})


@dataclass(frozen=True, slots=True)
class Line:
    """One seat as the list shows it."""

    code: str
    meeting: Meeting
    offer: str
    form: str
    who: str
    room: str
    stands: Standing | None
    word: str


@router.get("/bookings")
def bookings(visitor: Seeing, q: str = "") -> Response:
    """What was looked for; one booking at once when its code was given."""
    if q.strip():
        with visitor.deps.store.read() as tx:
            found = named(tx.session, q.strip())
        if found:
            return RedirectResponse(f"/bookings/{found[0].meeting.id}", 303)
        return _page(visitor, q.strip()[:64], visitor.say(UNKNOWN), 404)
    return _page(visitor)


def _page(visitor: Visitor, q: str = "", problem: str = "", status: int = 200) -> Response:
    query, directory = visitor.request.query_params, visitor.deps.directory()
    first, last, note = _days(visitor)
    state = Standing(query["state"]) if query.get("state", "") in set(Standing) else None
    number = int(query["page"]) if query.get("page", "").isdecimal() and len(query["page"]) < 5 else 0
    lines, more = _lines(visitor, first, last, state, number)
    chosen = {name: query.get(name, "") for name in ("state", "caseworker", "room")}
    chosen |= {"from": first.isoformat(), "to": last.isoformat()}
    return visitor.show(
        "counter/search.html",
        status,
        wide=True,
        q=q,
        problem=problem or note,
        lines=lines,
        chosen=chosen,
        standings=STANDINGS,
        people=sorted(directory.caseworkers.values(), key=lambda one: one.name),
        rooms=sorted(directory.rooms.values(), key=lambda one: one.name),
        number=number,
        next_page=urlencode(chosen | {"page": str(number + 1)}) if more else "",
        former_page=urlencode(chosen | {"page": str(number - 1)}) if number else "",
    )


def _days(visitor: Visitor) -> tuple[date, date, str]:
    """First and last day, and what was amended of what was asked for."""
    site, asked = site_of(visitor), visitor.request.query_params
    first = day_of(visitor, site, "from")
    last = day_of(visitor, site, "to") if asked.get("to") else first
    if last < first:
        return last, first, visitor.say(INVERTED)
    if last - first > LONGEST:
        return first, first + LONGEST, visitor.say(TOO_LONG)
    return first, last, ""


def _lines(visitor: Visitor, first: date, last: date, state: Standing | None, number: int) -> tuple[list[Line], bool]:
    query = visitor.request.query_params
    wanted = Wanted(
        whole_days(first, last, site_of(visitor).zone),
        query.get("caseworker", ""),
        query.get("room", ""),
        states=() if state is None else {_ENDED[state].value} if state in _ENDED else _BOOKED,
        lacking=state in _LACKING,
    )
    with visitor.deps.store.read() as tx:
        found = search(tx.session, wanted, SHOWN + 1, SHOWN * number)
    lines = [line_of(visitor, one) for one in found[:SHOWN]]
    return [one for one in lines if state is None or one.stands is state], len(found) > SHOWN


def line_of(visitor: Visitor, found: Found) -> Line:
    """The seat in words."""
    meeting, directory = found.meeting, visitor.deps.directory()
    stands = standing(found.booking, meeting, visitor.deps.clock.now()) if found.booking else None
    return Line(
        reference(meeting.id),
        meeting,
        title_of(visitor, visitor.deps.rulebook().offers, meeting.offer),
        visitor.say(FORMS[meeting.form]),
        name_of(directory, meeting.caseworker),
        name_of(directory, meeting.room),
        stands,
        visitor.say(STANDINGS[stands] if stands else OWN),
    )
