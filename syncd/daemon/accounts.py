"""From the `[calendars.NAME]` tables to the ways to calendars."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from syncd.adapters.caldav.calendar import CaldavCalendar
from syncd.adapters.caldav.client import CaldavAccount
from syncd.adapters.ews.account import EwsAccount, TokenSource
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.adapters.memory import MemoryCalendar
from syncd.clock import Clock
from syncd.config import CalendarAccount, Config, secret
from syncd.ports import CalendarPort


def ports_of(config: Config, clock: Clock) -> dict[str, CalendarPort]:
    """Every account's way to its calendars; nothing is contacted yet.

    :raises ConfigError: a secret cannot be read.
    """
    return {name: _port(name, account, clock, config.marks.marks().names) for name, account in config.calendars.items()}


def close_ports(ports: Mapping[str, CalendarPort]) -> None:
    """Let go of their connections."""
    for port in ports.values():
        if isinstance(port, CaldavCalendar | EwsCalendar):
            port.close()


def _port(name: str, account: CalendarAccount, clock: Clock, obeyed: Collection[str]) -> CalendarPort:
    if account.adapter == "memory":
        return MemoryCalendar()
    if account.adapter == "ews":
        return EwsCalendar(exchange_account(name, account), obeyed=obeyed, clock=clock)
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
    )


def _password(account: CalendarAccount) -> str | None:
    return secret(account.password) if account.password is not None else None


def _tokens(account: CalendarAccount) -> TokenSource | None:
    own = account.ews
    if own.auth != "oauth" or own.client_secret is None:
        return None
    return TokenSource(own.token_url or "", own.client_id or "", secret(own.client_secret), own.scope)
