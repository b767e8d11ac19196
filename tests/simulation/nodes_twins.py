"""Buggy twins of many nodes: mistakes that only show when nodes die, stand still, are cut off or have wrong clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from syncd.booking import reconcile, steps
from syncd.publish.remembered import Answers
from syncd.store import nodes as stored
from syncd.store.meetings import Meetings
from syncd.store.nodes import Nodes
from tests.simulation.nodes import NodesWorld


def leases_on_node_time(patch: pytest.MonkeyPatch) -> None:
    """Each node counts heartbeats, leases and holds by its own machine's clock."""
    patch.setattr(NodesWorld, "own_clocks", True)


def writes_without_asking_whether_it_may(patch: pytest.MonkeyPatch) -> None:
    """A node that woke goes on writing, though the others have given it up: the fence before writes is missing."""
    patch.setattr(reconcile, "act", lambda *arguments: steps.act(*arguments[:4]))


def records_what_a_later_look_overtook(patch: pytest.MonkeyPatch) -> None:
    """What a node that woke believes is recorded over what is known by now: the fence before records is missing."""
    patch.setattr(Meetings, "outrun", lambda *_a: False)


def migrates_under_old_nodes(patch: pytest.MonkeyPatch) -> None:
    """What living nodes still use is taken away: nobody asks who lives."""
    patch.setattr(stored, "left_behind", lambda *_a: [])


def leaves_the_dead_what_they_held(patch: pytest.MonkeyPatch) -> None:
    """A dead node is forgotten, and nobody takes over from it."""
    patch.setattr(Nodes, "bury", lambda _self: [])


def answers_without_asking_for_the_generation(patch: pytest.MonkeyPatch) -> None:
    """A node goes on telling what it computed, whatever others have committed since."""

    def wrong(self: Answers, question: Any, _generation: int, _directory: Any, now: Any) -> Any:
        kept = self._answers.get(question)
        return kept.answer if kept and kept.made <= now < kept.answer.valid_until else None

    patch.setattr(Answers, "kept", wrong)


TWINS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    twin.__name__: twin
    for twin in (
        leases_on_node_time,
        writes_without_asking_whether_it_may,
        records_what_a_later_look_overtook,
        migrates_under_old_nodes,
        leaves_the_dead_what_they_held,
        answers_without_asking_for_the_generation,
    )
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The product with one mistake."""
    with pytest.MonkeyPatch.context() as patch:
        TWINS[name](patch)
        yield
