"""Sixty schedules and the named ones, for `tests.mutation`; the whole suite plays far more."""

from __future__ import annotations

import pytest

from tests.simulation.schedules import Ground, explain, first_failure, play, quiet


@pytest.mark.programme
def test_sixty_schedules_keep_every_promise() -> None:
    ground = Ground()
    with quiet():
        failure = first_failure(ground, range(60))
        named = [explain(*played) for seed in (94, 416, 737, 939, 1289) if (played := play(ground, seed))[1]]
    ground.close()

    assert failure is None, failure
    assert not named
