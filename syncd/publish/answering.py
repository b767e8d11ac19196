"""A scene becomes an answer: the slots of everybody in it, and until when it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from operator import add

from syncd.model.offer import Answer
from syncd.model.zones import midnight, wall_clock
from syncd.publish.groups import joinable
from syncd.publish.pipeline import STEPS, pooled
from syncd.publish.scene import Scene
from syncd.slots.grid import Grid
from syncd.slots.kept import released_next
from syncd.slots.table import Row, Seat, SlotTable
from syncd.store.instants import moment

STEP_NAMES = tuple(step.value for step in STEPS)
LONGEST_VALID = timedelta(hours=1)


def refusal(generation: int, until: datetime) -> Answer:
    """The answer for a citizen who may not book the offer."""
    return Answer(SlotTable(Grid(0, 60, 0), ()), generation, None, until, {}, {}, entitled=False)


def answered(scene: Scene, generation: int) -> Answer:
    """What everybody in the scene can offer.

    :param generation: the one that the scene was read at.
    """
    asked = scene.asked
    joins = [seat for _, seat in joinable(scene)] if scene.groups else []
    rows: list[Row] = []
    counts = [0] * len(STEPS)
    for form in asked.forms:
        for person, left in pooled(scene, form):
            counts = [*map(add, counts, map(int.bit_count, left))]
            starts = scene.moving.shaped(person.site, asked.offer, form, left[-1])
            rows.append(Row(form, asked.offer.minutes[form], person.id, starts))
    return Answer(
        slots=SlotTable(scene.grid, rows, asked.offer.seats, joins),
        generation=generation,
        as_of=scene.as_of,
        valid_until=_valid_until(scene, rows, joins),
        closed={one: trust.reason for one, trust in scene.distrusted.items()},
        since={one: trust.since for one, trust in scene.distrusted.items() if trust.since is not None},
        counts=dict(zip(STEP_NAMES, counts, strict=True)),
        say=scene.paused.say if scene.paused else {},
    )


def _valid_until(scene: Scene, rows: Sequence[Row], joins: Sequence[Seat]) -> datetime:
    """When time alone changes the answer: the first slot's notice, a hold, a calendar's age, the next midnight."""
    asked = scene.asked
    edges = [asked.now + LONGEST_VALID, *scene.edges]
    everything = 0
    for row in rows:
        everything |= row.starts
    starts = [seat.start for seat in joins] + list(islice(scene.grid.instants(everything), 1))
    first = min(starts, default=None)
    if first is not None:
        last_chance = moment(first) - timedelta(minutes=asked.offer.notice)
        edges.append(max(last_chance, asked.now + timedelta(microseconds=1)))
    zones = {person.site.zone for person in scene.people}
    edges += _releases(scene, zones)
    edges += [midnight(wall_clock(asked.now, zone).date() + timedelta(days=1), zone) for zone in zones]
    return min(edge for edge in edges if edge > asked.now)


def _releases(scene: Scene, zones: Iterable[str]) -> list[datetime]:
    """When the next stretch of the reserve becomes everybody's."""
    asked = scene.asked
    if asked.offer.reserve is None or asked.immediate or asked.reserve_open:
        return []
    edges = (released_next(asked.offer.reserve, scene.grid, asked.now, zone) for zone in zones)
    return [moment(edge) for edge in edges if edge is not None]
