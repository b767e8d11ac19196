"""Xandikos as a process: calendars in git repositories, no passwords."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.dav import DavServer
from tests.servers.processes import answers, free_port, process


@contextmanager
def xandikos(folder: Path) -> Iterator[DavServer]:
    """A server on loopback with one principal."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    program, data = str(Path(sys.executable).parent / "xandikos"), str(folder / "calendars")
    command = [program, "serve", "-d", data, "--autocreate", "--defaults", "--current-user-principal", "/syncd/"]
    command += ["-l", "127.0.0.1", "-p", str(port)]
    (folder / "calendars").mkdir()
    with process(command, folder, lambda: answers(url)):
        yield DavServer(url, "/syncd/calendars/", "", "")
