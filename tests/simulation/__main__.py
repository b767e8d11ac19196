"""`python -m tests.simulation SEED [SEED]`: play one seed and show it, or a range and show the first that fails."""

from __future__ import annotations

import sys
import time

from tests.simulation.schedules import Ground, explain, play, quiet


def main(first: int, last: int) -> int:
    """Play the seeds; 0 when all kept their promises."""
    ground, failed, began = Ground(), 0, time.monotonic()
    with quiet():
        for seed in range(first, last + 1):
            world, problems = play(ground, seed)
            if problems or first == last:
                print(explain(world, problems), end="\n\n")
            failed += bool(problems)
    ground.close()
    print(f"{last - first + 1} schedules, {failed} failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]] or [0, 99]
    sys.exit(main(numbers[0], numbers[-1]))
