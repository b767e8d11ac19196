"""Which addresses may be called at all: https, or http on this very machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def secure(url: str) -> bool:
    """Whether secrets and personal data may be sent there: https, or http to any loopback address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and loopback(host)))


def loopback(host: str) -> bool:
    """Whether *host* is this machine, by its number or as ``localhost``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
