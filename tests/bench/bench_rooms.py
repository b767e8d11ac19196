"""How well, how fast and with how few changes rooms are given; judged by `rooms/rooms_bench.py`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean

from syncd.model.offer import RoomRequirement
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import Day
from syncd.roomalloc.demand import Outcome, Wish, rooms_needed
from syncd.roomalloc.instance import Instance, Request, parse
from syncd.roomalloc.offers import Want, publishable
from syncd.roomalloc.replay import Options, Run
from tests import rooms_judge
from tests.bench.figure import Figure
from tests.bench.rooms_rivals import best_fit, first_fit
from tests.bench.rooms_town import RoomTown
from tests.bench.rooms_views import stale_picks
from tests.rooms_judge import FAIR, FAIR_SPECIAL, MOVES, Judged, days, instance

NAME = "rooms"
CHAINS = (0, 1, 2, 3, 6)
"""Moves allowed, for the curve of acceptance by policy."""
LENGTHS = (30, 45, 60)


def run() -> list[Figure]:
    """Everything of the table, then the curves."""
    figures: list[Figure] = []
    took: list[float] = []
    for preset in FAIR:
        texts = [instance(preset, seed, days=days(preset)) for seed in range(1, len(FAIR[preset]) + 1)]
        ours = [rooms_judge.run(text) for text in texts]
        took += [ms for one in ours for ms in one.milliseconds]
        figures += _preset(preset, texts, ours)
    took.sort()
    figures.append(Figure("decision p99, all presets", round(took[len(took) * 99 // 100], 2), "ms", 10))
    figures.append(Figure("decision max, all presets", round(took[-1], 1), "ms", 150))
    return [*figures, *_publishing(), *integrated(), _stale(), *_by_policy(), *_needed()]


def _preset(preset: str, texts: list[str], ours: list[Judged]) -> Iterator[Figure]:
    """The lines of one preset; the rivals are best fit by class, without moves, and first fit."""
    assert all(one.found["valid"] for one in ours), "the judge found violations"
    shares = _shares(preset, ours)
    best = _shares(preset, [rooms_judge.run(text, policy=best_fit) for text in texts])
    first = _shares(preset, [rooms_judge.run(text, policy=first_fit) for text in texts])
    held, rival = round(mean(shares), 2), round(mean(best), 2)
    yield Figure(f"{preset}: held of fair, mean (best fit)", held, "%", 99.5, rival, True)
    yield Figure(f"{preset}: held of fair, worst seed (first fit)", min(shares), "%", 99, min(first), True)
    moves = mean(one.found["moves_per_100"] for one in ours)
    yield Figure(f"{preset}: moves per 100 accepted", round(moves, 2), "", MOVES[preset])
    seeds = range(1, len(texts) + 1)
    late = [rooms_judge.run(instance(preset, seed, days=days(preset), announce_lead=2880)) for seed in seeds]
    told = mean(one.found["announced_moves_per_100"] for one in late)
    yield Figure(f"{preset}: announced changes per 100, told 2 days before", round(told, 2), "", 2.5)
    if preset not in FAIR_SPECIAL:
        return
    special = mean(one.found["special_accept"] for one in ours) / mean(FAIR_SPECIAL[preset])
    yield Figure(f"{preset}: special requests accepted, of fair's", round(100 * special, 2), "%", 95, None, True)


def _shares(preset: str, runs: list[Judged]) -> list[float]:
    return [round(100 * one.found["held"] / fair, 2) for one, fair in zip(runs, FAIR[preset], strict=True)]


def _publishing() -> Iterator[Figure]:
    """All keys of 21 days of 60 rooms, half-way through a busy month: cold, and after one change."""
    run = Run(parse(instance("large-roomy", 1, days=32)), Options())
    for event in run.instance.events:
        if event.at < 10 * 1440 and isinstance(event, Request):
            run.request(event)
    site = next(iter(run.instance.layouts))
    month = [run.day(site, number, 10 * 1440) for number in range(11, 32)]
    wants = [Want(kind, minutes) for kind in _kinds() for minutes in LENGTHS]
    for day in month:
        day.forget()
    yield Figure(
        "publish 21 days of 60 rooms, cold", round(1000 * sum(_publish(day, wants) for day in month)), "ms", 1000
    )
    after = []
    for day in (day for day in month if day.seats):
        day.remove(next(iter(day.seats)))
        after.append(1000 * _publish(day, wants))
    yield Figure("publish after one change, typical (mean)", round(mean(after), 1), "ms", 25)
    yield Figure("publish after one change, fullest day", round(max(after), 1), "ms")


def integrated() -> Iterator[Figure]:
    """The same through the product: database, mirror, caseworkers; the answer for one offer over 21 days.

    Seconds of our own processor time, for the machine is shared.
    """
    with tempfile.TemporaryDirectory() as folder:
        town = RoomTown(parse(instance("large-roomy", 1, days=32)), 10, Path(folder))
        cold = _cpu(lambda: town.answer("t230"))
        others = [_cpu(lambda offer=offer: town.answer(offer)) for offer in ("t530", "t9video60")]  # type: ignore[misc]  # mypy infers no default of a lambda
        one = next(iter(town.people.caseworkers))
        town.answer("t230", one)
        pool, single = [], []
        for booked in town.booked[::400][:8]:
            town.desk.cancel("bench", booked["id"], town.now)
            single.append(_cpu(lambda: town.answer("t230", one)))
            pool.append(_cpu(lambda: town.answer("t230")))
        yield Figure("product: 21 days, 60 rooms, 200 caseworkers, one offer, cold", round(cold), "ms", 1000)
        yield Figure("product: each further kind of meeting", round(mean(others), 1), "ms")
        yield Figure("product: after one change, one caseworker's answer", round(mean(single), 1), "ms", 25)
        yield Figure("product: after one change, then the pool of 200", round(mean(pool), 1), "ms", 25)
        town.store.close()


def _cpu(work: Callable[[], object]) -> float:
    """Milliseconds of processor time."""
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def _kinds() -> list[RoomRequirement]:
    """The nine kinds of the reference: three sizes, alone, with an alarm, with video."""
    return [
        RoomRequirement(seats, frozenset(features)) for seats in (2, 5, 9) for features in ((), ("alarm",), ("video",))
    ]


def _publish(day: Day, wants: list[Want]) -> float:
    """Seconds to settle every key of a day."""
    began = time.perf_counter()
    publishable(day, wants, range(480, 960, 15), Policy())
    return time.perf_counter() - began


def _stale() -> Figure:
    found = [stale_picks(parse(instance("choice-large", seed, days=5)), 1) for seed in (1, 2)]
    share = sum(picks.stale for picks in found) / sum(picks.made for picks in found)
    return Figure("picks whose room went, view 1 min old", round(1000 * share, 2), "per 1,000", 1)


def _by_policy() -> Iterator[Figure]:
    """Acceptance by the number of moves allowed."""
    for preset in ("small-tight", "choice-small"):
        for moves in CHAINS:
            options = Options(Policy(moves=moves, told=moves, nodes=5000))
            one = rooms_judge.run(instance(preset, 1), options)
            share = 100 * one.found["held"] / FAIR[preset][0]
            yield Figure(
                f"{preset}: held of fair with at most {moves} moves", round(share, 2), "%", more_is_better=True
            )


def _needed() -> Iterator[Figure]:
    """How many small rooms the demand of small-tight would need beside its three larger ones."""
    found = parse(instance("small-tight", 1, days=5))
    (layout,) = found.layouts.values()
    small = next(space for space in layout.spaces if space.capacity == 3 and space.step_free)
    others = [space for space in layout.spaces if space.capacity > 3]
    for count, outlook in rooms_needed(small, others, _wishes(found), [(480, 960)], Policy()):
        yield Figure(f"rooms needed: accepted with {count} small rooms", round(100 * outlook.share, 1), "%")


def _wishes(found: Instance) -> list[Wish]:
    requests = [event for event in found.events if isinstance(event, Request)]
    return [Wish(r.day, r.day % 5, r.starts[0], r.minutes, r.requirement, Outcome.REFUSED, r.floor) for r in requests]
