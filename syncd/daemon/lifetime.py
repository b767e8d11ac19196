"""The life of the service: start, reload on SIGHUP, drain on SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from types import FrameType

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from syncd.clock import Clock, SystemClock
from syncd.config import Config, load
from syncd.daemon.garbage import leave_out
from syncd.daemon.health import look
from syncd.daemon.jobnet import facade_of
from syncd.daemon.listener import Listener
from syncd.daemon.node import Role
from syncd.daemon.notices import notice_listeners
from syncd.daemon.occupancy import Lock
from syncd.daemon.pages import page_parts
from syncd.daemon.parts import Parts, assemble, judged, put_in_force, rebuilt
from syncd.daemon.pulse import Pulse
from syncd.daemon.secured import secured
from syncd.daemon.tasks import tasks
from syncd.daemon.together import Together, joined, occupied
from syncd.daemon.upgrading import upgrade
from syncd.dispatch.port import Dispatcher
from syncd.errors import ConfigError, SyncdError
from syncd.observe import logs, metrics, systemd
from syncd.observe.logs import log
from syncd.store import Store
from syncd.web.app import build_app, build_monitor
from syncd.web.deps import Deps
from syncd.web.health import STARTING, Health

DRAIN_SECONDS = 9.0
"""A stop takes no longer; writes that have not ended by then stay owed in the database."""
THREADS = 16
FIRST_BEAT_SECONDS = 60.0
"""How long the scheduler may take to begin its first work."""


class Front:
    """Hands each request to the application in force; a reload puts another one in, whole."""

    app: FastAPI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        await self.app(scope, receive, send)


class Daemon:
    """One running instance.

    :param path: its configuration file, read again on SIGHUP.
    :param role: what it does among many nodes; None: it is alone.
    """

    def __init__(self, path: Path, role: Role | None = None) -> None:
        self._path = path
        self._role = role
        self._clock: Clock = SystemClock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._reload = False
        self._together: Together | None = None
        self._front = Front()
        self._parts: Parts | None = None
        self._lock: Lock | None = None
        """Not let go of while anything of ours may still write."""
        self._pulse = Pulse(lambda: self._now_in_force().store)
        self._ready = threading.Event()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; returns the exit code.

        :raises ConfigError: the configuration cannot be used, or not in this role, or others have the database; nothing
            was started.
        :raises StoreError: the database cannot be used; nothing was started.
        """
        config = load(self._path)
        logs.configure(config.log.level, config.log.format)
        store = judged(config)
        self._lock = occupied(store, self._role)
        # Nothing was changed so far, nor until our addresses are made sure of.
        monitor = self._watched_over(config)
        answers = self._role is None or self._role.answers
        fronts = self._answering(config) if answers else self._supervised(config, monitor)
        for each in (*monitor, *fronts):
            each.bind()
        for each in monitor:  # from here on, so that a long upgrade can be seen to go on
            each.start()
            log.info("daemon.watched_over", address=each.address)
        owed = self._prepare(config, store)
        for each in fronts:
            each.start()
            if each.secured:
                log.info("daemon.secured", address=each.address)
        self._begin((fronts or monitor)[0].address, owed)
        self._wait((fronts or monitor)[0])
        return self._drain([*fronts, *monitor])

    def _prepare(self, config: Config, store: Store) -> int:
        """Bring database and rules up to date; returns how many writes are owed."""
        upgrade(config, store, SystemClock().now())
        together = self._together = joined(store, self._role, THREADS)
        self._clock = together.clock
        parts = self._parts = assemble(config, store, self._clock, together.node)
        put_in_force(parts, self._clock)
        with store.begin() as tx:
            # Whoever held a lease or waited for a pause to end was another process, unless others serve with us.
            owed = tx.meetings.hurry() if together.first else 0
        if together.answers:
            self._front.app = build_app(self._deps(parts))
        self._listen_to_signals()
        return owed

    def _answering(self, config: Config) -> list[Listener]:
        """For portals and people; the first is the plain one."""
        web = Listener(self._front, config.http, "http.listen")
        tls = secured(config, self._front, lambda: self._front.app.state.deps.jobnet)
        return [web, *tls, *notice_listeners(config, self._front)]

    def _supervised(self, config: Config, monitor: list[Listener]) -> list[Listener]:
        """For supervisors of a node that only works, where they have no listener of their own."""
        if monitor:
            return []
        app = build_monitor(self._health, metrics.text, self._ready.is_set)
        return [Listener(app, config.http, "http.listen")]

    def _watched_over(self, config: Config) -> list[Listener]:
        """The listener for supervisors alone."""
        if config.monitor.http is None:
            return []
        app = build_monitor(self._health, metrics.text, self._ready.is_set)
        return [Listener(app, config.monitor.http, "monitor.listen")]

    def _now_in_force(self) -> Parts:
        assert self._parts is not None
        return self._parts

    def _dispatcher(self) -> Dispatcher:
        assert self._together is not None
        return self._together.dispatcher

    def _health(self) -> Health:
        parts = self._parts
        if parts is None or not self._ready.is_set():
            return STARTING
        return look(parts, self._clock.now(), self._dispatcher().late())

    def _deps(self, parts: Parts) -> Deps:
        return Deps(
            store=parts.store,
            publisher=parts.publisher,
            desk=parts.desk,
            clock=self._clock,
            clients=lambda: parts.config.clients,
            directory=lambda: parts.directory,
            rulebook=parts.rulebook,
            health=self._health,
            freshen=parts.live,
            metrics=None if parts.config.monitor.http else metrics.text,
            contacts=parts.contacts,
            pages=page_parts(parts, self._clock),
            issuer=parts.issuer.issuer(),
            tls=parts.config.tls,
            jobnet=facade_of(parts, self._clock),
            reporting=parts.reporting,
            notices=parts.config.notices.by,
        )

    def _begin(self, address: str, owed: int) -> None:
        self._schedule()
        self._dispatcher().every(self._pulse.task())
        if self._together is not None and self._together.heartbeat is not None:
            self._dispatcher().every(self._together.heartbeat)
        self._dispatcher().start()
        if not self._pulse.felt(FIRST_BEAT_SECONDS):
            raise SyncdError(
                f"The scheduler did no work within {FIRST_BEAT_SECONDS:.0f} seconds, so nothing would be read or "
                "written. Nothing is lost; start syncd again, and report this when it comes again."
            )
        parts = self._now_in_force()
        log.info(
            "daemon.started",
            address=address,
            caseworkers=len(parts.directory.caseworkers),
            rooms=len(parts.directory.rooms),
            rules=parts.rulebook().number,
            owed=owed,
        )
        self._ready.set()
        systemd.notify(f"READY=1\nSTATUS=Serving at {address}")
        leave_out()

    def _schedule(self) -> None:
        for task in tasks(self._now_in_force, self._clock, self._stopping.is_set, self._ask_to_reload):
            self._dispatcher().every(task)

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

    def _wait(self, web: Listener) -> None:
        pause = systemd.watchdog_seconds() or 5.0
        while not self._stopping.is_set() and web.alive:
            self._feed_watchdog()
            self._wake.wait(pause)
            self._wake.clear()
            if self._reload:
                self._reload = False
                self._read_again()

    def _feed_watchdog(self) -> None:
        if faults := self._pulse.faults(self._dispatcher().late()):
            log.error("daemon.not_fresh", problems=faults)
        else:
            systemd.notify("WATCHDOG=1")

    def _read_again(self) -> None:
        """Take the new configuration, or keep the old one and say why."""
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={round(monotonic() * 1_000_000)}")
        try:
            config = load(self._path)
            kept = self._now_in_force()
            parts = self._parts = rebuilt(kept, config, self._clock)
            if self._together is None or self._together.answers:
                self._front.app = build_app(self._deps(parts))
            kept.replaced()
            self._schedule()
            logs.configure(config.log.level, config.log.format)
            log.info("daemon.reloaded", needs_restart=_needs_restart(kept, parts))
        except ConfigError as error:
            log.error("daemon.reload_refused", problems=list(error.problems), kept="the configuration in force")
        except SyncdError as error:
            log.error("daemon.reload_refused", problems=[str(error)], kept="the configuration in force")
        systemd.notify("READY=1")

    def _drain(self, listeners: Sequence[Listener]) -> int:
        systemd.notify("STOPPING=1")
        deadline = monotonic() + DRAIN_SECONDS
        for each in listeners:
            each.ask_to_stop()
        drained = self._dispatcher().stop(deadline - monotonic() - 1)
        ended = [each.join(max(0.1, deadline - monotonic())) for each in listeners]
        code = 0 if self._stopping.is_set() else 1
        if self._together is not None:
            self._together.part()
        log.info("daemon.stopped", drained=drained and all(ended))
        if not (drained and all(ended)):
            # A call to a calendar hangs. Its write stays owed; the interpreter would wait for its thread for minutes.
            sys.stderr.flush()
            os._exit(code)
        self._now_in_force().close()
        if self._lock is not None:
            self._lock.close()
        return code


def _needs_restart(before: Parts, after: Parts) -> list[str]:
    """Keys whose new value only a restart brings into force."""
    old, new = before.config, after.config
    changed = {
        "database": old.database != new.database,
        "http.listen": old.http.listen != new.http.listen,
        "tls": old.tls != new.tls,
        "jobnet.listen": old.jobnet.listen != new.jobnet.listen,
        "monitor.listen": old.monitor.listen != new.monitor.listen,
        "notices.listen": old.notices.listen != new.notices.listen,
    }
    return [key for key, differs in changed.items() if differs]
