"""The life of the service: start, reload on SIGHUP, drain on SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from time import monotonic
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from syncd.clock import Clock, SystemClock
from syncd.config import load
from syncd.daemon.garbage import look_seldom
from syncd.daemon.health import look
from syncd.daemon.jobnet import facade_of
from syncd.daemon.pages import page_parts
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force, rebuilt
from syncd.daemon.tasks import tasks
from syncd.dispatch.local import LocalDispatcher
from syncd.errors import ConfigError, SyncdError
from syncd.observe import logs, metrics, systemd
from syncd.observe.logs import log
from syncd.web.app import build_app
from syncd.web.deps import Deps
from syncd.web.server import server

DRAIN_SECONDS = 9.0
"""A stop takes no longer; writes that have not ended by then stay owed in the database."""
THREADS = 16


class Front:
    """Hands each request to the application in force; a reload puts another one in, whole."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        await self.app(scope, receive, send)


class Daemon:
    """One running instance.

    :param path: its configuration file, read again on SIGHUP.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._reload = False
        self._dispatcher = LocalDispatcher(THREADS, self._clock)
        self._front = Front()
        self._parts: Parts

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; returns the exit code.

        :raises ConfigError: the configuration cannot be used; nothing was started.
        :raises StoreError: the database cannot be used; nothing was started.
        """
        config = load(self._path)
        logs.configure(config.log.level, config.log.format)
        store = open_store(config)
        self._parts = assemble(config, store, self._clock)
        put_in_force(self._parts, self._clock)
        with store.begin() as tx:
            owed = tx.meetings.hurry()
        self._listen_to_signals()
        self._front.app = build_app(self._deps(self._parts))
        web = server(self._front, config.http.host, config.http.port)
        web_thread = threading.Thread(target=web.run, name="http", daemon=True)
        web_thread.start()
        if not _started(web, web_thread):
            raise SyncdError(
                f"Cannot listen on {config.http.listen}: it is in use or not an address of this machine. "
                "Nothing was started. Change http.listen, or stop what uses it."
            )
        self._begin(_address(web), owed)
        self._wait(web_thread)
        return self._drain(web, web_thread)

    def _deps(self, parts: Parts) -> Deps:
        return Deps(
            store=parts.store,
            publisher=parts.publisher,
            desk=parts.desk,
            clock=self._clock,
            clients=lambda: parts.config.clients,
            directory=lambda: parts.directory,
            rulebook=parts.rulebook,
            health=lambda: look(parts, self._clock.now(), self._dispatcher.late()),
            freshen=parts.live,
            metrics=metrics.text,
            contacts=parts.contacts,
            pages=page_parts(parts, self._clock),
            issuer=parts.issuer.issuer(),
            jobnet=facade_of(parts, self._clock),
            reporting=parts.reporting,
        )

    def _begin(self, address: str, owed: int) -> None:
        for task in tasks(lambda: self._parts, self._clock, self._stopping.is_set, self._ask_to_reload):
            self._dispatcher.every(task)
        self._dispatcher.start()
        look_seldom()
        parts = self._parts
        log.info(
            "daemon.started",
            address=address,
            caseworkers=len(parts.directory.caseworkers),
            rooms=len(parts.directory.rooms),
            rules=parts.rulebook().number,
            owed=owed,
        )
        systemd.notify(f"READY=1\nSTATUS=Serving at {address}")

    def _listen_to_signals(self) -> None:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self._stopping.set()
            self._wake.set()

        def reload(_number: int, _frame: FrameType | None) -> None:
            self._ask_to_reload()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reload)

    def _ask_to_reload(self) -> None:
        self._reload = True
        self._wake.set()

    def _wait(self, web_thread: threading.Thread) -> None:
        pause = systemd.watchdog_seconds() or 5.0
        while not self._stopping.is_set() and web_thread.is_alive():
            self._wake.wait(pause)
            self._wake.clear()
            if self._reload:
                self._reload = False
                self._read_again()
            self._feed_watchdog()

    def _feed_watchdog(self) -> None:
        late = self._dispatcher.late()
        if late:
            log.error("daemon.task_late", tasks=late)
        else:
            systemd.notify("WATCHDOG=1")

    def _read_again(self) -> None:
        """Take the new configuration, or keep the old one and say why."""
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={round(monotonic() * 1_000_000)}")
        try:
            config = load(self._path)
            kept = self._parts
            self._parts = rebuilt(kept, config, self._clock)
            self._front.app = build_app(self._deps(self._parts))
            kept.live.close()
            for task in tasks(lambda: self._parts, self._clock, self._stopping.is_set, self._ask_to_reload):
                self._dispatcher.every(task)
            logs.configure(config.log.level, config.log.format)
            log.info("daemon.reloaded", needs_restart=_needs_restart(kept, self._parts))
        except ConfigError as error:
            log.error("daemon.reload_refused", problems=list(error.problems), kept="the configuration in force")
        except SyncdError as error:
            log.error("daemon.reload_refused", problems=[str(error)], kept="the configuration in force")
        systemd.notify("READY=1")

    def _drain(self, web: uvicorn.Server, web_thread: threading.Thread) -> int:
        systemd.notify("STOPPING=1")
        deadline = monotonic() + DRAIN_SECONDS
        web.should_exit = True
        drained = self._dispatcher.stop(deadline - monotonic() - 1)
        web_thread.join(max(0.1, deadline - monotonic()))
        drained = drained and not web_thread.is_alive()
        code = 0 if self._stopping.is_set() else 1
        log.info("daemon.stopped", drained=drained)
        if not drained:
            # A call to a calendar hangs. Its write stays owed; the interpreter would wait for its thread for minutes.
            sys.stderr.flush()
            os._exit(code)
        self._parts.close()
        return code


def _started(web: uvicorn.Server, thread: threading.Thread) -> bool:
    """Wait until the server listens; False when it ended instead."""
    while thread.is_alive():
        if web.started:
            return True
        threading.Event().wait(0.01)
    return False


def _address(web: uvicorn.Server) -> str:
    """Where it listens really, also when port 0 was asked for."""
    host, port = web.servers[0].sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _needs_restart(before: Parts, after: Parts) -> list[str]:
    """Keys whose new value only a restart brings into force."""
    old, new = before.config, after.config
    changed = {"database": old.database != new.database, "http.listen": old.http.listen != new.http.listen}
    return [key for key, differs in changed.items() if differs]
