"""What waits for a person: raised as often as its cause is seen, told once."""

from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncd.model.task import SENTENCES, Facts, Task, TaskKind
from syncd.store import Store
from syncd.store.retention import Periods, sweep
from tests.rough_server import NOW

LEFT = TaskKind.CASEWORKER_LEFT
ANNA = "mailbox:anna"
HOUR = timedelta(hours=1)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    yield store
    store.close()


def raised(store: Store, meetings: int, hours: int = 0, about: str = ANNA) -> bool:
    with store.begin() as tx:
        facts: Facts = {"caseworker": about[8:], "id": about[8:], "meetings": meetings}
        return tx.tasks.raise_(LEFT, about, facts, NOW + hours * HOUR)


def waiting(store: Store) -> list[Task]:
    with store.read() as tx:
        return tx.tasks.waiting()


def done(store: Store, task: int, hours: int) -> Task | None:
    with store.begin() as tx:
        return tx.tasks.done(task, "cli:mette", NOW + hours * HOUR)


def test_raising_twice_opens_once_and_keeps_the_newest_facts(store: Store) -> None:
    assert raised(store, 3)
    assert not raised(store, 2, hours=1)
    assert raised(store, 1, hours=2, about="mailbox:bo")

    first, second = waiting(store)
    assert (ANNA, NOW, {"caseworker": "anna", "id": "anna", "meetings": 2}) == (first.about, first.since, first.facts)
    assert "bo er ikke længere i gruppen, men har samtaler" in second.da
    assert "bo is no longer in the group, but has meetings" in second.en


def test_what_a_person_was_done_with_stays_done_until_its_facts_change(store: Store) -> None:
    raised(store, 3)
    task = waiting(store)[0].id

    closed = done(store, task, hours=1)
    assert closed is not None
    assert "cli:mette" == closed.actor
    assert done(store, task, hours=2) is None
    assert not raised(store, 3, hours=2)
    assert [] == waiting(store)
    assert raised(store, 4, hours=3)
    assert [NOW + 3 * HOUR] == [one.since for one in waiting(store)]


def test_a_task_whose_cause_went_away_closes_itself_and_opens_again_with_it(store: Store) -> None:
    raised(store, 3)
    with store.begin() as tx:
        assert tx.tasks.settle(LEFT, ANNA, NOW + HOUR)
        assert not tx.tasks.settle(LEFT, ANNA, NOW + HOUR)
    assert [] == waiting(store)
    with store.read() as tx:
        assert {} == tx.tasks.counts()

    assert raised(store, 3, hours=2)
    with store.read() as tx:
        assert {LEFT: 1} == tx.tasks.counts()
        assert 1 == len(tx.tasks.waiting(LEFT))


def test_what_was_done_long_ago_is_forgotten_and_what_waits_is_not(store: Store) -> None:
    raised(store, 3)
    raised(store, 1, about="mailbox:bo")
    done(store, waiting(store)[0].id, hours=1)

    assert 0 == sweep(store, NOW + timedelta(days=90), Periods()).tasks
    assert 1 == sweep(store, NOW + timedelta(days=91), Periods()).tasks
    assert ["mailbox:bo"] == [one.about for one in waiting(store)]


def test_every_kind_says_the_same_facts_in_danish_and_english() -> None:
    def facts(text: str) -> set[str | None]:
        return {name.removesuffix("_en") for _, name, _, _ in string.Formatter().parse(text) if name}

    assert set(TaskKind) == set(SENTENCES)
    assert [] == [kind for kind, (da, en) in SENTENCES.items() if facts(da) != facts(en)]
