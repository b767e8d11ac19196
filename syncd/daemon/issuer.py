"""Keeps the public keys of the authorization server at hand, so that no request waits for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from joserfc.jwk import KeySet

from syncd.adapters.issuer import fetched, read
from syncd.config.oauth import OAuthSection
from syncd.errors import Transient
from syncd.observe.logs import log
from syncd.web.tokens import NO_KEYS, Issuer, keys_of

REFRESH_SECONDS = 600.0


class IssuerKeys:
    """The keys as they were had last; a server that cannot be reached takes none of them away."""

    def __init__(self, section: OAuthSection) -> None:
        self._section = section
        self._keys = NO_KEYS

    def now(self) -> KeySet:
        """What tokens are verified with at this moment."""
        return self._keys

    def refresh(self) -> None:
        """Look the keys up again; what goes wrong is logged, and the old ones stay in use."""
        section = self._section
        if section.issuer is None:
            return
        sources: list[Callable[[], bytes]] = []
        if section.keys_url is not None:
            sources.append(partial(fetched, section.keys_url))
        if section.keys_file is not None:
            sources.append(partial(read, section.keys_file))
        for source in sources:
            try:
                self._keys = keys_of(source())
            except (Transient, ValueError) as error:
                log.warning("oauth.keys_kept", reason=str(error), count=len(self._keys.keys))
            else:
                return

    def issuer(self) -> Issuer | None:
        """Who is believed; None when only static tokens are taken."""
        section = self._section
        if section.issuer is None:
            return None
        return Issuer(
            section.issuer,
            section.audience,
            section.client_claim,
            section.scope_claims,
            section.scope_prefix,
            section.algorithms,
            self.now,
        )
