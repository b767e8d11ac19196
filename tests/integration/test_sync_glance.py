"""Rounds of the engine in which one look at the server stands for the passes of all that did not change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.adapters.memory import MemoryCalendar
from syncd.clock import FixedClock
from syncd.errors import Transient
from syncd.model.busy import BusyType, Occurrence
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Site
from syncd.model.interval import Interval
from syncd.store import Store
from syncd.sync.engine import Engine
from syncd.sync.outcome import Result
from syncd.sync.timing import Pace

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
NAMES = ["anna", "bo", "carl"]


class Counting(MemoryCalendar):
    """Remembers whose calendar was read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def changes(self, mailbox, window, since, memory):
        self.read.append(mailbox.id)
        return super().changes(mailbox, window, since, memory)


class Round:
    def __init__(self, store: Store) -> None:
        self.store, self.server, self.clock = store, Counting(), FixedClock(NOW)
        people = {
            name: Caseworker(name, name, Mailbox(name, MailboxKind.PERSON, "main", f"{name}@x.test", "UTC"), "hq")
            for name in NAMES
        }
        directory = Directory.of("Town", {"hq": Site("hq", "HQ", "UTC")}, people, {})
        self.engine = Engine(store, {"main": self.server}, directory, Pace())

    def __call__(self, **how):
        self.clock.at += timedelta(minutes=1)
        self.server.read.clear()
        return {outcome.mailbox: outcome for outcome in self.engine.sync_many(NAMES, self.clock, **how)}

    def statuses(self):
        with self.store.read() as tx:
            return tx.mailboxes.statuses(NAMES)


@pytest.fixture
def again(migrated_url):
    store = Store(migrated_url)
    yield Round(store)
    store.close()


def busy(hour: int) -> list[Occurrence]:
    return [Occurrence("u", None, Interval.at(NOW + timedelta(hours=hour), 30), BusyType.BUSY)]


def test_mailboxes_that_did_not_change_are_seen_without_being_read(again):
    again()

    outcomes = again()

    assert again.server.read == []
    assert {o.result for o in outcomes.values()} == {Result.UNCHANGED}
    assert [status.as_of for status in again.statuses().values()] == [again.clock.at] * 3


def test_only_what_changed_is_read(again):
    again()
    again.server.put("bo", "k", busy(3))

    outcomes = again()

    assert again.server.read == ["bo"]
    assert outcomes["bo"].result is Result.OK
    assert list(outcomes) == NAMES


def test_whoever_asks_for_a_pass_gets_one(again):
    again()

    again(force=True)
    assert sorted(again.server.read) == NAMES
    again(full=True)
    assert sorted(again.server.read) == NAMES


def test_a_mailbox_with_a_problem_is_read_and_not_glanced_at(again):
    again()
    again.server.fail("changes", Transient("down"))
    again.server.put("carl", "k", busy(3))
    again()
    assert again.statuses()["carl"].problem == "down"

    again.clock.at += timedelta(minutes=5)
    again()

    assert again.server.read == ["carl"]
    assert again.statuses()["carl"].problem is None


def test_a_mailbox_with_an_unreadable_object_is_read(again):
    again.server.spoil("anna", "bad")
    again()

    again()

    assert again.server.read == ["anna"]


def test_a_new_day_and_the_daily_comparison_are_no_matter_for_a_glance(again):
    again()
    again.clock.at += timedelta(days=1)

    again()

    assert sorted(again.server.read) == NAMES
