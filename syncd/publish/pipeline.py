"""The steps of `syncd.slots.compute` for the people of a scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.model.directory import Site
from syncd.model.offer import Form
from syncd.model.policy import Source
from syncd.publish.partners import Roles, free_by_role, together
from syncd.publish.scene import Person, Scene, caps_by_policy
from syncd.slots.blocking import open_outside, opened
from syncd.slots.caps import Cap, within_caps
from syncd.slots.compute import (
    Cut,
    Step,
    apart,
    candidates,
    known,
    let_in,
    near,
    noticed,
    open_time,
    unreserved,
)
from syncd.slots.grid import Cells, Span
from syncd.slots.hours import fitting, within_hours
from syncd.store.instants import epoch

STEPS = tuple(Step)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the people of one site have in common about one form: masks of starts.

    :param known: by covered span. :param rooms: where a room is free, for those who need one.
    :param let_in: when citizens can get in. :param unreserved: what is not kept for immediate booking.
    :param roles: when the people of each further role are free.
    """

    scene: Scene
    cut: Cut
    zone: str
    starts: Cells
    let_in: Cells
    noticed: Cells
    near: Cells
    unreserved: Cells
    roles: Roles
    rooms: Cells
    caps: Mapping[int, list[Cap]]
    known: dict[Span, Cells]

    @classmethod
    def of(cls, scene: Scene, site: Site, form: Form) -> Frame:
        """The frame of a site."""
        asked, grid = scene.asked, scene.grid
        cut = Cut(asked.offer, form, grid)
        window = (epoch_up(asked.window.start), epoch(asked.window.end))
        return cls(
            scene,
            cut,
            site.zone,
            candidates(cut, window, site.zone),
            let_in(cut, grid.everything, asked.rulebook.openings.get(site.id, ()), site.zone),
            noticed(cut, grid.everything, asked.now),
            near(cut, grid.everything, asked.now, site.zone, immediate=asked.immediate),
            grid.everything
            if asked.immediate or asked.reserve_open
            else unreserved(cut, grid.everything, asked.now, site.zone),
            free_by_role(scene, form) if asked.roles else (),
            scene.rooms.get((site.id, form), 0),
            caps_by_policy(asked.offer, (person.policy for person in scene.people)),
            {},
        )

    def survivors(self, person: Person) -> tuple[Cells, ...]:
        """What each of `STEPS` left of this person's candidates; the last is on offer."""
        cut = self.cut
        at_work = open_outside(cut.grid, self._at_work(person), person.layout.closed, cut.minutes)
        let_in = at_work & self.let_in
        unblocked = apart(cut, let_in, person.events(cut.grid, cut.form))
        unclaimed = apart(cut, unblocked, person.claims) if person.claims else unblocked
        can_fill = together(self.roles, person.id)
        filled = unclaimed if can_fill is None else unclaimed & can_fill
        in_time = filled & self.noticed
        in_reach = in_time & self.near
        free = in_reach & self.unreserved
        covered = free & self._known(person.covered)
        uncapped = self._uncapped(person, covered)
        roomy = self._roomy(person.site, uncapped, self.rooms) if self._needs_room(person) else uncapped
        return (
            *(self.starts, at_work, let_in, unblocked, unclaimed, filled, in_time, in_reach, free, covered),
            *(uncapped, roomy),
        )

    def _uncapped(self, person: Person, starts: Cells) -> Cells:
        caps, cut = self.caps[id(person.policy)], self.cut
        if not caps:
            return starts
        return within_caps(cut.grid, starts, caps, self.scene.taken, person.id, self.zone, cut.minutes)

    def _needs_room(self, person: Person) -> bool:
        return self.cut.offer.needs_room(self.cut.form, open_plan=person.open_plan)

    def _roomy(self, site: Site, starts: Cells, rooms: Cells) -> Cells:
        """Those of *starts* with a free room, or with one that a few moves of other meetings would free."""
        without = starts & ~rooms
        moved = self.scene.moving.starts(site, self.cut.offer, self.cut.form, without)
        return starts & rooms | moved

    def _at_work(self, person: Person) -> Cells:
        cut = self.cut
        if person.policy.source is Source.RULES:
            return self.starts & fitting(person.hours, cut.grid, cut.minutes)
        marks = opened(person.layout.marks, cut.offer)
        return within_hours(cut.grid, self.starts, open_time(cut.grid, person.hours, person.policy, marks), cut.minutes)

    def _known(self, covered: Span) -> Cells:
        found = self.known.get(covered)
        if found is None:
            found = self.known[covered] = known(self.cut, self.cut.grid.everything, covered)
        return found


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of one form, by site, each made when first needed."""

    scene: Scene
    form: Form
    made: dict[str, Frame] = field(default_factory=dict)

    def of(self, site: Site) -> Frame:
        """The frame of a site."""
        found = self.made.get(site.id)
        if found is None:
            found = self.made[site.id] = Frame.of(self.scene, site, self.form)
        return found


def pooled(scene: Scene, form: Form) -> Iterator[tuple[Person, tuple[Cells, ...]]]:
    """Each person of the scene with what `STEPS` left."""
    frames = Frames(scene, form)
    for person in scene.people:
        yield person, frames.of(person.site).survivors(person)


def survivors(frames: Frames, person: Person) -> Mapping[Step, Cells]:
    """What each step left of one person's candidates, by step."""
    return dict(zip(STEPS, frames.of(person.site).survivors(person), strict=True))


def epoch_up(at: datetime) -> int:
    """The first whole second that is not before *at*."""
    seconds = epoch(at)
    return seconds + 1 if at.microsecond else seconds
