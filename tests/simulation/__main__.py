"""`python -m tests.simulation SEED [SEED] [--twin NAME]`: play one seed and show it, or a range and count.

`--number N --workers W` plays N of them in W processes, so many at a time that a failure is told soon.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial

from tests.simulation.nodes import NodesWorld
from tests.simulation.schedules import Ground, explain, play, quiet
from tests.simulation.twins import TWINS, planted
from tests.simulation.world import World

PORTION = 250
"""Schedules that one process plays on one ground."""


def main() -> int:
    """Play the seeds; 0 when all kept their promises."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--twin", choices=sorted(TWINS), help="plant this mistake first")
    parser.add_argument("--number", type=int, help="how many, instead of the last one")
    parser.add_argument("--workers", type=int, default=1, help="processes that play them")
    parser.add_argument("--nodes", action="store_true", help="with one to five nodes that die and come back")
    parser.add_argument("--stop", action="store_true", help="end at the first failure")
    asked = parser.parse_args()
    if asked.twin and asked.number is not None:
        parser.error("a twin is planted in a range only (FIRST LAST --twin NAME), not in several processes")
    last = asked.first if asked.last is None else asked.last
    if asked.number is not None:
        return _all(asked.first, asked.number, asked.workers, NodesWorld if asked.nodes else World)
    ground, failed, played, began = Ground(), 0, 0, time.monotonic()
    with quiet(), planted(asked.twin) if asked.twin else nullcontext():
        for seed in range(asked.first, last + 1):
            world, problems = play(ground, seed, NodesWorld if asked.nodes else World)
            played += 1
            if problems or asked.first == last:
                sys.stdout.write(explain(world, problems) + "\n\n")
            failed += bool(problems)
            if failed and asked.stop:
                break
    ground.close()
    sys.stdout.write(f"{played} schedules, {failed} failed, {time.monotonic() - began:.1f} s\n")
    return 1 if failed else 0


def _all(first: int, number: int, workers: int, kind: type[World]) -> int:
    """Play *number* schedules in several processes; 0 when all kept their promises."""
    began, failed = time.monotonic(), 0
    portions = [range(at, min(at + PORTION, first + number)) for at in range(first, first + number, PORTION)]
    with ProcessPoolExecutor(workers) as pool:
        for told in pool.map(partial(_portion, kind=kind), portions):
            for text in told:
                sys.stdout.write(text + "\n\n")
                sys.stdout.flush()
            failed += len(told)
    spent = time.monotonic() - began
    sys.stdout.write(f"{number} schedules from seed {first}: {failed} broke a promise; {spent:.0f} s\n")
    return 1 if failed else 0


def _portion(seeds: range, kind: type[World]) -> list[str]:
    """What broke in these schedules, explained."""
    ground = Ground()
    with quiet():
        played = (play(ground, seed, kind) for seed in seeds)
        told = [explain(world, problems) for world, problems in played if problems]
    ground.close()
    return told


if __name__ == "__main__":
    sys.exit(main())
