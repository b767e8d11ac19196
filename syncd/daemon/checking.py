"""What `syncd check` looks at: the configuration and its calendars, whether or not there is a database yet."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from syncd import rulebook as rulebooks
from syncd.clock import Clock, SystemClock
from syncd.config import Config, demand
from syncd.daemon.accounts import close_ports, ports_of
from syncd.daemon.jobnet import doubts
from syncd.daemon.parts import applied_in, store_of
from syncd.daemon.reporting import choices
from syncd.daemon.servers import Server, differences
from syncd.daemon.servers import kept as kept_server
from syncd.daemon.upgrading import layout_of, lost
from syncd.errors import StoreError
from syncd.model.directory import Directory
from syncd.model.mirror import UnreadableObject
from syncd.model.offer import Rulebook
from syncd.model.task import TaskKind
from syncd.ports import CalendarPort, CheckResult, Learning, Scoped
from syncd.publish import RulesInForce
from syncd.store import Store
from syncd.store.overview import ahead
from syncd.store.schema import head

SUPPLY = (TaskKind.SUPPLY_SHORT, TaskKind.CASEWORKER_SHORT)
"""What the running service found too little of."""
NO_RULES = Rulebook(0, {}, {})


@dataclass(frozen=True)
class Kept:
    """What the database has to say, if it can be read.

    :param notes: about the database itself.
    :param layout: of the database; None when it was never set up or cannot be reached.
    :param applied: digest of the rules file it has applied.
    :param book: the rules in force.
    :param servers: what was found out before about each account's server.
    :param unreadable: objects of calendars that could not be understood when they were read last.
    """

    notes: tuple[str, ...]
    layout: str | None = None
    applied: str | None = None
    book: Rulebook = NO_RULES
    unreadable: tuple[UnreadableObject, ...] = ()
    servers: Mapping[str, Server] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """A configuration that can be used, with the ways to its calendars.

    :param kept: what the database says, which is only looked at, never made or changed.
    :param book: the rules in force; those of the rules file when none are.
    """

    config: Config
    directory: Directory
    ports: Mapping[str, CalendarPort]
    kept: Kept
    book: Rulebook

    def warnings(self, now: datetime, option: str = "") -> list[str]:
        """What is allowed, but can hardly be meant. :param option: what the commands in it need behind them."""
        told = list(self.kept.notes)
        if not self.book.offers:
            told.append(f"No rules are in force yet, so nothing is offered: syncd offers apply FILE.toml{option}")
        told += choices(self.config)
        told += doubts(self.config, self.book)
        return told + rulebooks.warnings(self.book, self.directory, now.date(), self.config.sync.horizon_days)


@contextmanager
def checked(config: Config, clock: Clock) -> Iterator[Checked]:
    """Look at everything the configuration points to.

    :raises ConfigError: something is missing or wrong; with all problems.
    """
    directory = config.directory()
    store = store_of(config)
    try:
        kept = _look(config, store, directory)
    finally:
        store.close()
    demand(config, applied=kept.applied)
    book = kept.book
    if not book.offers and config.rules_file is not None:
        text = config.rules_file.read_text(encoding="utf-8-sig")
        book = rulebooks.parse(text, directory, 0, str(config.rules_file))
    ports = ports_of(config, clock)
    try:
        yield Checked(config, directory, ports, kept, book)
    finally:
        close_ports(ports)


def _look(config: Config, store: Store, directory: Directory) -> Kept:
    notes: tuple[str, ...] = (store.warning,) if store.warning else ()
    try:
        layout = layout_of(store)
        if layout is None:
            told = lost(config, store) or f"{store.place} is not set up yet; the first start does it."
            return Kept((*notes, told))
        if layout != head():
            return Kept((*notes, f"{store.place} has layout {layout}; the next start upgrades it."), layout)
        with store.read() as tx:
            unreadable = tuple(tx.mailboxes.unreadable())
            notes += tuple(task.en for kind in SUPPLY for task in tx.tasks.waiting(kind))
            accounts = {mailbox.account for mailbox in directory.mailboxes.values()}
            servers = {name: server for name in accounts if (server := kept_server(tx, name)) is not None}
        return Kept(notes, layout, applied_in(store), RulesInForce(store, lambda: directory)(), unreadable, servers)
    except StoreError as error:
        return Kept((*notes, f"The database was not looked into: {error}"))


@dataclass(frozen=True)
class ServerSeen:
    """One account's server as it is now, beside what was kept of it.

    :param facts: of the check; where that could not tell, what was found out before.
    """

    account: str
    facts: Mapping[str, str]
    before: Server | None

    @property
    def changed(self) -> list[str]:
        """What is another than before."""
        return differences(self.before.facts, self.facts) if self.before is not None else []

    @property
    def says(self) -> str:
        """One line for the operator."""
        rest = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in self.facts.items() if name != "server")
        known = f" (so since {self.before.since:%Y-%m-%d})" if self.before is not None and not self.changed else ""
        another = f" Changed: {', '.join(self.changed)}." if self.changed else ""
        return f"{self.account}: {self.facts.get('server', 'unknown')}; {rest}{known}.{another}"

    def as_json(self) -> dict[str, object]:
        """The same for programs."""
        since = self.before.since.isoformat() if self.before is not None else None
        noted = self.before.noted.isoformat() if self.before is not None else None
        return {**self.facts, "noted": noted, "since": since, "changed": self.changed}


def scopes_seen(found: Checked, mailboxes: Iterable[str]) -> list[tuple[str, CheckResult]]:
    """What the accounts of these mailboxes may do beyond what is needed, by account."""
    accounts = dict.fromkeys(found.directory.mailboxes[one].account for one in mailboxes)
    ports = {name: found.ports[name] for name in accounts}
    return [(name, told) for name, port in ports.items() if isinstance(port, Scoped) for told in port.scope()]


def servers_seen(found: Checked, results: Mapping[str, CheckResult]) -> list[ServerSeen]:
    """The servers behind the calendars that answered, one of each account."""
    seen: dict[str, ServerSeen] = {}
    for name, result in results.items():
        account = found.directory.mailboxes[name].account
        port = found.ports[account]
        if account in seen or not result.ok or not isinstance(port, Learning):
            continue
        before = found.kept.servers.get(account)
        now = port.of_server(result)
        known = {fact: value for fact, value in (before.facts if before else {}).items() if now.get(fact) == "unknown"}
        seen[account] = ServerSeen(account, {**now, **known}, before)
    return list(seen.values())


def next_steps(found: Checked, results: Mapping[str, CheckResult], option: str = "") -> list[str]:
    """What to do next, the most urgent first; empty when citizens can book.

    :param option: what a command needs behind it to mean this configuration.
    """
    failing = [name for name, result in results.items() if not result.ok]
    steps = []
    if not found.directory.caseworkers:
        steps.append(f"There are no caseworkers yet: syncd people import FILE.csv{option} (or --group ADDRESS)")
    if failing:
        more = f" and {len(failing) - 3} more" if len(failing) > 3 else ""
        again = f"syncd check {' '.join(failing[:3])}{option}"
        steps.append(f"Mend {', '.join(failing[:3])}{more}, as their lines say, then: {again}")
    if found.book.offers and not found.config.clients:
        steps.append("No program may book yet: syncd client new portal")
    if not failing and found.book.offers and found.kept.layout is None:
        offer = next(iter(found.book.offers))
        rules = shlex.quote(str(found.config.rules_file))
        look = (f"offers apply {rules}", "sync", f"slots {offer}")
        steps.append(f"Look before you start: {'; '.join(f'syncd {one}{option}' for one in look)}")
    return steps


def with_meetings(config: Config, people: Collection[str]) -> set[str]:
    """Those of *people* who have meetings that are not over, as far as the database can be looked into."""
    store = store_of(config)
    try:
        if layout_of(store) != head():
            return set()
        with store.read() as tx:
            return {who for who, _, _ in ahead(tx.session, SystemClock().now())} & set(people)
    finally:
        store.close()
