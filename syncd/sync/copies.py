"""The copy of our meeting that a booking attendant makes in its room's calendar is ours, though it bears no stamp."""

from __future__ import annotations

from dataclasses import replace

from syncd.model.busy import Occurrence, Stamp
from syncd.model.delta import Delta, Group

SUFFIX = "@syncd"
"""What follows the meeting's id in the UIDs we choose."""


def owned(delta: Delta, installation: str) -> Delta:
    """The same delta of a room's calendar, with our stamp on copies of our meetings.

    Exchange keeps the UID in the copy and drops the stamp. Without it a room would seem taken by somebody else at the
    very time we booked it for.
    """
    return replace(delta, groups=tuple(_group(group, installation) for group in delta.groups))


def _group(group: Group, installation: str) -> Group:
    return replace(group, occurrences=tuple(_occurrence(one, installation) for one in group.occurrences))


def _occurrence(occurrence: Occurrence, installation: str) -> Occurrence:
    if occurrence.stamp is not None or not occurrence.uid.endswith(SUFFIX):
        return occurrence
    return replace(occurrence, stamp=Stamp(installation, occurrence.uid.removesuffix(SUFFIX), 0, ""))
