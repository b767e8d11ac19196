"""A private PostgreSQL cluster for tests: unix socket only, thrown away afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.environment import not_covered, program

_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "synchronous_commit": "off",
    "timezone": "America/St_Johns",  # nobody may lean on the server's zone being UTC
}
_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_START_SECONDS = 30
_Row = tuple[Any, ...]


class Cluster:
    """One running server; databases belong to the plain role ``syncd``, as they should in production."""

    def __init__(self, folder: Path, server: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._server = server
        self._names = count(1)
        self._templates: dict[str, _Contents] = {}
        self._copies: dict[str, str] = {}
        self._idle: dict[str, list[str]] = {}

    @classmethod
    def start(cls, *, durable: bool = False, inside: Sequence[str] = ()) -> Cluster:
        """Make a cluster in a new temporary folder and wait until it answers; `not_covered` without PostgreSQL.

        :param durable: commits wait for the disk, as in production; for measuring.
        :param inside: words that let it run on a machine of its own, where it listens to every cable.
        """
        bins = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        initdb, postgres = (program(name, "postgresql", bins) for name in ("initdb", "postgres"))
        user = _user()
        folder = Path(tempfile.mkdtemp(prefix="syncd-pg-"))
        shutil.chown(folder, user)
        folder.chmod(0o755)
        data = str(folder / "data")
        initialise = [str(initdb), "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([*_become(user), *initialise], check=True, capture_output=True, cwd=folder)
        settings = _SETTINGS | (_DURABLE if durable else {}) | ({"listen_addresses": "*"} if inside else {})
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        if inside:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*inside, *_become(user), "--pdeathsig", "INT", str(postgres), "-D", data, "-k", str(folder), *options],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        cluster = cls(folder, server)
        cluster._wait()
        cluster._admin("CREATE ROLE syncd LOGIN")
        return cluster

    def standby(self) -> Cluster:
        """A second server that streams everything from this one; from now on commits wait for it."""
        bins = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        copy, postgres = (program(name, "postgresql", bins) for name in ("pg_basebackup", "postgres"))
        user = _user()
        folder = Path(tempfile.mkdtemp(prefix="syncd-pg-"))
        shutil.chown(folder, user)
        folder.chmod(0o755)
        stream = [
            "-h",
            str(self._folder),
            "-U",
            "admin",
            "-D",
            str(folder / "data"),
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
        ]
        subprocess.run([*_become(user), str(copy), *stream], check=True, capture_output=True, cwd=folder)
        settings = [part for key, value in (_SETTINGS | _DURABLE).items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            line = [str(postgres), "-D", str(folder / "data"), "-k", str(folder), *settings]
            server = subprocess.Popen([*_become(user), "--pdeathsig", "INT", *line], stdout=log, stderr=log, cwd=folder)
        other = Cluster(folder, server)
        other._wait()
        self._admin("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._admin("SELECT pg_reload_conf()")
        return other

    def die(self) -> None:
        """As when its machine is gone."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(timeout=_START_SECONDS)

    def promote(self) -> None:
        """Be the server that accepts writes."""
        self._admin("SELECT pg_promote()")

    def stop(self) -> None:
        """End the server without ceremony and remove its folder."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(timeout=_START_SECONDS)
        shutil.rmtree(self._folder)

    def database(self, template: str = "template1") -> str:
        """The SQLAlchemy URL of a new database (about 30 ms)."""
        name = f"t{next(self._names)}"
        self._admin(f"CREATE DATABASE {name} OWNER syncd TEMPLATE {template}")
        return self._url(name)

    def copy(self, name: str, build: Callable[[str], object]) -> str:
        """The URL of a new database like the one that *build* once made of an empty one (it gets that one's URL).

        *build* must have closed its connections when it returns.
        """
        if name not in self._templates:
            self._admin(f"CREATE DATABASE {name} OWNER syncd")
            build(self._url(name))
            with self._inside(name) as connection:
                self._templates[name] = _Contents.of(connection)
        url = self._idle[name].pop() if self._idle.get(name) else self.database(template=name)
        self._copies[url] = name
        return url

    def drop(self, url: str) -> None:
        """Take a database back, whoever is still connected.

        A copy is emptied and used again, which is twenty times quicker than making one; one with another schema goes.
        """
        name = url.partition("@/")[2].partition("?")[0]
        template = self._copies.pop(url, None)
        if template is not None and self._emptied(name, self._templates[template]):
            self._idle.setdefault(template, []).append(url)
        else:
            self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _emptied(self, name: str, contents: _Contents) -> bool:
        self._admin(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            with self._inside(name) as connection:
                return contents.restore(connection)
        except psycopg.Error:
            return False

    def _inside(self, name: str) -> psycopg.Connection[_Row]:
        return psycopg.connect(f"host={self._folder} user=admin dbname={name}")

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://syncd@/{database}?host={self._folder}"

    def _admin(self, statement: str) -> None:
        with psycopg.connect(f"host={self._folder} user=admin dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._admin("SELECT 1")
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return


class _Contents:
    """What stood in a database when it was new: its schema (as counts of everything in it) and its few rows."""

    def __init__(self, schema: _Row, tables: list[str], rows: dict[str, list[_Row]], sequences: list[_Row]) -> None:
        self._schema = schema
        self._rows = rows
        self._sequences: dict[str, int | None] = dict(sequences)
        self._asked = " UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables)

    @classmethod
    def of(cls, connection: psycopg.Connection[_Row]) -> _Contents:
        """Remember a database as it is."""
        tables = [row[0] for row in connection.execute(_TABLES)]
        rows = {table: connection.execute(f"SELECT * FROM {table}".encode()).fetchall() for table in tables}
        filled = {table: found for table, found in rows.items() if found}
        return cls(_schema(connection), tables, filled, connection.execute(_SEQUENCES).fetchall())

    def restore(self, connection: psycopg.Connection[_Row]) -> bool:
        """Bring the rows back to what they were; False, with nothing done, when the schema is another one."""
        if _schema(connection) != self._schema:
            return False
        connection.execute("SET session_replication_role = replica")  # neither triggers nor references ask
        for (table,) in connection.execute(self._asked.encode()).fetchall() if self._asked else []:
            connection.execute(f"DELETE FROM {table}".encode())
        for table, rows in self._rows.items():
            into = f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})"
            connection.cursor().executemany(into.encode(), rows)
        for name, value in connection.execute(_SEQUENCES).fetchall():
            if value != self._sequences[name]:
                begun = self._sequences[name]
                connection.execute("SELECT setval(%s, %s, %s)", (name, begun or 1, begun is not None))
        return True


_TABLES = "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"
_SEQUENCES = "SELECT format('%I', sequencename), last_value FROM pg_sequences WHERE schemaname = 'public'"
_SCHEMA = """SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute WHERE NOT attisdropped),
                    (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger),
                    (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O'), (SELECT count(*) FROM pg_proc),
                    (SELECT count(*) FROM pg_namespace)"""


def _schema(connection: psycopg.Connection[_Row]) -> _Row:
    return connection.execute(_SCHEMA).fetchall()[0]


def _user() -> str:
    """Who runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return not_covered("no unprivileged user to run PostgreSQL", "apt-get install postgresql")


def _become(user: str) -> list[str]:
    """The words that start a program as *user* (setpriv is in Debian's essential util-linux)."""
    if os.geteuid() != 0:
        return ["setpriv"]
    return ["setpriv", "--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"]
