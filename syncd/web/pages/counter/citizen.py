"""Whose a booking is, for a reason and written down; and linking a citizen to a meeting staff made themselves."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.cpr import Cpr, NotACpr
from syncd.dfdg.linking import Wish
from syncd.errors import BadRequest, BookingError, UnknownBooking
from syncd.model.contact import Contact
from syncd.web.pages.counter.booking import found_named, shown
from syncd.web.pages.counter.words import PURPOSES, Acting, Knowing, said
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor

router = APIRouter(include_in_schema=False)

WHY = N_("Please say why you look; the citizen may ask for it. Nothing was shown.")
NO_CPR = N_("A civil registration number has ten digits and begins with a day and a month. Nothing was changed.")
NO_KIND = N_("The type of talk is not known for this meeting; please say which. Nothing was changed.")
ANOTHER = N_("Another citizen is linked to this meeting, or it has begun. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Whose:
    """One citizen of a meeting. :param citizen: the reference. :param contact: what is kept, if anything."""

    booking: str
    client: str
    citizen: str
    contact: Contact | None


@router.post("/bookings/{name}/citizen")
def whose(visitor: Knowing, name: str) -> Response:
    """Show whose booking it is; the look is written down with its reason, in the transaction that reads."""
    purpose = visitor.form.get("purpose", "")
    if purpose not in PURPOSES:
        return shown(visitor, name, problem=visitor.say(WHY), status=422)
    meeting = found_named(visitor, name)[0].meeting.id
    deps, now = visitor.deps, visitor.deps.clock.now()
    with deps.store.begin() as tx:
        contacts = deps.contacts.of_meeting(tx, meeting, visitor.actor, now, purpose)
        found = []
        for seat in tx.bookings.of(meeting):
            if seat.citizen is not None:
                about = {"booking": seat.id, "meeting": meeting, "citizen": seat.citizen}
                tx.audit.add(visitor.actor, "citizen.shown", purpose=purpose, now=now, **about)
                found.append(Whose(seat.id, seat.client, seat.citizen, contacts.get(seat.id)))
    return shown(visitor, name, citizens=found)


@router.post("/bookings/{name}/link")
def link(visitor: Acting, name: str) -> Response:
    """Say whose a meeting is that a caseworker made in her calendar: then DFDG hears of it, never as self-booked."""
    meeting, reporting = found_named(visitor, name)[0].meeting.id, visitor.deps.reporting
    kind, purpose = visitor.form.get("kind", "").strip(), visitor.form.get("purpose", "")
    try:
        cpr = Cpr(visitor.form.get("cpr", "").replace("-", "").replace(" ", ""))
    except NotACpr:
        return shown(visitor, name, problem=visitor.say(NO_CPR), status=422)
    if purpose not in PURPOSES or reporting is None:
        return shown(visitor, name, problem=visitor.say(WHY), status=422)
    wish = Wish(meeting, cpr, int(kind) if kind.isdecimal() and len(kind) < 6 else None, purpose)
    try:
        reporting.linker.link(wish, visitor.actor, visitor.deps.clock.now())
    except BookingError as error:
        return shown(visitor, name, problem=_why(visitor, error), status=error.status)
    return RedirectResponse(f"/bookings/{meeting}?done=linked", 303)


def _why(visitor: Visitor, error: BookingError) -> str:
    if isinstance(error, UnknownBooking):
        return said(visitor, error)
    return visitor.say(NO_KIND if isinstance(error, BadRequest) else ANOTHER)
