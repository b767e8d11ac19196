"""A private PostgreSQL cluster for tests: unix socket only, thrown away afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

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


class Cluster:
    """One running server; databases belong to the plain role ``syncd``, as they should in production."""

    def __init__(self, folder: Path, server: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._server = server
        self._names = count(1)
        self._templates: set[str] = set()

    @classmethod
    def start(cls, *, durable: bool = False) -> Cluster:
        """Make a cluster in a new temporary folder and wait until it answers; `not_covered` without PostgreSQL.

        :param durable: commits wait for the disk, as in production; for measuring.
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
        settings = _SETTINGS | (_DURABLE if durable else {})
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*_become(user), "--pdeathsig", "INT", str(postgres), "-D", data, "-k", str(folder), *options],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        cluster = cls(folder, server)
        cluster._wait()
        cluster._admin("CREATE ROLE syncd LOGIN")
        return cluster

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
            self._templates.add(name)
        return self.database(template=name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.partition("@/")[2].partition("?")[0]
        self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

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
