"""Who may call, and what: known clients, told by the SHA-256 of their bearer token or by who issued it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncd.config import ClientSection, client_of
from syncd.web.certificates import Certificate, is_one_of
from syncd.web.tokens import Grant, Issuer, granted

_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*) *", re.IGNORECASE)
"""RFC 6750 2.1: credentials = "Bearer" 1*SP b64token; the scheme's case does not matter (RFC 9110 11.1)."""


class Forbidden(Exception):
    """A known client without the right for this; becomes problem ``forbidden`` (403)."""

    def __init__(self, right: str) -> None:
        self.right = right
        super().__init__(
            f"Your client has not the right '{right}'. The operator grants it under [clients.NAME] rights."
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a request; bookings and idempotency keys belong to its ``name``."""

    name: str
    rights: frozenset[str]

    def need(self, right: str) -> None:
        """Insist on a right.

        :raises Forbidden: the client does not have it.
        """
        if right not in self.rights:
            raise Forbidden(right)


def caller_of(
    clients: Mapping[str, ClientSection],
    authorization: str | None,
    issuer: Issuer | None = None,
    now: datetime | None = None,
    certificate: Certificate | None = None,
) -> Caller | None:
    """The client behind a request; None when it is nobody's.

    Static tokens are compared in constant time. A token of the *issuer* gives the rights that both the token and the
    configuration name. A client with a certificate in the configuration must show it, with or without a token.

    :param now: for tokens that end. :param certificate: what was shown, to us or to a proxy we trust.
    """
    if authorization is None:
        return _certified(clients, certificate)
    match = _BEARER.fullmatch(authorization)
    caller = _by_token(clients, match[1], issuer, now) if match is not None else None
    if caller is None or clients[caller.name].certificate_subject is None:
        return caller
    return caller if _its(clients[caller.name], certificate) else None


def _by_token(
    clients: Mapping[str, ClientSection], token: str, issuer: Issuer | None, now: datetime | None
) -> Caller | None:
    name = client_of(clients, token)
    if name is not None:
        return Caller(name, frozenset(clients[name].rights))
    grant = granted(token, issuer, now) if issuer is not None and now is not None else None
    return _granted(clients, grant) if grant is not None else None


def _certified(clients: Mapping[str, ClientSection], certificate: Certificate | None) -> Caller | None:
    """The client that is known by this certificate alone."""
    if certificate is None:
        return None
    names = [
        name
        for name, client in clients.items()
        if not client.token_sha256 and client.oauth_client is None and _its(client, certificate)
    ]
    return Caller(names[0], frozenset(clients[names[0]].rights)) if names else None


def _its(client: ClientSection, certificate: Certificate | None) -> bool:
    return (
        certificate is not None
        and client.certificate_subject is not None
        and client.certificate_issuer is not None
        and is_one_of(certificate.subject, (client.certificate_subject,))
        and is_one_of(certificate.issuer, (client.certificate_issuer,))
    )


def _granted(clients: Mapping[str, ClientSection], grant: Grant) -> Caller | None:
    names = [name for name, client in clients.items() if client.oauth_client == grant.client]
    return Caller(names[0], frozenset(clients[names[0]].rights) & grant.rights) if names else None
