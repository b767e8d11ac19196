"""The app-only token: fetched by msal, kept until shortly before its end, thrown away when Graph refuses it.

msal looks through its whole cache, and signs an assertion, for each question; here a request costs a comparison.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from syncd.adapters.graph import advice
from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.kept_token import KeptToken
from syncd.errors import AccessDenied, CalendarError, Transient

if TYPE_CHECKING:
    import httpx2

LOGIN_SECONDS = 30.0
"""What one question to the token endpoint may take, however slowly it answers."""
LARGEST = 1 << 20
"""Bytes of its answer."""
EARLY = 300.0
"""Seconds before its end at which a token is replaced."""


class Tokens(KeptToken):
    """Tokens of one application (client credentials grant, RFC 6749 4.4).

    :param http: speaks to the token endpoint.
    """

    def __init__(
        self, account: GraphAccount, http: httpx2.Client, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(EARLY, elapsed)
        self._account = account
        self._http = Login(http, account.login_url)
        self._apps: dict[int, Any] = {}
        self._good = 0

    def drop(self, token: str) -> None:
        """See `KeptToken.drop`; msal has the token, too, and would bring it back."""
        with self._lock:
            refused = token == self._token
        super().drop(token)
        for app in self._apps.values() if refused else ():
            app.remove_tokens_for_client()

    def _fetch(self) -> tuple[str, float]:
        """A new token, by the first credential that the tenant takes; the one that worked last comes first."""
        number = len(self._account.credentials)
        refused: CalendarError | None = None
        for step in range(number):
            which = (self._good + step) % number
            try:
                found = self._ask(which)
            except AccessDenied as error:
                refused = refused or error
                continue
            self._good = which
            return found
        raise refused or AccessDenied(f"No certificate or secret is configured for {self._account.client_id}.")

    def _ask(self, which: int) -> tuple[str, float]:
        from msal.exceptions import MsalError  # type: ignore[import-untyped]  # what it makes of a status above 499

        host = urlsplit(self._account.login_url).netloc
        try:
            if which not in self._apps:
                self._apps[which] = self._app(self._account.credentials[which])
            said = self._apps[which].acquire_token_for_client([f"{self._account.graph_url}/.default"]) or {}
        except (OSError, LoginFailed, MsalError, json.JSONDecodeError, RuntimeError, KeyError) as error:
            why = str(error) if isinstance(error, LoginFailed) else "its answer is none that a sign-in service gives"
            raise Transient(f"No token could be fetched from {host}: {why}. It is tried again later.") from error
        except ValueError as error:
            # msal's word for a key it cannot read, and for an answer that is none.
            raise AccessDenied(
                f"No token could be asked of {host}: check tenant, and that the certificate and its private key are "
                "PEM files that belong together."
            ) from error
        if "access_token" not in said:
            code = str(said.get("error", "no reason given"))
            if code in ("temporarily_unavailable", "server_error"):
                raise Transient(f"{host} gives no token now ({code}); it is tried again later.")
            hint = advice.refused(said.get("error_codes"))
            raise AccessDenied(f"{host} gives the application {self._account.client_id} no token ({code}).{hint}")
        return str(said["access_token"]), float(said.get("expires_in") or 3600)

    def _app(self, credential: Credential) -> Any:
        import msal  # type: ignore[import-untyped]  # 0.1 s, and only for those who have mailboxes in the cloud

        return msal.ConfidentialClientApplication(
            self._account.client_id,
            authority=f"https://{urlsplit(self._account.login_url).hostname}/{self._account.tenant}",
            client_credential=_proof(credential),
            instance_discovery=False,  # asks a host that nobody configured
            http_client=self._http,
        )


class LoginFailed(Exception):
    """The token endpoint did not answer; the text says why, as the rest of a sentence."""


class Login:
    """HTTP as msal wants it: asks the configured login host and no other, in its scheme and at its port."""

    def __init__(self, http: httpx2.Client, root: str) -> None:
        self._http = http
        self._root = root.rstrip("/")

    def get(self, url: str, params: Any = None, headers: Mapping[str, str] | None = None, **_: Any) -> httpx2.Response:
        """GET."""
        return self._send("GET", url, params=params, headers=headers)

    def post(
        self, url: str, params: Any = None, data: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> httpx2.Response:
        """POST a form; msal gives its assertion as bytes."""
        form = {key: text.decode() if isinstance(text, bytes) else text for key, text in (data or {}).items()}
        return self._send("POST", url, params=params, data=form, headers=headers)

    def close(self) -> None:
        """Nothing is kept here."""

    def _send(self, method: str, url: str, **more: Any) -> httpx2.Response:
        import httpx2

        from syncd.adapters.outbound import answer

        asked, ours = urlsplit(url), urlsplit(self._root)
        if asked.hostname != ours.hostname:
            raise LoginFailed("a token endpoint on another host was named")
        path = f"{asked.path}?{asked.query}" if asked.query else asked.path
        try:
            sent = self._http.build_request(method, f"{self._root}{path}", **more)
            got = answer(self._http, sent, LOGIN_SECONDS, LARGEST)
            return httpx2.Response(got.status, content=got.body)
        except httpx2.HTTPError as error:
            raise LoginFailed(_hindrance(error)) from error


def _hindrance(error: httpx2.HTTPError) -> str:
    import httpx2

    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            "its certificate was not accepted; if a proxy of yours looks into connections, set ca_file to its authority"
        )
    if "resolved" in str(error):
        return "its name cannot be resolved"
    if isinstance(error, httpx2.ProxyError):
        return "the proxy cannot be reached"
    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    return "it cannot be reached"


def _proof(credential: Credential) -> Any:
    """The credential in msal's words."""
    if not credential.certificate:
        return credential.secret
    proof = {"private_key": credential.key or credential.certificate, "public_certificate": credential.certificate}
    return proof | ({"passphrase": credential.passphrase} if credential.passphrase else {})
