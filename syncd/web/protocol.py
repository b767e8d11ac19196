"""HTTP/1.1 on one connection, with a bound on how large a request's head may be and how long it may take."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 32 * 1024
"""Bytes of request line and headers together."""
HEAD_SECONDS = 10.0
"""How long a head may take from its first byte, or a new connection to begin one."""


class BoundedProtocol(HttpToolsProtocol):
    """The fast parser knows no bounds of its own: who sends headers for ever, or never ends them, is cut off."""

    _head: int = 0
    _complete: bool = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library calls it
        """A client connected."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; a head that is still not complete after too many of them is refused."""
        super().data_received(data)
        if self._complete or self.transport.is_closing():
            return
        self._head += len(data)
        if self._head > LARGEST_HEAD:
            self._cut_off("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._complete = False
        self._head = 0
        self._forget()
        self._expect()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._complete = True
        self._forget()
        super().on_headers_complete()

    def _expect(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._cut_off, "The request did not come in time.")

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut_off(self, why: str) -> None:
        self._forget()
        if not self.transport.is_closing():
            self.send_400_response(why)
