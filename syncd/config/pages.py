"""The pages in the browser: who may sign in, for how long, and what the office and its people are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from syncd.config.addresses import secure
from syncd.config.sections import SecretRef
from syncd.model.role import Role
from syncd.section import Section

OFFICE = {"da": "jobcentret", "en": "the jobcentre"}
ONE, MANY = {"da": "sagsbehandler", "en": "caseworker"}, {"da": "sagsbehandlere", "en": "caseworkers"}

Named = Annotated[dict[str, str], Field(min_length=1)]


def secure_address(value: str) -> str:
    """*value*, when it is an address that may carry sign-ins: https, or http on this very machine.

    :raises ValueError: it is not.
    """
    parts = urlsplit(value)
    if not secure(value):
        raise ValueError("should begin with https:// (http:// is for this machine only)")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold neither a password nor anything after the path")
    return value.rstrip("/")


class OidcSection(Section):
    """Signing in with the organisation's own accounts (OpenID Connect, any provider)."""

    issuer: Annotated[
        str,
        Field(
            description="The provider's issuer; its /.well-known/openid-configuration tells the rest.",
            examples=["https://login.example.dk/realms/kommunen"],
        ),
    ]
    client_id: Annotated[str, Field(min_length=1, description="How the provider knows syncd.", examples=["syncd"])]
    client_secret: Annotated[
        SecretRef, Field(description="Where the client's secret is kept.", examples=[{"credential": "oidc"}])
    ]
    scope: Annotated[str, Field(description="What is asked for; openid must be among it.")] = "openid profile"
    user_claim: Annotated[
        str, Field(description="The claim that names a person in the audit log; it must never change hands.")
    ] = "sub"
    name_claim: Annotated[str, Field(description="The claim that is shown to the person herself.")] = "name"
    groups_claim: Annotated[str, Field(description="The claim that lists a person's groups.")] = "groups"
    roles: Annotated[
        dict[Role, tuple[str, ...]],
        Field(
            description="Which groups have which role: facilities, coordinator, manager, staff, operator, auditor.",
            examples=[{"facilities": ["syncd-lokaler"], "staff": ["syncd-medarbejdere"]}],
        ),
    ]

    @field_validator("issuer")
    @classmethod
    def _safe(cls, value: str) -> str:
        return secure_address(value)

    @field_validator("scope")
    @classmethod
    def _openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("must contain the word openid")
        return value

    def roles_of(self, groups: frozenset[str]) -> frozenset[Role]:
        """The roles that somebody in these groups has."""
        return frozenset(role for role, named in self.roles.items() if groups & set(named))


class LocalAccountSection(Section):
    """An account kept here, for a demonstration or the first set-up; `syncd pages account NAME` prints one."""

    name: Annotated[str, Field(min_length=1, max_length=64, description="What is typed in.", examples=["drift"])]
    password: Annotated[
        str,
        Field(
            description="The password's scrypt hash, never the password.",
            examples=["scrypt$15$3$c2FsdA==$aGFzaA=="],
        ),
    ]
    roles: Annotated[frozenset[Role], Field(min_length=1, description="What it may do.", examples=[["operator"]])]

    @field_validator("password")
    @classmethod
    def _hashed(cls, value: str) -> str:
        if not re.fullmatch(r"scrypt\$\d{1,2}\$\d{1,2}\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+", value):
            raise ValueError("should be a hash, as `syncd pages account NAME` prints it")
        return value


class PagesSection(Section):
    """Pages in the browser; nobody can sign in until oidc or an account is given."""

    public_url: Annotated[
        str,
        Field(
            description="How browsers reach syncd, through the reverse proxy if there is one; http://LISTEN if empty.",
            examples=["https://syncd.example.dk"],
        ),
    ] = ""
    portal_url: Annotated[
        str,
        Field(
            description="Where citizens book; on the cards that staff hand out.",
            examples=["https://jobnet.dk"],
        ),
    ] = ""
    idle_minutes: Annotated[int, Field(ge=5, le=720, description="Signed out after so long without a click.")] = 30
    session_hours: Annotated[int, Field(ge=1, le=24, description="Signed out after so long in any case.")] = 10
    office: Annotated[Named, Field(description="What the office is called, by language.")] = OFFICE
    staff: Annotated[Named, Field(description="What one of its people is called, by language.")] = ONE
    staff_plural: Annotated[Named, Field(description="What several of them are called, by language.")] = MANY
    oidc: Annotated[OidcSection | None, Field(description="Signing in with the organisation's accounts.")] = None
    accounts: Annotated[
        tuple[LocalAccountSection, ...], Field(description="Accounts for a demonstration or the first set-up.")
    ] = ()

    def anchored(self, base: Path) -> PagesSection:
        """The same with absolute paths."""
        if self.oidc is None or self.oidc.client_secret.file is None:
            return self
        secret = self.oidc.client_secret.model_copy(update={"file": base / self.oidc.client_secret.file})
        return self.model_copy(update={"oidc": self.oidc.model_copy(update={"client_secret": secret})})

    @field_validator("public_url", "portal_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        return secure_address(value) if value else value

    @field_validator("office", "staff", "staff_plural")
    @classmethod
    def _danish(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if "da" not in value or set(value) - {"da", "en"}:
            raise ValueError("should have da, and may have en")
        return value
