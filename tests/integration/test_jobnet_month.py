"""A month of citizens on Jobnet ends with each booked inside the deadline, or with proof of what was offered."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from syncd.clock import FixedClock
from syncd.dfdg.figures import counted
from syncd.model.interval import Interval
from syncd.store import Store
from tests.integration import jobnet_month
from tests.integration.jobnet_month import Agency, Month, directory, disagreements, verdicts
from tests.integration.web_town import NOW
from tests.servers.dfdg import DfdgServer


@contextmanager
def played(
    url: str, citizens: int, people: int, rooms: int, told: Callable[[str], None] = lambda _: None
) -> Iterator[Month]:
    clock, store = FixedClock(NOW), Store(url)
    with DfdgServer(seed=3, clock=clock.now) as dfdg:
        town = Agency(store, clock=clock, directory=directory(people, rooms), dfdg=dfdg)
        month = Month(town, citizens)
        month.play(told)
        yield month
        month.close()
    store.close()


ALL = ("booked", "moved", "cancelled", "straksbooking", "no contact", "dragged", "summoned")


def judged(month: Month, citizens: int, happens: tuple[str, ...] = ALL) -> Counter[str]:
    """How the citizens' months ended, by number; both sides' books agree, and nothing is left to be done."""
    ended = Counter(verdict for _, verdict in verdicts(month))
    counts = month.counts

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
    return ended


def test_a_few_citizens_are_booked_in_time_or_have_proof_and_both_books_agree(migrated_sqlite_url: str) -> None:
    """The same as below with a dozen, for every run."""

    def play() -> None:
        with played(migrated_sqlite_url, citizens=12, people=2, rooms=1) as month:
            judged(month, 12, ("booked", "moved", "summoned"))

    # In a thread of its own: a browser driven by another test leaves a loop running in this one.
    with ThreadPoolExecutor(1) as aside:
        aside.submit(play).result()


@pytest.mark.broad
def test_who_found_no_time_has_proof_of_it_and_without_the_record_the_judge_says_so(
    migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge's other way: no calendar can be read for the whole month; then its record is taken away."""
    whole = [(NOW, NOW + timedelta(days=60))]
    monkeypatch.setattr(jobnet_month, "OUTAGES", {"calendars": whole})

    def play() -> tuple[Counter[str], Counter[str]]:
        with played(migrated_sqlite_url, citizens=4, people=2, rooms=1) as month:
            documented = Counter(verdict for _, verdict in verdicts(month))
            with month.town.store.begin() as tx:
                tx.session.execute(text("DELETE FROM supply_standing"))
            return documented, Counter(verdict for _, verdict in verdicts(month))

    with ThreadPoolExecutor(1) as aside:
        kept, lost = aside.submit(play).result()
    assert {"documented": 2, "summoned": 2} == kept
    assert {"unexplained: no proof": 2, "summoned": 2} == lost


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
def test_a_month_of_citizens_are_booked_in_time_or_have_proof_and_both_books_agree(
    migrated_sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """[FRI, S2 of reference/domain.md] deadlines, rebooking, straksbooking, outages, both generations.

    ``CITIZENS`` says how many (200); a caseworker has eighty of them at most.
    """
    citizens = int(os.environ.get("CITIZENS", "200"))
    people = max(4, citizens // 80)

    def told(line: str) -> None:
        with capsys.disabled():
            print(f"{time.process_time():6.0f} s of CPU, {line}", flush=True)

    with played(migrated_sqlite_url, citizens, people, people // 2, told) as month:
        ended = judged(month, citizens)
        told(f"ended: {dict(sorted(ended.items()))}")
        with month.town.store.read() as tx:
            tables = [row[0] for row in tx.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
            content = "".join(str(tx.session.execute(text(f'SELECT * FROM "{one}"')).all()) for one in tables)
        assert set() == month.cases.keys() & {*re.findall("(?=([0-9]{10}))", content)}, "numbers in clear"
