"""DFDG's messages: kept when they come, handled one after the other; a message only says where to look.

What is true is the record as it is read then, so messages may come late, twice or in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from syncd.booking.follow import Ground
from syncd.booking.sight import Limits
from syncd.cpr import CprKey
from syncd.dfdg.follow import Seen, follow
from syncd.dfdg.ledger import Ledger
from syncd.errors import Rejected, Transient
from syncd.model.dfdg import Deadline, Entity, Message
from syncd.model.directory import Directory
from syncd.model.offer import Rulebook
from syncd.observe.logs import log
from syncd.ports import Caller, DfdgPort, Heard
from syncd.store import Store, Tx

LEASE = timedelta(minutes=2)
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 60, 300, 1800))
PORTION = 100
TOO_EARLY = "too early"


@dataclass(frozen=True, slots=True)
class Handled:
    """What one round did. :param done: messages handled. :param later: those that wait for another try."""

    done: int
    later: int


class Inbox:
    """Receives and handles messages; safe to be killed at any point.

    :param deadlines: whether deadlines may be read.
    """

    def __init__(
        self,
        store: Store,
        port: DfdgPort,
        ledger: Ledger,
        key: CprKey,
        directory: Callable[[], Directory],
        rulebook: Callable[[], Rulebook],
        limits: Limits | None = None,
        *,
        deadlines: bool = False,
    ) -> None:
        self._store, self._port, self._ledger, self._key = store, port, ledger, key
        self._directory, self._rulebook, self._limits = directory, rulebook, limits or Limits()
        self._deadlines = deadlines

    def poll(self, now: datetime) -> int:
        """Fetch what waits; each message is acknowledged when it is durable here. Returns how many were new.

        :raises CalendarError: DFDG did not answer; what was fetched is kept.
        """
        heard = self._port.messages(PORTION, Caller("messages"))
        new = self.receive(heard, now)
        for message in heard:
            self._port.acknowledge(message.id, Caller("messages"))
        return new

    def receive(self, heard: Collection[Heard], now: datetime) -> int:
        """Keep messages to be handled, in one transaction; returns how many are new.

        :raises StoreError: the database cannot be used; none of them was kept.
        """

        def work(tx: Tx) -> int:
            return sum(tx.dfdg.receive(self._kept(tx, one, now), now) for one in heard)

        return self._store.run(work) if heard else 0

    def _kept(self, tx: Tx, heard: Heard, now: datetime) -> Message:
        """The message without anybody's number; the citizen is known by reference from now on."""
        citizen = ""
        if heard.cpr is not None:
            citizen = self._key.reference(heard.cpr)
            tx.jobnet.see(citizen, (self._key.name, self._key.seal(heard.cpr)), now)
        return Message(heard.id, heard.entity, heard.change, heard.about, citizen)

    def handle_due(self, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> Handled:
        """Handle what is due, until nothing is or DFDG does not answer."""
        done = later = 0
        anything = self._waiting(clock())  # a look that locks nothing, for most rounds find nothing
        while anything and done + later < PORTION and not stopping():
            now = clock()
            message = self._store.run(lambda tx, now=now: tx.dfdg.next_message(now, now + LEASE))  # type: ignore[misc]  # mypy infers no default of a lambda
            if message is None:
                break
            if self._handled(message, now):
                done += 1
                continue
            later += 1
        return Handled(done, later)

    def _waiting(self, now: datetime) -> bool:
        with self._store.read() as tx:
            return bool(tx.dfdg.messages_waiting(now))

    def _handled(self, message: Message, now: datetime) -> bool:
        try:
            what = self._looked(message, now)
        except (Transient, IntegrityError) as error:
            return self._later(message, now, type(error).__name__)
        except Rejected as error:
            log.error("dfdg.message_unreadable", message=message.id, entity=int(message.entity), problem=str(error))
            what = self._done(message, now, lambda _tx: "unreadable")
        if what == TOO_EARLY:
            return self._later(message, now, what)
        log.info("dfdg.message_handled", message=message.id, entity=int(message.entity), about=message.about, did=what)
        return True

    def _looked(self, message: Message, now: datetime) -> str:
        if Entity(message.entity) is Entity.DEADLINE:
            return self._deadline(message, now)
        read = self._port.read(message.about, Caller("message"))
        ground = Ground(self._directory(), self._rulebook(), self._limits, now)
        seen = Seen(message.about, read, message.citizen)

        def work(tx: Tx) -> str:
            return TOO_EARLY if _early(tx, seen, message) else follow(tx, self._ledger, seen, ground)

        return self._done(message, now, work)

    def _deadline(self, message: Message, now: datetime) -> str:
        if not self._deadlines:
            return self._done(message, now, lambda _tx: "deadlines are not read")
        read = self._port.deadline(message.about, Caller("deadline"))
        if read is None:
            return self._done(message, now, lambda _tx: "unknown")
        kept = Deadline(message.about, message.citizen, read.kind, read.until, read.latest, read.immediate, read.open)

        def work(tx: Tx) -> str:
            tx.dfdg.keep_deadline(kept, now)
            return "kept"

        return self._done(message, now, work)

    def _done(self, message: Message, now: datetime, work: Callable[[Tx], str]) -> str:
        """Do what follows from a message, and note in the same transaction that it was handled."""

        def both(tx: Tx) -> str:
            did = work(tx)
            if did != TOO_EARLY:
                tx.dfdg.handled(message, now, now)
            return did

        return self._store.run(both)

    def _later(self, message: Message, now: datetime, why: str) -> bool:
        def work(tx: Tx) -> None:
            attempts = tx.dfdg.attempts_of(message.id)
            tx.dfdg.again(message.id, now + PAUSES[min(max(attempts, 1), len(PAUSES)) - 1])

        self._store.run(work)
        log.info("dfdg.message_postponed", message=message.id, entity=int(message.entity), why=why)
        return False


def _early(tx: Tx, seen: Seen, message: Message) -> bool:
    """Whether a self-booked record that we do not know may be one whose booking is not committed yet."""
    if seen.read is None or not seen.read.about.self_booked or tx.jobnet.linked(seen.id) is not None:
        return False
    return tx.dfdg.attempts_of(message.id) <= len(PAUSES) // 2
