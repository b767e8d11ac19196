"""Bookings: made from a hold, looked up, moved, cancelled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from fastapi import Response

from syncd.booking.lookup import bookings_of
from syncd.booking.results import Appointment
from syncd.model.contact import Contact
from syncd.store import Tx
from syncd.web.access import Caller
from syncd.web.appointments import booking_content, room_told
from syncd.web.deps import Client, Deps, Service
from syncd.web.described import WRITES, answers, resource
from syncd.web.inputs import IdempotencyKey, PathName
from syncd.web.lane import Lane
from syncd.web.once import answer, once
from syncd.web.schemas import (
    BookingAnswer,
    BookingsAnswer,
    BookingSearch,
    BookRequest,
    CancelRequest,
    RescheduleRequest,
)

PATH = "/api/v1/bookings"
router = resource(PATH, Lane)


@router.post(
    "",
    status_code=201,
    summary="Book a held time",
    responses=answers(
        201,
        BookingAnswer,
        "Booked; the calendars follow.",
        *WRITES,
        "unknown-hold",
        "unknown-offer",
        "hold-expired",
        "slot-gone",
        "not-allowed",
        "bad-request",
        Location="The booking.",
    ),
)
def make_booking(service: Service, client: Client, body: BookRequest, key: IdempotencyKey) -> Response:
    """Turn a hold into a booking; nothing new is allocated, so a valid hold cannot fail for want of a room."""
    client.need("book")
    now = service.clock.now()

    def act(tx: Tx) -> tuple[int, dict[str, Any]]:
        made = service.desk.book(client.name, body.hold, body.citizen.reference, now, topic=body.topic or "", tx=tx)
        _reachable(service, tx, made, body.contact(), now)
        return 201, booking_content(made, service.directory(), now, announced=room_told(service, made.meeting, tx))

    return answer(once(service, client, key, f"POST {PATH}", body, act, now), PATH)


# Before /{id}, or an answer 405 for this path would advertise the other's methods.
@router.post(
    "/search",
    summary="Bookings of a citizen",
    responses=answers(
        200, BookingsAnswer, "The citizen's bookings.", "malformed-body", "unsupported-media-type", "forbidden"
    ),
)
def search_bookings(service: Service, client: Client, body: BookingSearch) -> Response:
    """Every booking this client made for the citizen, the earliest meeting first; the look-up is audited."""
    client.need("book")
    now = service.clock.now()
    found = bookings_of(service.store, client.name, body.citizen.reference, now)
    return _json(
        {
            "bookings": [
                booking_content(one, service.directory(), now, announced=room_told(service, one.meeting))
                for one in found
            ]
        }
    )


@router.get(
    "/{id}",
    summary="A booking",
    responses=answers(200, BookingAnswer, "The booking.", "unknown-booking", "forbidden"),
)
def read_booking(service: Service, client: Client, id: PathName) -> Response:
    """How a booking stands now; the look-up is audited."""
    client.need("book")
    now = service.clock.now()
    found = service.desk.booking(client.name, id, now)
    return _json(booking_content(found, service.directory(), now, announced=room_told(service, found.meeting)))


@router.post(
    "/{id}/reschedule",
    summary="Move a booking",
    responses=answers(
        200,
        BookingAnswer,
        "Moved; the calendars follow.",
        *WRITES,
        "unknown-booking",
        "unknown-offer",
        "unknown-caseworker",
        "slot-gone",
        "not-allowed",
        "bad-request",
        "temporarily-closed",
        "calendar-unreachable",
    ),
)
def move_booking(
    service: Service, client: Client, id: PathName, body: RescheduleRequest, key: IdempotencyKey
) -> Response:
    """Take another time and give the old one back, both or neither; the booking keeps its id."""
    client.need("book")
    _freshen(service, client, id, body)
    now = service.clock.now()

    def act(tx: Tx) -> tuple[int, dict[str, Any]]:
        moved = service.desk.reschedule(
            client.name, id, body.start, body.caseworker, body.form, now, whom=body.whom(), tx=tx
        )
        _reachable(service, tx, moved, Contact(phone=body.phone), now)
        return 200, booking_content(moved, service.directory(), now, announced=room_told(service, moved.meeting, tx))

    return answer(once(service, client, key, f"POST {PATH}/{id}/reschedule", body, act, now))


@router.post(
    "/{id}/cancel",
    summary="Cancel a booking",
    responses=answers(
        200, BookingAnswer, "Cancelled; the calendars follow.", *WRITES, "unknown-booking", "not-allowed"
    ),
)
def cancel_booking(
    service: Service, client: Client, id: PathName, body: CancelRequest, key: IdempotencyKey
) -> Response:
    """Give the meeting up; person and room are free at once, the calendars are cleaned soon after."""
    client.need("book")
    now = service.clock.now()

    def act(tx: Tx) -> tuple[int, dict[str, Any]]:
        ended = service.desk.cancel(client.name, id, now, reason=body.reason, tx=tx)
        return 200, booking_content(ended, service.directory(), now, announced=room_told(service, ended.meeting, tx))

    return answer(once(service, client, key, f"POST {PATH}/{id}/cancel", body, act, now))


def _reachable(service: Deps, tx: Tx, made: Appointment, contact: Contact, now: datetime) -> None:
    """Keep how the citizen can be reached, and insist on a number where the talk needs one."""
    service.contacts.keep(tx, made.booking.id, contact, now)
    offer = service.publisher.rules.within(tx).offers.get(made.meeting.offer)
    service.contacts.need_number(tx, offer, made.meeting, made.booking)


def _freshen(service: Deps, client: Caller, booking_id: str, body: RescheduleRequest) -> None:
    """Look live at the calendars the new time rests on; what is unknown is for the desk to refuse."""
    with service.store.read() as tx:
        booking = tx.bookings.get(booking_id, client.name)
        meeting = tx.meetings.get(booking.meeting) if booking else None
    if meeting is not None:
        now = service.clock.now()
        service.freshen(meeting.offer, body.start, body.caseworker or meeting.caseworker, now)


def _json(content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
