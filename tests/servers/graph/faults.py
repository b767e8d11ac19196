"""Everything that goes wrong at the real service, on demand; README.md lists the kinds.

A rule says *what* (`kind`), *where* (`operation`, `mailbox`) and *how often* (`times`, `skip`, `chance`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers.graph.wire import GraphError

REFUSALS = frozenset(["throttle", "unavailable", "error", "conflict"])
WIRE = frozenset(["drop", "hang", "lose"])
TWISTS = frozenset(["expired", "empty_page", "duplicate", "shuffle"])
KINDS = REFUSALS | WIRE | TWISTS


@dataclass
class Rule:
    """One thing that goes wrong.

    :param operation: such as delta, create, Token, or ``*``.
    :param times: how often at most; None until it is cleared.
    :param skip: so many matching requests pass first.
    """

    kind: str
    operation: str = "*"
    mailbox: str = "*"
    times: int | None = None
    skip: int = 0
    chance: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    met: int = 0


class Faults:
    """The rules in force."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Rule] = []
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, kind: str, operation: str = "*", mailbox: str = "*", **more: Any) -> Rule:
        """Put a rule in force; *more* is times, skip, chance and the kind's own options.

        :raises ValueError: nobody knows the kind.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind}; there are: {', '.join(sorted(KINDS))}")
        settings = {key: more.pop(key) for key in ("times", "skip", "chance") if key in more}
        rule = Rule(kind, operation, mailbox.lower(), options=more, **settings)
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
                here = rule.operation in ("*", operation) and rule.mailbox in ("*", mailbox.lower())
                if here and rule.kind not in found and self._strikes(rule):
                    found[rule.kind] = rule.options
        return found

    def _strikes(self, rule: Rule) -> bool:
        if rule.times == 0 or (rule.chance < 1.0 and self._dice.random() >= rule.chance):
            return False
        if rule.skip > 0:
            rule.skip -= 1
            return False
        if rule.times is not None:
            rule.times -= 1
        rule.met += 1
        return True


def throttled(seconds: float, concurrency: bool = False) -> GraphError:
    """429, with the pause that is asked for."""
    why = "MailboxConcurrency" if concurrency else "RequestCount"
    headers = {"Retry-After": f"{seconds:g}"}
    return GraphError(429, "ApplicationThrottled", f"Application is over its {why} limit.", headers)


def refusal(met: Mapping[str, Mapping[str, Any]]) -> GraphError | None:
    """The first refusal among what a request met."""
    for kind, options in met.items():
        after = options.get("retry_after", 1)
        if kind == "throttle":
            return throttled(after)
        if kind == "unavailable":
            headers = {"Retry-After": f"{after:g}"} if after is not None else {}
            return GraphError(503, "serviceNotAvailable", "The service is temporarily unavailable.", headers)
        if kind == "conflict":
            return conflict()
        if kind == "error":
            code = str(options.get("code", "generalException"))
            return GraphError(int(options.get("status", 500)), code, str(options.get("text", "")))
    return None


def conflict() -> GraphError:
    """412: somebody was faster."""
    text = "The send or update operation could not be performed because the change key does not match."
    return GraphError(412, "ErrorIrresolvableConflict", text)
