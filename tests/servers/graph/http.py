"""HTTP: connections, the token endpoint, and faults on the wire."""

from __future__ import annotations

import gzip
import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from tests.servers.graph.server import GraphServer


class Listener(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    graph: GraphServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Listener
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Silence; `GraphServer.seen` tells what came."""

    def do_GET(self) -> None:
        self._any()

    def do_POST(self) -> None:
        self._any()

    def do_PATCH(self) -> None:
        self._any()

    def do_DELETE(self) -> None:
        self._any()

    def _any(self) -> None:
        from tests.servers.graph.server import Request

        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        if "/oauth2/" in path or "/.well-known/" in path:
            self._token(path, body.decode())
            return
        if path.startswith("/control/"):
            answer = self.server.graph.control(path.removeprefix("/control/"), body)
            self._respond(answer.status, answer.body, answer.headers)
            return
        headers = {key.lower(): text for key, text in self.headers.items()}
        asked = dict(parse_qsl(query.replace("%24", "$"), keep_blank_values=True))
        answer = self.server.graph.answer(Request(self.command, unquote(path), asked, headers, body))
        if "drop" in answer.wire or "lose" in answer.wire:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._respond(answer.status, answer.body, answer.headers)

    def _token(self, path: str, form: str) -> None:
        graph = self.server.graph
        tenant = path.split("/")[1]
        host = self.headers.get("X-Forwarded-Host") or self.headers.get("Host") or ""
        authority = f"https://{host}/{tenant}"
        if path.endswith("/openid-configuration"):
            endpoints = {f"{one}_endpoint": f"{authority}/oauth2/v2.0/{one}" for one in ("token", "authorization")}
            self._respond(200, {"issuer": f"{authority}/v2.0", **endpoints}, {})
            return
        met = graph.faults.met("Token", "")
        if "drop" in met:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif met:
            self._respond(503, {"error": "temporarily_unavailable"}, {})
        else:
            answer = graph.door.token(form, f"{authority}/oauth2/v2.0/token")
            self._respond(200 if answer else 401, answer or {"error": "invalid_client"}, {})

    def _respond(self, status: int, body: Any, headers: dict[str, str]) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        if self.server.graph.packs and text and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            text, headers = gzip.compress(text, 1), {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "request-id": "simulated", **headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()
