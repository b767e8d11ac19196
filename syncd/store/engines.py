"""Connections to SQLite and PostgreSQL that behave alike.

SQLite: versions 3.7.0 to 3.51.2 can lose commits in WAL mode (architecture, decision 14), so WAL is used on a
safe build only; ``synchronous=FULL`` always; one writer connection, readers of their own that cannot write.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from syncd.errors import StoreError
from syncd.store.prepared import Driver

BUSY_MS = 10_000
LOCK_MS = 15_000
"""How long PostgreSQL waits for a lock, and so a repeated request for the first one to end."""
IDLE_SECONDS = 20
"""After which PostgreSQL ends a transaction in which nothing is asked, and frees what it locked: the client is cut off
or stands still. Others serve its calendars within a minute, even if the next to lock them dies, too. The longest that
we think inside a transaction is a few seconds, for a year's figures."""
REACH = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A server that went silent is given up after some twenty seconds (the last is in milliseconds), not after hours."""
FROM_THERE = (
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=20000"
)
"""The same as PostgreSQL shall do with a client that went silent, or its connections stay there for hours."""
_HOSTS = re.compile(r"([^:/]+://(?:[^/]*@)?)([^/@?]*:\d+,[^/@?]*)(.*)")
FIXED_IN = (3, 51, 3)
BACKPORTS = {(3, 50): 7, (3, 44): 6}


def parse(text: str) -> URL:
    """The database URL, with the driver we use.

    :raises StoreError: it is not a URL of SQLite or PostgreSQL.
    """
    try:
        url = _of_hosts(text)
    except (ArgumentError, ValueError):  # the latter of a port that is none
        raise StoreError(
            "The database URL cannot be read. Write sqlite:////var/lib/syncd/syncd.db "
            "or postgresql://user@host/name; nothing was opened."
        ) from None
    if url.get_backend_name() == "sqlite":
        return _sqlite_url(url)
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"syncd keeps its data in SQLite or PostgreSQL, not in {url.get_backend_name()!r}.")


def _of_hosts(text: str) -> URL:
    """The URL; several hosts may each have a port, as libpq has it (``app1:5432,app2:5433``)."""
    if (several := _HOSTS.fullmatch(text)) is None:
        return make_url(text)
    front, hosts, rest = several.groups()
    return make_url(front + rest).update_query_dict({"host": hosts.split(",")})


def _sqlite_url(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise StoreError(
            "An SQLite database in memory forgets everything; name a file: sqlite:////var/lib/syncd/syncd.db"
        )
    return url.set(drivername="sqlite+pysqlite")


def sqlite_module() -> ModuleType:
    """The SQLite build to use: the one pysqlite3 brings, else Python's own."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3.dbapi2")


def safe_for_wal(version: tuple[int, ...]) -> bool:
    """Whether this SQLite version is free of the WAL-reset bug."""
    if version >= FIXED_IN:
        return True
    patch = BACKPORTS.get((version[0], version[1]))
    return patch is not None and version[2] >= patch


def sqlite_engines(url: URL) -> tuple[Engine, Engine]:
    """The writer (one connection) and the readers of an SQLite file."""
    module = sqlite_module()
    mode = "WAL" if safe_for_wal(module.sqlite_version_info) else "DELETE"
    options: dict[str, Any] = {"module": module, "poolclass": QueuePool, "pool_timeout": 30}
    writer = create_engine(url, pool_size=1, max_overflow=0, **options)
    reader = create_engine(url, pool_size=8, max_overflow=32, **options)
    _prepare(writer, f"PRAGMA journal_mode={mode}", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")
    _prepare(reader, "PRAGMA query_only=ON")
    file = _File(str(url.database))
    file.keep_to(writer)
    file.keep_to(reader)
    event.listen(writer, "begin", lambda _connection: file.check())
    _begin_with(writer, "BEGIN IMMEDIATE")
    _begin_with(reader, "BEGIN DEFERRED")
    _save_straight(writer)
    return writer, reader


def _prepare(engine: Engine, *pragmas: str) -> None:
    """Run *pragmas* on every new connection and take transactions into our own hands."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # else Python's driver begins, and commits, when it likes
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        for pragma in pragmas:
            row = cursor.execute(pragma).fetchone()
            _refuse_unsafe_wal(pragma, row)
        cursor.close()


def _refuse_unsafe_wal(pragma: str, row: tuple[Any, ...] | None) -> None:
    if pragma == "PRAGMA journal_mode=DELETE" and row is not None and row[0] == "wal":
        raise StoreError(
            "The database file is in WAL mode, in which this SQLite build can lose data (3.7.0 to 3.51.2), and another "
            "program has it open. Install the package pysqlite3, or close the other program; nothing was changed."
        )


class _File:
    """The SQLite file that was opened first under its name; another one there is neither opened nor told anything.

    What the first one is told after it lost its name ends with its last connection, and a log of its own (WAL) that
    stands beside another one damages that.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._opened: tuple[int, int] | None = None

    def keep_to(self, engine: Engine) -> None:
        """Look before each connection of *engine*."""

        @event.listens_for(engine, "do_connect")
        def connecting(*_given: object) -> None:
            self.check()

        @event.listens_for(engine, "connect")
        def connected(*_given: object) -> None:
            self._opened = self._opened or self._now()

    def check(self) -> None:
        """Refuse another file, or none.

        :raises StoreError: the name leads elsewhere now.
        """
        if self._opened is not None and self._now() != self._opened:
            raise StoreError(
                f"The database file {self._path} was removed or replaced while syncd had it open. Nothing was changed. "
                "Stop syncd, put the file back or restore a backup (`syncd db restore FILE`), and start it again."
            )

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _begin_with(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        _tell(connection, statement)


def _save_straight(engine: Engine) -> None:
    """Savepoints by the driver, for works that share a transaction have one each, and SQLAlchemy compiles each anew."""
    dialect: Any = engine.dialect
    dialect.do_savepoint = lambda connection, name: _tell(connection, f"SAVEPOINT {name}")
    dialect.do_rollback_to_savepoint = lambda connection, name: _tell(connection, f"ROLLBACK TO SAVEPOINT {name}")
    dialect.do_release_savepoint = lambda connection, name: _tell(connection, f"RELEASE SAVEPOINT {name}")


def _tell(connection: Connection, statement: str) -> None:
    driver = Driver(connection)
    driver.send(statement, ())
    driver.close()


def postgresql_engines(url: URL) -> tuple[Engine, Engine]:
    """The writer's and the readers' view of one pool; readers see one snapshot and cannot write."""
    idle = f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
    settings = {
        **{name: value for name, value in REACH.items() if name not in url.query},
        "application_name": "syncd",
        # What is asked here is over in milliseconds; to compile it first took PostgreSQL half a second, each time.
        "options": f"-c timezone=UTC -c jit=off -c lock_timeout={LOCK_MS} {idle} {FROM_THERE}",
    }
    writer = create_engine(
        url,
        pool_size=10,
        max_overflow=20,
        pool_timeout=30,
        pool_pre_ping=True,  # a restarted server costs nobody an error
        connect_args=settings,
    )
    # The dialect's own takes as long as a statement.
    writer.dialect.do_ping = _answers  # type: ignore[assignment,method-assign]
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return writer, reader


def _answers(connection: Any) -> bool:
    """Whether the server answers to a message that asks nothing."""
    from psycopg.pq import ExecStatus  # a service on SQLite starts sooner without PostgreSQL's libraries

    answer: int = connection.pgconn.exec_(b"").status
    return answer == ExecStatus.EMPTY_QUERY
