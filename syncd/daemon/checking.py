"""What `syncd check` looks at: the configuration and its calendars, whether or not there is a database yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from syncd import rulebook as rulebooks
from syncd.clock import Clock
from syncd.config import Config, demand
from syncd.daemon.accounts import close_ports, ports_of
from syncd.daemon.parts import applied_in, layout_of, store_of
from syncd.errors import StoreError
from syncd.model.directory import Directory
from syncd.model.mirror import UnreadableObject
from syncd.model.offer import Rulebook
from syncd.model.task import TaskKind
from syncd.ports import CalendarPort
from syncd.publish import RulesInForce
from syncd.store import Store
from syncd.store.schema import head

SUPPLY = (TaskKind.SUPPLY_SHORT, TaskKind.CASEWORKER_SHORT)
"""What the running service found too little of."""
NO_RULES = Rulebook(0, {}, {})


@dataclass(frozen=True)
class Kept:
    """What the database has to say, if it can be read.

    :param notes: about the database itself.
    :param applied: digest of the rules file it has applied.
    :param book: the rules in force.
    :param unreadable: objects of calendars that could not be understood when they were read last.
    """

    notes: tuple[str, ...]
    applied: str | None = None
    book: Rulebook = NO_RULES
    unreadable: tuple[UnreadableObject, ...] = ()


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

    def warnings(self, now: datetime) -> list[str]:
        """What is allowed, but can hardly be meant."""
        told = list(self.kept.notes)
        if not self.book.offers:
            told.append("No rules are in force yet, so nothing is offered: syncd offers apply FILE.toml")
        return told + rulebooks.warnings(self.book, self.directory, now.date(), self.config.sync.horizon_days)


@contextmanager
def checked(config: Config, clock: Clock) -> Iterator[Checked]:
    """Look at everything the configuration points to.

    :raises ConfigError: something is missing or wrong; with all problems.
    """
    directory = config.directory()
    store = store_of(config)
    try:
        kept = _look(store, directory)
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


def _look(store: Store, directory: Directory) -> Kept:
    notes: tuple[str, ...] = (store.warning,) if store.warning else ()
    try:
        layout = layout_of(store)
        if layout is None:
            return Kept((*notes, f"{store.place} is not set up yet; the first start does it."))
        if layout != head():
            return Kept((*notes, f"{store.place} has layout {layout}; the next start upgrades it."))
        with store.read() as tx:
            unreadable = tuple(tx.mailboxes.unreadable())
            notes += tuple(task.en for kind in SUPPLY for task in tx.tasks.waiting(kind))
        return Kept(notes, applied_in(store), RulesInForce(store, lambda: directory)(), unreadable)
    except StoreError as error:
        return Kept((*notes, f"The database was not looked into: {error}"))
