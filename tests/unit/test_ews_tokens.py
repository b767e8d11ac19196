"""Why no app-only token is to be had: what happened, what was left alone, what to do next."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from syncd.adapters.ews.account import EwsAccount, TokenSource
from syncd.adapters.ews.sessions import plain_session
from syncd.adapters.ews.tokens import Tokens
from syncd.adapters.guarded import TooLarge
from syncd.adapters.resilience import Calls
from syncd.errors import AccessDenied, Transient

URL = "https://adfs.example.dk/adfs/oauth2/token"
LEFT_ALONE = "Nothing was asked of Exchange meanwhile; it is tried again later."


class Endpoint(BaseAdapter):
    """Answers as *how* says, or raises it."""

    def __init__(self, how: Exception | tuple[int, str]) -> None:
        super().__init__()
        self._how = how

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # as the library calls it
        if isinstance(self._how, Exception):
            raise self._how
        answer = requests.Response()
        answer.request, (answer.status_code, text) = request, self._how
        answer._content = text.encode()
        return answer

    def close(self) -> None:
        """Nothing is kept."""


def tokens(how: Exception | tuple[int, str], elapsed: Callable[[], float] = lambda: 0.0) -> Tokens:
    session = requests.Session()
    session.mount("https://", Endpoint(how))
    return Tokens(TokenSource(URL, "app-1", "s3cret"), session, elapsed)


def really(url: str, timeout: float = 5.0) -> str:
    """What is told when the token endpoint at *url* is asked over a network."""
    session = plain_session(EwsAccount("main", url, timeout=timeout), Calls())
    with session, pytest.raises(Transient) as told:
        Tokens(TokenSource(url, "app-1", "s3cret"), session).get()
    return str(told.value)


@pytest.mark.parametrize(
    ("why", "how"),
    [
        ("its certificate was not accepted; .* set ca_file", requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED")),
        ("the proxy cannot be reached or refused to pass it on; check proxy", requests.exceptions.ProxyError("no")),
        ("its name cannot be resolved; check token_url", requests.ConnectionError("Failed to resolve 'adfs'")),
        ("it did not answer in time", requests.ReadTimeout("slow")),
        ("it did not answer in time", requests.ConnectTimeout("slow")),
        ("its answer was cut short", requests.exceptions.ChunkedEncodingError("half")),
        ("its answer was cut short, or has no end", TooLarge("more than 9 bytes")),
        ("it cannot be reached", requests.ConnectionError("refused")),
        ("it cannot be reached", OSError("gone")),
        ("it answered with status 503", (503, "<html>busy</html>")),
        ("it answered with status 302", (302, "")),
        ("its answer is none that a token endpoint gives; check token_url", (200, "<html>Sign in</html>")),
        ("its answer is none that a token endpoint gives", (200, "[]")),
        ("its answer is none that a token endpoint gives", (200, "{}")),
    ],
)
def test_no_token_says_why_what_was_left_alone_and_what_to_do(why: str, how: Exception | tuple[int, str]) -> None:
    with pytest.raises(Transient, match=f"No token could be fetched from {URL}: {why}.*. {LEFT_ALONE}") as told:
        tokens(how).get()
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("invalid_client", '{"error": "invalid_client"}'),
        ("no reason given", "<html>Forbidden</html>"),
        ("no reason given", '{"error": "app-1 s3cret is wrong"}'),
    ],
)
def test_a_refusal_is_one_whatever_it_is_written_in(status: int, reason: str, text: str) -> None:
    told = rf"gives no token \({reason}\), so nothing was asked of Exchange. Check client_id, client_secret and scope"

    with pytest.raises(AccessDenied, match=told):
        tokens((status, text)).get()


@pytest.mark.parametrize(
    ("lasts", "said"), [(900, "900"), (900, '"900"'), (3600, "null"), (3600, '"soon"'), (3600, "[900]"), (3600, "0")]
)
def test_a_token_lasts_as_long_as_is_said_and_an_hour_when_nothing_is(lasts: int, said: str) -> None:
    now = 0.0
    kept = tokens((200, f'{{"access_token": "t", "expires_in": {said}}}'), lambda: now)
    kept.get()

    now = lasts - 121
    kept.get()
    assert kept.fetched == 1
    now = lasts - 120
    kept.get()
    assert kept.fetched == 2


def test_a_port_where_nobody_listens_is_told_apart_from_a_name_that_nobody_knows() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/token"
        assert f"No token could be fetched from {url}: it cannot be reached. {LEFT_ALONE}" == really(url)

    assert "its name cannot be resolved; check token_url" in really("https://adfs.invalid/token")


def test_an_endpoint_that_says_nothing_is_told_as_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = really(f"http://127.0.0.1:{silent.getsockname()[1]}/token", timeout=0.2)

    assert "it did not answer in time" in told
