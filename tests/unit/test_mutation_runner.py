"""The runner of mutants says only of what was noticed that it was killed."""

from __future__ import annotations

from tests.mutation.forks import Asker
from tests.mutation.mutants import mutants, sham


def test_a_mutant_that_no_test_comes_by_is_not_killed() -> None:
    assert Asker.__new__(Asker).killer(sham("syncd.booking.brake", "x = 1"), ()) is None


def test_counts_for_the_metrics_locks_and_none_for_false_are_no_mutants() -> None:
    source = """
def f(n):
    locks.take(n, 1)
    get(n, lock=True)
    metrics.LOOKED.inc(n + 1)
    passing("looked")
    told(n)
    return False
"""

    assert ["get is not called", "told is not called", "False becomes True"] == [
        one.what for one in mutants("m", source)
    ]
