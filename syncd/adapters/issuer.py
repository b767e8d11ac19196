"""Fetches an authorization server's public keys: https only (loopback excepted), no redirects, bounded."""

from __future__ import annotations

import time
from pathlib import Path

import httpx2

from syncd.adapters.webhook import secure
from syncd.errors import Transient

SECONDS = 10.0
LARGEST = 256 * 1024
"""Bytes of a set of keys."""


def fetched(url: str) -> bytes:
    """The content at *url*.

    :raises Transient: it could not be had; the text says why.
    """
    if not secure(url):
        raise Transient(f"{url} is not https; nothing was asked.")
    deadline, content = time.monotonic() + SECONDS, b""
    try:
        with (
            httpx2.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise Transient(f"{url} answered HTTP {answer.status_code}.")
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > LARGEST or time.monotonic() > deadline:
                    raise Transient(f"{url} sends more than {LARGEST} bytes, or takes longer than {SECONDS:.0f} s.")
    except httpx2.HTTPError as error:
        raise Transient(f"{url} does not answer ({type(error).__name__}).") from None
    return content


def read(path: Path) -> bytes:
    """The content of a file of keys.

    :raises Transient: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise Transient(f"{path} cannot be read: {error.strerror}.") from None
