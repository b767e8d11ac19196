"""The tests that the test programme names are there."""

from __future__ import annotations

import re

from tests.environment import ROOT
from tests.simulation.test_twins import KNOWN
from tests.simulation.twins import TWINS

NAME = re.compile(r"`(test_[a-z0-9_]{30,})`")


def test_each_test_that_the_programme_names_is_there() -> None:
    named = NAME.findall((ROOT / "docs/operations/test-programme.md").read_text())
    written = "".join(one.read_text() for one in (ROOT / "tests").rglob("test_*.py"))

    assert 20 < len(named)
    assert [] == [name for name in named if f"def {name}(" not in written]


def test_the_programme_names_the_seed_that_catches_each_twin() -> None:
    programme = (ROOT / "docs/operations/test-programme.md").read_text()
    told = programme.partition("## Buggy twins")[2].partition("### Many nodes")[0]

    assert sorted(KNOWN.values()) == sorted(map(int, re.findall(r"\| seed (\d+) \|", told)))
    assert 22 == len(TWINS)
    assert "twenty-two in all" in told
