"""What the pages in the browser get from one configuration."""

from __future__ import annotations

from syncd.adapters.provider import bind
from syncd.clock import Clock
from syncd.config import secret
from syncd.daemon.letterbox import channels
from syncd.daemon.parts import Parts
from syncd.web.page_parts import PageParts
from syncd.web.pages.oidc import Provider


def page_parts(parts: Parts, clock: Clock) -> PageParts:
    """The pages' parts; the provider of sign-ins is asked nothing yet."""
    section, provider = parts.config.pages, None
    if (oidc := section.oidc) is not None:
        here = section.public_url or f"http://{parts.config.http.listen}"
        provider = Provider(oidc, lambda: secret(oidc.client_secret), f"{here}/sign-in/back", clock, bind)
    return PageParts(
        section,
        provider,
        parts.rooms,
        booking=parts.config.booking_page,
        told_by=channels(parts.config),
        supply=parts.config.supply,
    )
