"""`python -m tests.simulation SEED [SEED] [--twin NAME]`: play one seed and show it, or a range and count."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import nullcontext

from tests.simulation.schedules import Ground, explain, play, quiet
from tests.simulation.twins import TWINS, planted


def main() -> int:
    """Play the seeds; 0 when all kept their promises."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--twin", choices=sorted(TWINS), help="plant this mistake first")
    parser.add_argument("--stop", action="store_true", help="end at the first failure")
    asked = parser.parse_args()
    last = asked.first if asked.last is None else asked.last
    ground, failed, played, began = Ground(), 0, 0, time.monotonic()
    with quiet(), planted(asked.twin) if asked.twin else nullcontext():
        for seed in range(asked.first, last + 1):
            world, problems = play(ground, seed)
            played += 1
            if problems or asked.first == last:
                sys.stdout.write(explain(world, problems) + "\n\n")
            failed += bool(problems)
            if failed and asked.stop:
                break
    ground.close()
    sys.stdout.write(f"{played} schedules, {failed} failed, {time.monotonic() - began:.1f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
