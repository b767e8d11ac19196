"""Puts the parts together: from configuration to a directory, calendar ports, engines and a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncd import rulebook as rulebooks
from syncd.adapters.dfdg.client import DfdgClient
from syncd.adapters.webhook import HttpCourier
from syncd.booking.announce import Announcer
from syncd.booking.away import Away
from syncd.booking.contacts import Contacts
from syncd.booking.desk import Desk
from syncd.booking.handover import Handover
from syncd.booking.keep_rooms import RoomKeeper
from syncd.booking.obey import MarkKeeper
from syncd.booking.reconcile import Reconciler
from syncd.booking.sealing import Seal
from syncd.booking.sight import Limits as RepairLimits
from syncd.booking.watch import Watch
from syncd.clock import Clock, SystemClock
from syncd.config import Config, demand, sealing_key, secret
from syncd.daemon.accounts import close_ports, ports_of
from syncd.daemon.issuer import IssuerKeys
from syncd.daemon.node import SINGLE, Membership
from syncd.daemon.reporting import demands_of, reporting_of
from syncd.daemon.servers import remind
from syncd.daemon.shares import Share, cut
from syncd.daemon.upgrading import layout_of, lost, upgrade
from syncd.dfdg.reporting import Reporting
from syncd.errors import ConfigError, StoreError
from syncd.model.directory import Directory, Mailbox, MailboxId
from syncd.model.offer import Rulebook
from syncd.notify.relay import Receiver
from syncd.notify.signing import key_of
from syncd.observe.logs import log
from syncd.ports import CalendarPort
from syncd.publish import Publisher, PublishSettings, RulesInForce
from syncd.publish.guard import SupplyGuard
from syncd.publish.recording import Recorder
from syncd.store import Store, Tx
from syncd.store.schema import head, serves_us
from syncd.sync.engine import Engine
from syncd.sync.live import LiveLook, Patience
from syncd.sync.plan import Limits
from syncd.sync.timing import Pace


@dataclass(frozen=True)
class Parts:
    """Everything one configuration brings into force; a reload replaces the whole."""

    config: Config
    directory: Directory
    store: Store
    ports: Mapping[str, CalendarPort]
    rulebook: RulesInForce
    publisher: Publisher
    desk: Desk
    engine: Engine
    shares: Mapping[Share, tuple[Mailbox, ...]]
    reconciler: Reconciler
    rooms: RoomKeeper
    marks: MarkKeeper
    contacts: Contacts
    announcer: Announcer
    away: Away
    handover: Handover
    watch: Watch
    guard: SupplyGuard
    live: LiveLook
    receivers: Mapping[str, Receiver]
    courier: HttpCourier
    recorder: Recorder
    issuer: IssuerKeys
    node: Membership
    reporting: Reporting | None = None
    dfdg: DfdgClient | None = None

    def warnings(self, now: datetime) -> list[str]:
        """What is allowed in configuration and rules, but can hardly be meant."""
        told = [self.store.warning] if self.store.warning else []
        book = self.rulebook()
        if not book.offers:
            told.append("No rules are in force yet, so nothing is offered: syncd offers apply FILE.toml")
        return told + rulebooks.warnings(book, self.directory, now.date(), self.config.sync.horizon_days)

    @contextmanager
    def trying(self, book: Rulebook) -> Iterator[Parts]:
        """The same parts with *book* in force, for looking only."""
        trial = TrialRules(self.store, lambda: self.directory, book)
        yield replace(self, rulebook=trial, publisher=_publisher(self.config, self.store, self.directory, trial))

    def replaced(self) -> None:
        """Let go of what a new configuration has of its own, while the database and calls under way go on."""
        self.live.close()
        if self.dfdg is not None:
            self.dfdg.close()

    def close(self) -> None:
        """Let go of connections."""
        self.live.close()
        self.courier.close()
        if self.dfdg is not None:
            self.dfdg.close()
        close_ports(self.ports)
        self.store.close()


def open_store(config: Config) -> Store:
    """The database, upgraded to this version's layout; left as it is unless the configuration can be used.

    :raises ConfigError: something that the configuration points to is missing or wrong; with all problems.
    :raises StoreError: it cannot be used, or is gone.
    """
    store = judged(config)
    upgrade(config, store, SystemClock().now())
    return store


def judged(config: Config) -> Store:
    """The database as it is, once the configuration is found usable with it.

    :raises ConfigError: something that the configuration points to is missing or wrong; with all problems.
    :raises StoreError: it cannot be reached, or is gone.
    """
    store = store_of(config)
    layout = layout_of(store)
    if layout in (None, head()):  # an older layout is upgraded first: the rules in force cannot be looked up in it
        known = directory_of(config, store, SystemClock().now()) if layout else None
        demand(config, applied=applied_in(store) if layout else None, directory=known)
    _demand_kept(config, store)
    return store


def _demand_kept(config: Config, store: Store) -> None:
    """:raises StoreError: the database that was there before is not there any more."""
    if (says := lost(config, store)) is not None:
        raise StoreError(says)


def look_into_store(config: Config, *, fresh: bool = True, anew: bool = False) -> Store:
    """The database as it is, for a command beside a running service; with *fresh*, a new one is set up first.

    :param anew: also where another was before, to be filled from a backup.
    :raises ConfigError: its password cannot be read.
    :raises StoreError: it cannot be used, is gone, or has the layout of another version.
    """
    store = store_of(config)
    found = layout_of(store)
    if not anew:
        _demand_kept(config, store)
    if found is None and not fresh:
        raise StoreError(
            f"{store.place[0].upper()}{store.place[1:]} holds nothing yet: either `database` in the configuration is "
            "another one than the service's, or the service has never started. Nothing was set up; its first start "
            "does that."
        )
    if found is None:
        store.upgrade()
    elif found != head() and not _goes_on(store):
        raise StoreError(
            f"{store.place} has layout {found}, this version of syncd needs {head()}. Nothing was done. "
            "Stop the service, then run: syncd db upgrade"
        )
    return store


def _goes_on(store: Store) -> bool:
    """Whether a newer version's layout can be used by this one for as long as an upgrade takes."""
    with store.raw() as connection:
        return serves_us(connection)


def store_of(config: Config) -> Store:
    """The database, not contacted yet.

    :raises ConfigError: its password cannot be read; with everything else that is wrong.
    """
    try:
        return Store(config.database_url())
    except ConfigError:
        demand(config)
        raise


def applied_in(store: Store) -> str | None:
    """Digest of the rules file that was applied last."""
    with store.read() as tx:
        return tx.rules.applied_digest()


class TrialRules(RulesInForce):
    """Rules that are being looked at, whatever the newest revision is."""

    def __init__(self, store: Store, directory: Callable[[], Directory], book: Rulebook) -> None:
        super().__init__(store, directory)
        self._book = book

    def within(self, _tx: Tx) -> Rulebook:
        """Always the rules on trial."""
        return self._book


def assemble(config: Config, store: Store, clock: Clock, node: Membership = SINGLE) -> Parts:
    """Build everything; changes nothing yet.

    :param node: this process among others on the same database.
    :raises ConfigError: something that the configuration points to is missing or wrong; with all problems.
    """
    directory = directory_of(config, store, clock.now())
    demand(config, applied=applied_in(store), directory=directory)
    ports = ports_of(config, clock)
    remind(store, ports)
    return _joined(config, directory, store, ports, clock, node)


def directory_of(config: Config, store: Store, now: datetime) -> Directory:
    """Everybody and everything: those of the configuration, and the people of its groups as they were last told."""
    if not config.groups:
        return config.directory()
    with store.read() as tx:
        return config.directory(tx.members.serving(now))


def put_in_force(parts: Parts, clock: Clock) -> None:
    """Apply the rules file if it changed, and watch exactly the mailboxes of the configuration.

    :raises ConfigError: the rules file has mistakes; then nothing was changed.
    """
    _apply_rules(parts.config, parts.store, parts.directory, clock)
    parts.engine.prepare()


def rebuilt(kept: Parts, config: Config, clock: Clock) -> Parts:
    """The parts for a new configuration over the same database.

    :raises ConfigError: it cannot be used; *kept* is untouched.
    """
    parts = assemble(config, kept.store, clock, kept.node)
    put_in_force(parts, clock)
    return parts


def _joined(
    config: Config,
    directory: Directory,
    store: Store,
    ports: Mapping[str, CalendarPort],
    clock: Clock,
    node: Membership,
) -> Parts:
    marks, pace = config.marks.marks(), pace_of(config)
    engine = Engine(store, ports, directory, pace, marks=marks, apart=node.apart, together=node.together)
    rules = RulesInForce(store, lambda: directory)
    publisher = _publisher(config, store, directory, rules)
    contacts = Contacts(_seal(config))
    reporting, dfdg = reporting_of(config, store, lambda: directory, rules, clock)
    limit = timedelta(seconds=config.sync.hold_limit_seconds)
    max_age = timedelta(seconds=config.sync.max_age_seconds)
    return Parts(
        config=config,
        directory=directory,
        store=store,
        ports=ports,
        rulebook=rules,
        publisher=publisher,
        desk=Desk(store, publisher, lambda: directory),
        engine=engine,
        shares=cut(directory.mailboxes.values(), alone=node is SINGLE),
        reconciler=Reconciler(
            store,
            lambda: ports,
            lambda: directory,
            rules,
            RepairLimits(max_age=max_age),
            number=contacts.numbers if config.contacts.in_calendar else lambda _tx, _bookings: "",
            node=node,
        ),
        rooms=RoomKeeper(store, lambda: directory, rules, max_age),
        announcer=Announcer(store, lambda: directory, rules),
        marks=MarkKeeper(store, lambda: directory, rules, config.marks.marks()),
        contacts=contacts,
        away=Away(store, publisher, lambda: directory, contacts),
        handover=Handover(store, publisher, lambda: directory),
        watch=Watch(store, lambda: directory),
        guard=SupplyGuard(store, publisher, directory, demands_of(config, reporting)),
        live=LiveLook(store, engine, lambda offer, named: _serving(rules(), offer, named), Patience(limit=limit)),
        receivers=receivers_of(config),
        courier=HttpCourier(clock),
        recorder=Recorder(store, publisher),
        issuer=IssuerKeys(config.oauth),
        node=node,
        reporting=reporting,
        dfdg=dfdg,
    )


def receivers_of(config: Config) -> dict[str, Receiver]:
    """The clients that listen for webhooks, by name.

    :raises ConfigError: a signing secret cannot be read or used.
    """
    found: dict[str, Receiver] = {}
    for name, client in config.clients.items():
        if (hook := client.webhook) is not None:
            refs = [ref for ref in (hook.secret, hook.next_secret) if ref is not None]
            keys = tuple(key_of(secret(ref), f"clients.{name}.webhook") for ref in refs)
            found[name] = Receiver(name, hook.url, hook.events, keys)
    return found


def _seal(config: Config) -> Seal | None:
    """What seals contact data; None when no key is configured."""
    kept = config.contacts
    if kept.key is None:
        return None
    return Seal(sealing_key(kept.key), *([sealing_key(kept.old_key)] if kept.old_key else []))


def _publisher(config: Config, store: Store, directory: Directory, rules: RulesInForce) -> Publisher:
    settings = PublishSettings(max_age=timedelta(seconds=config.sync.max_age_seconds))
    return Publisher(store, lambda: directory, settings, rules)


def _serving(book: Rulebook, offer: str, named: MailboxId | None) -> list[MailboxId]:
    found = book.offers.get(offer)
    serving = found.caseworkers if found is not None else ()
    return [person for person in serving if named in (None, person)]


def _apply_rules(config: Config, store: Store, directory: Directory, clock: Clock) -> None:
    if config.rules_file is None:
        return
    number = rulebooks.apply_file_if_changed(store, config.rules_file, directory, clock.now())
    if number is not None:
        log.info("rules.applied", revision=number)


def pace_of(config: Config) -> Pace:
    """How often and how far calendars are read."""
    sync = config.sync
    return Pace(
        interval=timedelta(seconds=sync.interval_seconds),
        horizon_days=sync.horizon_days,
        full_every=timedelta(minutes=sync.full_every_minutes),
        full_by_account={
            name: timedelta(days=one.graph.reseed_days)
            for name, one in config.calendars.items()
            if one.adapter == "graph"
        },
        max_age=timedelta(seconds=sync.max_age_seconds),
        workers=sync.workers,
        limits=Limits(share=sync.loss_share, least=sync.loss_least, own=sync.loss_own),
    )
