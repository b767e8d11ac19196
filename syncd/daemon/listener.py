"""An application behind an address of this machine, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from syncd.config import HttpSection
from syncd.errors import SyncdError
from syncd.web.server import BACKLOG, server


class Listener:
    """One address that is answered."""

    def __init__(self, app: ASGIApp, http: HttpSection, key: str, tls: Mapping[str, Any] | None = None) -> None:
        """Nothing is bound yet.

        :param key: of the configuration, for the error's text. :param tls: see `syncd.web.server.server`.
        """
        self._asked, self._key = http, key
        self._scheme = "http" if tls is None else "https"
        self._web = server(app, http.host, http.port, tls)
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(
            target=self._web.run, args=[self._sockets], name=key.partition(".")[0], daemon=True
        )

    def bind(self) -> None:
        """Make sure of the address; whoever calls is still refused.

        :raises SyncdError: it cannot be bound.
        """
        try:
            found = socket.getaddrinfo(self._asked.host, self._asked.port, type=socket.SOCK_STREAM)
            self._sockets += [_bound(family, address) for family, *_, address in dict.fromkeys(found)]
        except OSError as error:
            raise SyncdError(
                f"Cannot listen on {self._asked.listen}: it is in use or not an address of this machine. "
                f"Nothing was started. Change {self._key}, or stop what uses it."
            ) from error

    def start(self) -> None:
        """Serve, at the address that `bind` made sure of.

        :raises SyncdError: it cannot.
        """
        if not self._sockets:
            self.bind()
        try:
            for each in self._sockets:
                each.listen(BACKLOG)
        except OSError as error:
            raise self._too_late() from error
        self._thread.start()
        while self._thread.is_alive() and not self._web.started:
            threading.Event().wait(0.01)
        if not self._web.started:
            raise self._too_late()

    def _too_late(self) -> SyncdError:
        return SyncdError(
            f"Cannot listen on {self._asked.listen}, which was free a moment ago. syncd ends; nothing is lost. "
            f"Change {self._key}, or stop what uses it."
        )

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    @property
    def secured(self) -> bool:
        """Whether it speaks TLS."""
        return self._scheme == "https"

    @property
    def address(self) -> str:
        """Where it listens really, also when port 0 was asked for."""
        host, port = self._sockets[0].getsockname()[:2]
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    def ask_to_stop(self) -> None:
        """Take no more; what is being answered may be finished."""
        self._web.should_exit = True

    def join(self, seconds: float) -> bool:
        """Wait until it has ended; whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()


def _bound(family: int, address: Any) -> socket.socket:
    """One that does not listen yet; it may be bound while connections of an earlier process are forgotten."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(address)
    return made
