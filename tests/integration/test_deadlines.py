"""Deadlines from DFDG's messages: they drive the supply guard, and those in an outage are listed (keys in [])."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncd.clock import FixedClock
from syncd.dfdg.deadlines import demanded, in_outages
from syncd.model.task import TaskKind
from syncd.publish.guard import Looked, SupplyGuard
from syncd.store import Store
from tests.integration.jobnet_month import Agency, directory
from tests.integration.web_town import NOW, ZONE
from tests.servers.dfdg import DfdgServer, names

TOMORROW = (NOW + timedelta(days=1)).date()
CITIZENS = [f"{1 + number:02}01901{number:03}" for number in range(28)]


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Agency]:
    clock, store = FixedClock(NOW), Store(migrated_sqlite_url)
    with DfdgServer(clock=clock.now) as dfdg:
        made = Agency(store, clock=clock, directory=directory(2, 1), dfdg=dfdg)
        for cpr in CITIZENS:
            dfdg.world.citizen(cpr)
        yield made
        made.client.close()
    store.close()


def look(town: Agency) -> Looked:
    town.believe()
    guard = SupplyGuard(
        town.store, town.publisher, town.directory, lambda tx, today: demanded(tx, town.ledger.words, today)
    )
    return guard.look(town.clock.now())


def waiting(town: Agency) -> list[str]:
    with town.store.read() as tx:
        return [task.en for task in tx.tasks.waiting(TaskKind.DEADLINES_SHORT)]


def test_open_deadlines_that_times_do_not_suffice_for_are_told_and_open_the_reserve(town: Agency) -> None:
    """[WSBF] 90001 on create and update; [FRI, JK] the talk must be held by SidsteAfholdelsesdato."""
    for person in ("anna", "bo"):  # five hours of each day are left
        for day in (0, 1):
            town.busy(person, NOW + timedelta(days=day, hours=3), 240)
    town.sync()
    for cpr in CITIZENS:
        town.dfdg.world.deadline(cpr, names.JOB_TALK, TOMORROW, TOMORROW)
    town.exchange()
    short = look(town)
    told = waiting(town)

    assert [("jobsamtale", TOMORROW, 28)] == [(one.offer, one.until, one.number) for one in short.missed]
    assert ("jobsamtale",) == short.opened
    assert ["jobsamtale" in told[0], f"{TOMORROW:%d.%m.%Y}" in told[0]] == [True, True]
    for cpr in CITIZENS[5:]:
        town.dfdg.world.absent(cpr, 56)
    town.exchange()
    enough = look(town)
    assert ((), (), []) == (enough.missed, enough.opened, waiting(town))


def test_a_deadline_whose_last_day_had_an_outage_is_listed_for_staff_and_no_other(town: Agency) -> None:
    """[S5 of reference/domain.md] technical trouble: the deadline has to be moved."""
    hit = town.dfdg.world.deadline(CITIZENS[0], names.JOB_TALK, NOW.date(), TOMORROW)
    town.dfdg.world.deadline(CITIZENS[1], names.JOB_TALK, NOW.date() + timedelta(days=7), TOMORROW)
    town.exchange()
    for hours, readable in ((0, True), (3, False), (5, True)):
        town.clock.at = NOW + timedelta(hours=hours)
        if readable:
            town.believe()
        town.record()
    with town.store.read() as tx:
        words = town.ledger.words
        found = in_outages(tx, town.rules(), words, NOW.date(), ZONE, town.clock.now())

    assert [hit.id] == [one.deadline.id for one in found]
    assert NOW + timedelta(hours=3) in [span.start for span in found[0].outages]
