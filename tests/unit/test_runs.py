"""Runs of tasks on one node."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from syncd.dispatch import runs
from syncd.dispatch.port import SLOWEST, Task
from syncd.dispatch.runs import Runs


def test_the_same_task_never_runs_twice_at_a_time() -> None:
    begun, end, node = Event(), Event(), Runs()

    def slow(_beat: object) -> None:
        begun.set()
        end.wait(10)

    task = Task("one", 60.0, slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(node.run, task)
        assert begun.wait(10)
        meanwhile = node.run(Task("one", 60.0, lambda _beat: pytest.fail("it runs already")))
        other = node.run(Task("two", 60.0, lambda _beat: None))
        end.set()

        assert (False, True, True) == (meanwhile, other, first.result(10))
    assert not node.any
    assert node.run(task)


def test_a_task_is_late_when_it_shows_nothing_for_long_and_not_when_it_has_just_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, node = [0.0], Runs()
    monkeypatch.setattr(runs, "monotonic", lambda: now[0])

    def slow(_beat: object) -> None:
        now[0] = 5 * 60 + SLOWEST + 1
        seen.append(node.late())

    seen: list[list[str]] = []
    task = Task("one", 60.0, slow)
    node.expect(task)
    node.run(task)

    assert [["one"]] == seen
    assert [] == node.late()
