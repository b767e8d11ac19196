"""The certificate a client showed: to a TLS listener of ours, or to a trusted proxy that tells of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.types import Scope

from syncd.config.certificates import CertificateMeans

KEY = "syncd.client_certificate"
"""Key of the scope's state under which a listener of ours puts the certificate it verified."""
LISTENER = "syncd.listener"
"""Key of the scope's state that says which listener it was; each believes authorities of its own."""
_COMMA = re.compile(r"(?<!\\),")
_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "domainComponent": "DC",
    "userId": "UID",
}
"""OpenSSL's long names of attribute types, and what RFC 4514 writes."""


class Certificate(NamedTuple):
    """Whose it is and who signed it, as RFC 4514 writes names."""

    subject: str
    issuer: str


def shown_in(peer: Mapping[str, Any] | None) -> Certificate | None:
    """The certificate of a verified TLS client (as `ssl.SSLSocket.getpeercert` tells it); None without one."""
    if not peer:
        return None
    return Certificate(_written(peer.get("subject", ())), _written(peer.get("issuer", ())))


def certificate_of(means: CertificateMeans, scope: Scope, listener: str) -> Certificate | None:
    """The certificate behind a request; None when none was shown, or nobody we trust tells of it.

    :param listener: the name of the listener of ours whose certificates count here.
    """
    state = scope.get("state", {})
    if (seen := state.get(LISTENER)) is not None:
        return state.get(KEY) if seen == listener else None
    return _told_by_proxy(means, scope)


def is_one_of(name: str, pinned: tuple[str, ...]) -> bool:
    """Whether a distinguished name is one of those pinned; an empty one never is."""
    return bool(parts(name)) and any(parts(name) == parts(one) for one in pinned)


def parts(name: str) -> frozenset[tuple[str, str]]:
    """The parts of a distinguished name, whichever end it is written from; attribute types without regard to case."""
    found = set()
    for part in _COMMA.split(name.strip().lstrip("/").replace("/", ",") if name.startswith("/") else name):
        kind, _, value = part.strip().partition("=")
        if value:
            found.add((kind.strip().casefold(), value.strip()))
    return frozenset(found)


def _told_by_proxy(means: CertificateMeans, scope: Scope) -> Certificate | None:
    """What a trusted proxy says; anybody else's headers are only words."""
    client = scope.get("client")
    if client is None or not _trusted(means.trusted_proxies, str(client[0])):
        return None
    headers = Headers(scope=scope)
    names = (means.verified_header, means.subject_header, means.issuer_header)
    found = [headers.getlist(name) for name in names]
    if any(len(values) != 1 for values in found) or found[0][0] != "SUCCESS":
        return None
    return Certificate(found[1][0], found[2][0])


@lru_cache(maxsize=1024)
def _trusted(proxies: tuple[str, ...], address: str) -> bool:
    try:
        here = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(here in ip_network(one) for one in proxies)


def _written(name: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """A name as OpenSSL's Python binding tells it, written as RFC 4514 does: the most particular part first."""
    pairs = [pair for step in name for pair in step]
    return ",".join(f"{_SHORT.get(kind, kind)}={_escaped(value)}" for kind, value in reversed(pairs))


def _escaped(value: str) -> str:
    return re.sub(r'([,+"\\<>;])', r"\\\1", value)
