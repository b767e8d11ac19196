"""The rooms of one site as the allocator sees them: numbered, with what never changes during a day."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from syncd.model.directory import MailboxId, Room
from syncd.model.offer import RoomRequirement


@dataclass(frozen=True, slots=True)
class Space:
    """A room without calendar: what it has and how long it rests.

    :param turnover: minutes kept free after each meeting.
    """

    id: MailboxId
    floor: int = 0
    capacity: int = 2
    features: frozenset[str] = frozenset()
    step_free: bool = False
    turnover: int = 0
    preferred_by: tuple[str, ...] = ()

    @classmethod
    def of(cls, room: Room) -> Space:
        """The directory's room."""
        return cls(
            room.id, room.floor, room.capacity, room.features, room.step_free, room.turnover, tuple(room.preferred_by)
        )


def suits(space: Space | Room, requirement: RoomRequirement) -> bool:
    """Whether the room has the seats, features and step-free access asked for, whatever the time."""
    return (
        space.capacity >= requirement.seats
        and requirement.features <= space.features
        and (space.step_free or not requirement.step_free)
    )


def wasted(space: Space | Room, requirement: RoomRequirement, sizes: tuple[int, ...]) -> int:
    """Capacity classes of the room above the smallest that fits, twice, plus features nobody asked for.

    :param sizes: the distinct capacities at the site, ascending; each is a class.
    """
    above = bisect_left(sizes, space.capacity) - bisect_left(sizes, requirement.seats)
    return 2 * above + len(space.features - requirement.features)


def bits(mask: int) -> Iterator[int]:
    """The numbers of the rooms in a set of rooms, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Layout:
    """The rooms of one site, numbered in the order of their ids; sets of rooms are integers, bit n is room n.

    :raises ValueError: two rooms have one id.
    """

    def __init__(self, spaces: Iterable[Space]) -> None:
        self.spaces = tuple(sorted(spaces, key=lambda space: space.id))
        self.number = {space.id: n for n, space in enumerate(self.spaces)}
        if len(self.number) != len(self.spaces):
            raise ValueError("two rooms of one site have the same id")
        self.sizes = tuple(sorted({space.capacity for space in self.spaces}))
        self.suiting = lru_cache(maxsize=4096)(self._suiting)
        self.standing_cost = lru_cache(maxsize=4096)(self._standing_cost)
        self.ranked = lru_cache(maxsize=4096)(self._ranked)

    def __len__(self) -> int:
        return len(self.spaces)

    def _suiting(self, requirement: RoomRequirement) -> int:
        """The rooms that suit, whatever the time."""
        return sum(1 << n for n, space in enumerate(self.spaces) if suits(space, requirement))

    def _standing_cost(
        self, requirement: RoomRequirement, floor: int, teams: frozenset[str]
    ) -> tuple[tuple[int, int, int], ...]:
        """Per room: waste, 0 when preferred by one of *teams*, floors to walk."""
        return tuple(
            (
                wasted(space, requirement, self.sizes),
                int(teams.isdisjoint(space.preferred_by)),
                abs(space.floor - floor),
            )
            for space in self.spaces
        )

    def _ranked(self, requirement: RoomRequirement, floor: int, teams: frozenset[str], wholly: bool) -> tuple[int, ...]:
        """Sets of rooms that cost the same, the cheapest first.

        :param wholly: by all of `standing_cost`, not by waste alone.
        """
        alike: dict[tuple[int, ...], int] = {}
        for n, price in enumerate(self.standing_cost(requirement, floor, teams)):
            key = price if wholly else price[:1]
            alike[key] = alike.get(key, 0) | 1 << n
        return tuple(alike[key] for key in sorted(alike))
