"""References that stand for numbers everywhere else, and numbers under seal; both need a key from outside the database.

A bare hash of ten digits is undone in seconds, so a reference is an HMAC.
The number itself is kept sealed, because reporting a booking needs it again; nothing but this package opens it.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from syncd.cpr.number import Cpr

PREFIX = "cpr-"
NONCE = 12
"""Bytes (NIST SP 800-38D 8.2.2)."""


class CprKey:
    """Turns numbers into references and back into numbers, with one secret key of 32 bytes.

    The same key must be kept as long as bookings are: another one makes strangers of all citizens.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the key must be 32 bytes")
        self._names = hmac.digest(key, b"syncd cpr reference", "sha256")
        sealing = hmac.digest(key, b"syncd cpr seal", "sha256")
        self._cipher = AESGCM(sealing)
        self.name = hashlib.sha256(b"syncd cpr key" + sealing).hexdigest()[:12]
        """Which key this is; safe to keep beside what it sealed."""

    def reference(self, cpr: Cpr) -> str:
        """The opaque name by which a citizen is known everywhere else."""
        return PREFIX + hmac.new(self._names, cpr.digits.encode(), hashlib.sha256).hexdigest()[:40]

    def seal(self, cpr: Cpr) -> bytes:
        """The number, closed for its own reference alone."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, cpr.digits.encode(), self.reference(cpr).encode())

    def open(self, sealed: bytes, reference: str) -> Cpr | None:
        """The number that was sealed for this reference; None with another key, or when somebody changed it."""
        try:
            return Cpr(self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], reference.encode()).decode())
        except InvalidTag:
            return None
