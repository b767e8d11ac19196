"""The app-only token: fetched once, shared by all connections, thrown away only when the server refuses it.

exchangelib forgets its token whenever it closes a connection, so that errors multiply requests to the token endpoint,
and loses a connection's place for ever when that endpoint fails meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from syncd.adapters.ews.account import TokenSource
from syncd.adapters.kept_token import KeptToken
from syncd.errors import AccessDenied, Transient

EARLY = 120.0
"""Seconds before its end at which a token is replaced."""


class Tokens(KeptToken):
    """Tokens of one app by the client credentials grant (RFC 6749 4.4).

    :param session: speaks to the token endpoint.
    """

    def __init__(
        self, source: TokenSource, session: requests.Session, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(EARLY, elapsed)
        self._source = source
        self._session = session
        self.fetched = 0

    def _fetch(self) -> tuple[str, float]:
        self.fetched += 1
        source = self._source
        form = {
            "grant_type": "client_credentials",
            "client_id": source.client_id,
            "client_secret": source.client_secret,
        } | ({"scope": source.scope} if source.scope else {})
        try:
            answer = self._session.post(source.url, data=form, allow_redirects=False)
            said: Any = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise Transient(f"No token could be fetched from {source.url}; it is tried again later.") from error
        if answer.status_code in (400, 401, 403):
            raise AccessDenied(
                f"{source.url} gives no token ({_code(said)}). Check client_id, client_secret and scope of the app."
            )
        if answer.status_code != 200 or not isinstance(said, dict) or not said.get("access_token"):
            raise Transient(f"{source.url} gave no token (status {answer.status_code}); it is tried again later.")
        return str(said["access_token"]), float(said.get("expires_in") or 3600)


class Bearer(requests.auth.AuthBase):
    """Puts the token on each request."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self.tokens.get()}"
        return request


def _code(said: Any) -> str:
    """The OAuth error code, such as invalid_client; it is a word of the standard, never content."""
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) and code.isidentifier() else "no reason given"
