"""Small worlds of rooms for tests, with an exhaustive search that shares no code with the allocator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from syncd.model.offer import RoomRequirement
from syncd.roomalloc.day import Ask, Day, Standing
from syncd.roomalloc.layout import Layout, Space

OPEN = (480, 660)
STARTS = tuple(range(480, 660, 15))


@dataclass(frozen=True, slots=True)
class Plain:
    """A meeting as the judge sees it; *at* is its room."""

    id: str
    start: int
    end: int
    seats: int
    features: frozenset[str]
    step_free: bool
    at: str
    standing: Standing

    def ask(self) -> Ask:
        """The same for the allocator."""
        return Ask(self.id, self.start, self.end, RoomRequirement(self.seats, self.features, self.step_free))


@dataclass(slots=True)
class World:
    """Rooms and meetings in plain lists."""

    spaces: Sequence[Space]
    blocked: Mapping[str, list[tuple[int, int]]] = field(default_factory=dict)
    meetings: dict[str, Plain] = field(default_factory=dict)

    def suits(self, space: Space, m: Plain) -> bool:
        """Whether the room could take the meeting, whoever is in it."""
        return (
            space.capacity >= m.seats
            and m.features <= space.features
            and (space.step_free or not m.step_free)
            and OPEN[0] <= m.start
            and m.end <= OPEN[1]
            and all(m.end <= start or end <= m.start for start, end in self.blocked.get(space.id, []))
        )

    def clash(self, space: Space, one: Plain, two: Plain) -> bool:
        """Whether they cannot both be in the room, turnover between them."""
        return one.start < two.end + space.turnover and two.start < one.end + space.turnover

    def wrong(self) -> list[str]:
        """Every broken promise."""
        rooms = {space.id: space for space in self.spaces}
        found = [f"{m.id} in unsuitable {m.at}" for m in self.meetings.values() if not self.suits(rooms[m.at], m)]
        listed = list(self.meetings.values())
        for n, one in enumerate(listed):
            found += [
                f"{one.id} and {two.id} in {one.at}"
                for two in listed[:n]
                if one.at == two.at and self.clash(rooms[one.at], one, two)
            ]
        return found

    def day(self, grid: int = 15) -> Day:
        """The world as the allocator has it."""
        layout = Layout(self.spaces)
        hours = {space.id: [OPEN] for space in self.spaces}
        day = Day(layout, hours=hours, blocked=self.blocked, grid=grid, shortest=30)
        for m in self.meetings.values():
            day.add(day.seat(m.ask(), m.standing), layout.number[m.at])
        return day

    def fewest_moves(self, new: Plain) -> int | None:
        """The least number of meetings that must move so that *new* fits; None when none suffices. Exhaustive."""
        best: list[int] = []
        for moved in self._arrangements(new):
            best = [moved] if not best else [min(best[0], moved)]
            if best[0] == 0:
                break
        return best[0] if best else None

    def _arrangements(self, new: Plain) -> Iterator[int]:
        """The number of moves of every arrangement of everybody."""
        order = [new, *sorted(self.meetings.values(), key=lambda m: m.start)]
        placed: dict[str, list[Plain]] = {space.id: [] for space in self.spaces}

        def place(n: int, moved: int) -> Iterator[int]:
            if n == len(order):
                yield moved
                return
            m = order[n]
            for space in self.spaces:
                if m is not new and m.standing is Standing.FIXED and space.id != m.at:
                    continue
                if self.suits(space, m) and not any(self.clash(space, m, o) for o in placed[space.id]):
                    placed[space.id].append(m)
                    yield from place(n + 1, moved + (m is not new and space.id != m.at))
                    placed[space.id].pop()

        yield from place(0, 0)


def spaces(random: Random, count: int) -> list[Space]:
    """Rooms of three sizes, some with an alarm, stairs or turnover."""
    turnover = random.choice((0, 0, 15))
    return [
        Space(
            f"r{n}",
            random.randrange(2),
            random.choice((3, 3, 6)),
            frozenset({"alarm"}) if random.random() < 0.3 else frozenset(),
            random.random() < 0.7,
            turnover if random.random() < 0.8 else 0,
        )
        for n in range(count)
    ]


def wish(random: Random, id: str) -> Plain:
    """Somebody wants a meeting; ``at`` means nothing yet."""
    minutes = random.choice((30, 45, 60))
    start = random.choice([start for start in STARTS if start + minutes <= OPEN[1]])
    seats = random.choice((2, 2, 2, 3, 5))
    alarm = frozenset({"alarm"}) if random.random() < 0.15 else frozenset[str]()
    return Plain(id, start, start + minutes, seats, alarm, random.random() < 0.1, "", Standing.TENTATIVE)


def crowded(random: Random, rooms: int, tries: int, firm: float = 0.2) -> World:
    """A world into which meetings were put wherever they fitted, as a thoughtless clerk would."""
    world = World(spaces(random, rooms))
    if random.random() < 0.3:
        start = random.choice(STARTS)
        world.blocked = {"r0": [(start, start + 30)]}
    for n in range(tries):
        m = wish(random, f"m{n}")
        at = [s for s in world.spaces if world.suits(s, m)]
        at = [s for s in at if not any(o.at == s.id and world.clash(s, m, o) for o in world.meetings.values())]
        if at:
            standing = random.choices((Standing.TENTATIVE, Standing.FIXED), (1 - firm, firm))[0]
            world.meetings[m.id] = Plain(
                m.id, m.start, m.end, m.seats, m.features, m.step_free, random.choice(at).id, standing
            )
    return world
