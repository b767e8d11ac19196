"""Times kept for some minutes while a citizen makes up their mind."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from syncd.booking.lookup import release
from syncd.store import Tx
from syncd.web.appointments import hold_content, room_told
from syncd.web.deps import Client, Service
from syncd.web.described import WRITES, answers, resource
from syncd.web.inputs import IdempotencyKey, PathName
from syncd.web.lane import Lane
from syncd.web.once import answer, once
from syncd.web.schemas import HoldAnswer, HoldRequest

PATH = "/api/v1/holds"
router = resource(PATH, Lane)
_REFUSALS = (
    *WRITES,
    "unknown-offer",
    "unknown-caseworker",
    "slot-gone",
    "not-allowed",
    "not-entitled",
    "bad-request",
    "temporarily-closed",
    "calendar-unreachable",
)


@router.post(
    "",
    status_code=201,
    summary="Hold a time",
    responses=answers(201, HoldAnswer, "The time is kept.", *_REFUSALS, Location="The hold."),
)
def make_hold(service: Service, client: Client, body: HoldRequest, key: IdempotencyKey) -> Response:
    """Keep a slot, its caseworker and a room for the offer's `hold_minutes`; calendars are looked at live first."""
    client.need("book")
    service.freshen(body.offer, body.start, body.caseworker, service.clock.now())
    now = service.clock.now()
    citizen = body.citizen.reference if body.citizen else None

    def act(tx: Tx) -> tuple[int, dict[str, Any]]:
        made = service.desk.hold(
            *(client.name, body.offer, body.start, body.caseworker, body.form, citizen, now), whom=body.whom(), tx=tx
        )
        return 201, hold_content(made, service.directory(), announced=room_told(service, made.meeting, tx))

    return answer(once(service, client, key, f"POST {PATH}", body, act, now), PATH)


@router.delete(
    "/{id}",
    status_code=204,
    summary="Give a hold back",
    responses=answers(204, None, "The time is free again.", "unknown-hold", "forbidden", "not-allowed"),
)
def release_hold(service: Service, client: Client, id: PathName) -> Response:
    """Free the time at once; giving back what is given back or has run out already changes nothing."""
    client.need("book")
    release(service.store, service.desk, client.name, id, service.clock.now())
    return Response(None, 204)
