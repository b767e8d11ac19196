"""One day of one site: who sits in which room, on integer minutes."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

from syncd.model.directory import MailboxId
from syncd.model.offer import RoomRequirement
from syncd.roomalloc.layout import Layout, bits

Span: TypeAlias = tuple[int, int]
"""Minutes after the site's midnight, half open."""

DAY = 1440
SHORTEST = 30


class Standing(IntEnum):
    """How firmly a meeting has its room."""

    TENTATIVE = 0
    """Nobody was told: may be moved."""
    ANNOUNCED = 1
    """People were told: moved only when nothing else helps, counted and told again."""
    FIXED = 2
    """Frozen, pinned by staff, started, or somebody else's: never moved by the program."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A meeting that wants a room.

    :param start, end: minutes after the site's midnight, without turnover.
    :param floor: where the caseworker sits. :param teams: whose preferred rooms come first.
    """

    id: str
    start: int
    end: int
    requirement: RoomRequirement = RoomRequirement()
    floor: int = 0
    teams: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Seat:
    """A meeting (or a foreign booking) on the day's grid.

    :param first, last: steps of the grid, half open. :param eligible: set of rooms that could take it.
    :param room: number of the room it has; -1 while it has none. :param foreign: not a meeting of ours.
    """

    ask: Ask
    first: int
    last: int
    eligible: int
    standing: Standing = Standing.TENTATIVE
    room: int = -1
    foreign: bool = False

    @property
    def id(self) -> str:
        """The meeting's id."""
        return self.ask.id


@dataclass(slots=True)
class _Known:
    """What was worked out about the present state; dropped with every change."""

    free: dict[tuple[int, int, int], int] = field(default_factory=dict)
    clashes: dict[Span, dict[int, tuple[Seat, ...]]] = field(default_factory=dict)
    options: dict[tuple[int, int, int, RoomRequirement], Any] = field(default_factory=dict)
    reach: dict[int, int] = field(default_factory=dict)


class Day:
    """The rooms of a site on one day, with everybody in them.

    Row r has bit t set while room r is taken at step t, turnover included; column t has bit r. Times that do not lie
    on the grid take the whole step they touch, so nothing is ever promised that is not there.

    :param hours: per room id the spans in which it is open (None: always). :param blocked: spans in which it is not.
    :param grid: minutes of one step. :param length: minutes of the day (1380 or 1500 when clocks change).
    :param shortest: minutes of the shortest meeting, and :param starts: meetings begin every so many minutes after
        midnight; both only for fragmentation: a gap is lost when no meeting could begin and end in it.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        hours: Mapping[MailboxId, Sequence[Span]] | None = None,
        blocked: Mapping[MailboxId, Sequence[Span]] | None = None,
        grid: int = 15,
        length: int = DAY,
        shortest: int = SHORTEST,
        starts: int | None = None,
    ) -> None:
        self.layout, self.grid, self.shortest = layout, grid, -(-shortest // grid)
        self.starts = max(1, (starts or grid) // grid)
        self.rest = [-(-space.turnover // grid) for space in layout.spaces]
        self.resting = {rest: sum(1 << n for n, r in enumerate(self.rest) if r == rest) for rest in set(self.rest)}
        self.steps = -(-length // grid) + max(self.rest, default=0)
        self.all = (1 << len(layout)) - 1
        self.seats: dict[str, Seat] = {}
        self.inside: list[dict[str, Seat]] = [{} for _ in layout.spaces]
        self.rows = [0] * len(layout)
        self.columns = [0] * (self.steps + max(self.rest, default=0))
        self.shut_rows = [self._shut(space.id, hours or {}, blocked or {}) for space in layout.spaces]
        self.walls = [self._wall(row, rest) for row, rest in zip(self.shut_rows, self.rest, strict=True)]
        self.shut_columns = [
            sum(1 << n for n, row in enumerate(self.shut_rows) if row >> t & 1) for t in range(self.steps)
        ]
        whole = (1 << self.steps) - 1
        self.open_steps = sum((whole & ~wall).bit_count() for wall in self.walls)
        self.taken_steps = 0
        self.tangled = 0
        self.standing = Standing.TENTATIVE
        self.known = _Known()

    def _shut(
        self, room: MailboxId, hours: Mapping[MailboxId, Sequence[Span]], blocked: Mapping[MailboxId, Sequence[Span]]
    ) -> int:
        """The steps at which no meeting may be in the room."""
        whole = (1 << self.steps) - 1
        shut = 0
        if room in hours:
            shut = whole
            for start, end in hours[room]:
                first, last = max(0, -(-start // self.grid)), min(self.steps, end // self.grid)
                shut &= ~stretch(first, max(first, last))
        for start, end in blocked.get(room, ()):
            first, last = self.span(start, end)
            shut |= stretch(first, max(first, last)) & whole
        return shut

    def _wall(self, shut: int, rest: int) -> int:
        """Steps that end a gap: turnover may run past closing."""
        return shut & (shut << rest) if rest else shut

    def span(self, start: int, end: int) -> Span:
        """Steps of the grid that the minutes touch."""
        return max(0, start // self.grid), min(self.steps, -(-end // self.grid))

    def seat(self, ask: Ask, standing: Standing = Standing.TENTATIVE) -> Seat:
        """The meeting on this day's grid, with the rooms that could ever take it."""
        first, last = self.span(ask.start, ask.end)
        return Seat(ask, first, last, self.eligible(ask.requirement, first, last), standing)

    def eligible(self, requirement: RoomRequirement, first: int, last: int) -> int:
        """Rooms that suit and are open during the whole meeting."""
        shut = 0
        for column in self.shut_columns[first:last]:
            shut |= column
        return self.layout.suiting(requirement) & ~shut

    def foreign(self, id: str, room: MailboxId, start: int, end: int) -> Seat:
        """Put somebody else's booking into its room, whoever is there already; it is never moved."""
        seat = self.stranger(id, room, start, end)
        self.add(seat, self.layout.number[room])
        return seat

    def stranger(self, id: str, room: MailboxId, start: int, end: int) -> Seat:
        """Somebody else's booking, not yet put into its room."""
        first, last = self.span(start, end)
        return Seat(Ask(id, start, end), first, last, 1 << self.layout.number[room], Standing.FIXED, foreign=True)

    def stand(self, standing: Standing) -> None:
        """Make every meeting stand at least this firmly: the day was announced, or frozen."""
        self.standing = standing
        for seat in self.seats.values():
            seat.standing = max(seat.standing, standing)
        self.forget()

    def forget(self) -> None:
        """Drop what was worked out about the present state; it is worked out again when asked."""
        self.known = _Known()

    def copy(self) -> Day:
        """The same day again, to try something on."""
        twin = copy.copy(self)
        twin.seats = {id: dataclasses.replace(seat) for id, seat in self.seats.items()}
        twin.inside = [{id: twin.seats[id] for id in inside} for inside in self.inside]
        twin.rows, twin.columns, twin.known = list(self.rows), list(self.columns), _Known()
        return twin

    def add(self, seat: Seat, room: int) -> None:
        """Give *seat* the room, whoever else is in it."""
        seat.room = room
        self.seats[seat.id] = seat
        self.inside[room][seat.id] = seat
        self._repaint(room)

    def add_all(self, seats: Iterable[tuple[Seat, int]]) -> None:
        """Give many their rooms at once, whoever else is in them."""
        rooms = set()
        for seat, room in seats:
            seat.room = room
            self.seats[seat.id] = self.inside[room][seat.id] = seat
            rooms.add(room)
        for room in rooms:
            self._repaint(room)

    def remove(self, id: str) -> Seat:
        """Take a meeting out of its room."""
        seat = self.seats.pop(id)
        del self.inside[seat.room][id]
        self._repaint(seat.room)
        return seat

    def shift(self, moves: Iterable[tuple[str, int]]) -> None:
        """Move meetings to other rooms, all at once."""
        for seat, room in [(self.remove(id), room) for id, room in moves]:
            self.add(seat, room)

    def _repaint(self, room: int) -> None:
        rest, row, length = self.rest[room], 0, 0
        for seat in self.inside[room].values():
            row |= stretch(seat.first, seat.last + rest)
            length += seat.last + rest - seat.first
        self.tangled = self.tangled & ~(1 << room) | (row.bit_count() < length) << room
        for step in bits(row ^ self.rows[room]):
            self.columns[step] ^= 1 << room
        wall = self.walls[room]
        self.taken_steps += (row & ~wall).bit_count() - (self.rows[room] & ~wall).bit_count()
        self.rows[room] = row
        self.forget()

    def free(self, first: int, last: int, eligible: int) -> int:
        """The rooms of *eligible* that nobody takes from *first* until turnover after *last*."""
        key = (first, last, eligible)
        found = self.known.free.get(key)
        if found is None:
            found = self.known.free[key] = eligible & ~self._taken(first, last)
        return found

    def _taken(self, first: int, last: int) -> int:
        taken = 0
        for rest, rooms in self.resting.items():
            some = 0
            for column in self.columns[first : last + rest]:
                some |= column
            taken |= some & rooms
        return taken

    def clashes(self, first: int, last: int) -> dict[int, tuple[Seat, ...]]:
        """Per taken room the meetings that stand in the way of one at these steps."""
        found = self.known.clashes.get((first, last))
        if found is None:
            lists: dict[int, list[Seat]] = {}
            for seat in self.seats.values():
                rest = self.rest[seat.room]
                if seat.first < last + rest and first < seat.last + rest:
                    lists.setdefault(seat.room, []).append(seat)
            found = self.known.clashes[first, last] = {room: tuple(seats) for room, seats in lists.items()}
        return found

    def gaps(self, room: int, first: int, last: int, row: int | None = None) -> tuple[int, int, int]:
        """Unusable minutes, loose sides and smaller gap (minutes) beside a meeting at these steps of the room.

        :param row: the room's row without the meeting itself, when it is not the present one.
        """
        rest, starts = self.rest[room], self.starts
        full = (self.rows[room] if row is None else row) | self.walls[room]
        before = (full & ((1 << first) - 1)).bit_length()
        left = max(0, first - -(-before // starts) * starts)
        above = full >> (last + rest)
        following = last + rest + (above & -above).bit_length() - 1 if above else self.steps
        right = max(0, following - -(-(last + rest) // starts) * starts)
        least = self.shortest + rest
        lost = (left if left < least else 0) + (right if right < least else 0)
        return lost * self.grid, (left > 0) + (right > 0), min(left, right) * self.grid

    @property
    def fill(self) -> float:
        """Share of the open room time that is taken, turnover included."""
        return self.taken_steps / self.open_steps if self.open_steps else 0.0


def stretch(first: int, last: int) -> int:
    """A row with the bits of these steps; *last* is not before *first*."""
    return ((1 << last - first) - 1) << first
