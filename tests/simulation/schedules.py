"""Running seeds, one after the other, on one database file that is emptied in between."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from syncd.store import Store
from tests.simulation.judge import claimed_twice, judge
from tests.simulation.world import World


@contextmanager
def quiet() -> Iterator[None]:
    """Without log lines: there would be a hundred thousand."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)


class Ground:
    """An empty database, copied for each world."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="syncd-world-"))
        self.empty = self.folder / "empty.db"
        store = Store(f"sqlite:///{self.empty}")
        store.upgrade()
        store.close()
        with quiet():
            World(0, self.empty, prepared=False).office.store.close()  # the calendars are read once, for all worlds

    def world(self, seed: int, **parts: object) -> World:
        """A fresh world; its database does not wait for the disk, for crashes here are of the process only."""
        path = self.folder / f"world-{seed}.db"
        shutil.copyfile(self.empty, path)
        return World(seed, path, **parts)  # type: ignore[arg-type]

    def forget(self, world: World) -> None:
        """Remove what the world left on the disk."""
        world.office.store.close()
        for path in self.folder.glob(f"{world.database.name}*"):
            path.unlink()

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder)


def play(ground: Ground, seed: int, **parts: object) -> tuple[World, list[str]]:
    """Run one schedule to its rest; the world, and every promise it broke."""
    world = ground.world(seed, **parts)
    world.run()
    problems = list(claimed_twice(world))
    world.calm()
    problems += judge(world)
    ground.forget(world)
    return world, problems


def explain(world: World, problems: list[str]) -> str:
    """What broke, and how to see it again."""
    again = f".venv/bin/python -m tests.simulation {world.seed}"
    return "\n".join([f"seed {world.seed} broke {len(problems)} promise(s); again: {again}", *problems, *world.log])


def first_failure(ground: Ground, seeds: range, **parts: object) -> str | None:
    """The first seed that breaks a promise, explained; None when all keep theirs."""
    for seed in seeds:
        world, problems = play(ground, seed, **parts)
        if problems:
            return explain(world, problems)
    return None
