"""Requests to one server over connections of `syncd.adapters.outbound`, without what a client puts around each.

A third of the time that reading a large calendar takes went into httpx2's taking addresses apart, cookies, hooks and
wrappers, none of which is used here. The rules are those of `outbound`: the same connections, deadlines and errors.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

import httpcore2
import httpx2

from syncd.adapters.outbound import Answer, Insecure, Transport, whole, within
from syncd.config.addresses import secure

VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
"""What may stand in a request line (RFC 9112 3.2); a link is sent as it came, and all else escaped."""
GZIP = 16 + zlib.MAX_WBITS
PIECE = 1 << 20
"""Bytes that are unpacked at a time: an answer that unfolds without end is cut off as one that never ends is."""
CONNECT = 10.0
"""Seconds for a connection to be made."""
_FAILURES = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
)


class Line:
    """Asks one server; safe to be used by several threads. Follows no redirect and keeps no cookie.

    :param transport: whose connections are used. :param root: scheme, host and port.
    :param headers: of every request.
    """

    def __init__(self, transport: Transport, root: str, headers: Mapping[str, str]) -> None:
        self._transport = transport
        self._root = _known(root)
        self._headers = [*_encoded(headers), (b"Accept-Encoding", b"gzip")]

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None, seconds: float, most: int
    ) -> Answer:
        """Send a request and read its whole answer.

        :param target: path and query. :param seconds: for all of it. :param most: bytes we are willing to hold.
        :raises httpx2.HTTPError: it failed; `syncd.adapters.outbound.TooLarge`, `Insecure`.
        """
        asked = self._request(method, target, headers, content, seconds)
        try:
            with within(seconds):
                got = self._transport.pool.handle_request(asked)
                try:
                    named = {name.lower().decode("latin-1"): said.decode("latin-1") for name, said in got.headers}
                    body = _unpacked(got.iter_stream(), named.get("content-encoding", ""))
                    return Answer(got.status, named, whole(body, most))
                finally:
                    got.close()
        except _FAILURES as error:  # httpx2 has one of each, under the same name
            raise getattr(httpx2, type(error).__name__)(str(error)) from error

    def _request(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None, seconds: float
    ) -> httpcore2.Request:
        if self._root is None:
            raise Insecure("the address is not https; nothing was sent")
        scheme, host, port, name = self._root
        named = [(b"Host", name), *self._headers, *_encoded(headers)]
        if content is not None:
            named.append((b"Content-Length", b"%d" % len(content)))
        steps = {"connect": min(seconds, CONNECT), "read": seconds, "write": seconds, "pool": seconds}
        url = httpcore2.URL(scheme=scheme, host=host, port=port, target=quote(target, safe=VISIBLE).encode())
        return httpcore2.Request(method, url, headers=named, content=content, extensions={"timeout": steps})


def _known(root: str) -> tuple[bytes, bytes, int | None, bytes] | None:
    """Scheme, host, port, and the host as it is named in requests; None when nothing may be sent there."""
    try:
        url = httpcore2.URL(root)
    except (ValueError, TypeError):
        return None
    name = b"[%b]" % url.host if b":" in url.host else url.host
    return (url.scheme, url.host, url.port, b"%b:%d" % (name, url.port) if url.port else name) if secure(root) else None


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), said.encode()) for name, said in headers.items()]


def _unpacked(parts: Iterable[bytes], packed: str) -> Iterator[bytes]:
    """*parts* as they were before they were packed (Content-Encoding; only gzip is asked for).

    :raises httpx2.DecodingError: they are packed otherwise, or not whole.
    """
    if packed.lower() in ("", "identity"):
        yield from parts
        return
    if packed.lower() not in ("gzip", "x-gzip"):
        raise httpx2.DecodingError("packed in a way that was not asked for")
    unzip = zlib.decompressobj(GZIP)
    try:
        for part in parts:
            rest = part
            while rest and not unzip.eof:
                yield unzip.decompress(rest, PIECE)
                rest = unzip.unconsumed_tail
    except zlib.error as error:
        raise httpx2.DecodingError("not what it says it is packed as") from error
    if not unzip.eof:
        raise httpx2.DecodingError("cut off")
