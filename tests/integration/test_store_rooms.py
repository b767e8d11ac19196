"""What is remembered of rooms, by two who remember the same at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from syncd.model.interval import Interval
from syncd.store import Store, Tx
from syncd.store.instants import epoch
from syncd.store.rooms import Shortage
from tests.rough_server import NOW

SHORT = Shortage("hq", "talk", epoch(NOW), 30)


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = Store(migrated_url)
    yield store
    store.close()


def at_once(store: Store, *works: Callable[[Tx], object]) -> list[object]:
    """What each of two came to, of whom the second begins while the first has done its work but not committed."""
    came: list[object] = []

    def second() -> None:
        came.append(store.run(works[1]))

    other = threading.Thread(target=second)
    with store.begin() as tx:
        came.append(works[0](tx))
        other.start()
        other.join(0.2)  # PostgreSQL holds the second at the row, SQLite before its transaction
        assert other.is_alive()
    other.join()
    return came


def remembered(store: Store) -> list[Shortage]:
    with store.read() as tx:
        return tx.rooms.shortages(Interval(NOW, NOW + timedelta(days=1)))


def test_of_two_who_miss_a_room_at_the_same_time_one_remembers_it(store: Store) -> None:
    def miss(tx: Tx) -> int:
        return tx.rooms.missed([SHORT], NOW)

    assert [1, 0] == at_once(store, miss, miss)
    assert [SHORT] == remembered(store)


def test_two_who_are_turned_away_at_the_same_time_are_both_counted(store: Store) -> None:
    def turn_away(tx: Tx) -> None:
        tx.rooms.turned_away("hq", "talk", NOW, 30, NOW)

    turned = [at_once(store, turn_away, turn_away) for _ in range(2)]
    assert [[None, None]] * 2 == turned
    assert [4] == [one.refused for one in remembered(store)]
