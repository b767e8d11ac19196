"""The table of `syncd.toml` about the booking page, for organisations whose citizens do not book on Jobnet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from syncd.section import Section


class BookingPageSection(Section):
    """A page on which citizens book without signing in; needs contacts.key, and is not for use beside Jobnet."""

    enabled: Annotated[bool, Field(description="Whether /book is there at all.")] = False
    offers: Annotated[
        tuple[str, ...],
        Field(
            description="Which offers; empty: all that everybody may book. Those for some citizens only are never "
            "shown, as nothing is known of who asks.",
            examples=[["jobsamtale"]],
        ),
    ] = ()
    per_minute: Annotated[
        int, Field(ge=5, le=10_000, description="Most forms sent from one network address; ten times as many looks.")
    ] = 30
    most_held: Annotated[
        int, Field(ge=1, le=10_000, description="Most times that are kept at once for people filling in the form.")
    ] = 30
    trusted_proxies: Annotated[
        tuple[str, ...],
        Field(description="Addresses of the reverse proxy, whose X-Forwarded-For tells who asks."),
    ] = ("127.0.0.1", "::1")

    @field_validator("offers")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("names an offer twice")
        return value
