"""How clients can show a certificate: to a TLS listener of our own, or to a proxy that tells of it in headers."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from syncd.section import Section


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError("should be an address, or a network such as 10.0.0.0/24") from None


Network = Annotated[str, AfterValidator(_network)]


class CertificateMeans(Section):
    """What the planner facade and the API have alike; each with listeners, authorities and proxies of its own."""

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
            description="Address and port of a TLS listener of its own, which asks for client certificates; unset: "
            "behind the proxy only.",
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

    def placed(self, base: Path) -> Self:
        """The same with absolute paths."""
        names = ("server_certificate", "server_key", "client_ca")
        return self.model_copy(update={name: base / file for name in names if (file := getattr(self, name))})

    def problems(self, name: str) -> Iterator[str]:
        """What its files are not as they must be, one sentence each.

        :param name: of the table in the configuration.
        """
        if self.listen is None:
            return
        try:
            ssl.create_default_context(cafile=self.client_ca)
        except (ssl.SSLError, OSError):
            yield f"{name}.client_ca: '{self.client_ca}' cannot be read, or holds no certificate in PEM form"
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.server_certificate or "", self.server_key, password=""
            )
        except (ssl.SSLError, OSError):
            yield f"{name}.server_certificate: cannot be read, or server_key is not its key (both in PEM form)"

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:\s\[\]]+):[0-9]{1,5}", value):
            raise ValueError("should be address:port, such as 0.0.0.0:8443 or [::]:8443")
        return value

    @model_validator(mode="after")
    def _with_its_files(self) -> Self:
        if self.listen and not (self.server_certificate and self.server_key and self.client_ca):
            raise ValueError("listen needs server_certificate, server_key and client_ca")
        return self


class TlsSection(CertificateMeans):
    """How clients of the API can show a certificate (`certificate_subject` of a client)."""
