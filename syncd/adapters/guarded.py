"""HTTP that cannot hang, be flooded or forget to count; CalDAV and Exchange are spoken over it."""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ReadTimeoutError

from syncd.adapters.resilience import Calls

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
"""Methods that may be sent again when a kept connection turns out to be dead."""

CHUNK = 1 << 16
POOL = 8
"""Connections kept to one server; more threads than that wait for one."""


class TooLarge(requests.RequestException):
    """The answer is longer than we are willing to hold."""


class NoTimeLeft(requests.ConnectTimeout):
    """The total time of the call was used up before the request was sent."""


class TimedReader(socket.SocketIO):
    """Reads an answer under one deadline; a time-out for each read alone lets a slow drip go on for ever."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, "r")
        self._socket = sock
        self._ends = time.monotonic() + (sock.gettimeout() or 60.0)

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, within what is left of the time."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._socket.settimeout(left)
        return super().readinto(buffer)


class TimedResponse(HTTPResponse):
    """An answer whose status line, headers and body share one deadline: the socket's time-out when it begins."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        # What socket.makefile does, with another reader.
        sock._io_refs += 1  # type: ignore[attr-defined]  # as socket.makefile does
        self.fp = io.BufferedReader(TimedReader(sock))


class TimedConnection(HTTPConnection):
    """Plain HTTP under a deadline."""

    response_class = TimedResponse


class TimedTlsConnection(HTTPSConnection):
    """HTTPS under a deadline."""

    response_class = TimedResponse


class TimedPool(HTTPConnectionPool):
    """Keeps `TimedConnection`s."""

    ConnectionCls = TimedConnection


class TimedTlsPool(HTTPSConnectionPool):
    """Keeps `TimedTlsConnection`s."""

    ConnectionCls = TimedTlsConnection


class GuardedAdapter(HTTPAdapter):
    """Sends one request: bounded in time and size, counted, repeated once on a dead kept connection."""

    def __init__(self, calls: Calls, timeout: float, max_bytes: int) -> None:
        super().__init__(pool_connections=2, pool_maxsize=POOL, pool_block=True)
        self._calls = calls
        self._timeout = timeout
        self._max_bytes = max_bytes

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As `requests`, with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": TimedPool, "https": TimedTlsPool}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # as the library calls it
        """Send *request* and read its whole answer."""
        if request.method not in IDEMPOTENT:
            return self._send_afresh(request, kwargs)
        try:
            return self._send_once(request, kwargs)
        except (requests.ConnectTimeout, requests.exceptions.SSLError):
            raise
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if never_sent(error):
                raise
            # Some servers drop kept connections without a word (SOGo's own port does).
            return self._send_once(request, kwargs)

    def _send_afresh(self, request: requests.PreparedRequest, kwargs: dict[str, Any]) -> requests.Response:
        """A write gets a connection of its own: losing a kept one would leave its outcome unknown."""
        writer = GuardedAdapter(self._calls, self._timeout, self._max_bytes)
        try:
            return writer._send_once(request, kwargs)
        finally:
            writer.close()

    def _send_once(self, request: requests.PreparedRequest, kwargs: dict[str, Any]) -> requests.Response:
        return self._whole(self._begin(request, kwargs))

    def _begin(self, request: requests.PreparedRequest, kwargs: dict[str, Any]) -> requests.Response:
        """Send *request*; the answer's body is still to be read."""
        seconds = self._seconds()
        options = kwargs | {"stream": True, "timeout": (min(seconds, 10.0), seconds)}
        return super().send(request, **options)

    def _whole(self, response: requests.Response) -> requests.Response:
        """Read the body, and let the connection be used again."""
        try:
            body = self._read(response)
        finally:
            response.close()
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]  # as reading it to the end does
        return response

    def _seconds(self) -> float:
        """Time for one exchange; counts it."""
        call = self._calls.current
        if call is None:
            return self._timeout
        call.requests += 1
        left = call.remaining()
        if left <= 0:
            raise NoTimeLeft("no time left")
        return min(self._timeout, left)

    def _read(self, response: requests.Response) -> bytes:
        """The whole body; a server that pours must not fill our memory."""
        parts: list[bytes] = []
        size = 0
        try:
            while part := response.raw.read1(CHUNK, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > self._max_bytes:
                    raise TooLarge(f"more than {self._max_bytes} bytes")
            response.raw.drain_conn()
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(error) from error
        except (TransportError, TimeoutError) as error:
            raise requests.exceptions.ChunkedEncodingError(error) from error
        return b"".join(parts)


def never_sent(error: BaseException) -> bool:
    """Whether the connection failed before a byte of the request could have left (refused, DNS, TLS)."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    reason = error.args[0] if error.args else None
    inner = getattr(reason, "reason", reason)
    return type(inner).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLError"}
