"""Where each mailbox is asked: the endpoint that configuration names, or the one that autodiscover tells.

A look-up carries the service account's proof of who it is, so it goes to hosts that configuration allows, over https,
and nowhere else: not where DNS, a redirect or an answer points. What was found is kept in memory for a bounded time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from urllib.parse import urljoin, urlsplit

import requests

from syncd.adapters.ews.account import Discovery, EwsAccount
from syncd.adapters.ews.answer import NotSoap
from syncd.adapters.ews.autodiscover import (
    MOST_BYTES,
    PATH,
    Elsewhere,
    Said,
    Settings,
    Unanswered,
    read_settings,
    service_of,
    settings_request,
)
from syncd.config.addresses import secure
from syncd.errors import CalendarError, CalendarNotFound, NotACalendar, Rejected, Transient
from syncd.observe.logs import log

MOST_STEPS = 5
"""Services asked about one mailbox; more redirects than that lead in circles."""
RECENT = 60.0
"""Seconds in which a mailbox that does not answer at its endpoint is not looked up again."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ABSENT = frozenset({"InvalidUser", "InvalidDomain", "NotFederated"})

Send = Callable[[str, bytes, str], requests.Response]
"""Sends a body to a URL about a mailbox; raises errors of ours, and answers with statuses below 400 and with 500."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a mailbox is asked.

    :param url: ``https://HOST/EWS/Exchange.asmx``.
    :param group: mailboxes of the same one may share a connection that listens.
    :param told_by: host whose autodiscover named it; empty when configuration does.
    """

    url: str
    group: str = ""
    told_by: str = ""

    @property
    def host(self) -> str:
        """Name and port, for messages."""
        return host_of(self.url)


@dataclass(frozen=True, slots=True)
class _Found:
    endpoint: Endpoint
    at: float
    """When it was told, by a clock that only runs forward."""


class Endpoints:
    """Finds and remembers; safe to be used by several threads.

    :param send: asks the service; see `Send`.
    :param elapsed: a clock that only runs forward, in seconds.
    """

    def __init__(self, account: EwsAccount, send: Send, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._discovery = account.discovery
        self._named = Endpoint(account.url)
        self._send = send
        self._elapsed = elapsed
        self._lock = Lock()
        self._found: dict[str, _Found] = {}
        self._told: set[str] = set()

    @property
    def named(self) -> bool:
        """Whether configuration names the one endpoint that all mailboxes have."""
        return self._discovery is None

    def of(self, mailbox: str) -> Endpoint:
        """Where *mailbox* is asked, looked up when nobody knows any more.

        :raises CalendarError: it cannot be found; the text says what to do.
        """
        if self._discovery is None:
            return self._named
        kept, now = self._kept(mailbox), self._elapsed()
        if kept is not None and now - kept.at < self._discovery.seconds:
            return kept.endpoint
        try:
            return self._looked_up(mailbox, self._discovery)
        except Transient:
            # Nobody can be asked; the server itself still tells whether the mailbox is there.
            if kept is not None and now - kept.at < 2 * self._discovery.seconds:
                return kept.endpoint
            raise

    def of_account(self) -> Endpoint:
        """Where the service account asks in its own name, about groups and room lists.

        :raises CalendarError: it cannot be found; the text says what to do.
        """
        if self._discovery is not None and not self._discovery.mailbox:
            raise Rejected(
                "Groups and room lists belong to no mailbox that autodiscover could be asked about; nothing was "
                f"read. Name one: mailbox in [calendars.{self._account.name}.ews.autodiscover]"
            )
        return self._named if self._discovery is None else self.of(self._discovery.mailbox)

    def host(self, mailbox: str) -> str:
        """Who is asked about *mailbox*, for messages; nobody is asked for it."""
        kept = self._kept(mailbox)
        if self._discovery is None or kept is not None:
            return (kept.endpoint if kept else self._named).host
        return host_of(self._discovery.url or service_of(mailbox))

    def moved(self, mailbox: str) -> Endpoint | None:
        """The new endpoint of *mailbox*, which did not answer at the one that was known; None when it has no other."""
        kept = self._kept(mailbox)
        if self._discovery is None or kept is None or self._elapsed() - kept.at < RECENT:
            return None
        try:
            now = self._looked_up(mailbox, self._discovery)
        except CalendarError:
            return None
        return now if now.url != kept.endpoint.url else None

    def _kept(self, mailbox: str) -> _Found | None:
        with self._lock:
            return self._found.get(mailbox)

    def _looked_up(self, mailbox: str, discovery: Discovery) -> Endpoint:
        endpoint = self._search(mailbox, discovery)
        with self._lock:
            self._found[mailbox] = _Found(endpoint, self._elapsed())
            news = endpoint.url not in self._told
            self._told.add(endpoint.url)
        if news:
            log.info("exchange.endpoint", account=self._account.name, url=endpoint.url, told_by=endpoint.told_by)
        return endpoint

    def _search(self, mailbox: str, discovery: Discovery) -> Endpoint:
        """Follow from service to service, as long as configuration allows."""
        step = Elsewhere(discovery.url or service_of(mailbox), mailbox)
        asked: set[Elsewhere] = set()
        while step not in asked and len(asked) < MOST_STEPS:
            asked.add(step)
            self._demand(step.url, mailbox, discovery)
            said = self._ask(step, mailbox)
            if isinstance(said, Settings):
                return self._chosen(said, host_of(step.url), mailbox, discovery)
            if isinstance(said, Unanswered):
                raise _unanswered(said.code, host_of(step.url), mailbox)
            step = _next(said, step, discovery)
        raise NotACalendar(
            f"Autodiscover leads in circles for {mailbox} ({', '.join(sorted({host_of(one.url) for one in asked}))}); "
            f"nothing was read. {self._instead}"
        )

    def _ask(self, step: Elsewhere, mailbox: str) -> Said:
        response = self._send(step.url, settings_request(step.address, step.url), mailbox)
        if response.status_code in REDIRECTS:
            return Elsewhere(url=urljoin(step.url, response.headers.get("Location", "")))
        try:
            if len(response.content) > MOST_BYTES:
                raise NotSoap("more than anybody needs")
            return read_settings(response.content)
        except NotSoap as error:
            if response.status_code == 500:
                raise _unanswered("500", host_of(step.url), mailbox) from error
            raise NotACalendar(
                f"{host_of(step.url)} answered with {error} instead of autodiscover's SOAP for {mailbox}; nothing was "
                "read. Is a login page in the way? Get-AutodiscoverVirtualDirectory | Format-List Server,"
                f"WSSecurityAuthentication,InternalAuthenticationMethods. {self._instead}"
            ) from error

    def _demand(self, url: str, mailbox: str, discovery: Discovery) -> None:
        if not allowed(url, discovery.hosts):
            raise Rejected(
                f"Autodiscover for {mailbox} leads to {_shown(url)}, which ews.autodiscover.hosts does not allow; "
                f"nothing was sent there. Add the host if it is yours (it must speak https). {self._instead}"
            )

    def _chosen(self, said: Settings, told_by: str, mailbox: str, discovery: Discovery) -> Endpoint:
        for url in said.urls:
            if allowed(url, discovery.hosts):
                return Endpoint(url, said.group, told_by)
        if not said.urls:
            raise CalendarNotFound(
                f"{told_by} knows no web service for {mailbox}; nothing was read. Get-WebServicesVirtualDirectory | "
                f"Format-List Server,InternalUrl,ExternalUrl. {self._instead}"
            )
        cloud = any((urlsplit(url).hostname or "").endswith("office365.com") for url in said.urls)
        more = ' A mailbox that was moved to the cloud needs adapter = "graph".' if cloud else ""
        raise Rejected(
            f"{told_by} says that {mailbox} is at {' or '.join(map(_shown, said.urls))}, which ews.autodiscover.hosts "
            f"does not allow; nothing was sent there. Add the host if it is yours (it must speak https).{more}"
        )

    @property
    def _instead(self) -> str:
        return f"Or name the endpoint: [calendars.{self._account.name}] url, without ews.autodiscover."


def allowed(url: str, hosts: frozenset[str]) -> bool:
    """Whether *url* is https (or loopback) at one of *hosts*."""
    try:
        parts = urlsplit(url)
        named = parts.netloc.lower().removesuffix(":443")
    except ValueError:
        return False
    return secure(url) and named in {host.removesuffix(":443") for host in hosts}


def host_of(url: str) -> str:
    """Name and port in *url*."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _next(said: Elsewhere, before: Elsewhere, discovery: Discovery) -> Elsewhere:
    """Whom to ask next: another service about the same address, or about another address the service that knows it."""
    if said.url:
        # The address of the XML form leads to the same service's SOAP form.
        form = said.url.lower().endswith("/autodiscover.xml")
        return replace(before, url=urljoin(said.url, PATH) if form else said.url)
    return Elsewhere(discovery.url or service_of(said.address), said.address)


def _unanswered(code: str, host: str, mailbox: str) -> CalendarError:
    if code in ABSENT:
        return CalendarNotFound(
            f"{host} knows no mailbox {mailbox} ({code}); nothing was read. Is the address right, and is it a mailbox "
            f"here? Get-Mailbox {mailbox} | Format-List PrimarySmtpAddress,RecipientTypeDetails"
        )
    return Transient(f"Autodiscover at {host} cannot answer for {mailbox} now ({code}); it is tried again later.")


def _shown(url: str) -> str:
    """Scheme and host of a URL from outside; the rest may hold anything."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"[:100]
    except ValueError:
        return "an address that cannot be read"
