"""The programs that may use the HTTP API, and where they listen for webhooks."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator, model_validator

from syncd.config.addresses import secure
from syncd.config.sections import SecretRef
from syncd.section import Section


def _hash(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("should be 64 hexadecimal digits; `syncd client new NAME` prints a token and this line")
    return value


class WebhookSection(Section):
    """Where a client hears of what happens to its bookings, after the Standard Webhooks specification."""

    url: Annotated[
        str,
        Field(
            description="Where events are sent; https, or http on this machine.",
            examples=["https://portal.example.dk/syncd"],
        ),
    ]
    secret: Annotated[
        SecretRef, Field(description="Where the signing secret is kept.", examples=[{"credential": "portal-webhook"}])
    ]
    next_secret: Annotated[
        SecretRef | None,
        Field(
            description="A second secret that signs too, while the receiver is changing over.",
            examples=[{"credential": "portal-webhook-next"}],
        ),
    ] = None
    events: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z*][a-z.*-]*$")], ...],
        Field(min_length=1, description="Which kinds of events, with * for any.", examples=[["booking.*"]]),
    ] = ("*",)

    @field_validator("url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if not secure(value):
            raise ValueError("should begin with https:// (http:// is for this machine only)")
        if parts.username or parts.password:
            raise ValueError("must not contain a password; events are signed with the secret")
        return value


class ClientSection(Section):
    """A program that may use the HTTP API; bookings belong to the client that made them."""

    token_sha256: Annotated[
        tuple[Annotated[str, AfterValidator(_hash)], ...],
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
        Field(
            description="SHA-256 of its token, as `syncd client new NAME` prints it; two while a token is replaced.",
            examples=["0" * 64],
        ),
    ] = ()
    oauth_client: Annotated[
        str | None,
        Field(
            min_length=1,
            description="What the authorization server of [oauth] calls it; its rights are those that stand here and "
            "in the token.",
            examples=["portal"],
        ),
    ] = None
    certificate_subject: Annotated[
        str | None,
        Field(
            min_length=3,
            description="Subject of the certificate it shows (see [tls]), as RFC 4514 writes it. Alone it is how the "
            "client is known; beside a token both are needed, so that a stolen token opens nothing.",
            examples=["CN=portal,O=Eksempel Kommune,C=DK"],
        ),
    ] = None
    certificate_issuer: Annotated[
        str | None,
        Field(
            min_length=3, description="Who must have signed that certificate.", examples=["CN=Kommunens CA,O=X,C=DK"]
        ),
    ] = None
    per_minute: Annotated[
        int, Field(ge=1, le=1_000_000, description="Requests it may send in the long run; ten seconds' worth at once.")
    ] = 30_000
    rights: Annotated[
        frozenset[Literal["book", "why", "servers", "evidence", "staff"]],
        Field(
            description="book: hold and book; why: ask why not; servers: see who serves a time; "
            "evidence: ask what was on offer; staff: absences and hand-overs of everybody's meetings."
        ),
    ] = frozenset({"book", "why"})
    messages: Annotated[
        bool,
        Field(description="Whether syncd writes to citizens it books for ([messages]); false if it writes itself."),
    ] = True
    webhook: Annotated[WebhookSection | None, Field(description="Where it hears of events.")] = None

    @field_validator("token_sha256", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("token_sha256")
    @classmethod
    def _one_or_two(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > 2:
            raise ValueError("give one, or two while a token is being replaced")
        return value

    @model_validator(mode="after")
    def _known_by_something(self) -> ClientSection:
        if (self.certificate_subject is None) is not (self.certificate_issuer is None):
            raise ValueError("certificate_subject and certificate_issuer belong together")
        if not self.token_sha256 and self.oauth_client is None and self.certificate_subject is None:
            raise ValueError("needs token_sha256, oauth_client or certificate_subject: nobody could be this client")
        return self
