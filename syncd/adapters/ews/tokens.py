"""The app-only token: fetched once, shared by all connections, thrown away only when the server refuses it.

exchangelib forgets its token whenever it closes a connection, so that errors multiply requests to the token endpoint,
and loses a connection's place for ever when that endpoint fails meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from urllib3.exceptions import HTTPError as TransportError

from syncd.adapters.ews.account import TokenSource
from syncd.adapters.ews.trouble import hindrance
from syncd.adapters.kept_token import KeptToken
from syncd.errors import AccessDenied, Transient

EARLY = 120.0
"""Seconds before its end at which a token is replaced."""
HOUR = 3600.0


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
        except (OSError, TransportError) as error:  # RequestException is an OSError
            raise Transient(_none(source, hindrance(error))) from error
        said = _said(answer)
        if answer.status_code in (400, 401, 403):
            raise AccessDenied(
                f"{source.url} gives no token ({_code(said)}), so nothing was asked of Exchange. "
                "Check client_id, client_secret and scope of the app."
            )
        if answer.status_code != 200:
            raise Transient(_none(source, f"it answered with status {answer.status_code}"))
        if not said.get("access_token"):
            raise Transient(_none(source, "its answer is none that a token endpoint gives; check token_url"))
        return str(said["access_token"]), _lasts(said.get("expires_in"))


class Bearer(requests.auth.AuthBase):
    """Puts the token on each request."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self.tokens.get()}"
        return request


def _none(source: TokenSource, why: str) -> str:
    return (
        f"No token could be fetched from {source.url}: {why}. "
        "Nothing was asked of Exchange meanwhile; it is tried again later."
    )


def _said(answer: requests.Response) -> Mapping[str, Any]:
    """The JSON object in *answer*; empty when there is none, as on a proxy's own page."""
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _lasts(said: Any) -> float:
    """Seconds that a token lasts; some servers say it as text, and RFC 6749 5.1 lets them say nothing."""
    try:
        return float(said or HOUR)
    except (TypeError, ValueError):
        return HOUR


def _code(said: Mapping[str, Any]) -> str:
    """The OAuth error code, such as invalid_client; it is a word of the standard, never content."""
    code = said.get("error")
    return code if isinstance(code, str) and code.isidentifier() else "no reason given"
