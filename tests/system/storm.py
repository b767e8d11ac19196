"""Clients that book, move and cancel over HTTP while the service is killed and frozen at random.

The clients do what a portal must: whatever was not answered is asked again, with the same key, until it is.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

import requests

from tests.system.history import Journal
from tests.system.service import Service, wait_for

PATIENCE = 300.0
"""Seconds a client goes on asking; the service may be away for long on a loaded machine."""


@dataclass
class Storm:
    """One run of clients and fate against a service.

    :param bookings: attempts to book, all clients together.
    :param seconds: after which no more are begun, however many are left.
    :param rate: attempts in a second at most, all clients together; as many as are answered, if nothing is said.
    """

    service: Service
    journal: Journal
    seed: int
    bookings: int
    clients: int = 6
    seconds: float = float("inf")
    rate: float = float("inf")
    kills: int = 0
    freezes: int = 0
    tried: int = 0
    booked: int = 0
    """Attempts begun, and those that were acknowledged."""

    def __post_init__(self) -> None:
        self.turn = time.monotonic()
        self.until = self.turn + self.seconds
        self.lock = threading.Lock()
        self.errors: list[BaseException] = []
        self.starts: list[str] = []

    def rage(self, kills: int) -> None:
        """Until all bookings are tried and the service was killed so often; what went wrong is in `errors`."""
        wait_for(lambda: len(self.service.slots()) > 10, "slots")
        self.starts = sorted({slot["start"] for slot in self.service.slots()})
        threads = [
            threading.Thread(target=self._guarded, args=(number,), daemon=True) for number in range(self.clients)
        ]
        for thread in threads:
            thread.start()
        fate = Random(self.seed)
        while (self.kills < kills and not self._late()) or any(thread.is_alive() for thread in threads):
            time.sleep(fate.uniform(0.3, 3.0))
            self._strike(fate, enough=self.kills >= kills)
        for thread in threads:
            thread.join()

    def _strike(self, fate: Random, *, enough: bool) -> None:
        assert self.service.child is not None
        if fate.random() < 0.3:
            self.freezes += 1
            self.service.child.send_signal(signal.SIGSTOP)
            time.sleep(fate.uniform(0.1, 2.0))
            self.service.child.send_signal(signal.SIGCONT)
        elif not enough:
            self.kills += 1
            self.service.kill()
            self.service.start()

    def _guarded(self, number: int) -> None:
        try:
            self._client(Random(self.seed * 1000 + number))
        except BaseException as error:  # noqa: BLE001 - carried to whoever judges
            self.errors.append(error)

    def _client(self, rng: Random) -> None:
        while self._more():
            time.sleep(self._turn())
            hold = self._post("/holds", self._wish(rng))
            if hold is None:
                continue
            citizen = {"reference": uuid4().hex}
            booked = self._post("/bookings", {"hold": hold["id"], "citizen": citizen})
            if booked is None:
                continue
            with self.lock:
                self.booked += 1
            if rng.random() < 0.2:
                self._post(f"/bookings/{booked['id']}/reschedule", {"start": rng.choice(self.starts)})
            if rng.random() < 0.15:
                self._post(f"/bookings/{booked['id']}/cancel", {})

    def _more(self) -> bool:
        with self.lock:
            more = not self._late() and self.tried < self.bookings
            self.tried += more
            return more

    def _turn(self) -> float:
        """Seconds to wait until it is this client's turn; whoever was kept waiting is not made up for."""
        with self.lock:
            now = time.monotonic()
            self.turn = max(now, self.turn) + 1 / self.rate
            return self.turn - 1 / self.rate - now

    def _late(self) -> bool:
        return time.monotonic() > self.until

    def _wish(self, rng: Random) -> dict[str, Any]:
        form = rng.choice(["in-person", "phone"])
        return {"offer": "samtale", "start": rng.choice(self.starts), "form": form}

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Ask until there is an answer that is final; its content when it was a yes."""
        key, until = uuid4().hex, time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status, answer = self._once(key, path, body)
            self.journal.note(key, path, body, status, answer)
            if status in (200, 201):
                content: dict[str, Any] = json.loads(answer)
                return content
            if status is not None and status < 500 and "key-in-progress" not in answer and status != 429:
                return None
            time.sleep(0.2)
        raise AssertionError(f"no answer to {path} in {PATIENCE:.0f} s")

    def _once(self, key: str, path: str, body: dict[str, Any]) -> tuple[int | None, str]:
        try:
            reply = self.service.post(path, body, key, timeout=5)
        except requests.RequestException:
            return None, ""
        return reply.status_code, reply.text


def at_rest(service: Service, journal: Journal, seconds: float) -> None:
    """Wait until every booking that was acknowledged is settled."""
    left = made(journal)

    def settled() -> bool:
        while left and _settled(service, left[-1]):
            left.pop()
        return not left

    wait_for(settled, "all bookings to come to rest", seconds)


def made(journal: Journal) -> list[str]:
    """All bookings that were acknowledged, by name."""
    lines = (line for line in journal.lines() if line["path"] == "/bookings" and line["status"] == 201)
    return sorted({json.loads(line["answer"])["id"] for line in lines})


def _settled(service: Service, name: str) -> bool:
    """What is lost is settled, too: the judge will tell. No answer is no reason to end a storm without a judgement."""
    try:
        return (service.booking(name) or {}).get("state") != "pending"
    except requests.RequestException:
        return False
