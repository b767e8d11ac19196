"""HTTP of the simulator: connections, certificates, and faults on the wire."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from tests.servers.dfdg.server import DfdgServer


@dataclass(frozen=True)
class Request:
    """One request, as it came; header names are lower case.

    :param certificate: common name of the client's certificate; empty without one.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    certificate: str = ""

    def json(self) -> Any:
        """The body. :raises ValueError: it is not JSON."""
        return json.loads(self.body or b"null")


@dataclass
class Answer:
    """What goes back. :param hang: seconds to wait before. :param lost: the connection ends instead."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    lost: bool = False


def body_of(answer: Answer) -> bytes:
    """The body as it is sent."""
    if answer.body is None:
        return b""
    return answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body, default=str).encode()


class Listener(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    dfdg: DfdgServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Listener
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Silence; `DfdgServer.seen` tells what came."""

    def do_GET(self) -> None:
        self._any()

    def do_POST(self) -> None:
        self._any()

    def do_PUT(self) -> None:
        self._any()

    def do_DELETE(self) -> None:
        self._any()

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        headers = {key.lower(): text for key, text in self.headers.items()}
        asked = Request(
            self.command, unquote(path), dict(parse_qsl(query, keep_blank_values=True)), headers, body, self._shown()
        )
        answer = self.server.dfdg.answer(asked)
        if answer.hang:
            time.sleep(answer.hang)
        if answer.lost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        text = body_of(answer)
        self.send_response(answer.status)
        for key, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    def _shown(self) -> str:
        """Whose certificate the client shows."""
        shown: dict[str, Any] = getattr(self.connection, "getpeercert", dict)() or {}
        return next((value for part in shown.get("subject", ()) for key, value in part if key == "commonName"), "")
