"""Sends webhooks: https only (loopback excepted), no redirects, bounded in time and size."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2

from syncd.adapters import outbound
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
        self._http = outbound.client(seconds)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Send *body* once (HTTP POST); a long answer's status counts, the rest of it is left."""
        asked = self._http.build_request("POST", url, content=body, headers=dict(headers))
        try:
            with outbound.asking(self._http, asked, self._seconds) as answer:
                self._drain(answer)
                return self._receipt(answer)
        except outbound.Insecure:
            return Receipt(None, "The address is not https; nothing was sent.")
        except httpx2.HTTPError as error:
            return Receipt(None, f"No answer ({type(error).__name__}).")

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _receipt(self, answer: httpx2.Response) -> Receipt:
        asked = answer.headers.get("retry-after")
        pause = retry_after(asked, self._clock.now()) if asked else None
        return Receipt(answer.status_code, f"HTTP {answer.status_code}.", pause)

    def _drain(self, answer: httpx2.Response) -> None:
        """Read a short answer, so that the connection can be used again; a long or slow one is left."""
        size = 0
        try:
            for chunk in answer.iter_raw():
                size += len(chunk)
                if size > LONGEST_ANSWER:
                    break
        except httpx2.TimeoutException:
            return
