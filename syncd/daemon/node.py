"""This process as one of many: it is heard of, finds out when others went silent, and holds what it alone may do."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from syncd import __version__
from syncd.booking.holder import Alone, Holder
from syncd.clock import ServerClock, running
from syncd.daemon.leases import Leases
from syncd.errors import StoreError
from syncd.model.directory import MailboxId
from syncd.observe import metrics
from syncd.observe.logs import log
from syncd.store import Store
from syncd.store.nodes import DEAD, Nodes
from syncd.store.schema import head

BEAT_SECONDS = 3.0
MARGIN = 2.0
"""Seconds: a node takes itself for dead so much sooner than the others do, who count in whole seconds."""
TRY_AGAIN_SECONDS = 5.0
"""Between two tries to become the one node for something."""
WAIT_SECONDS = 2.0
"""How long to wait for another node to be done with a mailbox; a live look has three."""
LOOK_SECONDS = 0.05


class Role(StrEnum):
    """What a node does."""

    ALL = "all"
    API = "api"
    """Answers, and leaves the work to others."""
    WORKER = "worker"
    """Works, and answers only supervisors."""

    @property
    def works(self) -> bool:
        """Whether it takes part in the work."""
        return self is not Role.API

    @property
    def answers(self) -> bool:
        """Whether portals and people may ask it."""
        return self is not Role.WORKER


class Membership(Holder, Protocol):
    """Where this process stands among the nodes."""

    def keeps(self, what: str) -> bool:
        """Whether this node is the one that does *what*, now and as long as it lives."""
        ...

    def apart(self, mailbox: MailboxId) -> AbstractContextManager[bool]:
        """Keep other nodes from reading a mailbox for the block; False when one is at it and went on for long."""
        ...

    def together(self, mailboxes: Collection[MailboxId]) -> AbstractContextManager[Collection[MailboxId]]:
        """The same for all of *mailboxes* that no other node reads now; yields those, and waits for none."""
        ...


class Single(Alone):
    """The only node there is; the database need not know of it."""

    def keeps(self, _what: str) -> bool:
        """See `Membership`."""
        return True

    @contextmanager
    def apart(self, _mailbox: MailboxId) -> Iterator[bool]:
        """See `Membership`; the threads of one process keep apart by themselves."""
        yield True

    @contextmanager
    def together(self, mailboxes: Collection[MailboxId]) -> Iterator[Collection[MailboxId]]:
        """See `Membership`."""
        yield mailboxes


SINGLE = Single()


class Member:
    """One of many nodes on a PostgreSQL.

    :param store: the database that all share. :param elapsed: a clock that only runs forward, in seconds.
    :param pause: lets so many seconds go by.
    """

    def __init__(
        self,
        store: Store,
        role: Role,
        elapsed: Callable[[], float] = running,
        pause: Callable[[float], object] = lambda seconds: threading.Event().wait(seconds),
    ) -> None:
        self._store, self.role, self._clock, self._pause = store, role, elapsed, pause
        self.clock = ServerClock(elapsed)
        self._leases = Leases(store)
        self._name = ""
        self._beaten = float("-inf")
        self._kept: set[str] = set()
        self._tried: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """See `Holder`."""
        return self._name

    def elapsed(self) -> float:
        """See `Holder`."""
        return self._clock()

    def alive(self) -> bool:
        """See `Holder`."""
        return self._clock() - self._beaten < DEAD.total_seconds() - MARGIN

    def join(self) -> int:
        """Begin; returns how many other nodes serve already.

        :raises StoreError: the database cannot be used.
        """
        self.clock.look(self._shown)
        self._enter()
        with self._store.read() as tx:
            return sum(not node.dead for node in Nodes(tx.session).all()) - 1

    def beat(self) -> None:
        """Say that this node is alive, look at the clock, and take over from those that are not.

        :raises StoreError: the database cannot be used.
        """
        before = self._clock()
        name = self._name
        if self._store.run(lambda tx: Nodes(tx.session).beat(name)):
            self._beaten = before
        else:
            log.warning("node.was_away", node=name, duration_ms=round(1000 * (before - self._beaten)))
            metrics.NODE_AWAY.inc()
            self._enter()
        self._leases.settle()
        self.clock.look(self._shown)
        if gone := self._store.run(lambda tx: Nodes(tx.session).bury()):
            metrics.TAKEOVERS.inc(len(gone))
            log.warning("node.taken_over", node=self._name, nodes=gone)

    def leave(self) -> None:
        """End: others need not wait to find out."""
        name, self._beaten = self._name, float("-inf")
        try:
            self._store.run(lambda tx: Nodes(tx.session).leave(name))
        except StoreError as error:
            log.warning("node.not_taken_leave", node=name, problem=str(error))

    def keeps(self, what: str) -> bool:
        """See `Membership`."""
        if not self.alive():
            return False
        with self._lock:
            if what in self._kept:
                return True
            if self._clock() - self._tried.get(what, float("-inf")) < TRY_AGAIN_SECONDS:
                return False
            self._tried[what] = self._clock()
        if not (taken := self._leases.take([what], self._name)).names:
            return False
        with self._lock:
            if taken.node != self._name:
                return False  # it was given up meanwhile, and so was what it took
            self._kept.add(what)
        log.info("node.keeps", node=taken.node, task=what)
        return True

    @contextmanager
    def apart(self, mailbox: MailboxId) -> Iterator[bool]:
        """See `Membership`."""
        wanted, name, until = [_lease(mailbox)], self._name, self._clock() + WAIT_SECONDS
        while not (taken := self._leases.take(wanted, name)).names and self._clock() < until:
            self._pause(LOOK_SECONDS)
        try:
            yield bool(taken.names)
        finally:
            if taken.names:
                self._leases.give_back(taken)

    @contextmanager
    def together(self, mailboxes: Collection[MailboxId]) -> Iterator[Collection[MailboxId]]:
        """See `Membership`."""
        if not mailboxes:
            yield []
            return
        wanted = {_lease(mailbox): mailbox for mailbox in mailboxes}
        taken = self._leases.take(wanted, self._name)
        try:
            yield [wanted[which] for which in taken.names]
        finally:
            if taken.names:
                self._leases.give_back(taken)

    def _enter(self) -> None:
        """Begin under a new name: what the old one held is in other hands."""
        before = self._clock()
        name = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        self._store.run(lambda tx: Nodes(tx.session).join(name, self.role.value, __version__, head()))
        with self._lock:
            self._name, self._beaten = name, before
            self._kept.clear()
            self._tried.clear()
        log.info("node.joined", node=name, role=self.role.value)

    def _shown(self) -> datetime:
        with self._store.read() as tx:
            return Nodes(tx.session).clock()


def _lease(mailbox: MailboxId) -> str:
    return f"mailbox:{mailbox}"
