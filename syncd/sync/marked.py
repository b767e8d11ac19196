"""Categories as the mirror keeps them: only those that are obeyed, under their names inside."""

from __future__ import annotations

from dataclasses import replace

from syncd.model.busy import Occurrence
from syncd.model.delta import Delta, Group
from syncd.model.marks import Marks


def marked(delta: Delta, marks: Marks) -> Delta:
    """The same delta, whatever names the organisation has given its categories."""
    if not any(occurrence.categories for group in delta.groups for occurrence in group.occurrences):
        return delta
    return replace(delta, groups=tuple(_group(group, marks) for group in delta.groups))


def _group(group: Group, marks: Marks) -> Group:
    if not any(occurrence.categories for occurrence in group.occurrences):
        return group
    return replace(group, occurrences=tuple(_occurrence(one, marks) for one in group.occurrences))


def _occurrence(occurrence: Occurrence, marks: Marks) -> Occurrence:
    return replace(occurrence, categories=marks.inside(occurrence.categories))
