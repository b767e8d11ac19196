"""A month of citizens on Jobnet ends with each booked inside the deadline, or with proof of what was offered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from syncd.clock import FixedClock
from syncd.dfdg.figures import counted
from syncd.model.interval import Interval
from syncd.store import Store
from tests.integration.jobnet_month import Agency, Month, directory, disagreements, verdicts
from tests.integration.web_town import NOW
from tests.servers.dfdg import DfdgServer


@contextmanager
def played(url: str, citizens: int, people: int, rooms: int) -> Iterator[Month]:
    clock, store = FixedClock(NOW), Store(url)
    with DfdgServer(seed=3, clock=clock.now) as dfdg:
        town = Agency(store, clock=clock, directory=directory(people, rooms), dfdg=dfdg)
        month = Month(town, citizens)
        month.play()
        yield month
        month.close()
    store.close()


ALL = ("booked", "moved", "cancelled", "straksbooking", "no contact", "dragged", "summoned")


def judged(month: Month, citizens: int, happens: tuple[str, ...] = ALL) -> None:
    ended = Counter(verdict for _, verdict in verdicts(month))
    counts = month.counts
    print({"ended": dict(ended), "counts": dict(counts)})

    assert [] == disagreements(month.town)
    assert {} == {why: number for why, number in ended.items() if why.startswith("unexplained")}
    assert citizens == sum(ended.values())
    assert ended["in time"] > citizens * 0.8
    for what in happens:
        assert counts[what], f"nobody {what}: {dict(counts)}"
    with month.town.store.read() as tx:
        assert (0, []) == (tx.dfdg.owed()[0], tx.dfdg.refused())
        (figures, *_) = counted(tx, Interval(NOW, NOW + timedelta(days=60)), ("1", "8"), summonses=True)
        assert figures.self_booked > figures.summoned
    assert [] == month.world.queue


def test_a_few_citizens_are_booked_in_time_or_have_proof_and_both_books_agree(migrated_sqlite_url: str) -> None:
    """The same as below with a dozen, for every run."""

    def play() -> None:
        with played(migrated_sqlite_url, citizens=12, people=2, rooms=1) as month:
            judged(month, 12, ("booked", "moved", "summoned"))

    # In a thread of its own: a browser driven by another test leaves a loop running in this one.
    with ThreadPoolExecutor(1) as aside:
        aside.submit(play).result()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_hundred_citizens_are_booked_in_time_or_have_proof_and_both_books_agree(migrated_sqlite_url: str) -> None:
    """[FRI, S2 of reference/domain.md] deadlines, rebooking, straksbooking, outages, both generations."""
    with played(migrated_sqlite_url, citizens=200, people=4, rooms=2) as month:
        judged(month, 200)
        with month.town.store.read() as tx:
            tables = [row[0] for row in tx.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
            content = "".join(str(tx.session.execute(text(f'SELECT * FROM "{one}"')).all()) for one in tables)
        assert [] == [cpr for cpr in month.cases if cpr in content]
