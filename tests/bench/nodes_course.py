"""An organisation that no test machine holds, played: many calendars, shares, nodes, and a calendar side far away.

What is played is how work is dealt out (`syncd.dispatch.cluster`: each share at a second of its own, one share of an
account at a time on each node, first come first served) and how long a share takes (`workers` looks at a time, and one
processor for all threads of a node). What a look costs is not played but given, as it was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heapreplace
from random import Random

from syncd.daemon.shares import SIZE
from syncd.dispatch.cluster import TICK_SECONDS

ROUNDS = 12
FULL = 0.9
"""How much of its time a lane may be busy, so that what is not played (dealing out, a slow answer) finds room."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of how many.

    :param interval: seconds between two looks at a calendar. :param latency: seconds until a server answers a look.
    :param cost: seconds of a node's processor for each look, all that belongs to it included.
    :param gone: nodes that are not there.
    """

    calendars: int
    nodes: int
    workers: int
    interval: float
    latency: float
    cost: float
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Course:
    """What came of it.

    :param oldest: seconds for which a calendar was not looked at, at the very most; endless if they fall behind.
    :param usual: the same, of ninety-nine in a hundred. :param busy: of a node's lane, as a share of the time.
    """

    oldest: float
    usual: float
    busy: float


def played(plan: Plan, seed: int = 1) -> Course:
    """An hour or so of it."""
    rng, shares = Random(seed), -(-plan.calendars // SIZE)
    sizes = [0] * shares
    for _ in range(plan.calendars):
        sizes[rng.randrange(shares)] += 1
    phases = [rng.random() * plan.interval for _ in range(shares)]
    dues = sorted((phases[n] + k * plan.interval, n) for k in range(ROUNDS) for n in range(shares))
    free = [0.0] * (plan.nodes - plan.gone)
    heapify(free)
    ended, waits, worked = [0.0] * shares, list[float](), 0.0
    for due, share in dues:
        put = due + rng.random() * TICK_SECONDS
        began = max(put, free[0], ended[share])
        takes = _takes(plan, sizes[share])
        heapreplace(free, began + takes)
        if ended[share] > 2 * plan.interval:  # the first rounds only get it going
            waits.append(began + takes - ended[share])
        ended[share] = began + takes
        worked += takes
    waits.sort()
    busy = worked / (len(free) * ROUNDS * plan.interval)
    return Course(waits[-1] if busy < 1 else float("inf"), waits[len(waits) * 99 // 100], busy)


def _takes(plan: Plan, calendars: int) -> float:
    """Seconds for one share: threads wait side by side, and compute one after the other."""
    waves = -(-calendars // plan.workers)
    return max(waves * (plan.latency + plan.cost), plan.latency + calendars * plan.cost)


def nodes_needed(plan: Plan, oldest: float) -> int:
    """How few nodes are enough, one more of them being gone, for no calendar to be unread for longer than *oldest*."""
    for nodes in range(2, 100):
        asked = Plan(plan.calendars, nodes, plan.workers, plan.interval, plan.latency, plan.cost, gone=1)
        course = played(asked)
        if course.oldest <= oldest and course.busy <= FULL:
            return nodes
    raise ValueError("not with a hundred nodes")
