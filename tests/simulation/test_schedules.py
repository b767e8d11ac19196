"""Five hundred seeded schedules keep every promise; a seed that once broke one is kept by name."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.simulation.schedules import Ground, explain, first_failure, play, quiet

SCHEDULES = int(os.environ.get("SYNCD_SCHEDULES", "500"))
"""How many to play; `.ci/run` asks for more."""
PARTS = 20
OPEN = {417: "a meeting deleted by its caseworker while it was first written was called settled for a while"}
"""Seeds that break a promise today; each is shown to do so below, so that a cure cannot go unnoticed."""


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """An empty database to copy."""
    opened = Ground()
    with quiet():
        yield opened
    opened.close()


@pytest.mark.parametrize("part", range(PARTS))
def test_schedules_keep_every_promise(ground: Ground, part: int) -> None:
    """0 acknowledged lost, 0 overlaps, 0 ghosts, 0 duplicates, no human's time reversed."""
    size = -(-SCHEDULES // PARTS)
    seeds = range(part * size, min((part + 1) * size, SCHEDULES))

    failures = [first_failure(ground, range(seed, seed + 1)) for seed in seeds if seed not in OPEN]

    assert not any(failures), "\n".join(filter(None, failures))


@pytest.mark.parametrize("seed", OPEN)
def test_an_open_finding_still_breaks_its_promise(ground: Ground, seed: int) -> None:
    """When this fails, somebody has cured it: move the seed to the ones kept by name."""
    _, problems = play(ground, seed)

    assert problems, f"seed {seed} is cured: {OPEN[seed]}"


@pytest.mark.parametrize(
    ("seed", "lesson"),
    [
        (2, "two copies of one generation, one of them moved, took turns for ever"),
        (94, "a meeting taken up after a restore claimed its time without its buffers"),
        (112, "the same, with the hold still in the database"),
        (416, "moved to a colleague and back, our own removal was taken for the first caseworker's"),
        (416, "moved to a colleague and back, our own late deletion was taken for a human's"),
    ],
)
def test_a_seed_that_once_broke_a_promise_keeps_it_now(ground: Ground, seed: int, lesson: str) -> None:
    world, problems = play(ground, seed)

    assert not problems, f"{lesson}\n{explain(world, problems)}"


def test_a_seed_plays_the_same_twice(ground: Ground) -> None:
    first, _ = play(ground, 7)
    second, _ = play(ground, 7)

    assert first.log == second.log
    assert len(first.log) > 3
