"""Rules by which simulated servers go wrong on demand: per mailbox, per operation, counted or by chance.

A rule says *what* (`kind`), *where* (`operation`, `mailbox`) and *how often* (`times`, `skip`, `chance`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Rule:
    """One thing that goes wrong.

    :param operation: such as FindItem or delta, Token for the token endpoint, or ``*``.
    :param times: how often at most; None until it is cleared.
    :param skip: so many matching requests pass first.
    :param chance: of each matching request, decided by the seeded dice.
    """

    kind: str
    operation: str = "*"
    mailbox: str = "*"
    times: int | None = None
    skip: int = 0
    chance: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    met: int = 0

    def matches(self, operation: str, mailbox: str) -> bool:
        return self.operation in ("*", operation) and self.mailbox.lower() in ("*", mailbox.lower())


class Faults:
    """The rules in force; one of each request's rules is applied of every kind.

    :param kinds: what the server can do wrong.
    """

    def __init__(self, kinds: Collection[str], seed: int = 0) -> None:
        self.rules: list[Rule] = []
        self._kinds = frozenset(kinds)
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, kind: str, operation: str = "*", mailbox: str = "*", **more: Any) -> Rule:
        """Put a rule in force; *more* is times, skip, chance and the kind's own options.

        :raises ValueError: nobody knows the kind.
        """
        if kind not in self._kinds:
            raise ValueError(f"no fault is called {kind}; there are: {', '.join(sorted(self._kinds))}")
        settings = {key: more.pop(key) for key in ("times", "skip", "chance") if key in more}
        rule = Rule(kind, operation, mailbox, options=more, **settings)
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self.rules.clear()

    def met(self, operation: str, mailbox: str) -> dict[str, Mapping[str, Any]]:
        """Kinds that this request meets, with their options; counts them."""
        found: dict[str, Mapping[str, Any]] = {}
        with self._lock:
            for rule in self.rules:
                if rule.kind not in found and rule.matches(operation, mailbox) and self._strikes(rule):
                    found[rule.kind] = rule.options
        return found

    def _strikes(self, rule: Rule) -> bool:
        if rule.times is not None and rule.times <= 0:
            return False
        if rule.chance < 1.0 and self._dice.random() >= rule.chance:
            return False
        if rule.skip > 0:
            rule.skip -= 1
            return False
        if rule.times is not None:
            rule.times -= 1
        rule.met += 1
        return True
