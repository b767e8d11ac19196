"""A small house on a simulated Exchange server, and exchangelib accounts in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from exchangelib import (
    IMPERSONATION,
    Account,
    Configuration,
    Credentials,
    EWSDateTime,
    EWSTimeZone,
    Version,
)
from exchangelib.protocol import FailFast
from exchangelib.version import EXCHANGE_2016

from tests.environment import shared
from tests.servers.exchange import ExchangeServer

ZONE = EWSTimeZone("Europe/Copenhagen")
ANNA, BO, ROOM = "anna@byhavn.example", "bo@byhavn.example", "lokale-1@byhavn.example"
USER, PASSWORD = "svc", "hemmelig"


@contextmanager
def house(**more: Any) -> Iterator[ExchangeServer]:
    """Anna, Bo and one room; at the end Microsoft's schemas must have liked every message."""
    with ExchangeServer(schemas=shared("reference/ews-xsd"), **{"clock": ticking(), **more}) as running:
        running.account(USER, PASSWORD, impersonates=True)
        running.mailbox(ANNA, "Anna Holm")
        running.mailbox(BO, "Bo Kjeldsen")
        running.room(ROOM, "Lokale 1")
        yield running
        assert "\n".join(running.violations) == ""


def account_of(
    server: ExchangeServer, email: str = ANNA, auth: str = "basic", password: str = PASSWORD, credentials: Any = None
) -> Account:
    """A mailbox as exchangelib opens it, impersonating, with every hint and no second try."""
    hints = {"auth_type": auth} if credentials is None else {}
    config = Configuration(
        service_endpoint=server.url,
        credentials=credentials or Credentials(USER, password),
        version=Version(EXCHANGE_2016),
        retry_policy=FailFast(),
        max_connections=4,
        **hints,
    )
    return Account(email, config=config, access_type=IMPERSONATION, autodiscover=False, default_timezone=ZONE)


def ticking() -> Callable[[], datetime]:
    """A clock that goes from the Saturday before, for what may be booked depends on how far ahead it is."""
    began = time.monotonic()
    return lambda: datetime(2026, 11, 28, 7, tzinfo=UTC) + timedelta(seconds=time.monotonic() - began)


def utc(hour: float, day: int = 0) -> datetime:
    """Some time after the Monday 2026-11-30."""
    return datetime(2026, 11, 30, tzinfo=UTC) + timedelta(days=day, hours=hour)


def at(hour: float, day: int = 0) -> Any:
    """The same for exchangelib, which has datetimes of its own."""
    return EWSDateTime.from_datetime(utc(hour, day)).astimezone(ZONE)


def plain(moment: Any) -> datetime:
    """An exchangelib datetime in UTC, of the usual kind."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)
