"""An application behind an address of this machine, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from syncd.config import HttpSection
from syncd.errors import SyncdError
from syncd.web.server import server


class Listener:
    """One address that is answered."""

    def __init__(self, app: ASGIApp, http: HttpSection, key: str, tls: Mapping[str, Any] | None = None) -> None:
        """Nothing is bound yet.

        :param key: of the configuration, for the error's text. :param tls: see `syncd.web.server.server`.
        """
        self._asked, self._key = http, key
        self._scheme = "http" if tls is None else "https"
        self._web = server(app, http.host, http.port, tls)
        self._thread = threading.Thread(target=self._web.run, name=key.partition(".")[0], daemon=True)

    def start(self) -> None:
        """Bind and serve.

        :raises SyncdError: the address cannot be bound.
        """
        self._thread.start()
        while self._thread.is_alive() and not self._web.started:
            threading.Event().wait(0.01)
        if not self._web.started:
            raise SyncdError(
                f"Cannot listen on {self._asked.listen}: it is in use or not an address of this machine. "
                f"Nothing was started. Change {self._key}, or stop what uses it."
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
        host, port = self._web.servers[0].sockets[0].getsockname()[:2]
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    def ask_to_stop(self) -> None:
        """Take no more; what is being answered may be finished."""
        self._web.should_exit = True

    def join(self, seconds: float) -> bool:
        """Wait until it has ended; whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()
