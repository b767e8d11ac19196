"""Builds the planner facade for Jobnet from the configuration, and tells what the contract left us to choose."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from syncd.booking.reservations import Reservations
from syncd.clock import Clock
from syncd.config import Config, sealing_key
from syncd.config.jobnet import CLIENT
from syncd.cpr import CprKey
from syncd.daemon.parts import Parts
from syncd.model.offer import Offer, Rulebook
from syncd.store import Tx
from syncd.web.jobnet.facade import TOLD_FOR, Facade
from syncd.web.jobnet.mapping import MappingFile, read
from syncd.web.jobnet.matching import alike, lets_in_anybody, talk_code

PORTION = 500
"""Rows forgotten in one transaction."""


def facade_of(parts: Parts, clock: Clock) -> Facade | None:
    """The facade; None when it is not configured.

    :raises ConfigError: its key or mapping cannot be used.
    """
    section = parts.config.jobnet
    if section.cpr_key is None:
        return None
    mapping = read(section.mapping)
    reservations = Reservations(
        parts.store,
        parts.desk,
        parts.publisher.rules,
        CLIENT,
        timedelta(minutes=section.reservation_minutes),
        lambda book, offer: alike(book, mapping.codes, offer),
        parts.reporting.ledger.noted if parts.reporting is not None else nothing,
    )
    return Facade(
        section=section,
        mapping=mapping,
        key=CprKey(sealing_key(section.cpr_key)),
        store=parts.store,
        publisher=parts.publisher,
        reservations=reservations,
        directory=lambda: parts.directory,
        freshen=parts.live,
        clock=clock,
        identifiers=section.caseworkers,
    )


def nothing(_tx: Tx, _indkaldelse: str, _now: datetime, _latest: date | None) -> None:
    """Nobody is to be told."""


def choices(config: Config) -> list[str]:
    """What the contract leaves open and we chose, one sentence each; nothing when the facade is off.

    :raises ConfigError: the mapping cannot be used.
    """
    return list(read(config.jobnet.mapping).choices()) if config.jobnet.on else []


def doubts(config: Config, book: Rulebook) -> list[str]:
    """What is allowed, but keeps offers from Jobnet.

    :raises ConfigError: the mapping cannot be used.
    """
    if not config.jobnet.on:
        return []
    mapping, told = read(config.jobnet.mapping), []
    if not config.jobnet.jobcentres:
        told.append("jobnet.jobcentres is empty, so no citizen is shown any offer on Jobnet.")
    named = {name for names in config.jobnet.jobcentres.values() for name in names}
    told += [f"jobnet.jobcentres names the offer '{name}', which is not in force." for name in named - {*book.offers}]
    told += [sentence for offer in book.offers.values() if (sentence := _doubt(offer, mapping))]
    return told


def _doubt(offer: Offer, mapping: MappingFile) -> str | None:
    if talk_code(mapping.codes, offer) is None:
        return f"The offer '{offer.name}' has no code of a talk (talk_type), so it is not shown on Jobnet."
    if not lets_in_anybody(offer):
        return f"The offer '{offer.name}' is for the citizen's own caseworker only, whom Jobnet does not tell."
    return None


def forget(parts: Parts, now: datetime) -> int:
    """Forget what the facade kept longer than bookings are; how many rows."""
    kept, total = timedelta(days=parts.config.retention.bookings_days), 0
    while found := parts.store.run(lambda tx: tx.jobnet.forget(now - kept, now - TOLD_FOR, PORTION)):
        total += found
    return total
