"""Authenticated connections to one Exchange server, lent to one thread at a time.

exchangelib knows how to authenticate, and builds that here. Its own pool is not used: when a server asks for a pause
all its threads lock each other out for ever, a failing token endpoint costs a place for good, and a thread waits for
a place without limit. Here a place is given back whatever happens, and nobody waits longer than his call may take.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from threading import BoundedSemaphore, Lock
from typing import Any, cast

import requests

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.tokens import Bearer, Tokens
from syncd.adapters.guarded import GuardedAdapter
from syncd.adapters.resilience import Calls
from syncd.errors import Transient

STALE = 20.0
"""Seconds after which a kept connection is not trusted with a write: losing it would leave the outcome unknown."""

USER_AGENT = "syncd"
CHALLENGES = frozenset({401, 407})


class PostAdapter(GuardedAdapter):
    """Sends a POST once over a kept connection: NTLM authenticates connections, so each is worth keeping."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # as the library calls it
        """Send *request* and read its whole answer, except a challenge: NTLM looks at its connection's certificate."""
        response = self._begin(request, kwargs)
        return response if response.status_code in CHALLENGES else self._whole(response)


class Sessions:
    """Lends connections; at most ``account.connections`` are out at one time.

    :param calls: knows the deadline of the call each thread is in.
    """

    def __init__(self, account: EwsAccount, calls: Calls) -> None:
        self._account = account
        self.calls = calls
        self._places = BoundedSemaphore(account.connections)
        self._lock = Lock()
        self._idle: list[tuple[float, requests.Session]] = []
        self._closed = False
        self._authority = plain_session(account, calls)
        self.tokens = Tokens(account.tokens, self._authority) if account.tokens is not None else None

    @contextmanager
    def lend(self, seconds: float, *, fresh: bool = False) -> Iterator[requests.Session]:
        """A connection for one request; one that fails is not used again.

        :param seconds: how long to wait for one.
        :param fresh: for a write, which a dead connection would leave unknown.
        :raises Transient: all are out for too long.
        """
        if not self._places.acquire(timeout=max(seconds, 0.0)):
            raise Transient("All connections to the Exchange server are in use; it is tried again later.")
        session = None
        try:
            session = self._take(fresh) or open_session(self._account, self.calls, self.tokens)
            yield session
            self._keep(session)
            session = None
        finally:
            if session is not None:
                session.close()
            self._places.release()

    def close(self) -> None:
        """Let go of kept connections."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for _, session in idle:
            session.close()
        self._authority.close()

    def _take(self, fresh: bool) -> requests.Session | None:
        with self._lock:
            if not self._idle:
                return None
            since, session = self._idle.pop()
        if fresh and time.monotonic() - since > STALE:
            session.close()
            return None
        return session

    def _keep(self, session: requests.Session) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append((time.monotonic(), session))
                return
        session.close()


def plain_session(account: EwsAccount, calls: Calls) -> requests.Session:
    """A session without authentication: bounded, verified, and deaf to the environment's proxies and .netrc."""
    session = requests.Session()
    session.trust_env = False
    session.verify = account.ca_file or True
    session.headers.update({"User-Agent": USER_AGENT})
    if account.proxy:
        session.proxies = {"http": account.proxy, "https": account.proxy}
    # A cookie of one mailbox's back end must not lead the next mailbox there.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = PostAdapter(calls, account.timeout, account.max_bytes)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def open_session(account: EwsAccount, calls: Calls, tokens: Tokens | None) -> requests.Session:
    """A session that proves who we are; nothing is sent yet."""
    session = plain_session(account, calls)
    session.headers.update({"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml"})
    session.auth = Bearer(tokens) if tokens is not None else authentication(account)
    if account.certificate:
        session.cert = (
            (account.certificate, account.certificate_key) if account.certificate_key else account.certificate
        )
    return session


def encrypted(account: EwsAccount) -> bool:
    """Whether the server is spoken to over TLS; an endpoint that is looked up always is, but for trials on loopback."""
    first = account.discovery.url if account.discovery is not None else account.url
    return not first.startswith("http://")


def authentication(account: EwsAccount) -> requests.auth.AuthBase | None:
    """exchangelib's own way to authenticate; loaded only when a first Exchange mailbox is asked."""
    from exchangelib import transport

    if account.auth == "kerberos":
        if getattr(transport, "GSSAPI", None) not in transport.AUTH_TYPE_MAP:
            raise Transient("Kerberos needs the extra packages of syncd[kerberos]; install them, then start again.")
        # exchangelib binds it to no channel, and servers with Extended Protection refuse that.
        bound = "tls-server-end-point" if encrypted(account) else None
        return cast("requests.auth.AuthBase", transport.AUTH_TYPE_MAP[transport.GSSAPI](channel_bindings=bound))
    kind = {"ntlm": transport.NTLM, "basic": transport.BASIC, "certificate": transport.CBA}[account.auth]
    who = {} if account.auth == "certificate" else {"username": account.username, "password": account.password}
    return cast("requests.auth.AuthBase | None", transport.get_auth_instance(kind, **who))
