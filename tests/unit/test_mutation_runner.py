"""The runner of mutants says only of what was noticed that it was killed."""

from __future__ import annotations

from tests.mutation.forks import Asker
from tests.mutation.mutants import sham


def test_a_mutant_that_no_test_comes_by_is_not_killed() -> None:
    assert Asker.__new__(Asker).killer(sham("syncd.booking.brake", "x = 1"), ()) is None
