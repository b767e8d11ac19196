"""Why a time is on offer, or what took it away."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Response

from syncd.model.eligibility import Whom
from syncd.model.verdict import Verdict
from syncd.web.access import Caller
from syncd.web.deps import Client, Deps, Service
from syncd.web.described import answers, resource
from syncd.web.inputs import asked, query_parameters
from syncd.web.slot_schemas import WhyAnswer, WhyQuery, WhySearch

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
    """The first rule, event (never its subject), cap, room shortage or staleness that took the time away.

    What holds for everybody; who may book is asked with a POST.
    """
    return _answer(service, client, query, Whom(immediate=query.immediate, latest=query.latest, staff=True))


@router.post(
    "/search",
    summary="Why (not) this time, for this citizen?",
    responses=answers(
        *(200, WhyAnswer, "What decided.", "forbidden", "unknown-offer", "unknown-caseworker", "bad-request"),
        *("malformed-body", "unsupported-media-type"),
    ),
)
def why_for(service: Service, client: Client, body: WhySearch) -> Response:
    """The same with what the offer's rules ask of the citizen; the look-up is audited."""
    answer = _answer(service, client, body, Whom(body.citizen.traits(), body.immediate, body.latest))
    with service.store.begin() as tx:
        actor, now = f"client:{client.name}", service.clock.now()
        tx.audit.add(actor, "why.asked", citizen=body.citizen.reference, detail=body.offer, now=now)
    return answer


def _answer(service: Deps, client: Caller, query: WhyQuery, whom: Whom) -> Response:
    client.need("why")
    now = service.clock.now()
    verdict = service.publisher.why(query.offer, query.caseworker, query.start, now, query.form, whom=whom)
    return Response(msgspec.json.encode(_content(verdict)), media_type="application/json")


def _content(verdict: Verdict) -> dict[str, Any]:
    names = ("offered", "reason", "says", "offer", "caseworker", "form", "facts", "counts")
    span = {"start": verdict.interval.start, "end": verdict.interval.end}
    return {name: getattr(verdict, name) for name in names} | span
