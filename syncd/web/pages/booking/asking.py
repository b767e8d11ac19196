"""Who asks for the booking page: nobody known, and no cookie; only how often a network address asks is counted.

Forms need no token against forgery: what a browser adds by itself (a cookie) gives no right here. Whoever sends a form
about a booking must know its link, and a form that begins one must come from a page of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from syncd.booking.openly import OpenDesk
from syncd.web.deps import Deps, Service
from syncd.web.pages.language import LANGUAGES, language
from syncd.web.pages.visiting import ForeignForm, Form, Visitor, from_here, posted

LOOKS = 10
"""So many pages may be looked at for each form that may be sent."""


class TooOften(Exception):
    """The address asks too often. :param pause: seconds until it may ask again."""

    def __init__(self, visitor: Visitor, pause: int) -> None:
        self.visitor, self.pause = visitor, pause
        super().__init__()


def asking(request: Request, service: Service, form: Annotated[Form, Depends(posted)]) -> Visitor:
    """Somebody with a browser; 404 where the page is switched off.

    :raises ForeignForm: something was posted that is not from a page of ours. :raises TooOften: wait a little.
    """
    return _somebody(request, service, form, there=service.pages.booking.enabled)


def written_to(request: Request, service: Service, form: Annotated[Form, Depends(posted)]) -> Visitor:
    """Somebody with the link of a message; 404 where none are sent. :raises ForeignForm, TooOften: see `asking`."""
    return _somebody(request, service, form, there=bool(service.pages.told_by))


def _somebody(request: Request, service: Service, form: Form, *, there: bool) -> Visitor:
    if not there:
        raise HTTPException(404)
    section, code = service.pages.booking, request.query_params.get("lang", "")
    visitor = Visitor(request, service, language(code if code in LANGUAGES else ""), form=form)
    request.state.visitor = visitor
    sends = request.method == "POST"
    who = f"{'sends' if sends else 'looks'} {network(request, section.trusted_proxies)}"
    if pause := service.pace.wait(who, section.per_minute * (1 if sends else LOOKS)):
        raise TooOften(visitor, pause)
    if sends and not from_here(request, service):
        raise ForeignForm
    return visitor


Asking = Annotated[Visitor, Depends(asking)]
WrittenTo = Annotated[Visitor, Depends(written_to)]


def network(request: Request, proxies: tuple[str, ...]) -> str:
    """From where somebody asks, kept in memory only; of IPv6 the first half, for the rest is anybody's choice."""
    told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    hops = [request.client.host if request.client else "", *(one.strip() for one in reversed(told) if one.strip())]
    who = next(
        (one for one in hops if one not in proxies), hops[-1]
    )  # each proxy tells who asked it, the last one last
    try:
        found = ip_address(who)
    except ValueError:
        return "?"
    return str(found if found.version == 4 else ip_network((int(found) >> 64 << 64, 64)))


def desk_of(deps: Deps) -> OpenDesk:
    """What books for whoever has the link."""
    return OpenDesk(deps.store, deps.desk, deps.contacts)


def path(visitor: Visitor, to: str, **query: object) -> str:
    """An address of ours that keeps the language: without a cookie it must travel along."""
    spoken = {} if visitor.language.code == "da" else {"lang": visitor.language.code}
    asked = urlencode({name: value for name, value in query.items() if value} | spoken)
    return f"{to}?{asked}" if asked else to


def show(visitor: Visitor, template: str, status: int = 200, *, here: str, **values: Any) -> Response:
    """A page. :param here: its address without the language, also when it answers a form."""
    other = {"lang": visitor.language.other}
    known: Mapping[str, str] = dict(visitor.request.query_params) if visitor.request.method == "GET" else {}
    around = {"other_url": f"{here}?{urlencode({**known, **other})}", "to": lambda *at, **q: path(visitor, *at, **q)}
    return visitor.show(f"booking/{template}", status, **around, **values)


def go(visitor: Visitor, to: str, **query: object) -> Response:
    """On to another page, after something was done."""
    return RedirectResponse(path(visitor, to, **query), 303)
