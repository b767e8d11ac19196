"""A session of SQLAlchemy that takes no detours."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.orm import Session, SessionTransaction

from syncd.store.prepared import Driver, Prepared, Rows, Values, known, run_together


class StraightSession(Session):
    """A session inside a transaction that its caller began and ends; statements on plain tables take the short way.

    What was prepared goes to the driver itself. What repositories add as objects they flush themselves.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, expire_on_commit=False, join_transaction_mode="rollback_only")
        self._straight, self._driver = connection, Driver(connection)
        self._saves = False
        """Whether a savepoint was ever asked for."""
        self._inside: SessionTransaction | None = None
        self._waiting: list[tuple[Prepared, Values]] = []
        self._gathers = connection.dialect.name == "postgresql"

    def later(self, statement: Executable, values: Values) -> None:
        """Carry out a prepared write that returns nothing, at the latest before anything is read, or at the end.

        On PostgreSQL several make one journey. Who waits for what this might refuse uses `execute`.
        """
        ready = known(statement)
        if ready is None or not self._gathers or self.get_nested_transaction() is not None:
            # What is done inside a savepoint goes with it.
            self.execute(statement, values) if ready is None else self._run(ready, values)
            return
        if any(one.changes is ready.changes for one, _ in self._waiting):
            self.send()  # what stands in one message does not see what else it changes
        self._waiting.append((ready, values))

    def send(self) -> None:
        """Carry out what waits."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            run_together(self._driver, waiting)

    def execute(self, statement: Executable, params: Any = None, **more: Any) -> Any:
        """What the statement returns."""
        ready = known(statement)
        if ready is not None:
            return self._run(ready, params or {})
        self.send()
        if more or statement._propagate_attrs:
            return super().execute(statement, params, **more)
        return self._direct().execute(statement, params)

    def scalar(self, statement: Executable, params: Any = None, **more: Any) -> Any:
        """The first row's first column; None without a row."""
        ready = known(statement)
        if ready is not None:
            return self._run(ready, params or {}).scalar()
        self.send()
        if more or statement._propagate_attrs:
            return super().scalar(statement, params, **more)
        return self._direct().execute(statement, params).scalar()

    def scalars(self, statement: Executable, params: Any = None, **more: Any) -> Any:
        """The first column of each row."""
        ready = known(statement)
        if ready is not None:
            return self._run(ready, params or {}).scalars()
        self.send()
        return super().scalars(statement, params, **more)

    def flush(self, objects: Any = None) -> None:
        """What was added as objects comes after what waits."""
        self.send()
        if self.in_transaction():  # who adds an object begins one
            super().flush(objects)

    def connection(self, *given: Any, **more: Any) -> Connection:
        """For those who take the way of SQLAlchemy."""
        self.send()
        return super().connection(*given, **more)

    def begin_nested(self) -> SessionTransaction:
        """What waits stands outside the savepoint."""
        self.send()
        self._saves = True
        return super().begin_nested()

    def close(self) -> None:
        """Objects are let go, and the cursor; the transaction is its caller's to end."""
        self._driver.close()
        if self.in_transaction():  # else nobody took the way of SQLAlchemy, and it has nothing to clear
            super().close()

    def _run(self, ready: Prepared, values: Values) -> Rows:
        if self._waiting:
            self.send()
        if self._saves:
            self._direct()
        return ready.run(self._driver, values)

    def _direct(self) -> Connection:
        """The connection, with every savepoint sent that was asked for."""
        nested = self.get_nested_transaction()
        if nested is not self._inside:
            super().connection()  # this is what sends a SAVEPOINT
            self._inside = nested
        return self._straight


def later(session: Session, statement: Executable, values: Values) -> None:
    """See `StraightSession.later`; any other session does it at once."""
    if isinstance(session, StraightSession):
        session.later(statement, values)
    else:
        session.execute(statement, values)


def send(session: Session) -> None:
    """See `StraightSession.send`: carry out now what might be refused."""
    if isinstance(session, StraightSession):
        session.send()
