"""`python -m tests.mutation [--share 0.05] [--module NAME]`: change the booking code in small ways; is each noticed?

Each mutant lives in a process of its own, forked from one that has loaded everything and collected the tests; the
checkout is never touched. A mutant is asked the tests that come by its line, quick ones first, until one fails; it is
killed, too, when they take far too long. With `--results FILE` a run goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.forks import Asker
from tests.mutation.mutants import Mutant, mutants, sham
from tests.mutation.reach import witnesses
from tests.mutation.targets import TARGETS, TESTS

CALL = ("-qq", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--no-summary", "--capture=no", "--timeout=0")


def main() -> int:
    """Try the mutants; 0 when at least nine of ten were killed, and nothing that is right was."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of all mutants, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", help="this one only")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no more after this time")
    parser.add_argument("--results", type=Path, help="a file of verdicts, one a line; what is in it is not tried again")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of tests that a mutant is asked at most")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="ask these only")
    parser.add_argument("--again", action="store_true", help="only what survived by --results, after new tests")
    asked = parser.parse_args()
    chosen = [one for name in TARGETS if asked.module in (None, name) for one in mutants(name, _source(name))]
    random.Random(asked.seed).shuffle(chosen)
    chosen = chosen[: max(1, round(len(chosen) * asked.share))]
    shams = [sham(name, _source(name)) for name in TARGETS if asked.module in (None, name)]
    run = Run([*chosen, *shams], asked.results, asked.seconds, asked.budget)
    if asked.again:
        run.only_survivors()
    pytest.main([*CALL, *asked.tests], plugins=[run])
    return run.told()


class Run:
    """Takes the place of pytest's loop over the tests, once they are collected."""

    def __init__(self, chosen: list[Mutant], results: Path | None, seconds: float, budget: float) -> None:
        self._chosen, self._results, self._seconds, self._budget = chosen, results, seconds, budget
        self._verdicts: dict[str, bool] = {}
        if results is not None and results.exists():
            known = map(json.loads, results.read_text().splitlines())
            self._verdicts = {one["mutant"]: one["killed"] for one in known}

    def only_survivors(self) -> None:
        """Forget the verdict of what survived, and try nothing else."""
        alive = {name for name, killed in self._verdicts.items() if not killed}
        self._chosen = [one for one in self._chosen if one.name in alive and one.line]
        self._verdicts = {name: killed for name, killed in self._verdicts.items() if killed}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Long ones, and those of another database, are not asked."""
        items[:] = [item for item in items if "postgresql" not in item.nodeid and not item.get_closest_marker("long")]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Ask about each mutant."""
        known = self._results.with_suffix(".reach") if self._results is not None else None
        asker = Asker(session, {name: _source(name) for name in TARGETS}, known)
        until, kills = time.monotonic() + self._seconds, Counter[str]()
        _say(f"{len(asker.reached)} tests; not asked, as they fail without a mutant: {asker.unfit or 'none'}")
        for mutant in self._chosen:
            if mutant.name in self._verdicts or time.monotonic() > until:
                continue
            tests = witnesses(mutant, asker.reached, kills, self._budget)
            killer = asker.killer(mutant, tests)
            kills.update([killer] if killer else [])
            self._note(mutant, killer, len(tests))
        return True

    def _note(self, mutant: Mutant, killer: str | None, asked: int) -> None:
        self._verdicts[mutant.name] = killer is not None
        if killer is None and mutant.line:
            _say(f"SURVIVED {mutant.name}")
        if self._results is not None:
            with self._results.open("a") as file:
                told = {"mutant": mutant.name, "killed": killer is not None, "by": killer, "asked": asked}
                file.write(json.dumps(told) + "\n")

    def told(self) -> int:
        """Say what came of it."""
        tried, killed = Counter[str](), Counter[str]()
        for mutant in self._chosen:
            if mutant.line and mutant.name in self._verdicts:
                tried[mutant.module] += 1
                killed[mutant.module] += self._verdicts[mutant.name]
        for name in sorted(tried):
            _say(f"{name}: {killed[name]} of {tried[name]} killed")
        wrong = [mutant.module for mutant in self._chosen if not mutant.line and self._verdicts.get(mutant.name)]
        share = killed.total() / max(1, tried.total())
        _say(f"{killed.total()} of {tried.total()} mutants killed ({share:.1%}); without any change: {wrong or 'none'}")
        return 0 if share >= 0.9 and not wrong else 1


def _file(module: str) -> Path:
    return Path(__file__).parents[2] / f"{module.replace('.', '/')}.py"


def _source(module: str) -> str:
    return _file(module).read_text()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
