"""The Standard Webhooks specification 1.0: what is signed, how, and the headers that carry it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from syncd.errors import ConfigError

PREFIX = "whsec_"
SHORTEST = 24
"""Bytes; the specification asks for 24 to 64."""


def key_of(secret: str, source: str) -> bytes:
    """The signing key in its serialised form ``whsec_BASE64``.

    :param source: where it was read, for the message.
    :raises ConfigError: it is not of that form, or shorter than 24 bytes.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.strip().startswith(PREFIX) or len(key) < SHORTEST:
        problem = "a webhook secret is 'whsec_' and at least 24 bytes in base64; make one: syncd webhooks secret"
        raise ConfigError(source, [problem])
    return key


def headers(event: str, body: bytes, keys: Sequence[bytes], now: datetime) -> dict[str, str]:
    """The headers of one attempt: id, time of the attempt, and one signature per key."""
    at = str(int(now.timestamp()))
    signed = b".".join((event.encode(), at.encode(), body))
    signatures = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)
    return {
        "Content-Type": "application/json",
        "User-Agent": "syncd",
        "webhook-id": event,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
