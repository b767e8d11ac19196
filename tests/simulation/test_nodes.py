"""Schedules of one to five nodes keep every promise, and the mistakes that only many nodes can make are caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError

from syncd.errors import StoreError
from tests.simulation.nodes import NodesWorld
from tests.simulation.nodes_twins import TWINS, planted
from tests.simulation.schedules import Ground, first_failure, play, quiet

KNOWN = {
    "leases_on_node_time": 1,
    "writes_without_asking_whether_it_may": 15,
    "records_what_a_later_look_overtook": 8,
    "migrates_under_old_nodes": 0,
    "leaves_the_dead_what_they_held": 1,
    "answers_without_asking_for_the_generation": 1,
}
"""A seed that is known to catch a twin, tried first; any other will do as well."""
SEEDS = 30
"""Within how many schedules a twin must give itself away."""


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """An empty database to copy."""
    opened = Ground()
    with quiet():
        yield opened
    opened.close()


def test_nodes_that_die_stand_still_and_are_cut_off_keep_every_promise(ground: Ground) -> None:
    failure = first_failure(ground, range(2, 5), kind=NodesWorld)

    assert failure is None, failure


@pytest.mark.broad
@pytest.mark.parametrize("part", range(6))
def test_more_nodes_keep_every_promise(ground: Ground, part: int) -> None:
    failure = first_failure(ground, range(100 + 10 * part, 110 + 10 * part), kind=NodesWorld)

    assert failure is None, failure


@pytest.mark.broad
def test_a_schedule_of_nodes_plays_the_same_twice_and_is_about_several(ground: Ground) -> None:
    first, _ = play(ground, 4, NodesWorld)
    second, _ = play(ground, 4, NodesWorld)

    assert first.log == second.log
    assert "node " in "\n".join(first.log)


@pytest.mark.broad
@pytest.mark.parametrize("name", sorted(TWINS))
def test_the_schedules_catch(ground: Ground, name: str) -> None:
    first = KNOWN[name]
    with planted(name):
        caught = next((seed for seed in (first, *range(SEEDS)) if _breaks(ground, seed)), None)

    assert caught is not None, f"{SEEDS} schedules did not notice the twin {name}"


def _breaks(ground: Ground, seed: int) -> bool:
    """Whether a promise is broken, or nothing works any more."""
    try:
        return bool(play(ground, seed, NodesWorld)[1])
    except (OperationalError, StoreError):
        return True
