"""HTTP that cannot hang, be flooded or follow strangers; loads httpx2."""

from __future__ import annotations

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2

from syncd.adapters import outbound
from syncd.adapters.graph.account import GraphAccount


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
    settings: dict[str, Any] = {
        "headers": {"User-Agent": "syncd", "Accept": "application/json"},
        # A cookie of one mailbox's back end must not lead the next mailbox there.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        "limits": limits,
    }
    if account.proxy is None:
        return outbound.client(account.timeout, verify, **settings)
    # The proxy looks names up itself.
    return httpx2.Client(
        verify=verify, trust_env=False, proxy=account.proxy, timeout=account.timeout, follow_redirects=False, **settings
    )


def received(
    http: httpx2.Client, asked: httpx2.Request, seconds: float, most: int
) -> tuple[int, httpx2.Headers, bytes]:
    """Send *asked* and read its whole answer: status, headers, body.

    :param seconds: for all of it; a time-out for each read alone lets a slow drip go on for ever.
    :param most: bytes we are willing to hold.
    :raises httpx2.HTTPError: it failed; `syncd.adapters.outbound.TooLarge` when there is too much.
    """
    return outbound.answer(http, asked, seconds, most)
