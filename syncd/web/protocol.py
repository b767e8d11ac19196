"""HTTP/1.1 on one connection: bounds on heads, bodies and waiting, and the certificate the client showed."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncd.web.certificates import KEY, shown_in

LARGEST_HEAD = 32 * 1024
"""Bytes of request line and headers together."""
HEAD_SECONDS = 10.0
"""How long a head may take from its first byte, or a new connection to begin one."""
BODY_SECONDS = 30.0
"""How long a body may take; 64 KB in that time is slower than any line a server is connected by."""
MOST_CONNECTIONS = 800
"""Open at once; a further one pushes out the one that has waited the longest without asking anything."""
MOST_REQUESTS = 400
"""Being answered at once; further ones are told 503."""


class BoundedProtocol(HttpToolsProtocol):
    """The fast parser knows no bounds of its own: who sends for ever, or never ends, is cut off."""

    _head: int = 0
    _complete: bool = False
    _awaited: bool = True
    """Whether nothing is being answered here: a head or a body is missing, or the connection is idle."""
    _since: float = 0.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library calls it
        """A client connected."""
        super().connection_made(transport)
        self._since = self.loop.time()
        certificate = shown_in(transport.get_extra_info("peercert"))
        if certificate is not None:
            self.app_state = {**self.app_state, KEY: certificate}
        self._expect(HEAD_SECONDS, "The request did not come in time.")
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_place()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; a head that is still not complete after too many of them is refused."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._complete:
            if self._awaited and self._deadline is None:
                self._expect(BODY_SECONDS, "The body did not come in time.")
            return
        self._head += len(data)
        if self._head > LARGEST_HEAD:
            self._cut_off("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._complete, self._awaited = False, True
        self._since = self.loop.time()
        self._head = 0
        self._forget()
        self._expect(HEAD_SECONDS, "The request did not come in time.")
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._complete = True
        self._forget()
        # The library would count idle connections, too, and so let anybody who only connects shut others out.
        self.limit_concurrency = 0 if len(self.tasks) >= MOST_REQUESTS else None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole, too."""
        self._awaited = False
        self._forget()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answered; the connection is idle until the next head."""
        self._since = self.loop.time()
        super().on_response_complete()

    def _idle(self) -> bool:
        answering: Any = self.cycle  # None before the first request, whatever the library declares
        return self._awaited or answering is None or answering.response_complete

    def _make_place(self) -> None:
        waiting = [one for one in self.connections if isinstance(one, BoundedProtocol) and one is not self]
        idle = [one for one in waiting if one._idle()]
        if idle:
            min(idle, key=lambda one: one._since)._cut_off("Too many connections are open.")

    def _expect(self, seconds: float, why: str) -> None:
        self._deadline = self.loop.call_later(seconds, self._cut_off, why)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut_off(self, why: str) -> None:
        self._forget()
        if self.transport.is_closing():
            return
        answering: Any = self.cycle
        if self._complete and answering is not None and answering.response_started:
            self.transport.close()  # an answer stands on the line already; a second one would be taken for another's
        else:
            self.send_400_response(why)
