"""What only shows when checked tables are seen together: one that needs another, or does not go with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncd.config.load import Config


def disagreements(config: Config) -> Iterator[str]:
    """One sentence for each; nothing when the tables go together."""
    if config.dfdg.on and not config.jobnet.on:
        yield "dfdg.url needs jobnet.cpr_key: reports carry citizens' numbers, which are kept sealed"
    if config.booking_page.enabled and (config.jobnet.on or config.contacts.key is None):
        yield "booking_page.enabled needs contacts.key, and is not for use beside Jobnet (jobnet.cpr_key)"
    if any(report.to for report in config.supply.reports) and not config.mail.host:
        yield "supply.reports with to need mail.host: the server that takes mail"
    if config.sync.max_age_seconds < config.sync.interval_seconds:
        yield "sync.max_age_seconds must not be shorter than sync.interval_seconds: everything would be closed always"
    yield from _messages(config)


def _messages(config: Config) -> Iterator[str]:
    """What writing to citizens needs."""
    section = config.messages
    if not section.enabled:
        return
    if config.jobnet.on:
        yield "messages.enabled is not for use beside Jobnet (jobnet.cpr_key), which sends messages of its own"
    if config.contacts.key is None:
        yield "messages.enabled needs contacts.key: without it nobody's address or number is kept"
    if not config.mail.host and section.sms is None:
        yield "messages.enabled needs mail.host or [messages.sms]: the way that messages go"
    if not config.pages.public_url:
        yield "messages.enabled needs pages.public_url: each message has a link by which citizens can stop them"
