"""Access tokens of an authorization server, verified here: RFC 9068 and RFC 8725, by the issuer's public keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import JoseError

LONGEST = 8 * 1024
"""Characters of a token; a longer one is not looked at."""
SKEW = timedelta(seconds=60)
"""How far the issuer's clock and ours may differ."""
LATEST = 1e12
"""Seconds since 1970; what lies beyond is no time."""
NO_KEYS = jwk.KeySet([])


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who is believed, and how its tokens say what (`syncd.config.oauth.OAuthSection`).

    :param keys: its public keys as they are known now; empty while none could be had, and then no token is taken.
    """

    issuer: str
    audience: str
    client_claim: str
    scope_claims: tuple[str, ...]
    scope_prefix: str
    algorithms: Collection[str]
    keys: Callable[[], jwk.KeySet] = field(default=lambda: NO_KEYS)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says.

    :param client: who, as the issuer calls the client.
    :param rights: what was granted, without the prefix.
    """

    client: str
    rights: frozenset[str]


def keys_of(content: bytes) -> jwk.KeySet:
    """The public keys of a JWK set (RFC 7517 5); symmetric ones are left out, and so is what is meant for encryption.

    :raises ValueError: it is none, or has no key of use.
    """
    try:
        found = jwk.KeySet.import_key_set(_public(content))
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"is not a JWK set ({type(error).__name__})") from None
    if not found.keys:
        raise ValueError("has no public key for signatures")
    return found


def _public(content: bytes) -> Any:
    import msgspec

    keys = msgspec.json.decode(content)["keys"]
    usable = [key for key in keys if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"]
    return {"keys": [{name: value for name, value in key.items() if name != "d"} for key in usable]}


def granted(token: str, issuer: Issuer, now: datetime) -> Grant | None:
    """What *token* grants, when the issuer signed it for us and it holds now; None for any other."""
    if len(token) > LONGEST or token.count(".") != 2:
        return None
    try:
        claims = jwt.decode(token, issuer.keys(), algorithms=list(issuer.algorithms)).claims
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        return None
    client = claims.get(issuer.client_claim)
    if not isinstance(client, str) or not _for_us(claims, issuer) or not _in_time(claims, now):
        return None
    return Grant(client, _rights(claims, issuer))


def _for_us(claims: Mapping[str, Any], issuer: Issuer) -> bool:
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    return claims.get("iss") == issuer.issuer and issuer.audience in named


def _in_time(claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether *now* lies between nbf and exp; a token without an end is not taken (RFC 9068 2.2)."""
    ends, begins = _moment(claims.get("exp")), _moment(claims.get("nbf", 0))
    if ends is None or begins is None:
        return False
    return begins - SKEW.total_seconds() <= now.timestamp() < ends + SKEW.total_seconds()


def _moment(value: object) -> float | None:
    """A NumericDate (RFC 7519 2), or None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < LATEST:
        return None
    return float(value)


def _rights(claims: Mapping[str, Any], issuer: Issuer) -> frozenset[str]:
    words: set[str] = set()
    for name in issuer.scope_claims:
        value = claims.get(name, ())
        listed = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        words |= {one for one in listed if isinstance(one, str)}
    prefix = issuer.scope_prefix
    return frozenset(word.removeprefix(prefix) for word in words if word.startswith(prefix))
