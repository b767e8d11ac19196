"""Tests asked in processes that are forked from one which has collected them."""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.planted import plant
from tests.mutation.reach import Footprints, Reach
from tests.mutation.targets import WARM

IMPATIENCE = 10
"""How many times the time it takes without a mutant its tests may compute, and half a minute, before they hang."""
IDLENESS = 20
"""How many times longer than that they may take in all: on a busy machine most of it is waiting for a turn."""

OVERDUE = -1000
HANGS = (OVERDUE, -signal.SIGXCPU, -signal.SIGKILL)


class Asker:
    """Asks tests about mutants.

    :param sources: of the changed modules, by name.
    :param known: a file that keeps which lines the tests come by, for the next run.
    """

    def __init__(self, session: pytest.Session, sources: Mapping[str, str], known: Path | None = None) -> None:
        self._session = session
        self._items = {item.nodeid: item for item in session.items}
        self._folder = Path(tempfile.mkdtemp(prefix="mutation-", dir=_quick()))
        self._warm_up()
        self.reached = self._known(known, sources)

    @property
    def unfit(self) -> list[str]:
        """Tests that fail, or are left out, without any mutant."""
        return [name for name, one in self.reached.items() if not one.passed]

    def killer(self, mutant: Mutant, tests: Sequence[str]) -> str | None:
        """The test that noticed; None when all pass, or when there is none to ask."""
        if not tests:
            return None
        usual = sum(self.reached[name].seconds for name in tests)
        told = self._folder / "killer"
        allowed = 30 + IMPATIENCE * usual
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (round(allowed), round(allowed) + 1))
            self._ask(mutant, tests, told)
        code = _ended(child, IDLENESS * allowed)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the tests started
        shutil.rmtree(self._folder / "child", ignore_errors=True)
        if code in HANGS:
            return "it hangs"
        return None if code == 0 else told.read_text()

    def _ask(self, mutant: Mutant, tests: Sequence[str], told: Path) -> None:
        """In the child: ends the process with 0 when nobody noticed."""
        _alone(self._session, self._folder / "child")
        told.write_text("it cannot be loaded")
        try:
            plant(mutant)
            self._session.config.pluginmanager.register(_Stop(told))
            told.write_text("it ended the process")
            self._run(tests)
        except BaseException:  # noqa: BLE001 - whatever it is, it was noticed
            os._exit(1)
        os._exit(0)

    def _warm_up(self) -> None:
        """Let one test make what all share; the next one is of another file, so that nothing else stays set up."""
        items = self._session.items
        first = next((item for item in items if item.nodeid.startswith(WARM)), None)
        following = next((item for item in items if not item.nodeid.startswith(WARM)), None)
        if first is not None and following is not None:
            first.config.hook.pytest_runtest_protocol(item=first, nextitem=following)

    def _known(self, file: Path | None, sources: Mapping[str, str]) -> dict[str, Reach]:
        """What each test comes by; only tests that *file* does not know are run."""
        kept: dict[str, Reach] = {}
        if file is not None and file.exists():
            of, known = pickle.loads(file.read_bytes())
            kept = {name: Reach(*parts) for name, parts in known.items()} if of == sources else {}
        if unknown := [name for name in self._items if name not in kept]:
            kept |= self._reach(unknown, sources)
        if file is not None:
            file.write_bytes(pickle.dumps((sources, {name: astuple(one) for name, one in kept.items()})))
        return {name: one for name, one in kept.items() if name in self._items}

    def _reach(self, tests: Sequence[str], sources: Mapping[str, str]) -> dict[str, Reach]:
        told = self._folder / "reach"
        child = os.fork()
        if child == 0:
            self._tell(tests, sources, told)
        assert _ended(child, 7200) == 0, "the tests could not be run without a mutant"
        shutil.rmtree(self._folder / "child", ignore_errors=True)
        return {name: Reach(*parts) for name, parts in pickle.loads(told.read_bytes()).items()}

    def _tell(self, tests: Sequence[str], sources: Mapping[str, str], told: Path) -> None:
        """In the child: what each test comes by."""
        try:
            prints = Footprints(sources)
            _alone(self._session, self._folder / "child")
            self._session.config.pluginmanager.register(prints)
            self._run(tests)
            told.write_bytes(pickle.dumps({name: astuple(one) for name, one in prints.found.items()}))
        except BaseException:  # noqa: BLE001 - nothing of the child may go on as if it were the parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _run(self, tests: Sequence[str]) -> None:
        items = [self._items[name] for name in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following or self._session.items[0])


class _Stop:
    """Ends the process when a test fails."""

    def __init__(self, told: Path) -> None:
        self._told = told

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first failure is enough."""
        if report.failed:
            self._told.write_text(report.nodeid)
            os._exit(1)


def _alone(session: pytest.Session, folder: Path) -> None:
    """In a child: a group and a folder of its own, and nothing to say."""
    os.setpgid(0, 0)
    folder.mkdir()
    session.config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]  # pytest has no other way
    tempfile.tempdir = str(folder)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdout.flush()


def _ended(child: int, seconds: float) -> int:
    """The exit code of a child; it is killed, and the code is not 0, when it takes longer than that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return OVERDUE


def _quick() -> str | None:
    """Memory is quicker than a disk, where there is some."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
