"""The token endpoint: client credentials, proven by a signed assertion (certificate) or a secret."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Door:
    """Who may come in."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}
        self._certificates: dict[str, dict[str, Any]] = {}
        self._tokens: set[str] = set()
        self.open = True
        self.issued = 0
        self.roles: tuple[str, ...] = ()
        """Application permissions consented for the whole tenant; RBAC for Applications stands in no token."""

    def application(self, client: str, secret: str = "", certificates: tuple[bytes, ...] = ()) -> None:
        """Register an application; several PEM certificates may be good at once. From then on tokens are wanted."""
        self.open = False
        if secret:
            self._secrets[client] = secret
        known = [x509.load_pem_x509_certificate(one) for one in certificates]
        self._certificates[client] = {_thumb(one.public_bytes(Encoding.DER)): one.public_key() for one in known}

    def token(self, form: str, audience: str) -> dict[str, Any] | None:
        """The answer of the token endpoint; None when the proof does not hold."""
        asked = {key: texts[0] for key, texts in parse_qs(form).items()}
        client = asked.get("client_id", "")
        proven = bool(self._secrets.get(client)) and self._secrets.get(client) == asked.get("client_secret")
        if asked.get("client_assertion_type") == ASSERTION:
            proven = self._proven(client, asked.get("client_assertion", ""), audience)
        if not proven or asked.get("grant_type") != "client_credentials":
            return None
        claims = {"appid": client, "jti": secrets.token_hex(8), **({"roles": [*self.roles]} if self.roles else {})}
        token = jwt.encode(claims, secrets.token_bytes(32), "HS256")
        self._tokens.add(token)
        self.issued += 1
        return {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}

    def let_in(self, header: str | None) -> bool:
        """Whether a request may pass."""
        kind, _, token = (header or "").partition(" ")
        return self.open or (kind == "Bearer" and token in self._tokens)

    def revoke(self) -> None:
        """No token that was given out is good any more."""
        self._tokens.clear()

    def _proven(self, client: str, assertion: str, audience: str) -> bool:
        try:
            thumb = jwt.get_unverified_header(assertion).get("x5t#S256", "").rstrip("=")
            key = self._certificates.get(client, {}).get(thumb)
            if key is None:
                return False
            claims = jwt.decode(assertion, key, ["PS256", "RS256"], audience=audience, issuer=client)
        except jwt.InvalidTokenError:
            return False
        return bool(claims["sub"] == client)


def _thumb(der: bytes) -> str:
    return urlsafe_b64encode(sha256(der).digest()).decode().rstrip("=")
