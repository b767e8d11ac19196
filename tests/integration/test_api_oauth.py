"""Tokens of an authorization server over HTTP: what is taken, and everything that is not."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from joserfc import jwk, jwt
from starlette.testclient import TestClient

from syncd.config import ClientSection
from syncd.config.oauth import OAuthSection
from syncd.daemon.issuer import IssuerKeys
from syncd.web.pace import Pace
from syncd.web.tokens import keys_of
from tests.unit.web_doubles import NOW, RANGE, SLOTS, TOKEN, House

SIGNER = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
STRANGER = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
WHO = "https://login.example.dk"
CLAIMS = {
    "iss": WHO,
    "aud": "syncd",
    "azp": "portal-app",
    "exp": int(NOW.timestamp()) + 300,
    "scope": "openid syncd.book syncd.servers syncd.evidence",
}


def signed(key: Any = SIGNER, algorithm: str = "RS256", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": "one"}, claims, key, algorithms=[algorithm])


class Keys(BaseHTTPRequestHandler):
    answer = (200, b"")

    def do_GET(self) -> None:
        status, body = self.answer
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://elsewhere.example/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/keys"
    server.shutdown()


PUBLIC = json.dumps({"keys": [SIGNER.as_dict(private=False)]}).encode()


@pytest.fixture(scope="module")
def keys(address: str) -> IssuerKeys:
    Keys.answer = (200, PUBLIC)
    keys = IssuerKeys(OAuthSection(issuer=WHO, keys_url=address))
    keys.refresh()
    return keys


@pytest.fixture(scope="module")
def house(keys: IssuerKeys) -> House:
    clients = {
        "portal": ClientSection(oauth_client="portal-app", rights=frozenset({"book", "servers"})),
        "other": ClientSection(oauth_client="other-app", per_minute=6),
    }
    return House(issuer=keys.issuer(), clients=lambda: clients)


def ask(house: House, token: str, **params: str) -> int:
    answer = house.stranger.get(SLOTS, params=RANGE | params, headers={"Authorization": f"Bearer {token}"})
    return int(answer.status_code)


def test_a_token_of_the_issuer_is_taken(house: House) -> None:
    assert 200 == ask(house, signed())


def test_clocks_may_differ_by_a_minute(house: House) -> None:
    assert 200 == ask(house, signed(exp=int(NOW.timestamp()) - 59, nbf=int(NOW.timestamp()) + 60))


def test_a_right_must_stand_in_the_token_and_in_the_configuration(house: House) -> None:
    why = {"offer": "jobsamtale", "start": RANGE["from"]}
    evidence = "/api/v1/offers/jobsamtale/offered"

    assert 200 == ask(house, signed(), expand="servers")
    assert 403 == ask(house, signed(scope="syncd.book"), expand="servers")
    assert 403 == ask(house, signed(azp="other-app"), expand="servers")
    for path in ("/api/v1/why", evidence):
        answer = house.stranger.get(path, params=why, headers={"Authorization": f"Bearer {signed()}"})
        assert answer.status_code in (403, 404, 405, 422), path


def test_a_scope_that_is_no_text_grants_nothing(house: House) -> None:
    assert 403 == ask(house, signed(scope=7), expand="servers")


NONE = jwk.OctKey.import_key("a-secret-of-thirty-two-bytes-abc")
REFUSED = {
    "signed by a stranger": lambda: signed(STRANGER),
    "another issuer": lambda: signed(iss="https://evil.example"),
    "another audience": lambda: signed(aud="other"),
    "another audience in a list": lambda: signed(aud=["a", "b"]),
    "no audience": lambda: signed(aud=None),
    "expired": lambda: signed(exp=int(NOW.timestamp()) - 61),
    "without an end": lambda: signed(exp=None),
    "an end in words": lambda: signed(exp="tomorrow"),
    "an end beyond all time": lambda: signed(exp=10**400),
    "not yet valid": lambda: signed(nbf=int(NOW.timestamp()) + 120),
    "an unknown client": lambda: signed(azp="nobody"),
    "no client": lambda: signed(azp=None),
    "a client that is no text": lambda: signed(azp=7),
    "an algorithm not allowed": lambda: signed(algorithm="RS512"),
    "signed by a shared secret": lambda: signed(NONE, "HS256"),
    "not signed at all": lambda: ".".join([*signed().split(".")[:2], ""]),
    "cut short": lambda: signed()[:-8],
    "two parts": lambda: "a.b",
    "three parts of nonsense": lambda: "a.b.c",
    "very long": lambda: signed(extra="x" * 9000),
}


@pytest.mark.parametrize("case", REFUSED)
def test_any_other_token_is_a_strangers(house: House, case: str) -> None:
    assert 401 == ask(house, REFUSED[case]())


def test_the_public_key_is_no_shared_secret(house: House) -> None:
    head, body = _b64(b'{"alg":"HS256","kid":"one"}'), _b64(json.dumps(CLAIMS).encode())
    mark = hmac.digest(SIGNER.as_pem(private=False), f"{head}.{body}".encode(), "sha256")

    assert 401 == ask(house, f"{head}.{body}.{_b64(mark)}")


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def test_static_tokens_are_taken_beside_those_of_the_issuer(keys: IssuerKeys) -> None:
    house = House(issuer=keys.issuer())

    assert 200 == ask(house, TOKEN)
    assert 401 == ask(house, signed())


@pytest.mark.parametrize(
    "answer",
    [(500, b""), (302, b""), (200, b"<html>"), (200, b'{"keys": 5}'), (200, b'{"keys": []}'), (200, b"x" * 300_000)],
)
def test_an_answer_without_keys_takes_none_away(keys: IssuerKeys, house: House, answer: tuple[int, bytes]) -> None:
    Keys.answer = answer
    keys.refresh()

    assert 200 == ask(house, signed())


def test_before_the_first_keys_nobody_is_known(address: str) -> None:
    Keys.answer = (503, b"")
    keys = IssuerKeys(OAuthSection(issuer=WHO, keys_url=address))
    keys.refresh()

    assert 401 == ask(House(issuer=keys.issuer()), signed())


def test_symmetric_and_private_parts_of_a_key_set_are_left_out() -> None:
    mixed = {"keys": [SIGNER.as_dict(private=True), NONE.as_dict(private=True)]}
    found = keys_of(json.dumps(mixed).encode())

    assert ["RSA"] == [key.key_type for key in found.keys]
    assert not found.keys[0].is_private


def test_a_client_that_asks_too_often_waits_and_no_other_does(keys: IssuerKeys) -> None:
    seconds = [0.0]
    clients = {
        "slow": ClientSection(oauth_client="portal-app", per_minute=6),
        "other": ClientSection(oauth_client="other-app"),
    }
    house = House(issuer=keys.issuer(), clients=lambda: clients, pace=Pace(lambda: seconds[0]))
    portal = TestClient(house.app, headers={"Authorization": f"Bearer {signed()}"})
    statuses = [portal.get("/api/v1/offers").status_code for _ in range(3)]
    refused = portal.get("/api/v1/offers")

    assert [200, 429, 429] == statuses
    assert ("10", 10, "/problems/too-many-requests") == (
        refused.headers["retry-after"],
        refused.json()["retry_after"],
        refused.json()["type"],
    )
    assert 200 == ask(house, signed(azp="other-app"))
    seconds[0] = 10.0
    assert 200 == portal.get("/api/v1/offers").status_code
