"""What can be booked, and when: offers and their slots."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request, Response

from syncd.errors import BadRequest
from syncd.model.eligibility import Own, Traits, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Offer
from syncd.web.access import Caller
from syncd.web.deps import Client, Deps, Service
from syncd.web.described import answers, resource
from syncd.web.inputs import PathName, asked, query_parameters
from syncd.web.rendering import Question, Rendered
from syncd.web.schemas import OffersAnswer
from syncd.web.slot_schemas import SlotQuery, SlotsAnswer, SlotSearch

router = resource("/api/v1/offers")
_SLOTS = (200, SlotsAnswer, "Times on offer.", "unknown-offer", "unknown-caseworker", "bad-request", "forbidden")
_ETAG = "Give it back as If-None-Match."
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an earlier answer.",
    "schema": {"type": "string"},
}


@router.get("", summary="Offers in force", responses=answers(200, OffersAnswer, "The offers."))
def list_offers(service: Service) -> Response:
    """What can be booked, in which forms, and by what limits."""
    book = service.rulebook()
    content = {"rules": book.number, "offers": [_offer(offer) for offer in book.offers.values()]}
    return Response(msgspec.json.encode(content), media_type="application/json", headers={"Cache-Control": "private"})


def _offer(offer: Offer) -> dict[str, Any]:
    forms = [{"form": f, "minutes": m, "room": f in offer.room_forms} for f, m in offer.minutes.items()]
    names = ("name", "title", "talk_type", "topics", "step", "notice", "horizon_days", "hold_minutes", "cancel_notice")
    more = {
        "forms": forms,
        "moves": offer.moves,
        "move_notice": offer.cancel_notice if offer.move_notice is None else offer.move_notice,
        "cancellable": offer.cancellable,
        "seats": offer.seats,
        "restricted": bool(offer.open_to) or offer.own is Own.ONLY,
        "own": offer.own.value,
    }
    return {name: getattr(offer, name) for name in names} | more


@router.get(
    "/{offer}/slots",
    summary="Slots of an offer",
    openapi_extra={"parameters": [*query_parameters(SlotQuery), _IF_NONE_MATCH]},
    responses=answers(*_SLOTS, ETag=_ETAG)
    | {304: {"description": "Nothing changed since the answer with this ETag.", "headers": {}}},
)
def list_slots(request: Request, offer: PathName, query: Annotated[SlotQuery, Depends(asked(SlotQuery))]) -> Response:
    """Bookable times from all caseworkers of the offer, each time once, with how many can serve it.

    Nothing about a citizen belongs here; where the citizen matters, POST to `slots/search`.
    """
    found = _answer(request.app.state.deps, request.state.caller, offer, query)
    held = request.headers.get("if-none-match")
    headers = {"ETag": found.etag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if held is not None and found.matches(held):
        return Response(None, 304, headers=headers)
    return Response(found.body, media_type="application/json", headers=headers)


@router.post(
    "/{offer}/slots/search",
    summary="Slots of an offer for a citizen",
    responses=answers(*_SLOTS, "malformed-body", "unsupported-media-type"),
)
def search_slots(service: Service, client: Client, offer: PathName, body: SlotSearch) -> Response:
    """The same answer, asked with what says something about a citizen; the look-up is audited."""
    traits = body.citizen.traits() if body.citizen is not None else None
    found = _answer(service, client, offer, body, traits)
    if body.citizen is not None:
        with service.store.begin() as tx:
            actor, now = f"client:{client.name}", service.clock.now()
            tx.audit.add(actor, "slots.search", citizen=body.citizen.reference, detail=offer, now=now)
    return Response(found.body, media_type="application/json")


def _answer(service: Deps, client: Caller, offer: str, query: SlotQuery, traits: Traits | None = None) -> Rendered:
    """What is on offer now.

    :raises BadRequest: the range is empty, or longer than may be asked about; or the offer is not for everybody, and
        nothing was said of the citizen.
    """
    zone = _zone(service) if query.view == "days" else None
    named = query.expand is not None
    question = Question(offer, query.start, query.end, query.caseworker, query.form, named, query.limit, zone)
    if question.named:
        client.need("servers")
    if question.start >= question.end:
        raise BadRequest("'from' must be earlier than 'to'.")
    found = service.publisher.answer(
        question.offer,
        Interval(question.start, question.end),
        service.clock.now(),
        caseworker=question.caseworker,
        form=question.form,
        whom=Whom(traits, query.immediate, query.latest),
    )
    return service.rendered.of(question, found, service.directory().support)


def _zone(service: Deps) -> str:
    """The zone of the first site, by whose days times are counted."""
    return next((site.zone for site in service.directory().sites.values()), "UTC")
