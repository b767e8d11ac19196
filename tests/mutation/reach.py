"""Which lines of the changed modules each test comes by, and how long it takes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import accumulate
from typing import Any

import pytest

from tests.mutation.mutants import PROBE, Mutant, probed
from tests.mutation.planted import plant


@dataclass
class Reach:
    """What is known of one test.

    :param lines: by module. :param seconds: with what it needed to be set up.
    """

    seconds: float = 0.0
    passed: bool = False
    lines: dict[str, set[int]] = field(default_factory=dict)


class Footprints:
    """A plugin that notes the lines of modules (their sources, by name) which each test comes by."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.found: dict[str, Reach] = {}
        self._now: dict[str, set[int]] = defaultdict(set)
        for name, source in sources.items():
            setattr(import_module(name), PROBE, partial(self._passed, name))
            plant(probed(name, source))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Any:
        """Around each test."""
        self._now = defaultdict(set)
        self.found[item.nodeid] = Reach(passed=True)
        began = time.monotonic()
        try:
            return (yield)
        finally:
            self.found[item.nodeid].seconds = time.monotonic() - began
            self.found[item.nodeid].lines = dict(self._now)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails, or is left out, without any mutant, tells nothing about mutants."""
        if not report.passed:
            self.found[report.nodeid].passed = False

    def _passed(self, module: str, line: int) -> None:
        self._now[module].add(line)


FIRST = 4
"""So many of the best are asked before the others are asked file by file, as tests of a file share what they set up."""


def witnesses(
    mutant: Mutant, reached: Mapping[str, Reach], kills: Mapping[str, int], seconds: float = float("inf")
) -> Sequence[str]:
    """The tests that come by what is changed, best first: quick ones, and those that have killed much.

    What is in no function, or in the head of one, is asked of whoever comes by the module.

    :param seconds: what they may take together; the others are not asked.
    """
    passed = {name: one for name, one in reached.items() if one.passed and mutant.module in one.lines}
    at_it = [name for name, one in passed.items() if not one.lines[mutant.module].isdisjoint(mutant.lines)]
    in_head = mutant.lines.start == mutant.around.start
    near = [name for name, one in passed.items() if not one.lines[mutant.module].isdisjoint(mutant.around)]
    found = at_it or (in_head and (near or list(passed))) or []
    best = sorted(found, key=lambda name: passed[name].seconds / (1 + kills.get(name, 0)))
    used = accumulate(passed[name].seconds for name in best)
    asked = [name for name, spent in zip(best, used, strict=True) if spent <= seconds] or best[:1]
    files = list(dict.fromkeys(_file(name) for name in asked))
    return [*asked[:FIRST], *sorted(asked[FIRST:], key=lambda name: files.index(_file(name)))]


def _file(test: str) -> str:
    return test.partition("::")[0]
