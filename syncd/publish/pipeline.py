"""The steps of `syncd.slots.compute` for the people of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from syncd.model.offer import Form
from syncd.publish.scene import Person, Scene
from syncd.slots.blocking import opened
from syncd.slots.caps import caps_of, within_caps
from syncd.slots.compute import Cut, Step, apart, candidates, known, near, noticed, open_time
from syncd.slots.grid import Cells
from syncd.slots.hours import within_hours
from syncd.store.instants import epoch


def survivors(scene: Scene, person: Person, form: Form) -> Mapping[Step, Cells]:
    """What each step left of this person's candidates; the last one is on offer."""
    asked, grid = scene.asked, scene.grid
    cut, zone = Cut(asked.offer, form, grid), person.site.zone
    left: dict[Step, Cells] = {}
    starts = left[Step.GRID] = candidates(cut, (epoch_up(asked.window.start), epoch(asked.window.end)), zone)
    marks = opened(person.layout.marks, asked.offer)
    starts = left[Step.HOURS] = within_hours(
        grid, starts, open_time(grid, person.hours, person.policy, marks), cut.minutes
    )
    starts = left[Step.EVENTS] = apart(cut, starts, person.events[form])
    starts = left[Step.CLAIMS] = apart(cut, starts, person.claims)
    starts = left[Step.NOTICE] = noticed(cut, starts, asked.now)
    starts = left[Step.HORIZON] = near(cut, starts, asked.now, zone)
    starts = left[Step.COVERED] = known(cut, starts, person.covered)
    caps = caps_of(asked.offer, person.policy)
    starts = left[Step.CAPS] = within_caps(grid, starts, caps, scene.taken, person.id, zone)
    left[Step.ROOM] = starts & scene.rooms[person.site.id, form] if form in asked.offer.room_forms else starts
    return left


def epoch_up(at: datetime) -> int:
    """The first whole second that is not before *at*."""
    seconds = epoch(at)
    return seconds + 1 if at.microsecond else seconds
