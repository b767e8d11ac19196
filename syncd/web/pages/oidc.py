"""Signing in at the organisation's own provider: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from authlib.common.errors import AuthlibBaseError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from syncd.clock import Clock
from syncd.config import OidcSection
from syncd.config.pages import secure_address

if TYPE_CHECKING:  # a twentieth of a start, for who signs in elsewhere or not at all
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.oidc.core import CodeIDToken

log = structlog.get_logger()

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a key pair only: with none or a shared secret anybody, or we, could have signed."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""
FRESH = timedelta(hours=1)
"""How long the provider's own description is believed."""
GARBLED = (
    AuthlibBaseError, JoseError, OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
    RecursionError,
)  # fmt: skip
"""What the libraries raise for answers that are not what they should be."""
_NAMES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class NotSignedIn(Exception):
    """The provider did not say who it is; the text is for the log, and holds no token."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What has to be remembered until the browser comes back. :param next: where it wanted to go."""

    state: str
    nonce: str
    verifier: str
    next: str

    def kept(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is."""

    subject: str
    name: str
    groups: frozenset[str]


class Provider:
    """One provider; thread-safe. Nothing is asked of it before somebody signs in.

    :param secret: reads the client's secret. :param here: where the provider sends browsers back to.
    :param bind: lets a session send under the rules of outbound requests only.
    """

    def __init__(
        self,
        section: OidcSection,
        secret: Callable[[], str],
        here: str,
        clock: Clock,
        bind: Callable[[OAuth2Session], object],
    ) -> None:
        self._section, self._secret, self._here, self._clock, self._bind = section, secret, here, clock, bind
        self._lock = threading.Lock()
        self._told: tuple[datetime, dict[str, Any]] | None = None
        self._keys: KeySet | None = None

    def begin(self, after: str) -> tuple[str, Begun]:
        """Where to send the browser, and what to remember.

        :raises NotSignedIn: the provider cannot be asked.
        """
        begun = Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), after)
        endpoint = self._description()["authorization_endpoint"]
        with self._session() as session:
            url, _ = session.create_authorization_url(
                endpoint, state=begun.state, nonce=begun.nonce, code_verifier=begun.verifier
            )
        return str(url), begun

    def finish(self, query: Mapping[str, str], begun: Begun) -> Identity:
        """Who it is, from what the browser brought back (OpenID Connect Core 3.1.2.5 to 3.1.3.7).

        :raises NotSignedIn: nobody, or something in it is not right.
        """
        if not secrets.compare_digest(query.get("state", "").encode(), begun.state.encode()):
            raise NotSignedIn("the state is not the one that was sent")
        if "code" not in query:
            raise NotSignedIn(f"the provider said {_word(query.get('error'))}")
        told = self._description()
        if "iss" in query and query["iss"] != told["issuer"]:  # RFC 9207: an answer of another provider
            raise NotSignedIn("the answer comes from another issuer")
        try:
            with self._session() as session:
                token = session.fetch_token(
                    told["token_endpoint"],
                    grant_type="authorization_code",
                    code=query["code"],
                    code_verifier=begun.verifier,
                    allow_redirects=False,
                )
            return self._identity(self._claims(token, begun.nonce))
        except GARBLED as error:
            raise NotSignedIn(f"the token was refused ({type(error).__name__})") from error

    def _claims(self, token: Mapping[str, Any], nonce: str) -> CodeIDToken:
        """The claims of the ID token, verified (3.1.3.7); after a change of keys they are fetched once more."""
        from authlib.oidc.core import CodeIDToken

        try:
            read = jwt.decode(token["id_token"], self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            read = jwt.decode(token["id_token"], self._key_set(afresh=True), algorithms=ALGORITHMS)
        client = self._section.client_id
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": self._description()["issuer"]},
                "aud": {"essential": True, "value": client},
                "nonce": {"essential": True, "value": nonce},
            },
            {"nonce": nonce, "client_id": client, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(self._clock.now().timestamp()), leeway=LEEWAY)
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        section = self._section
        subject, groups = claims[section.user_claim], claims.get(section.groups_claim, [])
        if not isinstance(subject, str) or not 0 < len(subject) <= 200 or not subject.isprintable():
            raise ValueError(section.user_claim)
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        called = claims.get(section.name_claim)
        name = called[:200] if isinstance(called, str) and called.isprintable() else ""
        return Identity(subject, name or subject, frozenset(map(str, listed)))

    def _description(self) -> dict[str, Any]:
        """The provider's metadata (OpenID Connect Discovery 1.0, 4.3)."""
        now = self._clock.now()
        with self._lock:
            if self._told is None or now - self._told[0] > FRESH:
                self._told = (now, self._ask())
            return self._told[1]

    def _ask(self) -> dict[str, Any]:
        issuer = self._section.issuer
        told = self._fetch(f"{issuer}/.well-known/openid-configuration")
        if str(told.get("issuer", "")).rstrip("/") != issuer:
            raise NotSignedIn("the provider calls itself by another issuer than the configured one")
        for name in _NAMES:
            try:
                secure_address(urlsplit(str(told.get(name)))._replace(query="").geturl())
            except ValueError as error:
                raise NotSignedIn(f"the provider's {name} is not https") from error
        return told

    def _key_set(self, *, afresh: bool = False) -> KeySet:
        if self._keys is None or afresh:
            self._keys = KeySet.import_key_set(self._fetch(self._description()["jwks_uri"]))  # type: ignore[arg-type]  # the library judges its fields
        return self._keys

    def _fetch(self, url: str) -> dict[str, Any]:
        try:
            with self._session() as session:
                answer = session.request("GET", url, withhold_token=True, allow_redirects=False)
                answer.raise_for_status()
                content = answer.json()
        except (OSError, ValueError, RecursionError) as error:
            raise NotSignedIn(f"the provider does not answer ({type(error).__name__})") from error
        if not isinstance(content, dict):
            raise NotSignedIn("the provider's answer is not an object")
        return content

    def _session(self) -> OAuth2Session:
        from authlib.integrations.requests_client import OAuth2Session

        section = self._section
        session = OAuth2Session(
            section.client_id,
            self._secret(),
            scope=section.scope,
            redirect_uri=self._here,
            code_challenge_method="S256",
        )
        self._bind(session)
        return session


def _word(error: str | None) -> str:
    """An error code as RFC 6749 4.1.2.1 allows it; anything else is not repeated."""
    return error if error and len(error) < 60 and error.replace("_", "").isalpha() else "nothing"
