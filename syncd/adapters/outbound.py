"""What holds for every request we send over httpx2: where to, how long, how much; see docs/compliance/threat-model.md.

* https only, http on this machine alone (`syncd.config.addresses.secure`, which the configuration asks, too);
* no redirect is followed, no proxy or .netrc of the environment is used, certificates are always verified;
* a name that resolves to a link-local, multicast or unspecified address is not called: cloud metadata is kept there;
  the address that was looked at is the one that is called, so a name cannot point elsewhere a moment later;
* one deadline for the whole exchange and a bound on the answer: a slow drip ends in time.

CalDAV and Exchange are spoken over `syncd.adapters.guarded`, which bounds time and size the same way, since their
libraries bring requests along; there redirects stay on the host that was configured.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

import httpcore2
import httpx2

from syncd.config.addresses import secure

NEVER: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(one)
    for one in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",
        "::/128",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::254/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
    )
)
"""Unspecified, link-local, multicast and reserved addresses, and those at which clouds keep their metadata."""

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


class Insecure(httpx2.UnsupportedProtocol):
    """The address is not https; nothing was sent."""


class TooLarge(httpx2.DecodingError):
    """The answer is longer than we are willing to hold."""


class Answer(NamedTuple):
    """A whole answer; headers are asked for in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Everything that is sent and received inside ends after *seconds*, however slowly the other side drips."""
    mark = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(mark)


@cache
def _authorities() -> ssl.SSLContext:
    """The machine's own authorities, loaded once: a tenth of a second for each client otherwise; nobody changes it."""
    return ssl.create_default_context()


class Transport(httpx2.HTTPTransport):
    """httpx2's own, and the connections beneath it, for `syncd.adapters.line`."""

    @property
    def pool(self) -> httpcore2.ConnectionPool:
        """The connections."""
        found = self._pool
        assert isinstance(found, httpcore2.ConnectionPool)
        return found


def client(seconds: float, context: ssl.SSLContext | None = None, **more: Any) -> httpx2.Client:
    """Connections under the rules of this module.

    :param seconds: for each step; `answer` bounds the whole. :param context: our own authorities and certificate.
    :param more: further settings of `httpx2.Client`.
    """
    transport = guarded(context)
    return httpx2.Client(transport=transport, timeout=seconds, follow_redirects=False, trust_env=False, **more)


def guarded(context: ssl.SSLContext | None = None, most: int = 20, idle: float = 30) -> Transport:
    """A transport that looks at addresses before it connects, and ends in time.

    :param most: connections. :param idle: seconds after which a kept one is not used again.
    """
    limits = httpx2.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=idle)
    return _Guarded(context or _authorities(), limits)


def answer(http: httpx2.Client, asked: httpx2.Request, seconds: float, most: int) -> Answer:
    """Send *asked* and read its whole answer.

    :param seconds: for all of it. :param most: bytes we are willing to hold.
    :raises httpx2.HTTPError: it failed; `Insecure`, or `TooLarge`.
    """
    with asking(http, asked, seconds) as got:
        return Answer(got.status_code, got.headers, whole(got.iter_bytes(), most))


@contextmanager
def asking(http: httpx2.Client, asked: httpx2.Request, seconds: float) -> Iterator[httpx2.Response]:
    """Send *asked*; its answer's body is still to be read, within the same *seconds*.

    :raises httpx2.HTTPError: it failed; `Insecure`.
    """
    if not secure(str(asked.url)):
        raise Insecure("the address is not https; nothing was sent")
    with within(seconds):
        got = http.send(asked, stream=True)
        try:
            yield got
        finally:
            got.close()


def whole(arriving: Iterable[bytes], most: int) -> bytes:
    """All of a body, as long as it is no longer than *most* and ends in time (`within`).

    :raises TooLarge: it is longer. :raises httpx2.ReadTimeout: it drips.
    """
    parts, size = [], 0
    for part in arriving:
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLarge(f"more than {most} bytes")
        if _left(1.0) <= 0:
            raise httpx2.ReadTimeout("the answer did not end in time")
    return b"".join(parts)


def addresses(host: str, port: int) -> list[str]:
    """The addresses at which *host* may be called.

    :raises httpcore2.ConnectError: it has none, or one of those that are never called.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore2.ConnectError("the name cannot be resolved") from error
    numbers = list(dict.fromkeys(str(one[4][0]) for one in found))
    if any(_never(number) for number in numbers):
        raise httpcore2.ConnectError("the name leads to an address that is never called (link-local or metadata)")
    return numbers


def _never(number: str) -> bool:
    address = ip_address(number.partition("%")[0])
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return any(address in network for network in NEVER)


def _left(most: float | None) -> float:
    """Seconds for the next step."""
    ends = _ends.get()
    step = 60.0 if most is None else most
    return step if ends is None else min(step, ends - time.monotonic())


class _Guarded(Transport):
    def __init__(self, verify: ssl.SSLContext, limits: httpx2.Limits) -> None:
        super().__init__(verify=verify, trust_env=False, limits=limits)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=verify,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Network(),
        )


class _Network(httpcore2.NetworkBackend):
    """Looks at addresses before it connects, and lets no step outlast the exchange."""

    def __init__(self) -> None:
        self._real = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failed: Exception = httpcore2.ConnectError("no address")
        for number in addresses(host, port):
            try:
                stream = self._real.connect_tcp(number, port, _step(timeout), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
            else:
                return _Stream(stream)
        raise failed

    def sleep(self, seconds: float) -> None:
        self._real.sleep(seconds)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, real: httpcore2.NetworkStream) -> None:
        self._real = real

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._real.read(max_bytes, _step(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._real.write(buffer, _step(timeout))

    def close(self) -> None:
        self._real.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._real.start_tls(ssl_context, server_hostname, _step(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)


def _step(timeout: float | None) -> float:
    left = _left(timeout)
    if left <= 0:
        raise httpcore2.ReadTimeout("the exchange did not end in time")
    return left
