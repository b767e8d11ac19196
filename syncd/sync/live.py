"""A last look at a caseworker's calendar just before a time is reserved, bounded in time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.errors import TemporarilyClosed
from syncd.model.directory import MailboxId
from syncd.store import Store
from syncd.sync.engine import Engine


@dataclass(frozen=True, slots=True)
class Patience:
    """How fresh a mirror must be for a hold.

    :param fresh: a younger mirror is not looked at again.
    :param deadline: a live look may take so long; what has not ended by then goes on without us.
    :param limit: an older mirror that could not be refreshed refuses the hold.
    """

    fresh: timedelta = timedelta(seconds=10)
    deadline: timedelta = timedelta(seconds=3)
    limit: timedelta = timedelta(seconds=300)


class LiveLook:
    """Refreshes mirrors before a hold; a pool of its own, so that a dead server starves nobody else.

    :param serving: the caseworkers a hold of this offer may fall on.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        serving: Callable[[str, MailboxId | None], list[MailboxId]],
        patience: Patience,
        threads: int = 8,
    ) -> None:
        self._store = store
        self._engine = engine
        self._serving = serving
        self._patience = patience
        self._pool = ThreadPoolExecutor(threads, "live")

    def __call__(self, offer: str, _start: datetime, caseworker: MailboxId | None, now: datetime) -> None:
        """Read again the named caseworker's calendar if its mirror is older than ``fresh``.

        With nobody named the desk chooses among mirrors; then only their age is judged.

        :raises TemporarilyClosed: none of the calendars asked for is known well enough to reserve a time on.
        """
        wanted = self._serving(offer, caseworker)
        if not wanted:
            return  # the desk says what is wrong with the request
        if caseworker is not None and self._age(caseworker, now) > self._patience.fresh:
            future = self._pool.submit(self._engine.sync_mailbox, caseworker, now)
            wait([future], self._patience.deadline.total_seconds())
        if min(self._age(mailbox, now) for mailbox in wanted) > self._patience.limit:
            raise TemporarilyClosed(
                "The calendar cannot be read just now, so no time can be reserved. Nothing was changed; try soon.",
                retry_after=60,
            )

    def close(self) -> None:
        """Begin no more looks."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _age(self, mailbox: MailboxId, now: datetime) -> timedelta:
        with self._store.read() as tx:
            status = tx.mailboxes.status(mailbox)
        return timedelta.max if status is None or status.as_of is None else now - status.as_of
