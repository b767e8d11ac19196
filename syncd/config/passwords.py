"""Passwords of the few local accounts: kept as scrypt hashes only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import cache

COST, PARALLEL, BLOCK = 15, 3, 8
"""N = 2^15, r = 8, p = 3: 32 MiB and about a fifth of a second a try."""
SHORTEST = 12


def hashed(password: str, cost: int = COST) -> str:
    """What is kept of *password*: ``scrypt$COST$PARALLEL$SALT$HASH``; tests take a lower cost."""
    salt = secrets.token_bytes(16)
    parts = (base64.b64encode(part).decode() for part in (salt, _scrypt(password, salt, cost, PARALLEL)))
    return "$".join(("scrypt", str(cost), str(PARALLEL), *parts))


def matches(password: str, kept: str) -> bool:
    """Whether *kept* was made from *password*."""
    _, cost, parallel, salt, wanted = kept.split("$")
    found = _scrypt(password, base64.b64decode(salt), int(cost), int(parallel))
    return hmac.compare_digest(found, base64.b64decode(wanted))


@cache
def nobody() -> str:
    """Compared when no account has the given name, so that the answer takes as long."""
    return hashed(secrets.token_hex(16))


def _scrypt(password: str, salt: bytes, cost: int, parallel: int) -> bytes:
    room = 256 * BLOCK * (1 << cost) + (1 << 20)
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << cost, r=BLOCK, p=parallel, maxmem=room, dklen=32)
