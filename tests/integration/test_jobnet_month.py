"""A month of citizens on Jobnet ends with each booked inside the deadline, or with proof of what was offered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from syncd.clock import FixedClock
from syncd.dfdg.figures import counted
from syncd.model.interval import Interval
from syncd.store import Store
from tests.integration.jobnet_month import Agency, Month, directory, disagreements, verdicts
from tests.integration.jobnet_town import JobnetTown
from tests.integration.web_town import NOW, Served, serving
from tests.servers.dfdg import DfdgServer


@pytest.fixture(scope="module")
def served(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("month") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    with serving(JobnetTown(store).deps()) as running:
        yield running
    store.close()


def played(url: str, served: Served, citizens: int, people: int, rooms: int) -> Iterator[Month]:
    clock, store = FixedClock(NOW), Store(url)
    with DfdgServer(seed=3, clock=clock.now) as dfdg:
        town = Agency(store, clock=clock, directory=directory(people, rooms), dfdg=dfdg)
        month = Month(town, served, citizens)
        month.play()
        yield month
        month.close()
    store.close()


@pytest.fixture
def small(migrated_sqlite_url: str, served: Served) -> Iterator[Month]:
    yield from played(migrated_sqlite_url, served, citizens=40, people=2, rooms=1)


@pytest.fixture
def month(migrated_sqlite_url: str, served: Served) -> Iterator[Month]:
    yield from played(migrated_sqlite_url, served, citizens=200, people=4, rooms=2)


@pytest.fixture
def large(migrated_sqlite_url: str, served: Served) -> Iterator[Month]:
    yield from played(migrated_sqlite_url, served, citizens=10_000, people=120, rooms=60)


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


def test_a_few_citizens_are_booked_in_time_or_have_proof_and_both_books_agree(small: Month) -> None:
    """The same as below with forty, for every run."""
    judged(small, 40, ("booked", "moved", "summoned"))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_hundred_citizens_are_booked_in_time_or_have_proof_and_both_books_agree(month: Month) -> None:
    """[FRI, S2 of reference/domain.md] deadlines, rebooking, straksbooking, outages, both generations."""
    judged(month, 200)
    with month.town.store.read() as tx:
        tables = [row[0] for row in tx.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        content = "".join(str(tx.session.execute(text(f'SELECT * FROM "{one}"')).all()) for one in tables)
    assert [] == [cpr for cpr in month.cases if cpr in content]


@pytest.mark.programme
@pytest.mark.timeout(5400)
def test_ten_thousand_citizens_are_booked_in_time_or_have_proof_and_both_books_agree(large: Month) -> None:
    judged(large, 10_000)
