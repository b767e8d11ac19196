"""Seals contact data with a key that is kept outside the database: AES-256-GCM, bound to the booking they belong to."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
"""Bytes; random, so one key seals at most some billions (NIST SP 800-38D 8.3)."""


class Seal:
    """A key for sealing, and maybe the one before it, for opening only.

    :param keys: 32 bytes each, the present one first.
    """

    def __init__(self, *keys: bytes) -> None:
        self._ciphers = {_name(key): AESGCM(key) for key in keys}
        self._present = _name(keys[0])
        self._names = hmac.digest(keys[0], b"syncd citizen reference", "sha256")

    def close(self, content: bytes, booking: str) -> tuple[str, bytes]:
        """The name of the key, and *content* sealed for this booking alone."""
        nonce = os.urandom(NONCE)
        return self._present, nonce + self._ciphers[self._present].encrypt(nonce, content, booking.encode())

    def reference(self, text: str) -> str:
        """An opaque name for *text*, the same each time; a plain digest of a number is undone in seconds."""
        return hmac.new(self._names, text.encode(), hashlib.sha256).hexdigest()[:40]

    def open(self, key: str, sealed: bytes, booking: str) -> bytes | None:
        """What was sealed; None when its key is gone, or somebody changed it."""
        cipher = self._ciphers.get(key)
        if cipher is None:
            return None
        try:
            return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], booking.encode())
        except InvalidTag:
            return None


def _name(key: bytes) -> str:
    return hashlib.sha256(b"syncd contact key" + key).hexdigest()[:12]
