"""Choosing: which meeting, in which form, and when; pressing a time keeps it for some minutes."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Response

from syncd.booking.openly import open_offers
from syncd.errors import BadRequest, BookingError, Contention, Transient
from syncd.model.offer import Form, Offer
from syncd.web.pages.booking.asking import Asking, desk_of, go, path, show
from syncd.web.pages.booking.times import week
from syncd.web.pages.booking.words import FORMS, said, title_of
from syncd.web.pages.language import N_
from syncd.web.pages.typed import typed_time
from syncd.web.pages.visiting import Refusal, Visitor

router = APIRouter(include_in_schema=False)

NO_OFFER = N_("There is no such meeting to book here. Choose one from the list.")
NO_TIME = N_("Please choose one of the times.")


@router.get("/book")
def offers(visitor: Asking) -> Response:
    """What can be booked, in which forms."""
    found = _open(visitor)
    if len(found) == 1 and len(offer := next(iter(found.values())).forms) == 1:
        return go(visitor, "/book/times", offer=next(iter(found)), form=offer[0].value)
    named = sorted(((title_of(visitor, offer, name), offer) for name, offer in found.items()), key=lambda one: one[0])
    return show(visitor, "offers.html", here="/book", offers=named, forms=FORMS)


@router.get("/book/times")
def times(visitor: Asking) -> Response:
    """The times of a week."""
    return _times(visitor, dict(visitor.request.query_params))


@router.post("/book/hold")
def hold(visitor: Asking) -> Response:
    """Keep the time that was pressed, and go on to the form."""
    deps, typed = visitor.deps, dict(visitor.form)
    offer, form = _chosen(visitor, typed)
    try:
        start = moment(typed.get("at", ""))
        deps.freshen(offer.name, start, None, deps.clock.now())
        now = deps.clock.now()
        secret = desk_of(deps).hold(offer.name, start, form, deps.pages.booking.most_held, visitor.language.code, now)
    except ValueError:
        return _times(visitor, typed, visitor.say(NO_TIME), 422)
    except (BookingError, Transient, Contention) as error:
        return _times(visitor, typed, said(visitor, error), getattr(error, "status", 503))
    return go(visitor, f"/book/{secret}")


def moment(text: str) -> datetime:
    """An instant as our own pages write it.

    :raises ValueError: it is none, or has no offset.
    """
    found = typed_time(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return found.astimezone(UTC)


def _times(visitor: Visitor, asked: dict[str, str], problem: str = "", status: int = 200) -> Response:
    offer, form = _chosen(visitor, asked)
    try:
        found = week(visitor, offer, form, asked.get("day", ""))
    except (BadRequest, Contention, Transient) as error:
        raise Refusal(visitor, NO_OFFER, 404) if isinstance(error, BadRequest) else error from error
    here = path(visitor, "/book/times", offer=offer.name, form=form.value).partition("?")
    return show(
        visitor,
        "times.html",
        status,
        here=here[0],
        offer=offer,
        title=title_of(visitor, offer, offer.name),
        form_=form,
        forms=FORMS,
        week=found,
        problem=problem,
    )


def _chosen(visitor: Visitor, asked: dict[str, str]) -> tuple[Offer, Form]:
    """The offer and form asked for; the first form when none is.

    :raises Refusal: there is no such offer for everybody.
    """
    offer = _open(visitor).get(asked.get("offer", ""))
    if offer is None:
        raise Refusal(visitor, NO_OFFER, 404)
    form = asked.get("form", "")
    return offer, Form(form) if form in {one.value for one in offer.forms} else offer.forms[0]


def _open(visitor: Visitor) -> dict[str, Offer]:
    return open_offers(visitor.deps.rulebook(), visitor.deps.pages.booking.offers)
