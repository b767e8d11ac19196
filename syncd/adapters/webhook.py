"""Sends webhooks: https only (loopback excepted), no redirects, bounded in time and size."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from threading import Lock
from urllib.parse import urlsplit

import httpx2

from syncd.adapters.resilience import retry_after
from syncd.clock import Clock
from syncd.ports import Receipt

SECONDS = 15.0
"""What one attempt may take; the specification recommends 15 to 30."""
LONGEST_ANSWER = 64 * 1024


class HttpCourier:
    """One connection pool for all receivers, made when first needed: reading the authorities takes a while."""

    def __init__(self, clock: Clock, seconds: float = SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._client: httpx2.Client | None = None
        self._making = Lock()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Send *body* once (HTTP POST)."""
        if not secure(url):
            return Receipt(None, "The address is not https; nothing was sent.")
        try:
            with self._http().stream("POST", url, content=body, headers=dict(headers)) as answer:
                self._drain(answer)
                return self._receipt(answer)
        except httpx2.HTTPError as error:
            return Receipt(None, f"No answer ({type(error).__name__}).")

    def close(self) -> None:
        """Let go of connections."""
        with self._making:
            if self._client is not None:
                self._client.close()

    def _http(self) -> httpx2.Client:
        with self._making:
            if self._client is None:
                self._client = httpx2.Client(timeout=self._seconds, follow_redirects=False, trust_env=False)
            return self._client

    def _receipt(self, answer: httpx2.Response) -> Receipt:
        asked = answer.headers.get("retry-after")
        pause = retry_after(asked, self._clock.now()) if asked else None
        return Receipt(answer.status_code, f"HTTP {answer.status_code}.", pause)

    def _drain(self, answer: httpx2.Response) -> None:
        """Read a short answer, so that the connection can be used again; a long or slow one is left."""
        deadline, size = time.monotonic() + self._seconds, 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > LONGEST_ANSWER or time.monotonic() > deadline:
                break


def secure(url: str) -> bool:
    """Whether a webhook may be sent there: https, or any address of this very machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return parts.scheme == "http" and host == "localhost"
