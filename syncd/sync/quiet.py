"""Passes in which a server says that nothing changed: noted without planning anything, and many at a time."""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from syncd.model.delta import Delta, Since
from syncd.model.directory import MailboxId
from syncd.store import Store

BATCH = 64


def says_nothing(delta: Delta, since: Since | None) -> bool:
    """Whether *delta* changes nothing of what was known at *since*, not even where to go on next time."""
    if since is None or delta.present is not None or (delta.token, delta.covers) != (since.token, since.covered):
        return False
    return not (delta.groups or delta.gone or delta.unreadable)


class Notes:
    """Calendars seen to be as they were; written down in one transaction for up to `BATCH` of them.

    Until then a mirror passes for older than it is, which at worst closes an offer. Safe for several threads.
    """

    def __init__(self, store: Store, batch: int = BATCH) -> None:
        self._store = store
        self._batch = batch
        self._seen: dict[MailboxId, datetime] = {}
        self._lock = Lock()

    def add(self, mailbox: MailboxId, began: datetime) -> None:
        """Note that a pass that began at *began* found nothing new.

        :raises StoreError: the database could not be used.
        """
        with self._lock:
            self._seen[mailbox] = began
            if len(self._seen) < self._batch:
                return
        self.flush()

    def flush(self) -> None:
        """Write down what was noted; all as of the earliest of them.

        :raises StoreError: the database could not be used.
        """
        with self._lock:
            seen, self._seen = self._seen, {}
        if seen:
            self._store.run(lambda tx: tx.mailboxes.unchanged(list(seen), min(seen.values())))
