"""Radicale as a process: the server of the demonstration, every user with files of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.dav import DavServer
from tests.servers.processes import answers, free_port, process

CONFIG = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = authenticated
[storage]
filesystem_folder = {folder}/collections
[logging]
level = warning
"""


@contextmanager
def radicale(folder: Path, port: int | None = None) -> Iterator[DavServer]:
    """A server on loopback with the user ``syncd`` (password ``secret``), who may read and write everything."""
    port = port or free_port()
    (folder / "users").write_text("syncd:secret\nanna:anna\n")
    config = folder / "radicale.conf"
    config.write_text(CONFIG.format(port=port, folder=folder))
    url = f"http://127.0.0.1:{port}/"
    with process([sys.executable, "-m", "radicale", "--config", config], folder, lambda: answers(url)):
        yield DavServer(url, "/syncd/", "syncd", "secret")
