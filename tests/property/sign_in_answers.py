"""A sign-in provider whose every answer is given, without a socket: what stands in it meets the code of the pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import requests
from joserfc import jws
from joserfc.jwk import RSAKey
from requests.adapters import BaseAdapter

from syncd.clock import FixedClock
from syncd.config import OidcSection
from syncd.web.pages.oidc import Begun, Provider

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
ISSUER = "https://login.example.dk"
BEGUN = Begun("state", "nonce", "verifier", "/home")
KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
CLAIMS = {
    "iss": ISSUER,
    "aud": "syncd",
    "sub": "u-17",
    "name": "Vera",
    "groups": ["a"],
    "nonce": "nonce",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 300,
    "auth_time": 1,
    "azp": "syncd",
}
DESCRIPTION = json.dumps(
    {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
    }
).encode()
KEYS = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()


def token_of(claims: Any) -> bytes:
    """The provider's answer to a code, with claims signed by its key."""
    body = claims if isinstance(claims, dict) else {"claims": claims}
    return json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": _signed(body)}).encode()


def _signed(claims: dict[str, Any]) -> str:
    return jws.serialize_compact({"alg": "RS256", "kid": "1"}, json.dumps(claims).encode(), KEY)


TOKEN = token_of(CLAIMS)


class Given(BaseAdapter):
    """Answers by the last part of the path."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__()
        self._answers = answers

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # as the library calls it
        """One answer."""
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url or ""
        answer._content = self._answers[(request.url or "").rpartition("/")[2]]
        answer._content_consumed = True  # type: ignore[attr-defined]  # as reading it to the end does
        answer.encoding = "utf-8"
        return answer

    def close(self) -> None:
        """Nothing is held."""


def signing_in(**answers: bytes) -> object:
    """Begin and finish with a provider that gives these answers: *description*, *keys*, *token*."""
    given = {
        "openid-configuration": answers.get("description", DESCRIPTION),
        "keys": answers.get("keys", KEYS),
        "token": answers.get("token", TOKEN),
    }
    section = OidcSection(issuer=ISSUER, client_id="syncd", client_secret={"env": "X"}, roles={"staff": ("a",)})
    here = "https://syncd.example.dk/sign-in/back"
    provider = Provider(
        section, lambda: "s", here, FixedClock(NOW), lambda session: session.mount("https://", Given(given))
    )
    provider.begin("/home")
    return provider.finish({"state": "state", "code": "c", "iss": ISSUER}, BEGUN)


def told(name: str) -> Callable[[bytes], object]:
    """The way of one answer's bytes."""
    return lambda body: signing_in(**{name: body})


def claimed(body: bytes) -> object:
    """The way of claims that are rightly signed, whatever stands in them."""
    try:
        claims = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return signing_in(token=token_of(claims))
