"""HTTP that cannot hang, be flooded or follow strangers; loads httpx2."""

from __future__ import annotations

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from syncd.adapters import outbound
from syncd.adapters.graph.account import GraphAccount
from syncd.adapters.line import Line

NAMED = {"User-Agent": "syncd", "Accept": "application/json"}


def connect(account: GraphAccount, idle: float) -> tuple[Line, httpx2.Client]:
    """Connections to Graph, and to the login host: verified, and deaf to the environment's proxies and .netrc.

    :param idle: seconds after which a kept connection is not used again.
    :returns: both use the same; closing the second one lets go of all.
    """
    verify = ssl.create_default_context(cafile=account.ca_file) if account.ca_file else ssl.create_default_context()
    if account.ca_file:
        verify.load_default_certs()
    most = account.most + 2
    if account.proxy is None:
        transport = outbound.guarded(verify, most, idle)
    else:  # the proxy looks names up itself
        limits = httpx2.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=idle)
        transport = outbound.Transport(verify=verify, trust_env=False, limits=limits, proxy=account.proxy)
    # A cookie of one mailbox's back end must not lead the next mailbox there.
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    http = httpx2.Client(
        transport=transport,
        timeout=account.timeout,
        follow_redirects=False,
        trust_env=False,
        headers=NAMED,
        cookies=cookies,
    )
    return Line(transport, account.graph_url, NAMED), http
