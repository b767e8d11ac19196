"""HTTP that cannot hang, be flooded or follow strangers; loads httpx2."""

from __future__ import annotations

import ssl
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from syncd.adapters.graph.account import GraphAccount


class TooLarge(httpx2.DecodingError):
    """The answer is longer than we are willing to hold."""


def connect(account: GraphAccount, idle: float) -> httpx2.Client:
    """Connections to Graph and to the login host: verified, and deaf to the environment's proxies and .netrc.

    :param idle: seconds after which a kept connection is not used again.
    """
    verify = ssl.create_default_context(cafile=account.ca_file) if account.ca_file else ssl.create_default_context()
    if account.ca_file:
        verify.load_default_certs()
    limits = httpx2.Limits(
        max_connections=account.most + 2, max_keepalive_connections=account.most + 2, keepalive_expiry=idle
    )
    return httpx2.Client(
        verify=verify,
        trust_env=False,
        proxy=account.proxy,
        timeout=account.timeout,
        limits=limits,
        follow_redirects=False,
        headers={"User-Agent": "syncd", "Accept": "application/json"},
        # A cookie of one mailbox's back end must not lead the next mailbox there.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def received(
    http: httpx2.Client, asked: httpx2.Request, seconds: float, most: int
) -> tuple[int, httpx2.Headers, bytes]:
    """Send *asked* and read its whole answer: status, headers, body.

    :param seconds: for all of it; a time-out for each read alone lets a slow drip go on for ever.
    :param most: bytes we are willing to hold.
    :raises httpx2.HTTPError: it failed; `TooLarge` when there is too much.
    """
    ends = time.monotonic() + seconds
    answer = http.send(asked, stream=True)
    try:
        parts: list[bytes] = []
        size = 0
        for part in answer.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > most:
                raise TooLarge(f"more than {most} bytes")
            if time.monotonic() > ends:
                raise httpx2.ReadTimeout("the answer did not end in time")
    finally:
        answer.close()
    return answer.status_code, answer.headers, b"".join(parts)
