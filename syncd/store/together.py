"""Writes that wait at the same time become one transaction, so that one flush to disk makes all of them durable.

For SQLite, whose one writer would else flush once for each. Who comes first leads: it takes along whoever came while
it waited for its turn, carries out each one's work inside a savepoint of its own, commits, and only then lets anybody
go on. So nobody is told of success before everything is on disk, and a work that fails takes back its own changes only.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection

from syncd.store.turns import Turns

T = TypeVar("T")
C = TypeVar("C")

MOST = 32
"""How many works share a transaction, so that the first does not wait for ever on the last."""


class Wanted(Generic[C]):
    """One thread's work, and what became of it.

    :param work: gets what all works of the group share (`Together`), and belongs to the context it was asked in.
    """

    __slots__ = ("_context", "_error", "_value", "_work", "done", "told")

    def __init__(self, work: Callable[[C], Any]) -> None:
        self._work, self._context = work, copy_context()
        self._value: Any = None
        self._error: BaseException | None = None
        self.done = False
        self.told = threading.Lock()
        self.told.acquire()

    def attempt(self, shared: C) -> BaseException | None:
        """Do the work, whichever thread this is; returns why it failed, None when it did not."""
        try:
            self._value = self._context.run(self._work, shared)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that asked
            self._error = error
        return self._error

    def fail(self, error: BaseException) -> None:
        """Whatever came of it, it was taken back."""
        self._error = error

    def end(self) -> None:
        """Let the thread that asked go on."""
        self.done = True
        self.told.release()

    def result(self) -> Any:
        """What the work returned, or what it raised."""
        if self._error is None:
            return self._value
        try:
            raise self._error
        finally:
            self._error = None  # an error holds its frames, and those hold this


class Together(Generic[C]):
    """Leads works through one transaction each turn. Thread-safe, not re-entrant.

    :param group: does (`carry_out`) works in one transaction and commits it; when it raises, nothing of
        any of them was kept.
    """

    def __init__(self, turns: Turns, patience: float, group: Callable[[Sequence[Wanted[C]]], None]) -> None:
        self._turns, self._patience, self._group = turns, patience, group
        self._guard = threading.Lock()
        self._waiting: deque[Wanted[C]] = deque()
        self._led = False

    def run(self, work: Callable[[C], T]) -> T:
        """What *work* returns, once it is durable.

        :raises StoreError: the turn did not come in time.
        :raises RuntimeError: this thread has a transaction open already.
        """
        self._turns.refuse_mine()
        mine = Wanted(work)
        if not self._to_lead(mine):
            mine.told.acquire()  # until it is done, or is the next to lead
        if not mine.done:
            self._lead()
        value: T = mine.result()
        return value

    def waiting(self) -> int:
        """How many have not been taken along yet."""
        return len(self._waiting)

    def _to_lead(self, mine: Wanted[C]) -> bool:
        with self._guard:
            self._waiting.append(mine)
            leads, self._led = not self._led, True
            return leads

    def _lead(self) -> None:
        taken: list[Wanted[C]] = []
        try:
            with self._turns.turn(self._patience):
                taken = self._take(MOST)
                self._group(taken)
        except BaseException as error:  # noqa: BLE001 - raised in every thread that it concerns
            taken = taken or self._take(len(self._waiting))
            for one in taken:
                one.fail(error)
        finally:
            self._pass_on()
            for one in taken:
                one.end()

    def _take(self, most: int) -> list[Wanted[C]]:
        with self._guard:
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def _pass_on(self) -> None:
        with self._guard:
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].told.release()


def carry_out(
    works: Sequence[Wanted[C]], connection: Connection, inside: Callable[[Connection], AbstractContextManager[C]]
) -> None:
    """Do *works* in the transaction of *connection*; what one of several did is taken back when it fails.

    :param inside: opens what each work gets, and ends it.
    :raises BaseException: the whole transaction was lost, and so all works (one that was alone failed, a full disk).
    """
    apart = connection.begin_nested if len(works) > 1 else nullcontext
    for one in works:
        failed: BaseException | None = None
        try:
            with apart(), inside(connection) as shared:
                if failed := one.attempt(shared):
                    raise failed
        except BaseException as error:  # noqa: BLE001 - raised in the thread that asked
            failed = failed or error
        if failed is not None:
            one.fail(failed)
            if len(works) == 1 or not cast(Any, connection.connection.dbapi_connection).in_transaction:
                raise failed  # a further savepoint would begin, and commit, a transaction of its own
