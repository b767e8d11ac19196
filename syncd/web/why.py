"""Why a time is on offer, or what took it away."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Response

from syncd.model.verdict import Verdict
from syncd.web.deps import Client, Service
from syncd.web.described import answers, resource
from syncd.web.inputs import asked, query_parameters
from syncd.web.slot_schemas import WhyAnswer, WhyQuery

router = resource("/api/v1/why")


@router.get(
    "",
    summary="Why (not) this time?",
    openapi_extra={"parameters": query_parameters(WhyQuery)},
    responses=answers(
        200, WhyAnswer, "What decided.", "forbidden", "unknown-offer", "unknown-caseworker", "bad-request"
    ),
)
def why(service: Service, client: Client, query: Annotated[WhyQuery, Depends(asked(WhyQuery))]) -> Response:
    """The first rule, event (never its subject), cap, room shortage or staleness that took the time away."""
    client.need("why")
    verdict = service.publisher.why(query.offer, query.caseworker, query.start, service.clock.now(), query.form)
    return Response(msgspec.json.encode(_content(verdict)), media_type="application/json")


def _content(verdict: Verdict) -> dict[str, Any]:
    names = ("offered", "reason", "says", "offer", "caseworker", "form", "facts", "counts")
    span = {"start": verdict.interval.start, "end": verdict.interval.end}
    return {name: getattr(verdict, name) for name in names} | span
