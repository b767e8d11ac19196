"""A card to take home (aftalekort): what to book, by when, how, and where; names nobody."""

from __future__ import annotations

import segno
from fastapi import APIRouter, Response
from markupsafe import Markup

from syncd.web.pages.citizen.view import Helping, day_in, offer_of
from syncd.web.pages.language import N_
from syncd.web.pages.rooms.places import site_of
from syncd.web.pages.visiting import Refusal

router = APIRouter(include_in_schema=False)

IN_ORDER = N_("The talk must not be held before the last day for booking it. Choose the days again.")


@router.get("/citizen/card")
def card(visitor: Helping) -> Response:
    """The card, with what is typed beside it."""
    offer, site = offer_of(visitor), site_of(visitor)
    until, latest = day_in(visitor, site, "until"), day_in(visitor, site, "latest")
    if until and latest and latest < until:
        raise Refusal(visitor, IN_ORDER, 422)
    portal, code = visitor.deps.pages.section.portal_url, visitor.language.code
    return visitor.show(
        "citizen/card.html",
        offer=offer,
        title=offer.title.get(code, offer.name),
        offers=[(one.name, one.title.get(code, one.name)) for one in visitor.deps.rulebook().offers.values()],
        until=until,
        latest=latest,
        portal=portal,
        host=portal.partition("://")[2].rstrip("/"),
        drawn=drawn(portal) if portal else "",
    )


def drawn(address: str) -> Markup:
    """A QR code as SVG; black on white in both themes, for cameras."""
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(scale=4, border=4, omitsize=True, svgclass="qr", lineclass=None, light="#fff"))  # noqa: S704 - made by segno of squares
