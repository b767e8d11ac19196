"""A proxy in front of a real server that counts what passes and, when told, behaves like the worst ones."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.servers.dav import DavServer


@dataclass(frozen=True)
class Seen:
    """One request that reached the proxy."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the proxy says; without a fault it says it well.

    :param cut: send only so many bytes of the body, then close.
    :param close: close the connection afterwards without announcing it.
    :param drip: seconds between single bytes, status line included.
    """

    status: int = 207
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/xml"})
    cut: int | None = None
    close: bool = False
    drip: float = 0.0


class Target(Protocol):
    """A server that speaks HTTP."""

    @property
    def url(self) -> str:
        """Where it answers; its path does not matter."""


Forward = Callable[[], Answer]
Rule = Callable[[Seen, Forward], Answer | None]
"""Gets a request and a way to pass it on; None closes the connection without a word."""


class Proxy:
    """What a test tells the proxy, and what it saw."""

    def __init__(self, target: Target, host: str, port: int) -> None:
        self.target = target
        self.url = f"http://{host}:{port}/"
        self.seen: list[Seen] = []
        self.rule: Rule = lambda _, forward: forward()

    @property
    def server(self) -> DavServer:
        """The CalDAV server as it looks through the proxy."""
        assert isinstance(self.target, DavServer)
        return replace(self.target, url=self.url)

    def methods(self) -> list[str]:
        """The methods seen, in order."""
        return [seen.method for seen in self.seen]

    def meet(self, method: str, fault: Rule, times: int = 10**9) -> None:
        """Let the next *times* requests with *method* meet *fault*; all others pass."""
        left = [times]

        def rule(seen: Seen, forward: Forward) -> Answer | None:
            if seen.method == method and left[0] > 0:
                left[0] -= 1
                return fault(seen, forward)
            return forward()

        self.rule = rule

    def calm(self) -> None:
        """Pass everything from now on, and forget what was seen."""
        self.rule = lambda _, forward: forward()
        self.seen.clear()


def lose_answer(_: Seen, forward: Forward) -> None:
    """The server does it, and nobody hears of it."""
    forward()


def drop(_: Seen, __: Forward) -> None:
    """The connection breaks before the server sees anything."""


def say(status: int, body: bytes | str = b"", **headers: str) -> Rule:
    """Answer this instead; header names are given with underscores."""
    text = body.encode() if isinstance(body, str) else body
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: Answer(status, text, {"Content-Type": "application/xml"} | names)


def hang(seconds: float) -> Rule:
    """Say nothing for a while, then pass it on."""

    def rule(_: Seen, forward: Forward) -> Answer:
        time.sleep(seconds)
        return forward()

    return rule


@contextmanager
def proxy(target: Target, host: str = "127.0.0.1") -> Iterator[Proxy]:
    """A proxy in front of *target*, in threads of this process."""
    server = _Server((host, 0), _Handler)
    server.plan = plan = Proxy(target, host, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield plan
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    plan: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    wbufsize = -1

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def log_message(self, *args: Any) -> None:
        """Silence; the tests read `Proxy.seen`."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        seen = Seen(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        self.server.plan.seen.append(seen)
        answer = self.server.plan.rule(seen, lambda: self._forward(seen))
        if answer is None:
            self._hang_up()
        else:
            self._answer(answer)

    def _forward(self, seen: Seen) -> Answer:
        target = urlsplit(self.server.plan.target.url)
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
        # Without compression, so that a rule can edit what comes back.
        dropped = ("host", "accept-encoding")
        headers = {name: value for name, value in seen.headers.items() if name.lower() not in dropped}
        connection.request(seen.method, seen.path, seen.body or None, headers | {"Host": target.netloc})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        skipped = ("content-length", "transfer-encoding", "connection", "keep-alive", "date", "server")
        kept = {name: value for name, value in reply.getheaders() if name.lower() not in skipped}
        return Answer(reply.status, body, kept)

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        head = b"".join(self._headers_buffer) + b"\r\n"
        self._headers_buffer: list[bytes] = []
        payload = b"" if self.command == "HEAD" else answer.body
        self._send(head + (payload if answer.cut is None else payload[: answer.cut]), answer.drip)
        if answer.close or answer.cut is not None:
            self._hang_up()

    def _send(self, data: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(data)
            self.wfile.flush()
            return
        for byte in data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(drip)

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
