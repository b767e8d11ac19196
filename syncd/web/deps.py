"""What the daemon hands to the web application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from syncd.booking.contacts import Contacts
from syncd.booking.desk import Desk
from syncd.clock import Clock
from syncd.config import ClientSection
from syncd.config.certificates import TlsSection
from syncd.dfdg.reporting import Reporting
from syncd.model.directory import Directory, MailboxId
from syncd.model.offer import Rulebook
from syncd.publish import Publisher
from syncd.store import Store
from syncd.web.access import Caller
from syncd.web.health import Health
from syncd.web.jobnet.facade import Facade
from syncd.web.pace import Pace
from syncd.web.page_parts import PageParts
from syncd.web.rendering import Renderer
from syncd.web.tokens import Issuer


class Freshen(Protocol):
    """Looks at calendars live, just before a time is reserved; outside every transaction."""

    def __call__(self, offer: str, start: datetime, caseworker: MailboxId | None, now: datetime, /) -> None:
        """Read again what a meeting of *offer* at *start* rests on, if its mirror is older than a set age.

        Failing to reach a calendar is no error here: whether the mirror may still be trusted is for the desk.

        :raises TemporarilyClosed: it was not reached, and what is known is older than a hold may rest on.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a request may ask."""

    body_bytes: int = 64 * 1024
    retry_seconds: int = 5
    """What Retry-After says when the database cannot be used."""


@dataclass(frozen=True, slots=True)
class Deps:
    """The rest of syncd, as the web sees it; functions where a reload may bring a new value.

    :param clients: the clients of the configuration, by name.
    :param rulebook: the rules in force.
    :param contacts: keeps citizens' contact data, when there is a key to seal them with.
    :param metrics: all figures in the Prometheus text format; None where another listener tells them.
    """

    store: Store
    publisher: Publisher
    desk: Desk
    clock: Clock
    clients: Callable[[], Mapping[str, ClientSection]]
    directory: Callable[[], Directory]
    rulebook: Callable[[], Rulebook]
    health: Callable[[], Health]
    freshen: Freshen
    metrics: Callable[[], bytes] | None
    contacts: Contacts = field(default_factory=Contacts)
    issuer: Issuer | None = None
    """Whose access tokens are taken besides static ones."""
    tls: TlsSection = field(default_factory=TlsSection)
    """Who tells of clients' certificates."""
    pace: Pace = field(default_factory=Pace)
    limits: Limits = field(default_factory=Limits)
    rendered: Renderer = field(default_factory=Renderer)
    pages: PageParts = field(default_factory=PageParts)
    jobnet: Facade | None = None
    """The planner facade, when it is configured."""
    notices: str | None = None
    """The listener on which Microsoft 365 may tell of changes (empty: the one for everything); None when on none."""
    reporting: Reporting | None = None
    """Reporting to DFDG, when the facade is configured."""


# Async, because FastAPI would send plain functions to another thread for nothing.
async def _deps(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


async def _caller(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


Service = Annotated[Deps, Depends(_deps)]
Client = Annotated[Caller, Depends(_caller)]
