"""Whose access tokens are believed besides static ones (OAuth 2.0 client credentials, RFC 6749 4.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from syncd.config.addresses import secure
from syncd.section import Section


class OAuthSection(Section):
    """The authorization server that gives API clients their tokens; they are verified here, with its public keys."""

    issuer: Annotated[
        str | None,
        Field(
            description="What its tokens say in `iss`, to the letter; unset: only static tokens are taken.",
            examples=["https://login.example.dk/realms/kommune"],
        ),
    ] = None
    audience: Annotated[str, Field(description="What must stand in `aud`.", examples=["syncd"])] = "syncd"
    keys_url: Annotated[
        str | None,
        Field(
            description="Where its public keys are (a JWK set); looked up every ten minutes.",
            examples=["https://login.example.dk/realms/kommune/protocol/openid-connect/certs"],
        ),
    ] = None
    keys_file: Annotated[
        Path | None,
        Field(
            description="The same in a file, read when keys_url is unset or does not answer.", examples=["keys.json"]
        ),
    ] = None
    client_claim: Annotated[
        str, Field(description="The claim that names the client, as `oauth_client` of clients has it.")
    ] = "azp"
    scope_claims: Annotated[
        tuple[str, ...], Field(min_length=1, description="Claims that list what was granted, as words or as a list.")
    ] = ("scope", "scp", "roles")
    scope_prefix: Annotated[str, Field(description="What stands before the name of a right in a scope.")] = "syncd."
    algorithms: Annotated[
        tuple[Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"], ...],
        Field(min_length=1, description="How tokens may be signed; never by a shared secret."),
    ] = ("RS256", "PS256", "ES256")

    @field_validator("keys_url")
    @classmethod
    def _safe_address(cls, value: str | None) -> str | None:
        if value is not None and not secure(value):
            raise ValueError("should begin with https:// (http:// is for this machine only)")
        return value

    @model_validator(mode="after")
    def _whole(self) -> OAuthSection:
        if self.issuer is not None and self.keys_url is None and self.keys_file is None:
            raise ValueError("issuer needs keys_url or keys_file: tokens could not be verified")
        return self

    def anchored(self, base: Path) -> OAuthSection:
        """The same with an absolute path."""
        return self.model_copy(update={"keys_file": base / self.keys_file}) if self.keys_file else self
