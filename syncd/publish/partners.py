"""When the further roles of a collective meeting can be filled: an interpreter, a second caseworker."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from syncd.model.directory import MailboxId
from syncd.model.offer import Form
from syncd.publish.scene import Person, Scene
from syncd.slots.blocking import open_outside, opened
from syncd.slots.compute import Cut, apart, known, open_time
from syncd.slots.grid import Cells
from syncd.slots.hours import within_hours

Roles: TypeAlias = Sequence[Mapping[MailboxId, Cells]]
"""For each role, when each of its people could begin; nobody without any time."""


def free_by_role(scene: Scene, form: Form) -> Roles:
    """When the people of each role are free for a meeting held as *form*, buffers included."""
    cut = Cut(scene.asked.offer, form, scene.grid)
    found = {one.id: _free(cut, one) for one in scene.partners}
    return [{one: found[one] for one in role if found.get(one)} for role in scene.asked.roles]


def _free(cut: Cut, person: Person) -> Cells:
    marks = opened(person.layout.marks, cut.offer)
    at_work = open_time(cut.grid, person.hours, person.policy, marks)
    starts = within_hours(cut.grid, cut.grid.everything, at_work, cut.minutes)
    starts = open_outside(cut.grid, starts, person.layout.closed, cut.minutes)
    starts = apart(cut, starts, person.events(cut.grid, cut.form) | person.claims)
    return known(cut, starts, person.covered)


def together(roles: Roles, caseworker: MailboxId) -> Cells | None:
    """The starts at which every role can be filled, each by another person than *caseworker*; None without roles."""
    if not roles:
        return None
    if any(set(one) & set(other) for at, one in enumerate(roles) for other in roles[:at]):
        return _distinct(roles, {caseworker})
    found = -1
    for role in roles:
        found &= _any_of(role, {caseworker})
    return found


def _any_of(role: Mapping[MailboxId, Cells], but: Collection[MailboxId]) -> Cells:
    found = 0
    for one, cells in role.items():
        if one not in but:
            found |= cells
    return found


def _distinct(roles: Roles, taken: Collection[MailboxId]) -> Cells:
    """The same where one person could fill several roles: nobody is two people."""
    role, rest = roles[0], roles[1:]
    if not rest:
        return _any_of(role, taken)
    found = 0
    for one, cells in role.items():
        if one not in taken:
            found |= cells & _distinct(rest, {*taken, one})
    return found


def fillings(roles: Roles, caseworker: MailboxId, at: Cells) -> Iterator[tuple[MailboxId, ...]]:
    """All ways to fill the roles at one start, each person once."""
    yield from _fillings(roles, (caseworker,), at)


def _fillings(roles: Roles, taken: tuple[MailboxId, ...], at: Cells) -> Iterator[tuple[MailboxId, ...]]:
    if not roles:
        yield taken[1:]
        return
    for one, cells in roles[0].items():
        if one not in taken and cells & at:
            yield from _fillings(roles[1:], (*taken, one), at)
