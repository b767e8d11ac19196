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
