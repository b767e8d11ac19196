"""Who may call, and what: known clients, told by the SHA-256 of their bearer token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from syncd.config import ClientSection, client_of

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


def caller_of(clients: Mapping[str, ClientSection], authorization: str | None) -> Caller | None:
    """The client whose token an Authorization header carries (compared in constant time); None when nobody's."""
    match = _BEARER.fullmatch(authorization or "")
    name = client_of(clients, match[1]) if match else None
    return Caller(name, frozenset(clients[name].rights)) if name is not None else None
