"""Whether a caller may call: a function certificate with a pinned subject and issuer, seen by us or by our proxy."""

from __future__ import annotations

from starlette.types import Scope

from syncd.config.jobnet import JobnetSection
from syncd.web.certificates import Certificate, certificate_of, is_one_of

LISTENER = "jobnet"
"""The facade's own TLS listener."""


class NotAdmitted(Exception):
    """The caller showed no certificate that may call; the text says which part was wrong."""


def admit(section: JobnetSection, scope: Scope) -> Certificate:
    """The certificate of a caller that may call.

    :raises NotAdmitted: there is none, or another one.
    """
    shown = certificate_of(section, scope, LISTENER)
    if shown is None:
        raise NotAdmitted("no client certificate was shown, or the proxy that tells of it is not a trusted one")
    if not is_one_of(shown.issuer, section.certificate_issuers):
        raise NotAdmitted("the client certificate was signed by somebody else than may sign it")
    if not is_one_of(shown.subject, section.certificate_subjects):
        raise NotAdmitted("the client certificate is somebody else's")
    return shown
