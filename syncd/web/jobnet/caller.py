"""Whether a caller may call: a function certificate with a pinned subject and issuer, seen by us or by our proxy."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import Scope

from syncd.config.jobnet import JobnetSection

TLS = "syncd.client_certificate"
"""Key of the scope's state under which our own listener puts the certificate it verified."""
_COMMA = re.compile(r"(?<!\\),")


class Certificate(NamedTuple):
    """Whose it is and who signed it, as RFC 4514 writes names."""

    subject: str
    issuer: str


class NotAdmitted(Exception):
    """The caller showed no certificate that may call; the text says which part was wrong."""


def admit(section: JobnetSection, scope: Scope) -> Certificate:
    """The certificate of a caller that may call.

    :raises NotAdmitted: there is none, or another one.
    """
    shown = scope.get("state", {}).get(TLS) or _told_by_proxy(section, scope)
    if shown is None:
        raise NotAdmitted("no client certificate was shown, or the proxy that tells of it is not a trusted one")
    if not _among(shown.issuer, section.certificate_issuers):
        raise NotAdmitted("the client certificate was signed by somebody else than may sign it")
    if not _among(shown.subject, section.certificate_subjects):
        raise NotAdmitted("the client certificate is somebody else's")
    return shown


def _told_by_proxy(section: JobnetSection, scope: Scope) -> Certificate | None:
    """What a trusted proxy says; anybody else's headers are only words."""
    client = scope.get("client")
    if client is None or not _trusted(section, str(client[0])):
        return None
    headers = Headers(scope=scope)
    names = (section.verified_header, section.subject_header, section.issuer_header)
    found = [headers.getlist(name) for name in names]
    if any(len(values) != 1 for values in found) or found[0][0] != "SUCCESS":
        return None
    return Certificate(found[1][0], found[2][0])


def _trusted(section: JobnetSection, address: str) -> bool:
    try:
        here = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(here in ip_network(one) for one in section.trusted_proxies)


def _among(name: str, pinned: tuple[str, ...]) -> bool:
    return bool(parts(name)) and any(parts(name) == parts(one) for one in pinned)


def parts(name: str) -> frozenset[tuple[str, str]]:
    """The parts of a distinguished name, whichever end it is written from; attribute types without regard to case."""
    found = set()
    for part in _COMMA.split(name.strip().lstrip("/").replace("/", ",") if name.startswith("/") else name):
        kind, _, value = part.strip().partition("=")
        if value:
            found.add((kind.strip().casefold(), value.strip()))
    return frozenset(found)
