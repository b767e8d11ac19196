"""The planner facade for Jobnet: who may call it, what stands for what, and where the key of citizens' numbers is."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from syncd.config.sections import Id, SecretRef
from syncd.section import Section

CLIENT = "jobnet"
"""Bookings made through the facade belong to this client; no program with a token may bear the name."""


def _jobcentre(value: str) -> str:
    if not re.fullmatch(r"[0-9]{5}", value):
        raise ValueError("should be the five digits of a jobcentre")
    return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError("should be an address, or a network such as 10.0.0.0/24") from None


Jobcentre = Annotated[str, AfterValidator(_jobcentre)]
Network = Annotated[str, AfterValidator(_network)]
CaseworkerIdentifier = Annotated[str, Field(min_length=1, max_length=255)]


class JobnetSection(Section):
    """The planner facade for Jobnet over DFDG; it answers only when the key of citizens' numbers is given."""

    cpr_key: Annotated[
        SecretRef | None,
        Field(
            description="The key that turns civil registration numbers into references, kept outside the database and "
            "its backups. Make one with `openssl rand -hex 32`, and never lose it.",
            examples=[{"credential": "cpr"}],
        ),
    ] = None
    mapping: Annotated[
        Path | None,
        Field(
            description="Names, paths and codes that the contract leaves open; unset: those of "
            "config/jobnet-mapping.toml as shipped.",
            examples=["jobnet-mapping.toml"],
        ),
    ] = None
    jobcentres: Annotated[
        dict[Jobcentre, tuple[Id, ...]],
        Field(
            description="Offers by the citizen's jobcentre; an empty list means all offers.",
            examples=[{"12345": ["jobsamtale"]}],
            default_factory=dict,
        ),
    ]
    caseworkers: Annotated[
        dict[Id, CaseworkerIdentifier],
        Field(
            description="What the case system calls a caseworker (RID or GUID), by our id; unset: our id.",
            examples=[{"anna": "CVR:12345678-RID:1234567890"}],
            default_factory=dict,
        ),
    ]
    reservation_minutes: Annotated[int, Field(ge=1, le=120, description="How long a reserved time is kept.")] = 15
    longest_days: Annotated[int, Field(ge=1, le=366, description="The longest interval that may be asked about.")] = 190
    certificate_subjects: Annotated[
        tuple[str, ...],
        Field(
            description="Subjects of the function certificates that may call, as RFC 4514 writes them; without one "
            "nobody may.",
            examples=[["CN=STAR DFDG,serialNumber=UI:DK-O:G:1,O=Styrelsen,C=DK"]],
        ),
    ] = ()
    certificate_issuers: Annotated[
        tuple[str, ...],
        Field(
            description="Issuers that may have signed them, written the same way.", examples=[["CN=OCES3 CA,O=X,C=DK"]]
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Field(
            description="Addresses of the proxy that ends TLS and tells of the client's certificate in headers.",
            examples=[["127.0.0.1"]],
        ),
    ] = ()
    verified_header: Annotated[
        str, Field(description="The proxy's header that says SUCCESS when the certificate was verified.")
    ] = "X-SSL-Client-Verify"
    subject_header: Annotated[str, Field(description="The proxy's header with its subject.")] = "X-SSL-Client-S-DN"
    issuer_header: Annotated[str, Field(description="The proxy's header with its issuer.")] = "X-SSL-Client-I-DN"
    listen: Annotated[
        str | None,
        Field(
            description="Address and port of a TLS listener for the facade alone; unset: behind the proxy only.",
            examples=["0.0.0.0:8443"],
        ),
    ] = None
    server_certificate: Annotated[
        Path | None, Field(description="Its certificate chain (PEM).", examples=["planner.pem"])
    ] = None
    server_key: Annotated[Path | None, Field(description="Its private key (PEM).", examples=["planner.key"])] = None
    client_ca: Annotated[
        Path | None, Field(description="Authorities that sign clients' certificates (PEM).", examples=["oces3.pem"])
    ] = None

    @property
    def on(self) -> bool:
        """Whether the facade answers at all."""
        return self.cpr_key is not None

    def anchored(self, base: Path) -> JobnetSection:
        """The same with absolute paths."""
        names = ("mapping", "server_certificate", "server_key", "client_ca")
        files = {name: base / file for name in names if (file := getattr(self, name))}
        key = self.cpr_key
        if key is not None and key.file is not None:
            key = key.model_copy(update={"file": base / key.file})
        return self.model_copy(update=files | {"cpr_key": key})

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:\s\[\]]+):[0-9]{1,5}", value):
            raise ValueError("should be address:port, such as 0.0.0.0:8443 or [::]:8443")
        return value

    @model_validator(mode="after")
    def _whole(self) -> JobnetSection:
        if self.listen and not (self.server_certificate and self.server_key and self.client_ca):
            raise ValueError("listen needs server_certificate, server_key and client_ca")
        if self.on and not (self.trusted_proxies or self.listen):
            raise ValueError("needs trusted_proxies or listen: without one nobody can show a certificate")
        if self.on and not (self.certificate_subjects and self.certificate_issuers):
            raise ValueError("needs certificate_subjects and certificate_issuers: they say who may call")
        return self
