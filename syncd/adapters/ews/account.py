"""How to reach the mailboxes of one Exchange server with one service account; nothing is loaded or contacted yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

MEGABYTE = 1 << 20

Auth: TypeAlias = Literal["ntlm", "basic", "certificate", "oauth", "kerberos"]
"""How the service account proves who it is."""


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where an app-only token is fetched (RFC 6749 4.4, client credentials).

    :param url: token endpoint, such as ``https://adfs.example.dk/adfs/oauth2/token``.
    :param scope: what the token is for; ``https://HOST/.default`` for most.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """Where the endpoint of a mailbox is looked up ([MS-OXWSADISC]); nobody else is asked or believed.

    :param hosts: that may be asked, and that an endpoint may be on; in lower case, with a port that is not 443.
    :param url: of the service; empty: ``autodiscover.DOMAIN`` of each mailbox's own domain.
    :param seconds: how long what was found is good; for as long again while nobody can be asked.
    :param mailbox: whose endpoint is asked about groups and room lists.
    """

    hosts: frozenset[str]
    url: str = ""
    seconds: float = 12 * 3600.0
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class EwsAccount:
    r"""One Exchange server and the service account that may act for its mailboxes.

    :param name: of the `[calendars.NAME]` section, for messages.
    :param url: the endpoint itself, ``https://HOST/EWS/Exchange.asmx``; empty when it is looked up.
    :param discovery: how it is looked up; None when it is named.
    :param username: ``DOMAIN\user`` or a UPN, for ``ntlm`` and ``basic``.
    :param certificate, certificate_key: PEM files, for ``certificate``.
    :param ca_file: PEM file of the authority that signed the server's certificate; None for the system's list.
    :param proxy: of HTTP requests; None goes straight, whatever the environment says.
    :param timeout: seconds for one request; a whole call of the port may take five times as long.
    :param connections: most requests at one time; EWS gives each mailbox 27 and each of ours needs one.
    :param impersonate: act as the mailbox (role ApplicationImpersonation); False: as a delegate of it.
    :param streaming: listen for changes.
    :param page: most entries of one calendar view; a fuller window is read in halves. The server's limit is 1,000.
    :param max_bytes: longest answer we are willing to hold.
    """

    name: str
    url: str
    auth: Auth = "ntlm"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tokens: TokenSource | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    ca_file: str | None = None
    proxy: str | None = None
    timeout: float = 20.0
    connections: int = 8
    impersonate: bool = True
    streaming: bool = True
    page: int = 1000
    discovery: Discovery | None = None
    max_bytes: int = 64 * MEGABYTE
