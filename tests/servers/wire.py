"""The line between one client and PostgreSQL, which a test can cut: nothing gets through, and nobody is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = ".s.PGSQL.5432"


class Wire:
    """Passes on what comes to its own socket."""

    def __init__(self, folder: Path, server: Path) -> None:
        """:param folder: where clients find the socket. :param server: where the server's own is."""
        self.folder, self._server = folder, server
        self._whole = threading.Event()
        self._whole.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / NAME))
        self._door.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Hold everything back from now on."""
        self._whole.clear()

    def mend(self, *, broken: bool) -> None:
        """Let everything through again.

        :param broken: connections of before are gone, as after a long cut; else what was held back arrives now.
        """
        if broken:
            pairs, self._pairs = self._pairs, []
            for end in (end for pair in pairs for end in pair):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._whole.set()

    def close(self) -> None:
        """Take no more, and drop all."""
        self._door.close()
        self.mend(broken=True)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            self._whole.wait()
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server / NAME))
            self._pairs.append((client, server))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self._whole.wait()
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def wire(folder: Path, url: str) -> Iterator[tuple[Wire, str]]:
    """A line to the server of *url*, which is named by the folder of its socket; and the URL through it."""
    before, _, server = url.partition("?host=")
    folder.mkdir()
    line = Wire(folder, Path(server))
    try:
        yield line, f"{before}?host={folder}"
    finally:
        line.close()
