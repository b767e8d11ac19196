"""Several nodes on one PostgreSQL and one calendar server, as processes of this machine."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.environment import program
from tests.servers.switch import Plugged
from tests.system.calendars import Calendars
from tests.system.service import Service


@dataclass
class Nodes:
    """Nodes of one installation; each has a folder, a port and a process.

    :param database: as all configuration files name it, unless a node's own is given (through a proxy).
    """

    folder: Path
    calendars: Calendars
    database: str
    people: tuple[str, ...] = ("anna",)
    rooms: tuple[str, ...] = ("lokale-1",)
    interval: int = 1
    timeout: int = 5
    all: list[Service] = field(default_factory=list)

    def add(
        self,
        role: str = "all",
        *,
        database: str | None = None,
        ahead: int = 0,
        extra: str = "",
        machine: Plugged | None = None,
    ) -> Service:
        """One more, not started.

        :param ahead: seconds by which its machine's clock is wrong. :param machine: where it runs; None: here.
        """
        folder = self.folder / f"node-{len(self.all)}"
        folder.mkdir()
        node = Service(
            folder,
            self.calendars,
            database=database or self.database,
            people=self.people,
            rooms=self.rooms,
            interval=self.interval,
            timeout=self.timeout,
            role=role,
            environment={"SYNCD_CLOCK_AHEAD": str(ahead)} if ahead else {},
        )
        if machine:
            node.inside, node.address = machine.inside, machine.address
        node.write(extra)
        self.all.append(node)
        return node

    def start(self) -> None:
        """All of them, and wait until each serves."""
        for node in self.all:
            node.start(ready=False)
        for node in self.all:
            node.wait_until_ready()

    def end(self) -> None:
        """Leave none running; a frozen one neither."""
        for node in self.all:
            if node.child is not None and node.child.poll() is None:
                node.child.send_signal(signal.SIGCONT)
            node.end()

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """Rows, straight from the database, past every node."""
        url = make_url(self.database).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            return [tuple(row) for row in connection.execute(question.encode()).fetchall()]

    def unserved(self) -> float:
        """For how long the mailbox that was read longest ago was not read, in seconds by the database's clock."""
        return self.worst_off()[0]

    def worst_off(self) -> tuple[float, str]:
        """The same, and whose it is."""
        ((age, name),) = self.ask(
            "SELECT extract(epoch FROM clock_timestamp()) - coalesce(as_of, 0), id FROM mailboxes"
            " ORDER BY coalesce(as_of, 0) LIMIT 1"
        )
        return float(str(age)), str(name)

    def keep(self) -> Path:
        """Write down all that the database holds, for whoever asks why; returns the file."""
        bins = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        file = self.folder / "database.sql"
        url = make_url(self.database).set(drivername="postgresql").render_as_string(hide_password=False)
        subprocess.run([program("pg_dump", "postgresql-client", bins), "-f", file, url], check=True)
        return file


@contextmanager
def running(nodes: Nodes) -> Iterator[Nodes]:
    """The nodes, started and in the end gone."""
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.end()
