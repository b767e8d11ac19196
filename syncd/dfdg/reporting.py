"""Everything about DFDG under one roof, as the daemon builds it and pages and commands use it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from syncd.dfdg.figures import Figure, counted
from syncd.dfdg.inbox import Inbox
from syncd.dfdg.ledger import Ledger
from syncd.dfdg.linking import Linker
from syncd.dfdg.report import Reporter
from syncd.model.interval import Interval
from syncd.ports import Heard
from syncd.store import Tx


@dataclass(frozen=True)
class Reporting:
    """What there is to do with DFDG.

    :param reporter, inbox: None as long as no address of DFDG is given; then nothing is sent or received.
    :param heard: reads one pushed message; raises `Rejected` when it is none.
    :param benefit: contact groups that are counted by the rule of 2016.
    :param summonses: whether messages about the case system's summonses are received.
    """

    ledger: Ledger
    linker: Linker
    benefit: Collection[str]
    reporter: Reporter | None = None
    inbox: Inbox | None = None
    heard: Callable[[object], Heard | None] | None = None
    summonses: bool = False
    pushed: bool = False

    def figures(self, tx: Tx, period: Interval) -> list[Figure]:
        """The share of self-booked talks that begin in *period*, by group."""
        return counted(tx, period, self.benefit, summonses=self.summonses)

    def retry(self, record: str, actor: str, now: datetime) -> bool:
        """Report again what DFDG refused; False when nothing of that id was refused."""
        return self.reporter is not None and self.reporter.retry(record, actor, now)
