"""`python -m tests.mutation [--share 0.05] [--module NAME]`: change the booking code in small ways; is each noticed?

Each mutant lives in a process of its own, forked from one that has the libraries loaded; its module is replaced in
memory, so that the checkout is never touched. A mutant is killed when a test fails, or takes far too long.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.targets import SLOW, TARGETS

LIBRARIES = ("sqlalchemy.orm", "alembic.command", "pytest", "_pytest.pytester", "hypothesis", "structlog", "psycopg")
BELOW = ("syncd.store", "syncd.publish.publisher", "syncd.adapters.memory", "syncd.sync.engine", "syncd.rulebook")
"""Parts of the product that know nothing of bookings: loaded once for all mutants."""
PATIENCE = 600
"""Seconds after which the tests of a mutant count as hanging."""
CALL = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--tb=no", "--timeout=60"]


def main() -> int:
    """Try the mutants; 0 when at least nine of ten were killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of all mutants, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", help="this one only")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no more after this time")
    asked = parser.parse_args()
    for library in (*LIBRARIES, *BELOW):
        importlib.import_module(library)
    chosen = [one for name in TARGETS if asked.module in (None, name) for one in mutants(name, _source(name))]
    chance = random.Random(asked.seed)
    chance.shuffle(chosen)
    chosen = chosen[: max(1, round(len(chosen) * asked.share))]
    began, tried, killed, alive = time.monotonic(), Counter[str](), Counter[str](), list[str]()
    for one in chosen:
        if time.monotonic() - began > asked.seconds:
            break
        tried[one.module] += 1
        if survives(one):
            alive.append(one.name)
            _say(f"SURVIVED {one.name}")
        else:
            killed[one.module] += 1
    for name in sorted(tried):
        _say(f"{name}: {killed[name]} of {tried[name]} killed")
    share = killed.total() / max(1, tried.total())
    _say(f"{killed.total()} of {tried.total()} mutants killed ({share:.0%}); {time.monotonic() - began:.0f} s")
    return 0 if share >= 0.9 else 1


def survives(mutant: Mutant) -> bool:
    """Whether no test notices; the quick ones are asked first."""
    return all(_passes(mutant, tests) for tests in (TARGETS[mutant.module], SLOW) if tests)


def _passes(mutant: Mutant, tests: tuple[str, ...]) -> bool:
    child = os.fork()
    if child == 0:
        _become(mutant, tests)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _become(mutant: Mutant, tests: tuple[str, ...]) -> None:
    """Run the tests in this process, in which the mutated module takes the place of the right one."""
    os.setpgid(0, 0)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        sys.modules.pop(mutant.module, None)
        sys.meta_path.insert(0, _Finder(mutant))
        pytest = importlib.import_module("pytest")
        code = 1
        try:
            code = int(pytest.main([*CALL, *tests]))
        finally:
            os._exit(code)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the mutated module instead of the right one."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, _path: object, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=_file(fullname).as_posix())

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader`."""
        exec(compile(self._mutant.made(), _file(module.__name__).as_posix(), "exec"), module.__dict__)


def _file(module: str) -> Path:
    return Path(__file__).parents[2] / f"{module.replace('.', '/')}.py"


def _source(module: str) -> str:
    return _file(module).read_text()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
