"""A gateway for text messages on loopback, as docs/howto/messages.md describes it, told what to do with the next ones.

It takes each Idempotency-Key once, insists on its token, and keeps what it was sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "t0ken-of-the-gateway"


@dataclass
class SmsGateway:
    """What it got. :param moods: a status each for the next messages, or ``break``: taken, but not answered."""

    url: str = ""
    got: list[dict[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)

    def take(self, key: str, body: bytes) -> int | None:
        """The status of the answer to a message; None when there is none."""
        mood = self.moods.pop(0) if self.moods else ""
        if mood.isdigit():
            return int(mood)
        told = json.loads(body)
        if set(told) != {"to", "from", "text"} or not told["to"].startswith("+") or not key:
            return 400
        if key not in self.keys:
            self.got.append(told)
        self.keys.append(key)
        return None if mood == "break" else 202

    def forget(self) -> None:
        """As it was at first."""
        self.got.clear()
        self.keys.clear()
        self.moods.clear()


@contextmanager
def sms_gateway() -> Iterator[SmsGateway]:
    """One on a free port."""
    gateway = SmsGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """A message."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self._known() and (status := gateway.take(self.headers.get("Idempotency-Key", ""), body)):
                self._answer(status)

        def do_GET(self) -> None:
            """Whether it is there."""
            if self._known():
                self._answer(405)

        def _known(self) -> bool:
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            if not known:
                self._answer(401)
            return known

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_port}/v1/messages"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield gateway
    server.shutdown()
    server.server_close()
