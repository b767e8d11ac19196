"""The audit log's chain while the service runs: prolonged each minute, and compared with the log once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from syncd.clock import Clock
from syncd.daemon.parts import Parts
from syncd.dispatch.port import Scope, Task
from syncd.observe import metrics
from syncd.observe.logs import log
from syncd.store import audit_chain
from syncd.store.audit_chain import Head

CHAIN_SECONDS = 60.0
VERIFY_SECONDS = 24 * 3600.0
"""Between two comparisons; one reads the whole log, about 15,000 rows for each second of CPU."""
NAMED = 5
"""Faults that the journal names; `syncd audit verify` names all."""


class Auditing:
    """Chains and verifies; remembers the newest link it told the journal, which the chain must hold from then on."""

    def __init__(self, parts: Callable[[], Parts], clock: Clock) -> None:
        self._parts, self._clock = parts, clock
        self._told: Head | None = None

    def tasks(self) -> list[Task]:
        """What the dispatcher does for it."""
        return [
            Task("audit.chain", CHAIN_SECONDS, lambda _beat: self.chain(), scope=Scope.ONE),
            Task("audit.verify", VERIFY_SECONDS, lambda _beat: self.verify(), scope=Scope.ONE),
        ]

    def chain(self) -> None:
        """Chain what is new, and tell the journal the newest link: what the database alone could not prove."""
        head = audit_chain.chain(self._parts().store)
        log.info("audit.head", number=head.number, link=head.link)
        self._told = head

    def verify(self) -> None:
        """Compare the log with its chain; what is wrong raises an alert and is named in the journal."""
        parts, told = self._parts(), self._told
        with parts.store.read() as tx:
            kept = timedelta(days=parts.config.retention.audit_days)
            faults = audit_chain.verify(tx, self._clock.now(), kept, told).faults
        metrics.AUDIT_CHAIN_OK.set(not faults)
        if faults:
            named = [f"link {fault.number}, row {fault.audit}: {fault.says}" for fault in faults[:NAMED]]
            log.error("audit.broken", count=len(faults), problems=named)
