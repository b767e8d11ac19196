"""From the `[calendars.NAME]` tables to the ways to calendars."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from syncd.adapters.ews.account import Discovery, EwsAccount, TokenSource
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.hybrid import HybridCalendar
from syncd.adapters.memory import MemoryCalendar
from syncd.clock import Clock
from syncd.config import CalendarAccount, Config, secret
from syncd.errors import ConfigError
from syncd.ports import CalendarPort


@runtime_checkable
class Closing(Protocol):
    """A way to calendars that keeps connections."""

    def close(self) -> None:
        """Let go of them."""
        ...


def ports_of(config: Config, clock: Clock) -> dict[str, CalendarPort]:
    """Every account's way to its calendars; nothing is contacted yet.

    :raises ConfigError: a secret cannot be read.
    """
    obeyed = config.marks.marks().names
    single = {name: _port(name, account, clock, obeyed) for name, account in config.calendars.items()}
    others = {name: account.hybrid for name, account in config.calendars.items() if account.hybrid is not None}
    return single | {name: HybridCalendar(name, single[name], other, single[other]) for name, other in others.items()}


def close_ports(ports: Mapping[str, CalendarPort]) -> None:
    """Let go of their connections."""
    for port in ports.values():
        if isinstance(port, Closing):
            port.close()


def _port(name: str, account: CalendarAccount, clock: Clock, obeyed: Collection[str]) -> CalendarPort:
    if account.adapter == "memory":
        return MemoryCalendar()
    if account.adapter == "ews":
        return EwsCalendar(exchange_account(name, account), obeyed=obeyed, clock=clock)
    if account.adapter == "graph":
        # 0.1 s that nobody waits for who has no mailbox in the cloud; so with CalDAV below
        from syncd.adapters.graph.calendar import GraphCalendar

        return GraphCalendar(graph_account(name, account), obeyed=obeyed, clock=clock)
    return _caldav(name, account, clock, obeyed)


def _caldav(name: str, account: CalendarAccount, clock: Clock, obeyed: Collection[str]) -> CalendarPort:
    from syncd.adapters.caldav.calendar import CaldavCalendar
    from syncd.adapters.caldav.client import CaldavAccount

    reach = CaldavAccount(
        name=name,
        url=account.url or "",
        username=account.username,
        password=_password(account),
        timeout=float(account.timeout_seconds),
        ca_file=str(account.ca_file) if account.ca_file else None,
        opening_hours=account.opening_hours,
    )
    return CaldavCalendar(reach, obeyed=obeyed, clock=clock)


def exchange_account(name: str, account: CalendarAccount) -> EwsAccount:
    """How the Exchange server of `[calendars.name]` is reached.

    :raises ConfigError: a secret cannot be read.
    """
    own = account.ews
    return EwsAccount(
        name=name,
        url=account.url or "",
        auth=own.auth,
        username=account.username,
        password=_password(account),
        tokens=_tokens(account),
        certificate=str(own.client_certificate) if own.client_certificate else None,
        certificate_key=str(own.client_key) if own.client_key else None,
        ca_file=str(account.ca_file) if account.ca_file else None,
        proxy=own.proxy,
        timeout=float(account.timeout_seconds),
        connections=own.connections,
        impersonate=own.impersonate,
        streaming=own.streaming,
        discovery=_discovery(account),
    )


def graph_account(name: str, account: CalendarAccount) -> GraphAccount:
    """How the tenant of `[calendars.name]` is reached, and as which application.

    :raises ConfigError: a secret, certificate or key cannot be read.
    """
    own = account.graph
    graph_url, login_url = own.roots
    return GraphAccount(
        name=name,
        tenant=own.tenant or "",
        client_id=own.client_id or "",
        credentials=tuple(_credentials(name, account)),
        graph_url=graph_url,
        login_url=login_url,
        ca_file=str(account.ca_file) if account.ca_file else None,
        proxy=own.proxy,
        timeout=float(account.timeout_seconds),
        most=own.concurrency,
        teams=own.teams,
        control=own.control or "",
    )


def _credentials(name: str, account: CalendarAccount) -> Iterator[Credential]:
    """The application's certificates, old before new, or its secret."""
    own = account.graph
    word = secret(own.passphrase) if own.passphrase is not None else ""
    for certificate, key in ((own.certificate, own.key), (own.next_certificate, own.next_key)):
        if certificate is not None:
            private = _text(name, key) if key is not None else ""
            yield Credential(certificate=_text(name, certificate), key=private, passphrase=word)
    if own.secret is not None:
        yield Credential(secret=secret(own.secret))


def _text(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"calendars.{name}.graph", [f"'{path}' cannot be read as a PEM file"]) from None


def _discovery(account: CalendarAccount) -> Discovery | None:
    own = account.ews.autodiscover
    if not own.hosts:
        return None
    named = own.mailbox or (account.username or "" if "@" in (account.username or "") else "")
    return Discovery(frozenset(own.hosts), own.url or "", own.hours * 3600.0, named.lower())


def _password(account: CalendarAccount) -> str | None:
    return secret(account.password) if account.password is not None else None


def _tokens(account: CalendarAccount) -> TokenSource | None:
    own = account.ews
    if own.auth != "oauth" or own.client_secret is None:
        return None
    return TokenSource(own.token_url or "", own.client_id or "", secret(own.client_secret), own.scope)
