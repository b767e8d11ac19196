"""Running seeds, one after the other, on one database file that is emptied in between."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import structlog

from syncd.points import watched
from syncd.store import Store
from tests.simulation.judge import claimed_twice, judge
from tests.simulation.lean import lean, recalled, remembered
from tests.simulation.world import World, hasty

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files are only memory, if there is such a place: processes crash in these worlds, machines do not."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without log lines: there would be a hundred thousand."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)


class Ground:
    """One database for all worlds, emptied in between: a store of its own would learn all its statements anew.

    :param hurried: sessions take the short way to the database (see `tests.simulation.lean`).
    :param template: a migrated database to copy, so that it need not be made.
    """

    def __init__(self, hurried: bool = True, template: Path | None = None) -> None:
        self.sessions = lean if hurried else nullcontext
        self.folder = Path(tempfile.mkdtemp(prefix="syncd-world-", dir=MEMORY))
        self.empty = self.folder / "empty.db"
        if template is not None:
            shutil.copyfile(template, self.empty)
        store = Store(f"sqlite:///{self.empty}")
        store.upgrade()
        with quiet():
            World(0, store, prepared=False)  # the calendars are read once, for all worlds
        self.beginning = remembered(store)
        store.close()
        with self.sessions():
            self.store = Store(f"sqlite:///{self.folder / 'world.db'}")
        if not hurried:
            hasty(self.store)

    def world(self, seed: int, kind: type[World] = World, **parts: Any) -> World:
        """A fresh world, in which nothing has happened yet."""
        recalled(self.store, self.beginning)
        return kind(seed, self.store, **parts)

    def close(self) -> None:
        """Remove everything."""
        self.store.close()
        shutil.rmtree(self.folder)


def play(ground: Ground, seed: int, kind: type[World] = World, **parts: object) -> tuple[World, list[str]]:
    """Run one schedule to its rest; the world, and every promise it broke."""
    with ground.sessions():
        world = ground.world(seed, kind, **parts)
        with watched(world._pass):
            world.run()
            problems = list(claimed_twice(world))
            world.calm()
        problems += judge(world)
    return world, problems


def explain(world: World, problems: list[str]) -> str:
    """What broke, and how to see it again."""
    again = f".venv/bin/python -m tests.simulation {world.seed}{world.flag}"
    return "\n".join([f"seed {world.seed} broke {len(problems)} promise(s); again: {again}", *problems, *world.log])


def first_failure(ground: Ground, seeds: range, kind: type[World] = World, **parts: object) -> str | None:
    """The first seed that breaks a promise, explained; None when all keep theirs."""
    for seed in seeds:
        world, problems = play(ground, seed, kind, **parts)
        if problems:
            return explain(world, problems)
    return None
