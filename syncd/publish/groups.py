"""Group meetings that one more citizen can join."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.publish.scene import Scene
from syncd.slots.bounds import earliest, horizon_end
from syncd.slots.table import Seat
from syncd.store.seats import Group


def joinable(scene: Scene) -> Iterator[tuple[Group, Seat]]:
    """Those with a seat left, far enough ahead and near enough; the earliest first, then the fullest."""
    offer, asked = scene.asked.offer, scene.asked
    begin = earliest(offer, asked.now)
    for group in sorted(scene.groups, key=lambda one: (one.start, -len(one.taken), one.caseworker)):
        left = offer.seats - len(group.taken)
        zone = asked.site(group.caseworker).zone
        until = horizon_end(offer, asked.now, zone, immediate=asked.immediate)
        if left > 0 and begin <= group.start < until and group.form in asked.forms:
            yield group, Seat(group.caseworker, group.form, group.start, group.end, left)
