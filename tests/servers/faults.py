"""The five ways in which the road to a server fails, for a proxy, by chance."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from threading import Lock

from tests.servers.proxy import Answer, Forward, Seen

KINDS = ("refuse", "black hole", "drop the answer", "half an answer", "slow")


@dataclass
class Weather:
    """A rule for a proxy that fails in a share of the requests, each time in one of five ways.

    :param rate: the share, 0 to 1.
    :param hole: seconds for which a black hole says nothing; choose more than the client's patience.
    """

    rate: float
    seed: int
    hole: float = 3.0
    counted: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """See `tests.servers.proxy.Rule`."""
        with self.lock:
            kind = self.rng.choice(KINDS) if self.rng.random() < self.rate else "well"
            share = self.rng.random()
            self.counted[kind] += 1
        if kind == "refuse":
            return None
        if kind == "black hole":
            time.sleep(self.hole)
            return None
        answer = forward()
        if kind == "drop the answer":
            return None
        if kind == "half an answer":
            return replace(answer, cut=int(len(answer.body) * share))
        if kind == "slow":
            time.sleep(share * self.hole / 3)
        return answer
