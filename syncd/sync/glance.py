"""Mailboxes that one look at their server shows to be unchanged need no pass of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from syncd.model.delta import Since
from syncd.model.directory import Mailbox, MailboxId
from syncd.model.mirror import MailboxStatus, trust
from syncd.ports import CalendarPort, Glancing
from syncd.store import Store
from syncd.sync.outcome import Outcome, Result
from syncd.sync.timing import Pace, full_is_due, window

Together = Callable[[Collection[MailboxId]], AbstractContextManager[Collection[MailboxId]]]
"""Keeps other nodes for a block from all of some mailboxes that none of them is at, and yields these."""


def glance(
    store: Store, ports: Mapping[str, CalendarPort], mailboxes: Sequence[Mailbox], now: datetime, pace: Pace
) -> list[Outcome]:
    """Ask each account once which of *mailboxes* did not change, and note that these were seen at *now*.

    :returns: an outcome for each of them; all others need a pass.
    """
    with store.read() as tx:
        statuses = tx.mailboxes.statuses([mailbox.id for mailbox in mailboxes])
    asked: dict[str, list[tuple[Mailbox, Since]]] = defaultdict(list)
    for mailbox in mailboxes:
        if since := stands_for_a_pass(statuses.get(mailbox.id), now, pace, mailbox.account):
            asked[mailbox.account].append((mailbox, since))
    outcomes: list[Outcome] = []
    for account, pairs in asked.items():
        port = ports[account]
        if len(pairs) > 1 and isinstance(port, Glancing):
            seen = port.glance(pairs)
            outcomes += _outcomes(sorted(seen.unchanged), seen.requests)
    if outcomes:
        with store.begin() as tx:
            tx.mailboxes.unchanged([outcome.mailbox for outcome in outcomes], now)
    return outcomes


def stands_for_a_pass(status: MailboxStatus | None, now: datetime, pace: Pace, account: str) -> Since | None:
    """Where the last pass of a mailbox ended, if "nothing changed since" would be all that a pass could say.

    Not so when the window moved, everything is to be compared, or anything is wrong with the mailbox.
    """
    wanted = window(now, pace.horizon_days)
    if status is None or status.token is None or status.covered != wanted:
        return None
    if status.problem or status.retry_at or full_is_due(status, now, pace.full_of(account)):
        return None
    return Since(status.token, wanted) if trust(status, now, pace.max_age, wanted).open else None


def _outcomes(unchanged: Sequence[MailboxId], requests: int) -> list[Outcome]:
    """The cost of the look is put down to the first, so that sums are right."""
    return [
        Outcome(mailbox, Result.UNCHANGED, requests=requests if number == 0 else 0)
        for number, mailbox in enumerate(unchanged)
    ]
