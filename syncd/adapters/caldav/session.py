"""A CalDAV session: guarded, and never led away to another host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from syncd.adapters.guarded import GuardedAdapter
from syncd.adapters.resilience import Calls

REDIRECTS = frozenset({301, 302, 307, 308})
MAX_REDIRECTS = 4


class Elsewhere(requests.RequestException):
    """The server sent us to a place we do not follow; ``target`` says where (scheme, host and path only)."""

    def __init__(self, target: str) -> None:
        super().__init__(f"redirected to {target}")
        self.target = target


class GuardedSession(requests.Session):
    """A session in which every request goes through `GuardedAdapter`, and redirects stay on the host."""

    def __init__(self, calls: Calls, timeout: float, max_bytes: int) -> None:
        super().__init__()
        # No .netrc, no proxy variables: what is sent where is decided by the configuration alone.
        self.trust_env = False
        adapter = GuardedAdapter(calls, timeout, max_bytes)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As `requests`, but the method survives a redirect (a PROPFIND must not become a GET)."""
        kwargs["allow_redirects"] = False
        target = str(url)
        for _ in range(MAX_REDIRECTS):
            response = super().request(method, target, *args, **kwargs)
            if response.status_code not in REDIRECTS and response.status_code != 303:
                return response
            target = followed(target, response.status_code, response.headers)
        raise Elsewhere("itself, again and again")


def followed(url: str, status: int, headers: Mapping[str, str]) -> str:
    """Where a redirect leads, if we may go there.

    Only to the same host, and never from https to http: the password travels with each request.

    :raises Elsewhere: another host, a downgrade, or a 303, which is how login pages are shown.
    """
    target = urljoin(url, headers.get("Location", ""))
    here, there = urlsplit(url), urlsplit(target)
    upgrade = (here.scheme, there.scheme) == ("http", "https")
    same = here.hostname == there.hostname and (upgrade or (here.scheme, here.port) == (there.scheme, there.port))
    if not same or status == 303 or target == url:
        raise Elsewhere(f"{there.scheme}://{there.netloc.rpartition('@')[2]}{there.path}")
    return target
