"""Messages pushed to a subscriber: each until it is taken, with the disorder that networks add."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import httpx2

from tests.servers.dfdg import control
from tests.servers.dfdg.world import Message, World


@dataclass
class Push:
    """Brings queued messages to one address.

    :param headers: what the subscriber wants to see, such as who calls.
    :param twice: each message is sent once more. :param backwards: the newest first.
    """

    world: World
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    twice: bool = False
    backwards: bool = False
    refused: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> int:
        """Send what waits; what the subscriber does not take stays. Returns how many it took."""
        with self.lock, httpx2.Client(timeout=20, trust_env=False) as http:
            with self.world.lock:
                waiting = list(self.world.queue)
            return sum(self._sent(http, one) for one in (reversed(waiting) if self.backwards else waiting))

    def _sent(self, http: httpx2.Client, message: Message) -> bool:
        answers = [self._posted(http, message) for _ in range(2 if self.twice else 1)]
        if not all(200 <= status < 300 for status in answers):
            self.refused += answers
            return False
        with self.world.lock:
            self.world.queue[:] = [one for one in self.world.queue if one.id != message.id]
        return True

    def _posted(self, http: httpx2.Client, message: Message) -> int:
        try:
            return http.post(self.url, json=control.told(message), headers=self.headers).status_code
        except httpx2.HTTPError:
            return 0
