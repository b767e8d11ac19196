"""What a client may not do to the server, over a bare socket."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest

from syncd.web import protocol
from tests.integration.web_town import TOKENS, Client, calling


def connected(base: str) -> socket.socket:
    where = urlsplit(base)
    return socket.create_connection((where.hostname or "", where.port or 0), timeout=5)


def answered(connection: socket.socket) -> bytes:
    content = b""
    while part := connection.recv(65536):
        content += part
    return content


def test_a_head_without_end_is_refused(base: str) -> None:
    with connected(base) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        try:
            for number in range(64):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))
            answer = answered(connection)
        except ConnectionError:
            return
    assert answer.startswith(b"HTTP/1.1 400")


def test_a_head_of_decent_size_is_served(base: str) -> None:
    with connected(base) as connection:
        fields = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(20))
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n")
        assert answered(connection).startswith(b"HTTP/1.1 200")


def test_two_requests_one_after_the_other_are_both_served(base: str) -> None:
    with connected(base) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answered(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("first", [b"", b"GET /livez HTTP/1.1\r\nHost:"])
def test_who_never_ends_a_head_is_cut_off(base: str, monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    began = time.monotonic()
    with connected(base) as connection:
        connection.sendall(first)
        assert answered(connection).startswith(b"HTTP/1.1 400")
    assert time.monotonic() - began < 4


def test_a_slow_but_honest_body_is_waited_for(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    with connected(base) as connection:
        connection.sendall(b"POST /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{")
        time.sleep(0.6)
        connection.sendall(b"}")
        assert answered(connection).startswith(b"HTTP/1.1 405")


@pytest.mark.parametrize("dripping", [False, True])
def test_a_body_that_never_ends_is_cut_off_and_others_are_served(
    base: str, portal: Client, monkeypatch: pytest.MonkeyPatch, dripping: bool
) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.8)
    with connected(base) as connection:
        head = b"POST /api/v1/holds HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n"
        connection.sendall(head + f"Authorization: Bearer {TOKENS['portal']}\r\nContent-Length: 9\r\n\r\n".encode())
        connection.settimeout(5)
        for _ in range(8):
            if dripping:
                with suppress(OSError):
                    connection.sendall(b" ")
            assert 200 == portal.get("/offers").status_code
            time.sleep(0.15)
        assert answered(connection).startswith(b"HTTP/1.1 400")


def test_many_silent_connections_leave_an_honest_client_served(
    base: str, portal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 60)
    with ExitStack() as crowd:
        silent = [crowd.enter_context(connected(base)) for _ in range(40)]
        half = [crowd.enter_context(connected(base)) for _ in range(40)]
        for one in half:
            with suppress(OSError):
                one.sendall(b"POST /api/v1/holds HTTP/1.1\r\nHost:")
        for _ in range(5):
            with calling(base) as another:
                assert 200 == another.get("/offers").status_code
            assert 200 == portal.get("/offers").status_code
        assert answered(silent[0]).startswith(b"HTTP/1.1 400"), "the one that waited the longest made place"


def test_more_requests_at_once_than_can_be_answered_are_told_to_wait(
    base: str, monkeypatch: pytest.MonkeyPatch, portal: Client
) -> None:
    monkeypatch.setattr(protocol, "MOST_REQUESTS", 0)
    assert 503 == portal.get("/offers").status_code


@pytest.mark.parametrize("depth", [50, 400, 900, 960, 1000, 5000, 30_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_body_nested_too_deeply_is_refused_precisely(portal: Client, depth: int, opening: str, closing: str) -> None:
    depth = min(depth, 60_000 // len(opening + closing))
    headers = {"Content-Type": "application/json", "Idempotency-Key": "deep"}
    for body in (opening * depth, opening * depth + "1" + closing * depth, f'{{"offer":{opening * depth}'):
        answer = portal.http.post("/api/v1/holds", content=body.encode(), headers=headers)
        assert answer.status_code in (400, 422), answer.text[:200]
        assert answer.json()["type"] in ("/problems/malformed-body", "/problems/invalid-request")
        assert len(answer.content) < 1000
