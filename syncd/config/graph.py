"""The keys that only a Microsoft 365 tenant has; description, default and example stand at each field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from syncd.config.sections import Address, SecretRef, proxy_address, web_address
from syncd.section import Section

CLOUDS = {
    "global": ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "us-gov": ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "us-dod": ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "china": ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}
"""Roots of Graph and of the token endpoint."""


class GraphSection(Section):
    """How a Microsoft 365 tenant (adapter = "graph") is spoken to, and as which application."""

    tenant: Annotated[
        str | None, Field(description="Directory id or a domain of it.", examples=["byhavn.onmicrosoft.com"])
    ] = None
    client_id: Annotated[
        str | None, Field(description="Id of the application.", examples=["0f1c2d3e-4f5a-6b7c-8d9e-0a1b2c3d4e5f"])
    ] = None
    certificate: Annotated[
        Path | None,
        Field(description="PEM file with the application's certificate.", examples=["/etc/syncd/graph.pem"]),
    ] = None
    key: Annotated[
        Path | None,
        Field(description="Its private key, when it is in a file of its own.", examples=["/etc/syncd/graph.key"]),
    ] = None
    next_certificate: Annotated[
        Path | None,
        Field(description="The one that follows; both are good meanwhile.", examples=["/etc/syncd/graph-2027.pem"]),
    ] = None
    next_key: Annotated[
        Path | None, Field(description="Private key of the one that follows.", examples=["/etc/syncd/graph-2027.key"])
    ] = None
    passphrase: Annotated[
        SecretRef | None,
        Field(description="Where the passphrase of the private keys is kept.", examples=[{"credential": "graph-key"}]),
    ] = None
    secret: Annotated[
        SecretRef | None,
        Field(
            description="A secret, tried when there is no certificate or it is refused.",
            examples=[{"credential": "graph-app"}],
        ),
    ] = None
    cloud: Annotated[
        Literal["global", "us-gov", "us-dod", "china"], Field(description="Which of Microsoft's clouds it is in.")
    ] = "global"
    graph_url: Annotated[
        str | None,
        Field(description="Root of Graph in a cloud that is not listed.", examples=["https://graph.example.cloud"]),
    ] = None
    login_url: Annotated[
        str | None,
        Field(description="Its token endpoint's root.", examples=["https://login.sovcloud-identity.de"]),
    ] = None
    proxy: Annotated[
        str | None, Field(description="Proxy on the way there.", examples=["http://proxy.example.dk:3128"])
    ] = None
    concurrency: Annotated[
        int,
        Field(ge=1, le=64, description="Requests at the same time, at the most; it begins with four, or fewer."),
    ] = 16
    teams: Annotated[
        bool, Field(description="Make Teams meetings of talks by video whose caseworker has no link of her own.")
    ] = False
    control: Annotated[
        Address | None,
        Field(
            description="A mailbox that must stay closed to syncd; syncd check tries to read it.",
            examples=["borgmester@example.dk"],
        ),
    ] = None
    reseed_days: Annotated[
        int,
        Field(ge=1, le=10, description="Days between two complete readings of a calendar; polls go on in between."),
    ] = 7

    @field_validator("proxy")
    @classmethod
    def _proxy_address(cls, value: str | None) -> str | None:
        return proxy_address(value)

    @field_validator("graph_url", "login_url")
    @classmethod
    def _root(cls, value: str | None) -> str | None:
        parts = urlsplit(web_address(value) or "https://x")
        if parts.path.strip("/") or parts.query:
            raise ValueError("should be the root alone, such as https://graph.microsoft.com")
        return None if value is None else value.rstrip("/")

    @model_validator(mode="after")
    def _paired(self) -> GraphSection:
        if self.next_certificate is not None and self.certificate is None:
            raise ValueError("next_certificate follows certificate, which is missing")
        return self

    @property
    def roots(self) -> tuple[str, str]:
        """Roots of Graph and of the token endpoint."""
        graph, login = CLOUDS[self.cloud]
        return self.graph_url or graph, self.login_url or login

    @property
    def complete(self) -> bool:
        """Whether it names a tenant, an application and how that proves itself."""
        return bool(self.tenant and self.client_id and (self.certificate or self.secret))
