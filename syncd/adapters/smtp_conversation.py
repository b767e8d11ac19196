"""A conversation with a mail server that is over after so many seconds, however slowly the server talks.

smtplib's timeout is for each read of a socket: a server that sends a letter now and then would keep us for ever.
"""

from __future__ import annotations

import io
import smtplib
import socket
import time
from typing import Any


class Conversation(smtplib.SMTP):
    """As smtplib's, but *timeout* (seconds) is for everything together, the connecting included."""

    def __init__(self, host: str, port: int, *, timeout: float, **more: Any) -> None:
        self._end = time.monotonic() + timeout
        super().__init__(host, port, timeout=timeout, **more)

    def getreply(self) -> tuple[int, bytes]:
        """The next reply. :raises smtplib.SMTPServerDisconnected: there was none in time."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Heard(self.sock, self._end))
        return super().getreply()

    def send(self, s: Any) -> None:
        """Send it. :raises smtplib.SMTPServerDisconnected: the server did not take it in time."""
        if self.sock is not None:
            self.sock.settimeout(_left(self._end))
        super().send(s)


class ConversationTLS(Conversation, smtplib.SMTP_SSL):
    """The same, encrypted from its first byte (RFC 8314 3.3)."""


class _Heard(io.RawIOBase):
    """What comes from *sock* until *end*, on the monotonic clock."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock, self._end = sock, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._sock.settimeout(_left(self._end))
        return self._sock.recv_into(buffer)


def _left(end: float) -> float:
    """Seconds until *end*. :raises TimeoutError: there are none."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("the mail server took too long")
    return left
