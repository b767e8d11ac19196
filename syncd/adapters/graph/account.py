"""How to reach the mailboxes of one Microsoft 365 tenant; nothing is loaded or contacted yet."""

from __future__ import annotations

from dataclasses import dataclass, field

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Credential:
    """How the application proves itself: by a certificate with its private key, or by a secret.

    :param certificate, key: contents of PEM files; a key that stands in the certificate's file is enough.
    :param passphrase: of the private key, when it has one.
    """

    certificate: str = ""
    key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class GraphAccount:
    """One tenant, and the application that may act for its mailboxes.

    :param name: of the `[calendars.NAME]` section, for messages.
    :param tenant: directory id or domain.
    :param credentials: tried in this order, so that an old and a new certificate may be good at once.
    :param graph_url: root of Graph without version, ``https://graph.microsoft.com``; links lead nowhere else.
    :param login_url: where tokens are fetched, ``https://login.microsoftonline.com``.
    :param ca_file: PEM file of an authority on the way (an inspecting proxy's); None for the system's list.
    :param proxy: of HTTP requests; None goes straight, whatever the environment says.
    :param timeout: seconds for one request; a whole call of the port may take five times as long.
    :param first, most: requests at one time, at the start and at the most; see `syncd.adapters.graph.meter`.
    :param page: events we ask for in one page of a delta round; Graph gives fewer when it likes.
    :param teams: make Teams meetings of meetings by video.
    :param control: address of a mailbox that must be closed to us; empty when none is named.
    :param max_bytes: longest answer we are willing to hold.
    """

    name: str
    tenant: str
    client_id: str
    credentials: tuple[Credential, ...] = ()
    graph_url: str = "https://graph.microsoft.com"
    login_url: str = "https://login.microsoftonline.com"
    ca_file: str | None = None
    proxy: str | None = None
    timeout: float = 20.0
    first: int = 4
    most: int = 16
    page: int = 500
    teams: bool = False
    control: str = ""
    max_bytes: int = 64 * MEGABYTE
