"""Sixty schedules and the named ones, one by one, for `tests.mutation`; the whole suite plays far more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.schedules import Ground, explain, play, quiet


@pytest.fixture(scope="module")
def ground(_sqlite_template: Path) -> Iterator[Ground]:
    opened = Ground(template=_sqlite_template)
    with quiet():
        yield opened
    opened.close()


@pytest.mark.programme
@pytest.mark.parametrize("seed", [*range(60), 94, 416, 417, 737, 939, 1289])
def test_a_schedule_keeps_every_promise(ground: Ground, seed: int) -> None:
    world, problems = play(ground, seed)

    assert not problems, explain(world, problems)
