"""Make room for a meeting by moving as few others as possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from syncd.roomalloc.cost import Cost, Policy, best, price
from syncd.roomalloc.day import Day, Seat, Standing, stretch
from syncd.roomalloc.layout import bits
from syncd.roomalloc.match import may_fit

AFTERTHOUGHT = 200
"""Placements still tried after the first plan, to find a cheaper one with equally few moves."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A room for a meeting, and who moves where for it, all at once.

    :param room: number of the meeting's room. :param moves: (meeting, number of its new room).
    :param cost: announced meetings moved, meetings moved, then the differences they make (`cost.price`).
    """

    room: int
    moves: tuple[tuple[str, int], ...]
    cost: Cost


def find(day: Day, seat: Seat, policy: Policy, *, any_will_do: bool = False) -> Plan | None:
    """The plan with the fewest announced moves, then the fewest moves, then the least cost; None when none is found.

    Budgets are tried in that order (iterative deepening), so the first budget with a plan has the best ones. The
    search is complete up to ``policy.moves`` unless it runs out of ``policy.nodes``; then it says no.

    :param any_will_do: the first plan found is good enough: a certificate needs no beauty.
    """
    if not may_fit(day, seat):
        return None
    search = _Search(day, policy, any_will_do)
    for announced, moves in _budgets(day, policy):
        search.run(seat, moves, announced)
        if search.found or search.nodes <= 0:
            return search.found
    return None


def _budgets(day: Day, policy: Policy) -> Iterator[tuple[int, int]]:
    """(announced moves, moves) in the order of preference, without those that can bring nothing new."""
    standings = {seat.standing for seat in day.seats.values()}
    tentative, told = Standing.TENTATIVE in standings, Standing.ANNOUNCED in standings
    for announced in range(min(policy.told, policy.moves) + 1 if told else 1):
        for moves in range(max(1, announced), policy.moves + 1):
            if tentative or moves == announced:
                yield announced, moves


@dataclass(frozen=True, slots=True)
class _Option:
    """A room that could be emptied for a meeting: who must leave, how many of them were told, where they could go."""

    room: int
    out: tuple[Seat, ...]
    told: int
    spare: tuple[int, ...]


class _Search:
    """Depth first over evictions; the day itself is not touched, changes live in an overlay of rooms."""

    def __init__(self, day: Day, policy: Policy, any_will_do: bool) -> None:
        self.day, self.policy, self.nodes, self.any_will_do = day, policy, policy.nodes, any_will_do
        self.crowded = day.fill >= policy.crowded
        self.found: Plan | None = None
        self.rooms: dict[int, tuple[int, tuple[Seat, ...]]] = {}
        self.changed = 0
        self.placed: dict[str, tuple[Seat, int]] = {}

    def run(self, seat: Seat, moves: int, announced: int) -> None:
        """Search with one budget; the result is in ``found``."""
        self._place((seat,), moves, announced)

    def _place(self, pending: tuple[Seat, ...], moves: int, announced: int) -> None:
        """Find rooms for all *pending*, moving at most *moves* others, *announced* of them announced."""
        seat, rest = pending[0], pending[1:]
        free = self._free(seat)
        if free and not rest:
            self._record(seat, free)
            return
        for room in bits(free):
            self._try(seat, room, (), rest, moves, announced)
        if moves == 1 and not rest:
            self._place_last(seat, announced)
        elif moves:
            for option in self._options(seat, moves):
                if option.told <= announced:
                    left = moves - len(option.out)
                    self._try(seat, option.room, option.out, rest, left, announced - option.told)
                if self.nodes <= 0:
                    return

    def _place_last(self, seat: Seat, announced: int) -> None:
        """The innermost loop: one move is left, so whoever leaves must find a free room."""
        self.nodes -= 1
        loose, kept = self._vacated(), ~self.changed
        for option in self._standing_options(seat):
            if len(option.out) > 1:
                break
            spare, other = option.spare[0], option.out[0]
            # It can fit into a changed room only where that was free before, or where somebody left.
            if not spare and not loose & stretch(other.first, other.last):
                continue
            if option.told <= announced and kept >> option.room & 1 and (spare & kept or self._free_changed(other)):
                self._try(seat, option.room, option.out, (), 0, 0)
        for option in self._changed_options(seat, 1):
            if option.told <= announced and self._free(option.out[0]) & ~(1 << option.room):
                self._try(seat, option.room, option.out, (), 0, 0)

    def _free(self, seat: Seat) -> int:
        """The rooms that are free for *seat* as things are in the overlay."""
        free = self.day.free(seat.first, seat.last, seat.eligible)
        return free & ~self.changed | self._free_changed(seat) if self.changed else free

    def _free_changed(self, seat: Seat) -> int:
        free = 0
        for room, (row, _) in self.rooms.items():
            if seat.eligible >> room & 1 and not row & stretch(seat.first, seat.last + self.day.rest[room]):
                free |= 1 << room
        return free

    def _vacated(self) -> int:
        """Steps at which a changed room has become free."""
        loose = 0
        for room, (row, _) in self.rooms.items():
            loose |= self.day.rows[room] & ~row
        return loose

    def _options(self, seat: Seat, moves: int) -> Iterator[_Option]:
        """Rooms that could be emptied for *seat* within *moves*, cheapest first."""
        for option in self._standing_options(seat):
            if len(option.out) > moves:
                break
            if not self.changed >> option.room & 1:
                yield option
        yield from self._changed_options(seat, moves)

    def _changed_options(self, seat: Seat, moves: int) -> Iterator[_Option]:
        """The rooms of the overlay among them."""
        for room in bits(self.changed & seat.eligible & ~self.day.tangled):
            rest = self.day.rest[room]
            out = tuple([o for o in self.rooms[room][1] if o.first < seat.last + rest and seat.first < o.last + rest])
            if 0 < len(out) <= moves and all(_movable(o) and o.id not in self.placed for o in out):
                yield _option(self.day, room, out)

    def _standing_options(self, seat: Seat) -> tuple[_Option, ...]:
        """The same without the overlay; worked out once per state of the day."""
        key = (seat.first, seat.last, seat.eligible, seat.ask.requirement)
        found: tuple[_Option, ...] | None = self.day.known.options.get(key)
        if found is None:
            prices = self.day.layout.standing_cost(seat.ask.requirement, 0, frozenset())
            able = seat.eligible & ~self.day.tangled
            options = [
                _option(self.day, room, out)
                for room, out in self.day.clashes(seat.first, seat.last).items()
                if able >> room & 1 and len(out) <= self.policy.moves and all(_movable(o) for o in out)
            ]
            options.sort(key=lambda option: (len(option.out), prices[option.room][0], option.room))
            found = self.day.known.options[key] = tuple(options)
        return found

    def _try(
        self, seat: Seat, room: int, out: tuple[Seat, ...], rest: tuple[Seat, ...], moves: int, announced: int
    ) -> None:
        """Put *seat* into *room* in place of *out*, go on with whoever has no room now, and undo it."""
        self.nodes -= 1
        if self.nodes <= 0:
            return
        before, changed = self.rooms.get(room), self.changed
        self.rooms[room] = self._exchange(seat, room, out)
        self.changed |= 1 << room
        self.placed[seat.id] = (seat, room)
        pending = rest + out
        if len(pending) > 1:
            pending = tuple(sorted(pending, key=lambda other: bool(self._free(other))))
        if moves or self._free(pending[0]):
            self._place(pending, moves, announced)
        del self.placed[seat.id]
        self.changed = changed
        if before:
            self.rooms[room] = before
        else:
            del self.rooms[room]

    def _exchange(self, seat: Seat, room: int, out: tuple[Seat, ...]) -> tuple[int, tuple[Seat, ...]]:
        """Row and meetings of *room* with *seat* in place of *out*."""
        rest = self.day.rest[room]
        row, inside = self.rooms.get(room) or (self.day.rows[room], tuple(self.day.inside[room].values()))
        for other in out:
            row &= ~stretch(other.first, other.last + rest)
        if out:
            inside = tuple([other for other in inside if other not in out])
        return row | stretch(seat.first, seat.last + rest), (*inside, seat)

    def _record(self, seat: Seat, free: int) -> None:
        """The last meeting has rooms to choose from: keep the plan if it is the best so far."""
        rows = {room: row for room, (row, _) in self.rooms.items()}
        room = best(self.day, seat, free, self.crowded, rows)[-1]
        placed = [*self.placed.values(), (seat, room)]
        (_, its_room), *others = placed
        plan = Plan(its_room, tuple((other.id, to) for other, to in others), price(self.day, placed))
        if self.any_will_do:
            self.found, self.nodes = plan, 0
        elif self.found is None:
            self.found, self.nodes = plan, min(self.nodes, AFTERTHOUGHT)
        elif plan.cost < self.found.cost:
            self.found = plan


def _movable(seat: Seat) -> bool:
    return seat.standing is not Standing.FIXED


def _option(day: Day, room: int, out: tuple[Seat, ...]) -> _Option:
    told = sum([other.standing is Standing.ANNOUNCED for other in out])
    return _Option(room, out, told, tuple([day.free(other.first, other.last, other.eligible) for other in out]))
