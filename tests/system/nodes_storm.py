"""A storm over several nodes: one at a time is killed, frozen or cut off, while clients ask any of them."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

from tests.servers.proxy import Answer, Forward, Seen
from tests.servers.wire import Wire
from tests.system.nodes import Nodes
from tests.system.service import Service, wait_for
from tests.system.storm import Storm

LONG = 32.0
"""Seconds after which the others have surely taken over."""


@dataclass
class NodesStorm(Storm):
    """Clients and fate against several nodes; `service` is any of them.

    :param wires: by number of the node, its line to the database.
    """

    nodes: Nodes = field(default=None)  # type: ignore[assignment]
    wires: dict[int, Wire] = field(default_factory=dict)
    worst: float = 0.0
    """For how many seconds the mailbox worst off was not read."""
    struck: Counter[str] = field(default_factory=Counter)

    def rage(self, kills: int) -> None:
        """See `Storm`; somebody watches over the mailboxes all the while."""
        wait_for(lambda: self.nodes.unserved() < 30, "a first reading of all calendars")
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(ended,))
        watch.start()
        try:
            super().rage(kills)
        finally:
            ended.set()
            watch.join()

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(1):
            self.worst = max(self.worst, self.nodes.unserved())

    def _strike(self, fate: Random, *, enough: bool) -> None:
        number = fate.randrange(len(self.nodes.all))
        node = self.nodes.all[number]
        kind = fate.choices(["kill", "freeze", "sleep", "cut"], [6, 2, 1, 2])[0]
        if (kind == "kill" and enough) or (kind == "cut" and number not in self.wires):
            kind = "freeze"
        self.struck[kind] += 1
        if kind == "kill":
            self._kill(node, fate)
        elif kind == "cut":
            self._cut(self.wires[number], fate.choice([1.0, 8.0, LONG]), broken=fate.random() < 0.5)
        else:
            self._freeze(node, LONG if kind == "sleep" else fate.uniform(0.1, 5.0))

    def _kill(self, node: Service, fate: Random) -> None:
        self.kills += 1
        node.kill()
        time.sleep(fate.choice([0.0, 2.0, LONG]))
        node.start()

    def _freeze(self, node: Service, seconds: float) -> None:
        assert node.child is not None
        self.freezes += 1
        node.child.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        node.child.send_signal(signal.SIGCONT)

    def _cut(self, line: Wire, seconds: float, *, broken: bool) -> None:
        line.cut()
        time.sleep(seconds)
        line.mend(broken=broken)

    def _once(self, key: str, path: str, body: dict[str, Any]) -> tuple[int | None, str]:
        """As behind a balancer that does not know who is well."""
        node = Random(f"{key}{time.monotonic()}").choice(self.nodes.all)
        try:
            reply = node.post(path, body, key, timeout=5)
        except requests.RequestException:
            return None, ""
        return reply.status_code, reply.text


@dataclass
class LostWrites:
    """A rule for the proxy before the calendars: some writes are done, and nobody hears of it."""

    rate: float
    seed: int
    lost: int = 0

    def __post_init__(self) -> None:
        self.rng, self.lock = Random(self.seed), threading.Lock()

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """See `tests.servers.proxy.Rule`."""
        writes = seen.method in ("PUT", "PATCH", "DELETE") or seen.path.split("?")[0].endswith("/events")
        with self.lock:
            lose = writes and seen.method != "GET" and self.rng.random() < self.rate
            self.lost += lose
        answer = forward()
        return None if lose else answer
