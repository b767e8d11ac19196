"""Builds what reports to DFDG and listens to it, and says what of that is done again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from syncd.adapters.dfdg import wire
from syncd.adapters.dfdg.client import Account, DfdgClient
from syncd.booking.sight import Limits
from syncd.clock import Clock
from syncd.config import Config, read_toml, sealing_key
from syncd.config.credentials import secret_file
from syncd.config.dfdg import DfdgSection
from syncd.config.dfdg_names import DfdgNames
from syncd.cpr import CprKey
from syncd.dfdg.deadlines import demanded
from syncd.dfdg.inbox import Inbox
from syncd.dfdg.ledger import Ledger
from syncd.dfdg.linking import Linker
from syncd.dfdg.report import Reporter
from syncd.dfdg.reporting import Reporting
from syncd.dispatch.port import Scope, Task
from syncd.errors import CalendarError, ConfigError
from syncd.model.dfdg import Words
from syncd.model.directory import Directory
from syncd.model.offer import Form, Rulebook
from syncd.observe import metrics
from syncd.observe.logs import log
from syncd.publish.guard import Demand
from syncd.section import complaints
from syncd.store import Store, Tx
from syncd.web.jobnet.mapping import MappingFile, read
from syncd.web.jobnet.matching import talk_code

REPORT_SECONDS = 2.0
HANDLE_SECONDS = 2.0
UNSEEN_SECONDS = 300.0
PATIENCE = timedelta(minutes=15)
"""So long after a booking on Jobnet DFDG is not asked whether it wrote its own record."""


def names_of(section: DfdgSection) -> DfdgNames:
    """What DFDG's services are called.

    :raises ConfigError: the mapping file cannot be used.
    """
    if section.mapping is None:
        return DfdgNames()
    try:
        return DfdgNames.model_validate(read_toml(section.mapping))
    except ValidationError as error:
        raise ConfigError(str(section.mapping), complaints(error, DfdgNames)) from None


def words_of(config: Config, mapping: MappingFile, book: Rulebook) -> Words:
    """What stands for what on both sides, by the facade's own mapping."""
    offers: dict[int, tuple[str, ...]] = {}
    for offer in book.offers.values():
        if (kind := talk_code(mapping.codes, offer)) is not None:
            offers[kind] = (*offers.get(kind, ()), offer.name)
    return Words(config.jobnet.caseworkers, {form: mapping.codes.form(form) for form in Form}, offers)


def reporting_of(
    config: Config, store: Store, directory: Callable[[], Directory], rules: Callable[[], Rulebook], clock: Clock
) -> tuple[Reporting | None, DfdgClient | None]:
    """Everything about DFDG, and its client to be closed; None without the key of citizens' numbers.

    :raises ConfigError: key, mapping or certificate cannot be used.
    """
    section = config.dfdg
    if config.jobnet.cpr_key is None:
        return None, None
    key, mapping = CprKey(sealing_key(config.jobnet.cpr_key)), read(config.jobnet.mapping)
    ledger = Ledger(directory, lambda: words_of(config, mapping, rules()))
    linker = Linker(store, ledger, key)
    if section.url is None:
        return Reporting(ledger, linker, section.benefit_groups), None
    names = names_of(section)
    client = DfdgClient(_account(section, names), clock)
    limits = Limits(max_age=timedelta(seconds=config.sync.max_age_seconds))
    inbox = Inbox(store, client, ledger, key, directory, rules, limits, deadlines=section.deadlines)
    made = Reporting(
        ledger,
        linker,
        section.benefit_groups,
        Reporter(store, client, ledger, key),
        inbox,
        partial(wire.heard, names),
        summonses=section.messages != "off",
        pushed=section.messages in ("push", "both"),
    )
    return made, client


def _account(section: DfdgSection, names: DfdgNames) -> Account:
    shown: Path | None = None if section.certificate is None else secret_file(section.certificate)
    return Account(
        url=section.url or "",
        organisation_type=section.organisation_type,
        organisation_code=section.organisation_code,
        user=section.user,
        user_type=section.user_type,
        certificate=shown,
        ca_file=section.ca_file,
        names=names,
    )


def demands_of(config: Config, reporting: Reporting | None) -> Callable[[Tx, date], list[Demand]]:
    """What open deadlines ask of the supply guard; nothing when they are not read."""
    if reporting is None or not config.dfdg.deadlines:
        return lambda _tx, _today: []
    return lambda tx, today: demanded(tx, reporting.ledger.words, today)


def choices(config: Config) -> list[str]:
    """Names that nobody has confirmed, in one sentence; nothing when DFDG is not reported to.

    :raises ConfigError: the mapping cannot be used.
    """
    guesses = names_of(config.dfdg).guesses() if config.dfdg.on else []
    if not guesses:
        return []
    told = ", ".join(f"{name} = {value}" for name, value in guesses)
    return [
        f"{len(guesses)} names of DFDG's services are guesses that its Swagger must confirm ([dfdg] mapping): {told}"
    ]


def reporting_tasks(
    config: Callable[[], Config],
    reporting: Callable[[], Reporting | None],
    store: Callable[[], Store],
    clock: Clock,
    stopping: Callable[[], bool],
) -> list[Task]:
    """Report, poll, handle messages, and look for what DFDG should have written."""

    def report(_beat: Callable[[], None]) -> None:
        if (found := reporting()) is not None and found.reporter is not None:
            found.reporter.weigh_changed(clock.now())
            found.reporter.send_due(clock.now, stopping)

    def poll(_beat: Callable[[], None]) -> None:
        found = reporting()
        if found is None or found.inbox is None or config().dfdg.messages not in ("poll", "both"):
            return
        try:
            found.inbox.poll(clock.now())
        except CalendarError as error:
            log.warning("dfdg.not_polled", problem=str(error))

    def handle(_beat: Callable[[], None]) -> None:
        if (found := reporting()) is not None and found.inbox is not None:
            found.inbox.handle_due(clock.now, stopping)

    def unseen(_beat: Callable[[], None]) -> None:
        if (found := reporting()) is not None and found.reporter is not None:
            create = config().dfdg.report_selfbook == "if-missing"
            found.reporter.look_for_unseen(clock.now(), PATIENCE, create=create)

    def gauge(_beat: Callable[[], None]) -> None:
        if reporting() is not None:
            measure(store(), clock)

    return [
        Task("dfdg.report", REPORT_SECONDS, report),
        Task("dfdg.poll", float(config().dfdg.poll_seconds), poll),
        Task("dfdg.handle", HANDLE_SECONDS, handle),
        Task("dfdg.unseen", UNSEEN_SECONDS, unseen),
        Task("dfdg.gauges", UNSEEN_SECONDS, gauge, scope=Scope.EACH),
    ]


def measure(store: Store, clock: Clock) -> None:
    """Set the figures about DFDG."""
    with store.read() as tx:
        owed, since = tx.dfdg.owed()
        metrics.DFDG_REFUSED.set(len(tx.dfdg.refused()))
        metrics.DFDG_MESSAGES_WAITING.set(tx.dfdg.messages_waiting(clock.now()))
    metrics.DFDG_OWED.set(owed)
    metrics.DFDG_OLDEST.set((clock.now() - since).total_seconds() if since is not None else 0)
