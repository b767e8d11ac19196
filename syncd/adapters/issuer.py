"""Fetches an authorization server's public keys: https only (loopback excepted), no redirects, bounded."""

from __future__ import annotations

from pathlib import Path

import httpx2

from syncd.adapters import outbound
from syncd.errors import Transient

SECONDS = 10.0
LARGEST = 256 * 1024
"""Bytes of a set of keys."""


def fetched(url: str) -> bytes:
    """The content at *url*.

    :raises Transient: it could not be had; the text says why.
    """
    try:
        with outbound.client(SECONDS) as http:
            asked = http.build_request("GET", url, headers={"Accept": "application/json"})
            got = outbound.answer(http, asked, SECONDS, LARGEST)
    except outbound.Insecure:
        raise Transient(f"{url} is not https; nothing was asked.") from None
    except outbound.TooLarge:
        raise Transient(f"{url} sends more than {LARGEST} bytes.") from None
    except httpx2.HTTPError as error:
        raise Transient(f"{url} does not answer ({type(error).__name__}).") from None
    if got.status != 200:
        raise Transient(f"{url} answered HTTP {got.status}.")
    return got.body


def read(path: Path) -> bytes:
    """The content of a file of keys.

    :raises Transient: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise Transient(f"{path} cannot be read: {error.strerror}.") from None
