"""SQLite's one connection that writes, kept from transaction to transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine


class Kept:
    """Used by whoever has the turn; a pool's ways take four times as long as beginning and ending a transaction.

    :param engine: its pool has one connection, which is kept out of it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Connection] = []

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction. A connection on which one failed goes back to the pool, which knows what to do with it."""
        connection = self._idle.pop() if self._idle else self._engine.connect()
        try:
            with connection.begin():
                yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Give the connection back, unless it is in use."""
        while self._idle:
            self._idle.pop().close()
