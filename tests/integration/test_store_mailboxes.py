"""The mirror on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.delta import Delta, Group, Unreadable
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus
from syncd.store import Store
from syncd.store.memory import StoredMemory
from syncd.sync.plan import Held, plan
from tests.rough_server import NOW, busy, mailbox

WINDOW = Interval(NOW - timedelta(days=1), NOW + timedelta(days=60))
FULL = Occurrence(
    uid="u@example.org",
    original_start=NOW + timedelta(hours=1),
    interval=Interval.at(NOW + timedelta(hours=2), 45),
    busy=BusyType.TENTATIVE,
    all_day=True,
    recurring=True,
    categories=("Syncd: open", "Ærø"),
    stamp=Stamp("i", "m", 3, "d"),
)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    with store.begin() as tx:
        tx.mailboxes.ensure([mailbox("kim"), mailbox("bo")])
    yield store
    store.close()


def group(key: str, *occurrences: Occurrence, version: str = "1") -> Group:
    return Group(key, version, occurrences, key.encode(), NOW, None)


def write(
    store: Store, *groups: Group, name: str = "kim", covers: Interval = WINDOW, visible: bool = True, **said: Any
) -> None:
    fields: dict[str, Any] = {"gone": (), "present": None, "token": "t", "unreadable": ()} | said
    delta = Delta(groups, covers=covers, **fields)
    with store.begin() as tx:
        held = dict.fromkeys(tx.mailboxes.keys(name), ())
        decided = plan(Held(held), delta, None, NOW)
        tx.mailboxes.apply(name, decided, delta, NOW, full=delta.present is not None, visible=visible)


def status(store: Store, name: str = "kim") -> MailboxStatus:
    with store.read() as tx:
        found = tx.mailboxes.status(name)
    assert found is not None
    return found


def seen(store: Store, window: Interval = WINDOW, name: str = "kim") -> list[Occurrence]:
    with store.read() as tx:
        return tx.mailboxes.occurrences([name], window)[name]


def test_every_field_of_an_occurrence_comes_back(store: Store) -> None:
    write(store, group("a", FULL))

    assert [FULL] == seen(store)


def test_occurrences_come_in_order_by_mailbox_and_within_the_window_only(store: Store) -> None:
    hours = [busy(NOW + timedelta(hours=n), uid=str(n)) for n in (3, 1, 2)]
    write(store, group("a", *hours))
    write(store, group("a", hours[0]), name="bo")
    window = Interval(NOW + timedelta(hours=2), NOW + timedelta(hours=3))
    with store.read() as tx:
        both = tx.mailboxes.occurrences(["kim", "bo", "nobody"], window)

    assert {"kim": [hours[2]], "bo": [], "nobody": []} == both
    assert ["1", "2", "3"] == [one.uid for one in seen(store)]


def test_a_group_is_replaced_whole(store: Store) -> None:
    write(store, group("a", *(busy(NOW + timedelta(hours=n)) for n in range(5))), group("b", FULL))
    write(store, group("a", busy(NOW), version="2"))

    assert [busy(NOW), FULL] == seen(store)
    assert {"a": "2", "b": "1"} == StoredMemory(store, "kim").versions()


def test_thousands_of_objects_are_written_and_removed(store: Store) -> None:
    keys = [f"k{n}" for n in range(2500)]
    write(store, *(group(key, busy(NOW)) for key in keys))
    assert 2500 == len(seen(store))
    assert 2500 == len(StoredMemory(store, "kim").recall(keys))

    write(store, gone=tuple(keys[1:]))
    assert [busy(NOW)] == seen(store)


def test_what_ended_before_the_window_is_forgotten_but_its_group_is_not(store: Store) -> None:
    write(store, group("a", busy(WINDOW.start + timedelta(hours=1))))
    later = replace(WINDOW, start=WINDOW.start + timedelta(days=1))
    write(store, covers=later)

    assert [] == seen(store)
    assert {"a": "1"} == StoredMemory(store, "kim").versions()


def test_a_completed_pass_is_recorded_and_ends_all_trouble(store: Store) -> None:
    with store.begin() as tx:
        tx.mailboxes.failed("kim", "The server is away.", NOW - timedelta(hours=1), NOW)
        tx.mailboxes.failed("kim", "The server is still away.", NOW, NOW + timedelta(minutes=5))
    troubled = status(store)
    assert (2, "The server is still away.") == (troubled.attempts, troubled.problem)
    assert (NOW - timedelta(hours=1), NOW + timedelta(minutes=5)) == (troubled.problem_since, troubled.retry_at)
    assert troubled.as_of is None

    write(store, present=frozenset())

    assert MailboxStatus("kim", "t", WINDOW, NOW, NOW, revision=1) == status(store)


def test_only_a_full_pass_counts_as_full(store: Store) -> None:
    write(store)

    assert NOW == status(store).as_of
    assert status(store).full_at is None


def test_a_refusal_closes_the_mailbox_until_a_pass_completes(store: Store) -> None:
    write(store)
    with store.begin() as tx:
        tx.mailboxes.refuse("kim", "20 of 20 vanished.", NOW)
        before = tx.settings.generation()
    assert ("20 of 20 vanished.", "20 of 20 vanished.") == (status(store).refused, status(store).problem)
    with store.read() as tx:
        assert before + 1 == tx.settings.generation()

    write(store)
    assert status(store).refused is None


@pytest.mark.parametrize("visible", [True, False])
def test_a_pass_that_changes_no_answer_leaves_the_generation(store: Store, visible: bool) -> None:
    with store.read() as tx:
        before = tx.settings.generation()
    write(store, visible=visible)
    with store.read() as tx:
        assert before + visible == tx.settings.generation()


def broken(digest: str = "d1", version: str = "1") -> Unreadable:
    return Unreadable("x", version, digest, "it has no start")


def test_an_unreadable_object_counts_until_it_is_acknowledged_for_its_digest(store: Store) -> None:
    write(store, unreadable=(broken(),))
    assert 1 == status(store).unreadable
    with store.begin() as tx:
        assert not tx.mailboxes.acknowledge("kim", "x", "other")
        assert not tx.mailboxes.acknowledge("bo", "x", "d1")
        assert tx.mailboxes.acknowledge("kim", "x", "d1")
    assert 0 == status(store).unreadable

    write(store, unreadable=(broken(version="2"),))
    assert 0 == status(store).unreadable
    write(store, unreadable=(broken("d2", "3"),))
    assert 1 == status(store).unreadable
    write(store, unreadable=(broken("d1", "4"),))
    assert 1 == status(store).unreadable


def test_a_mended_object_is_a_group_again_and_a_broken_group_is_not(store: Store) -> None:
    write(store, group("x", FULL))
    write(store, unreadable=(broken(),))
    assert [] == seen(store)
    write(store, group("x", FULL))

    assert [FULL] == seen(store)
    assert 0 == status(store).unreadable


def test_a_removed_object_is_not_unreadable_any_more(store: Store) -> None:
    write(store, unreadable=(broken(),))
    write(store, present=frozenset())

    assert 0 == status(store).unreadable
    with store.read() as tx:
        assert [] == tx.mailboxes.unreadable()


def test_unreadable_objects_are_listed_with_their_reason(store: Store) -> None:
    write(store, unreadable=(broken(),))
    with store.read() as tx:
        [item] = tx.mailboxes.unreadable("kim")

    assert ("kim", "x", "d1", "it has no start", NOW, False) == (
        item.mailbox,
        item.key,
        item.digest,
        item.reason,
        item.seen,
        item.acknowledged,
    )


def test_memory_lends_versions_recall_and_spans(store: Store) -> None:
    endless = group("endless", FULL)
    past = replace(group("past"), first=NOW - timedelta(days=9), last=NOW - timedelta(days=8))
    ahead = replace(group("ahead"), first=NOW + timedelta(days=70), last=NOW + timedelta(days=71))
    write(store, endless, past, ahead, unreadable=(broken(),))
    memory = StoredMemory(store, "kim")

    assert {"endless": "1", "past": "1", "ahead": "1", "x": "1"} == memory.versions()
    assert "x" not in StoredMemory(store, "kim", retry_unreadable=True).versions()
    assert {"past": ("1", b"past")} == {
        key: (one.version, one.memory) for key, one in memory.recall(["past", "x", "?"]).items()
    }
    assert {"endless"} == set(memory.touching(WINDOW))
    assert {"endless", "ahead"} == set(memory.touching(Interval(NOW, NOW + timedelta(days=71))))


def test_a_mailbox_that_names_another_calendar_is_read_from_the_beginning(store: Store) -> None:
    write(store, group("a", FULL))
    with store.begin() as tx:
        tx.mailboxes.ensure([mailbox("kim"), mailbox("bo")])
    assert [FULL] == seen(store)
    with store.begin() as tx:
        tx.mailboxes.ensure([mailbox("kim", url="https://elsewhere.example.org/")])

    assert [] == seen(store)
    assert MailboxStatus("kim", revision=2) == status(store)


def test_mailboxes_that_are_not_watched_any_more_are_forgotten(store: Store) -> None:
    write(store, group("a", FULL))
    write(store, group("a", FULL), name="bo")
    with store.begin() as tx:
        assert ["bo"] == tx.mailboxes.forget_others(["kim"])
        assert [] == tx.mailboxes.forget_others(["kim"])

    assert [] == seen(store, name="bo")
    assert [FULL] == seen(store)


def test_groups_and_upcoming_items_are_counted_for_the_plan(store: Store) -> None:
    write(store, group("a", FULL, busy(NOW)), group("past", busy(NOW - timedelta(hours=5))), group("none"))
    with store.read() as tx:
        found = tx.mailboxes.groups("kim", ["a", "none", "?"])
        assert 1 == tx.mailboxes.upcoming("kim", NOW)
        assert {"kim", "bo"} == set(tx.mailboxes.statuses())

    assert {"a": {FULL, busy(NOW)}, "none": set()} == {key: set(some) for key, some in found.items()}


def test_whoever_asks_second_for_a_lock_waits_for_the_first_in_whatever_order_they_name_it(store: Store) -> None:
    done: list[str] = []

    def second() -> None:
        with store.begin() as tx:
            tx.mailboxes.lock("bo", "kim")
            done.append("second")

    other = Thread(target=second)
    with store.begin() as tx:
        tx.mailboxes.lock("kim", "bo")
        tx.mailboxes.lock("kim")
        other.start()
        other.join(0.3)
        done.append("first")
    other.join(10)

    assert ["first", "second"] == done
