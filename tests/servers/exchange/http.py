"""HTTP: connections, authentication, faults on the wire, streaming, the token endpoint and the control interface."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.servers.exchange.auth import Connection
from tests.servers.exchange.control import ControlError, control

if TYPE_CHECKING:
    from tests.servers.exchange.server import Answer, ExchangeServer
    from tests.servers.exchange.world import Account

XML = "text/xml; charset=utf-8"
_WORTH_COMPRESSING = 2000


class Listener(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    exchange: ExchangeServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-IIS/10.0"
    sys_version = ""
    server: Listener
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.peer = Connection()
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
            shown: Any = self.request.getpeercert() or {}
            names = [pair for part in shown.get("subject", ()) for pair in part]
            self.peer.certified = next((str(text) for key, text in names if key == "commonName"), "")
        super().setup()

    def log_message(self, *args: Any) -> None:
        """Silence; `ExchangeServer.seen` tells what came."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].lower()
        if path.startswith("/control/"):
            self._control(self.path.partition("/control/")[2], body)
        elif path == "/token" or path.endswith("/oauth2/v2.0/token"):
            self._token(body.decode())
        elif path == "/autodiscover/autodiscover.svc":
            self._enter(body, self.server.exchange.discover)
        elif path != "/ews/exchange.asmx":
            self.respond(404, b"<html>Not Found</html>", {"Content-Type": "text/html"})
        else:
            self._enter(body, self.server.exchange.answer)

    def _control(self, action: str, body: bytes) -> None:
        try:
            answer = control(self.server.exchange, action, json.loads(body or b"{}"))
        except ControlError as problem:
            self.respond(400, json.dumps({"error": str(problem)}).encode(), {"Content-Type": "application/json"})
            return
        self.respond(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _token(self, form: str) -> None:
        exchange = self.server.exchange
        kinds = {"Content-Type": "application/json"}
        met = exchange.faults.met("Token", "")
        if "hang" in met:
            time.sleep(float(met["hang"].get("seconds", 1.0)))
        if "drop" in met:
            self.hang_up()
        elif "http" in met:
            self.respond(int(met["http"].get("status", 503)), b'{"error": "temporarily_unavailable"}', kinds)
        else:
            answer = exchange.door.token(form)
            text = json.dumps(answer or {"error": "invalid_client"}).encode()
            self.respond(200 if answer else 401, text, kinds)

    def _enter(self, body: bytes, work: Callable[[Account, bytes, Mapping[str, str]], Answer]) -> None:
        came = self.server.exchange.door.let_in(self.headers.get("Authorization"), self.peer)
        if came is None or isinstance(came, str):
            self._challenge(came)
            return
        if self.command == "GET":
            self.respond(302, b"", {"Location": "/EWS/Services.wsdl"})
            return
        self.deliver(work(came, body, self._heard()))

    def _challenge(self, token: str | None) -> None:
        tried = (self.headers.get("Authorization") or "").partition(" ")[0]
        offers = [token] if token else self.server.exchange.door.challenges(tried)
        self.respond(401, b"", {"Content-Type": "text/plain"}, [("WWW-Authenticate", one) for one in offers])

    def _heard(self) -> Mapping[str, str]:
        headers = {key.lower(): text for key, text in self.headers.items()}
        cookies = SimpleCookie(headers.get("cookie", ""))
        if "X-BackEndOverrideCookie" in cookies:
            headers["cookie:backend"] = cookies["X-BackEndOverrideCookie"].value
        return headers

    def deliver(self, answer: Answer) -> None:
        """Send what the server decided, in the way a fault wants it sent."""
        wire = answer.wire
        if "drop" in wire:
            self.hang_up()
        elif answer.stream is not None:
            self._stream(answer.stream, wire)
        else:
            if "close" in wire:
                answer.headers["Connection"] = "close"
            self._answer(answer, wire)
            if "vanish" in wire:
                self.hang_up()

    def _answer(self, answer: Answer, wire: Mapping[str, Mapping[str, Any]]) -> None:
        """As IIS sends it: compressed where the client takes that, and in chunks, so that no length is told."""
        body, headers = answer.body, {"Cache-Control": "private", **answer.headers, "request-id": str(uuid4())}
        if len(body) > _WORTH_COMPRESSING and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            body, headers["Content-Encoding"] = gzip.compress(body, 1, mtime=0), "gzip"
        if not body:
            self.respond(answer.status, body, headers, answer.cookies)
            return
        whole = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        half = int(len(whole) * float(wire["half"].get("share", 0.5))) if "half" in wire else None
        headers["Transfer-Encoding"] = "chunked"
        self._write(answer.status, whole[:half], headers, answer.cookies, float(wire.get("drip", {}).get("seconds", 0)))
        if half is not None:
            self.hang_up()

    def respond(
        self, status: int, body: bytes, headers: Mapping[str, str], more: list[tuple[str, str]] | None = None
    ) -> None:
        """One answer of known length, in one piece."""
        self._write(status, body, {**headers, "Content-Length": str(len(body))}, more or [], 0)

    def _write(
        self, status: int, body: bytes, headers: Mapping[str, str], more: list[tuple[str, str]], drip: float
    ) -> None:
        """Head and body; the body in one piece, unless it drips over so many seconds."""
        self.send_response(status)
        for key, text in [*headers.items(), *more]:
            self.send_header(key, text)
        self.end_headers()
        if headers.get("Connection") == "close":
            self.close_connection = True
        step = max(1, len(body) // 20) if drip else max(1, len(body))
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            if drip:
                time.sleep(drip / 20)
        self.wfile.flush()

    def _stream(self, documents: Generator[bytes], wire: Mapping[str, Mapping[str, Any]]) -> None:
        """Whole envelopes, each a chunk of its own; ``cut`` breaks off after so many of them."""
        self.send_response(200)
        self.send_header("Content-Type", XML)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        limit = int(wire["cut"].get("after", 1)) if "cut" in wire else None
        with closing(documents):
            for number, document in enumerate(documents):
                if limit is not None and number >= limit:
                    self.hang_up()
                    return
                self.wfile.write(f"{len(document):x}\r\n".encode() + document + b"\r\n")
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def hang_up(self) -> None:
        """Close the connection without another word."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
