"""A storm over several nodes: one at a time is killed, frozen or cut off, while clients ask any of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import requests

from tests.servers.proxy import Answer, Forward, Seen
from tests.servers.wire import Wire
from tests.system.nodes import Nodes
from tests.system.service import PATIENCE, Service, wait_for
from tests.system.storm import Storm

LONG = 32.0
"""Seconds after which the others have surely taken over."""
UNSERVED = 60.0
"""Seconds for which a mailbox may be unread at most."""
TELLING = 60.0
"""Seconds between two lines that tell how far it is."""


@dataclass
class NodesStorm(Storm):
    """Clients and fate against several nodes; `service` is any of them.

    :param wires: by number of the node, its line to the database.
    :param log: gets a line for each strike, each minute, and each look at the mailboxes that found one nearly unserved.
    :param each_minute: called now and then, by a thread of its own.
    """

    nodes: Nodes = field(kw_only=True)
    wires: dict[int, Wire] = field(kw_only=True)
    log: Path = field(kw_only=True)
    each_minute: Callable[[], None] = field(default=lambda: None, kw_only=True)
    worst: float = 0.0
    """For how many seconds the mailbox worst off was not read."""
    watched: int = 0
    """How often somebody looked for it."""
    struck: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def rage(self, kills: int) -> None:
        """See `Storm`; somebody watches over the mailboxes all the while."""
        wait_for(lambda: self.nodes.unserved() < 30, "a first reading of all calendars")
        self.began = time.monotonic()
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(ended,))
        watch.start()
        try:
            super().rage(kills)
            self.note(f"over; {self.said()}")
        finally:
            ended.set()
            watch.join()

    def broken(self) -> list[str]:
        """What this side of the storm has to say against the nodes."""
        found = [f"a client or the watch gave up: {error!r}" for error in self.errors]
        if self.worst > UNSERVED:
            found.append(f"A MAILBOX WAS NOT READ for {self.worst:.0f} s")
        if self.watched < (time.monotonic() - self.began) / 10:
            found.append(f"nobody watched over the mailboxes: {self.watched} looks")
        return found

    def note(self, text: str) -> None:
        """One more line of the log, with the second of the storm before it."""
        with self.lock, self.log.open("a") as file:
            file.write(f"{time.monotonic() - self.began:7.1f} s  {text}\n")

    def said(self) -> str:
        """How far it is."""
        struck = ", ".join(f"{kind} {number}" for kind, number in sorted(self.struck.items()))
        of = f"{self.tried} of {self.bookings} bookings tried, {self.booked} acknowledged"
        unread = f"unread for {self.worst:.0f} s at most"
        return f"{of}; {sum(self.struck.values())} struck ({struck}); {unread}; {_pressed()}"

    def _watch(self, ended: threading.Event) -> None:
        told = time.monotonic()
        while not ended.wait(1):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - the judge hears of it
                self.errors.append(error)
            if time.monotonic() > told + TELLING:
                told = time.monotonic()
                self.note(said := self.said())
                print(f"{told - self.began:5.0f} s: {said}", flush=True)
                self.each_minute()

    def _look(self) -> None:
        age, name = self.nodes.worst_off()
        self.watched += 1
        if age > UNSERVED / 2:
            self.note(f"{name} was not read for {age:.0f} s")
        self.worst = max(self.worst, age)

    def _strike(self, fate: Random, *, enough: bool) -> None:
        number = fate.randrange(len(self.nodes.all))
        node = self.nodes.all[number]
        kind = fate.choices(["kill", "freeze", "sleep", "cut"], [6, 2, 1, 2])[0]
        if (kind == "kill" and enough) or (kind == "cut" and number not in self.wires):
            kind = "freeze"
        self.struck[kind] += 1
        self.note(f"{kind} node {number}")
        if kind == "kill":
            self._kill(node, fate)
        elif kind == "cut":
            self._cut(self.wires[number], fate.choice([1.0, 8.0, LONG]), broken=fate.random() < 0.5)
        else:
            self._freeze(node, LONG if kind == "sleep" else fate.uniform(0.1, 5.0))
        self.note(f"node {number} is let be")

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


def _pressed() -> str:
    """How much this machine is short of processors: on a crowded one a storm says little about syncd's own pace."""
    pressure = Path("/proc/pressure/cpu")
    some = pressure.read_text().split()[2].removeprefix("avg60=") if pressure.exists() else "?"
    return f"load {os.getloadavg()[0]:.0f}, somebody waited for a processor {some} % of the minute"


def standing(nodes: Nodes, names: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """What the nodes say of each booking, asked in turn."""

    def asked(number: int, name: str) -> dict[str, Any] | None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return nodes.all[number % len(nodes.all)].booking(name)
            except requests.RequestException:
                if time.monotonic() > until:
                    raise
                time.sleep(1)

    with ThreadPoolExecutor(6) as pool:
        return dict(zip(names, pool.map(asked, range(len(names)), names), strict=True))


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
