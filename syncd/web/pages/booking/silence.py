"""The page to which each message leads: to be written to no more, or again. A look changes nothing, only the button."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response

from syncd.model.booking import Booking
from syncd.store import Tx
from syncd.store.booking_links import BookingLinks
from syncd.store.citizen_messages import CitizenMessages
from syncd.web.pages.booking.asking import WrittenTo, go, show
from syncd.web.pages.booking.mine import NO_LINK
from syncd.web.pages.visiting import Refusal, Visitor

router = APIRouter(include_in_schema=False)


@router.get("/messages/{secret}")
def look(visitor: WrittenTo, secret: str) -> Response:
    """Whether she is written to, and the button that changes it."""
    with visitor.deps.store.read() as tx:
        booking = _booking(visitor, tx, secret, visitor.deps.clock.now())
        silent = CitizenMessages(tx.session).silent(booking.client, booking.citizen or "")
    return show(visitor, "messages.html", here=_address(secret), silent=silent, address=_address(secret))


@router.post("/messages/{secret}")
def choose(visitor: WrittenTo, secret: str) -> Response:
    """Write to her no more, or again; it holds for all her meetings."""
    stop, now = visitor.form.get("do") == "stop", visitor.deps.clock.now()
    with visitor.deps.store.begin() as tx:
        booking = _booking(visitor, tx, secret, now)
        CitizenMessages(tx.session).silence(booking.client, booking.citizen or "", now, on=stop)
        about = {"booking": booking.id, "meeting": booking.meeting, "citizen": booking.citizen}
        done = "messages.stopped" if stop else "messages.resumed"
        tx.audit.add(f"client:{booking.client}", done, now=now, purpose="own link", **about)
    return go(visitor, _address(secret))


def _booking(visitor: Visitor, tx: Tx, secret: str, now: datetime) -> Booking:
    """The booking that the link leads to. :raises Refusal: it leads nowhere, or nobody has booked there yet."""
    id = BookingLinks(tx.session).open(secret, now)
    seat = CitizenMessages(tx.session).seat(id) if id else None
    if seat is None or seat[0].citizen is None:
        raise Refusal(visitor, NO_LINK, 404)
    return seat[0]


def _address(secret: str) -> str:
    return f"/messages/{secret}"
