"""The keys that only an Exchange server has; description, default and example stand at each field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from syncd.config.sections import SecretRef, proxy_address, web_address
from syncd.section import Section

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")


class AutodiscoverSection(Section):
    """Where the endpoint of each mailbox is looked up when `url` names none; off as long as no host is named."""

    hosts: Annotated[
        tuple[str, ...],
        Field(
            description="Hosts that may be asked, and that an endpoint may be on; no other ever gets the password. "
            "With a port where it is not 443.",
            examples=[["autodiscover.example.dk", "mail.example.dk"]],
        ),
    ] = ()
    url: Annotated[
        str | None,
        Field(
            description="The service that is asked about every mailbox; if nothing is said, "
            "https://autodiscover.DOMAIN/autodiscover/autodiscover.svc of each mailbox's own domain.",
            examples=["https://autodiscover.example.dk/autodiscover/autodiscover.svc"],
        ),
    ] = None
    hours: Annotated[int, Field(ge=1, le=168, description="How long what was found is used without asking again.")] = 12
    mailbox: Annotated[
        str | None,
        Field(
            description="Whose endpoint is asked about groups and room lists; if nothing is said, that of username.",
            examples=["svc-syncd@example.dk"],
        ),
    ] = None

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST.fullmatch(host):
                raise ValueError(f"'{host}' should be the name of one host, such as mail.example.dk")
        return tuple(host.lower() for host in value)

    @model_validator(mode="after")
    def _safe(self) -> AutodiscoverSection:
        if self.url is None:
            return self
        parts = urlsplit(web_address(self.url) or "")
        if parts.netloc.lower().removesuffix(":443") not in {host.removesuffix(":443") for host in self.hosts}:
            raise ValueError(f"hosts must name the host of url, '{parts.netloc}'")
        return self


class ExchangeSection(Section):
    """How an Exchange server (adapter = "ews") is spoken to; the service account is in the table above."""

    auth: Annotated[
        Literal["ntlm", "basic", "certificate", "oauth", "kerberos"],
        Field(description="How the service account proves itself; kerberos needs the extra syncd[kerberos]."),
    ] = "ntlm"
    impersonate: Annotated[
        bool,
        Field(description="Act as each mailbox by the role ApplicationImpersonation; false: as a delegate of it."),
    ] = True
    connections: Annotated[int, Field(ge=1, le=64, description="Requests to the server at the same time.")] = 8
    streaming: Annotated[
        bool,
        Field(description="Listen for changes, so that they show within seconds; calendars are polled all the same."),
    ] = True
    autodiscover: Annotated[
        AutodiscoverSection, Field(description="Endpoints by look-up instead of by url; the url is recommended.")
    ] = AutodiscoverSection()
    proxy: Annotated[
        str | None, Field(description="Proxy on the way to the server.", examples=["http://proxy.example.dk:3128"])
    ] = None
    client_certificate: Annotated[
        Path | None, Field(description='For auth = "certificate": PEM file.', examples=["/etc/syncd/client.pem"])
    ] = None
    client_key: Annotated[
        Path | None,
        Field(description="Its private key, when it is in a file of its own.", examples=["/etc/syncd/client.key"]),
    ] = None
    token_url: Annotated[
        str | None,
        Field(
            description='For auth = "oauth": token endpoint.', examples=["https://adfs.example.dk/adfs/oauth2/token"]
        ),
    ] = None
    client_id: Annotated[str | None, Field(description='For auth = "oauth": id of the app.', examples=["0f1c…"])] = None
    client_secret: Annotated[
        SecretRef | None,
        Field(description='For auth = "oauth": where its secret is kept.', examples=[{"credential": "exchange-app"}]),
    ] = None
    scope: Annotated[
        str,
        Field(description='For auth = "oauth": what the token is for.', examples=["https://mail.example.dk/.default"]),
    ] = ""

    @field_validator("token_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        return web_address(value)

    @field_validator("proxy")
    @classmethod
    def _proxy_address(cls, value: str | None) -> str | None:
        return proxy_address(value)

    @model_validator(mode="after")
    def _complete(self) -> ExchangeSection:
        if self.auth == "oauth" and not (self.token_url and self.client_id and self.client_secret):
            raise ValueError('auth = "oauth" needs token_url, client_id and client_secret')
        if self.auth == "certificate" and self.client_certificate is None:
            raise ValueError('auth = "certificate" needs client_certificate, a PEM file')
        return self
