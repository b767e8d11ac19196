"""The copy of our meeting that a booking attendant makes in its room's calendar is ours, though it bears no stamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.model.busy import Occurrence, Stamp
from syncd.model.delta import Delta, Group
from syncd.model.interval import Interval

SUFFIX = "@syncd"
"""What follows the meeting's id in the UIDs we choose."""


def owned(delta: Delta, installation: str, standing: Mapping[Interval, str] | None = None) -> Delta:
    """The same delta of a room's calendar, with our stamp on copies of our meetings.

    Exchange keeps the UID in the copy and drops the stamp. Without it a room would seem taken by somebody else at the
    very time we booked it for.

    :param standing: meetings that should stand in this room, by their time, where a copy may come from another server
        and bear that server's UID: what stands there at exactly such a time is the meeting, for the room would have
        declined it otherwise.
    """
    return replace(delta, groups=tuple(_group(group, installation, standing or {}) for group in delta.groups))


def _group(group: Group, installation: str, standing: Mapping[Interval, str]) -> Group:
    return replace(group, occurrences=tuple(_occurrence(one, installation, standing) for one in group.occurrences))


def _occurrence(occurrence: Occurrence, installation: str, standing: Mapping[Interval, str]) -> Occurrence:
    if occurrence.stamp is not None:
        return occurrence
    ours = occurrence.uid.endswith(SUFFIX)
    meeting = occurrence.uid.removesuffix(SUFFIX) if ours else standing.get(occurrence.interval)
    return occurrence if meeting is None else replace(occurrence, stamp=Stamp(installation, meeting, 0, ""))
