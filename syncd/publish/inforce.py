"""The rules in force: the newest revision, read for the people there are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from syncd.model.directory import Directory
from syncd.model.offer import Rulebook
from syncd.rulebook import parse
from syncd.store import Store, Tx


class Rules(Protocol):
    """Where a publisher finds its rules."""

    def within(self, tx: Tx) -> Rulebook:
        """The rules as this transaction sees them."""
        ...


@dataclass(frozen=True)
class Proposed:
    """Rules that are not in force, for a preview."""

    rulebook: Rulebook

    def within(self, _tx: Tx) -> Rulebook:
        """The proposed rules, whatever the database says."""
        return self.rulebook


class RulesInForce:
    """Gives the newest revision as a rulebook; parsed once per revision and directory. Thread-safe."""

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory
        self._kept: tuple[Directory, Rulebook] | None = None
        self._lock = Lock()

    def __call__(self) -> Rulebook:
        """The rules in force now; without offers before the first revision."""
        with self._store.read() as tx:
            return self.within(tx)

    def within(self, tx: Tx) -> Rulebook:
        """The rules in force as this transaction sees them."""
        directory, number = self._directory(), tx.rules.number()
        kept = self._kept
        if kept is not None and kept[0] is directory and kept[1].number == number:
            return kept[1]
        text = tx.rules.text(number)
        source = f"revision {number} of the rules"
        rulebook = Rulebook(0, {}, {}) if text is None else parse(text, directory, number, source, leavers=True)
        with self._lock:
            self._kept = (directory, rulebook)
        return rulebook
