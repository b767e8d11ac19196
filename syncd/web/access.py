"""Who may call, and what: known clients, told by the SHA-256 of their bearer token or by who issued it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncd.config import ClientSection, client_of
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
) -> Caller | None:
    """The client whose token an Authorization header carries; None when nobody's.

    Static tokens are compared in constant time. A token of the *issuer* gives the rights that both the token and the
    configuration name.

    :param now: for tokens that end.
    """
    match = _BEARER.fullmatch(authorization or "")
    if match is None:
        return None
    name = client_of(clients, match[1])
    if name is not None:
        return Caller(name, frozenset(clients[name].rights))
    grant = granted(match[1], issuer, now) if issuer is not None and now is not None else None
    return _granted(clients, grant) if grant is not None else None


def _granted(clients: Mapping[str, ClientSection], grant: Grant) -> Caller | None:
    names = [name for name, client in clients.items() if client.oauth_client == grant.client]
    return Caller(names[0], frozenset(clients[names[0]].rights) & grant.rights) if names else None
