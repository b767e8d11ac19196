"""Every refusal over HTTP as a problem document (RFC 9457), with its catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from fastapi import Response

MEDIA_TYPE = "application/problem+json"
PREFIX = "/problems/"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem.

    :param status: the HTTP status it always comes with.
    :param title: the same words each time (RFC 9457 3.1.3).
    :param remedy: what the programmer of a client does about it.
    :param say: what a portal may tell the citizen, by language; empty when it is none of the citizen's business.
    """

    status: int
    title: str
    remedy: str
    say: Mapping[str, str] = field(default_factory=dict)


_LATER = {
    "da": "Der kan ikke bestilles tid lige nu. Prøv igen om lidt.",
    "en": "No time can be booked right now. Please try again in a little while.",
}

KINDS: Mapping[str, Kind] = {
    "malformed-body": Kind(400, "The body is not JSON", "Send one JSON object in UTF-8."),
    "idempotency-key-missing": Kind(
        400, "Idempotency-Key is missing", "Send a header Idempotency-Key with a new random value for each intention."
    ),
    "unauthorized": Kind(
        401, "Unknown client", "Send Authorization: Bearer TOKEN with the token the operator gave you."
    ),
    "forbidden": Kind(403, "The client lacks a right", "Ask the operator to add the right named in detail."),
    "not-found": Kind(404, "Nothing here", "Check the path against /api/v1/openapi.json."),
    "unknown-offer": Kind(404, "Unknown offer", "GET /api/v1/offers lists the offers in force."),
    "unknown-caseworker": Kind(404, "Unknown caseworker", "Leave caseworker out, or take one from a slot."),
    "unknown-room": Kind(404, "Unknown room", "GET /api/v1/rooms lists the rooms."),
    "unknown-hold": Kind(404, "Unknown hold", "Holds are seen only by the client that made them; make a new one."),
    "unknown-booking": Kind(404, "Unknown booking", "Bookings are seen only by the client that made them."),
    "unknown-absence": Kind(404, "Unknown absence", "GET /api/v1/absences lists those given."),
    "method-not-allowed": Kind(405, "Method not allowed", "The header Allow lists the methods of this path."),
    "booking-error": Kind(409, "The booking cannot be done as asked", "Read detail; nothing was changed."),
    "slot-gone": Kind(
        409,
        "The time is no longer on offer",
        "Offer one of alternatives, or ask for slots again.",
        {
            "da": "Tiden er desværre ikke ledig længere. Vælg en anden tid.",
            "en": "Sorry, that time is no longer free. Please choose another.",
        },
    ),
    "not-allowed": Kind(
        409,
        "A rule forbids it",
        "Read detail; the same request will be refused again.",
        {
            "da": "Det kan ikke lade sig gøre her. Kontakt os, hvis du har brug for hjælp.",
            "en": "This cannot be done here. Please contact us if you need help.",
        },
    ),
    "not-entitled": Kind(
        409,
        "The offer is not for this citizen",
        "Show another offer, or whom to contact; the same request will be refused again.",
        {
            "da": "Du kan ikke booke dette møde selv. Kontakt kommunen, hvis du mener, at det er en fejl.",
            "en": "You cannot book this meeting yourself. Contact the municipality if you think this is a mistake.",
        },
    ),
    "idempotency-key-in-progress": Kind(
        409, "The first request with this key is still running", "Wait a second and send the same request again."
    ),
    "hold-expired": Kind(
        410,
        "The reservation ran out",
        "Make a new hold; still_free tells whether the time can be had again.",
        {
            "da": "Reservationen er udløbet. Vælg tiden igen.",
            "en": "The reservation has run out. Please choose the time again.",
        },
    ),
    "erased": Kind(
        410, "Erased", "Do not send this request again: it was done, and its citizen's data have been erased since."
    ),
    "payload-too-large": Kind(413, "The body is too large", "No request of this interface needs that many bytes."),
    "unsupported-media-type": Kind(415, "The body is not declared as JSON", "Send Content-Type: application/json."),
    "invalid-request": Kind(
        422, "The request is not as documented", "errors tells what is wrong, each with its place; nothing was changed."
    ),
    "bad-request": Kind(422, "A value cannot be right", "Read detail; nothing was changed."),
    "idempotency-key-reused": Kind(
        422, "The key was used for another request", "Use a new Idempotency-Key for each new intention."
    ),
    "too-many-requests": Kind(
        429, "Too many requests", "Send the same request again after Retry-After seconds; nothing was changed."
    ),
    "internal-error": Kind(
        500, "A defect in syncd", "Send instance to the operator; it is in the log. Ask before you repeat.", _LATER
    ),
    "temporarily-closed": Kind(
        503, "Calendars are too old to be trusted", "Try again after Retry-After seconds; nothing was changed.", _LATER
    ),
    "store-unavailable": Kind(
        503, "The database cannot be used", "Try again after Retry-After seconds; nothing was changed.", _LATER
    ),
    "calendar-unreachable": Kind(
        503, "A calendar does not answer", "Try again after Retry-After seconds; nothing was changed.", _LATER
    ),
}

RESERVED = frozenset({"type", "title", "status", "detail", "instance", "say"})


def document(kind: str, detail: str, request_id: str, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The members of one problem; facts that are None are left out and never hide the standard members."""
    entry = KINDS.get(kind, KINDS["booking-error"])
    problem: dict[str, Any] = {
        "type": PREFIX + kind,
        "title": entry.title,
        "status": entry.status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id}",
    }
    if entry.say:
        problem["say"] = entry.say
    extra = {name: value for name, value in (facts or {}).items() if value is not None and name not in RESERVED}
    return problem | extra


def response(
    kind: str,
    detail: str,
    request_id: str,
    facts: Mapping[str, Any] | None = None,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem as an answer.

    :param status: what an error class says; the catalogue's when None.
    """
    problem = document(kind, detail, request_id, facts)
    if status is not None:
        problem["status"] = status
    body = msgspec.json.encode(problem)
    return Response(body, problem["status"], headers=dict(headers or {}), media_type=MEDIA_TYPE)
