"""When the certificates end that the configuration names: ours, and those of authorities it trusts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509

from syncd.config import Config
from syncd.config.accounts import CalendarAccount
from syncd.config.certificates import CertificateMeans
from syncd.config.credentials import secret_file
from syncd.config.sections import SecretRef
from syncd.errors import ConfigError


def certificates(config: Config) -> Iterator[tuple[str, datetime]]:
    """When the first certificate of each ends, by name of the calendar account, or of a table such as ``[dfdg]``.

    What cannot be read is left out: a start with such a file is refused, and one that breaks later is told by whoever
    needs it.
    """
    found = {name: _account(account) for name, account in config.calendars.items()}
    found["[dfdg]"] = [*_kept(config.dfdg.certificate), *_ends(config.dfdg.ca_file)]
    found |= {"[jobnet]": _listener(config.jobnet), "[tls]": _listener(config.tls)}
    for name, ends in found.items():
        if ends:
            yield name, min(ends)


def _account(account: CalendarAccount) -> list[datetime]:
    shown = [min(ends) for path in (account.graph.certificate, account.graph.next_certificate) if (ends := _ends(path))]
    own = [max(shown)] if shown else []  # either lets us in
    return own + _ends(account.ca_file) + _ends(account.ews.client_certificate)


def _listener(means: CertificateMeans) -> list[datetime]:
    return _ends(means.server_certificate) + _ends(means.client_ca) if means.listen else []


def _kept(certificate: SecretRef | None) -> list[datetime]:
    try:
        return _ends(secret_file(certificate)) if certificate else []
    except ConfigError:
        return []


def _ends(path: Path | None) -> list[datetime]:
    try:
        return [one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes())] if path else []
    except (OSError, ValueError):
        return []
