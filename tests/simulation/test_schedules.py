"""Five hundred seeded schedules keep every promise; a seed that once broke one is kept by name."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.simulation.lean import LeanSession
from tests.simulation.schedules import Ground, explain, first_failure, play, quiet

SCHEDULES = int(os.environ.get("SYNCD_SCHEDULES", "500"))
"""How many to play; `.ci/run` asks for more."""
PARTS = 20


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

    failure = first_failure(ground, seeds)

    assert failure is None, failure


@pytest.mark.parametrize(
    ("seed", "lesson"),
    [
        (2, "two copies of one generation, one of them moved, took turns for ever"),
        (94, "a meeting taken up after a restore claimed its time without its buffers"),
        (112, "the same, with the hold still in the database"),
        (417, "deleted by its caseworker while it was first written, it was called settled for a while"),
        (416, "moved to a colleague and back, our own late deletion was taken for a human's"),
        (737, "moved to a colleague after the backup, it was never found there"),
        (939, "taken up again by its caseworker's entry, its room's entry was left behind"),
        (1289, "taken up again without its room, nobody was told"),
        (6635, "the judge took an unseen change for a creation, of which alone a server tells"),
        (8286, "a room's newer entry was believed while its caseworker's, which knew the time, was not seen"),
        (2846, "the judge took what a restored database still knew of for the last that was promised"),
        (3583, "deleted by its caseworker and back with her restored calendar, it was removed again and nobody told"),
        (6919, "a write that came late after a restore was believed before a newer one in a colleague's calendar"),
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


def test_the_short_way_to_the_database_tells_the_same_story_as_the_long_one(ground: Ground) -> None:
    long_way = Ground(hurried=False)
    for seed in (1, 7, 94, 737):
        slow, _ = play(long_way, seed)
        fast, _ = play(ground, seed)

        assert slow.log == fast.log
        assert slow._picture() == fast._picture()
    long_way.close()


def test_schedules_take_the_short_way_to_the_database(ground: Ground) -> None:
    with ground.sessions(), ground.store.read() as tx:
        assert isinstance(tx.session, LeanSession)
