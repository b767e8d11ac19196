"""What a client may not do to the server, over a bare socket."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest

from syncd.web import protocol


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
