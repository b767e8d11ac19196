"""Whatever happens to a day of rooms, every accepted meeting has a room, and no announced one moves unnoticed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from syncd.errors import SlotGone
from syncd.roomalloc.allocate import Certificate, Move, certificate, commit, objection, pull
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import Day, Standing
from syncd.roomalloc.rebuild import rebuild
from syncd.roomalloc.upset import settle, upset
from tests.rooms_world import OPEN, STARTS, Plain, World, spaces, wish

POLICY = Policy()
seen: Counter[str] = Counter()
"""What the machine came across; a suite that never met a case proves nothing about it."""


class RoomsMachine(RuleBasedStateMachine):
    """The day beside a plain world that only follows what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.standing = Standing.TENTATIVE
        self.homeless: set[str] = set()
        self.foreign: set[str] = set()

    @initialize(seed=st.integers(0, 2**20), count=st.integers(2, 4), told=st.booleans())
    def open_site(self, seed: int, count: int, told: bool) -> None:
        self.standing = Standing.ANNOUNCED if told else Standing.TENTATIVE
        self.random = Random(seed)
        self.world = World(spaces(self.random, count))
        self.day = self.world.day()
        self.day.standing = self.standing

    def follow(self, moves: tuple[Move, ...], *, displaced: tuple[str, ...] = ()) -> None:
        """Carry the moves out in the plain world; a told move must be of an announced meeting and the reverse."""
        for move in moves:
            before = self.world.meetings[move.meeting]
            assert before.at == move.origin
            assert move.told == (before.standing is not Standing.TENTATIVE), "an announced meeting moved unnoticed"
            assert before.standing is not Standing.FIXED or move.meeting in displaced
        for move in moves:
            self.world.meetings[move.meeting] = replace(self.world.meetings[move.meeting], at=move.room)

    def accept(self, new: Plain, proof: Certificate) -> None:
        self.follow(proof.moves)
        self.world.meetings[new.id] = replace(new, at=proof.room, standing=self.standing)

    @rule(several=st.integers(4, 9))
    def book(self, several: int) -> None:
        for _ in range(several):
            self.count += 1
            new = wish(self.random, f"m{self.count}")
            proof = certificate(self.day, new.ask(), POLICY)
            if proof is not None:
                commit(self.day, new.ask(), proof, self.standing)
                self.accept(new, proof)
                seen["moved"] += len(proof.moves)
                seen["told"] += proof.told

    @rule()
    def two_processes_book_at_once(self) -> None:
        self.count += 1
        one, two = (wish(self.random, f"m{self.count}{which}") for which in "ab")
        proofs = certificate(self.day.copy(), one.ask(), POLICY), certificate(self.day.copy(), two.ask(), POLICY)
        for new, proof in zip((one, two), proofs, strict=True):
            if proof is None:
                continue
            stale = objection(self.day, new.ask(), proof) is not None
            try:
                commit(self.day, new.ask(), proof, self.standing)
            except SlotGone:
                assert stale
                seen["stale"] += 1
            else:
                assert not stale
                self.accept(new, proof)

    def somebody(self, number: int) -> str | None:
        ids = sorted(self.world.meetings)
        return ids[number % len(ids)] if ids else None

    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        id = self.somebody(number)
        if id is None:
            return
        left = self.day.remove(id)
        del self.world.meetings[id]
        if move := pull(self.day, left):
            assert not move.told
            seen["pulled"] += 1
            self.follow((move,))
            self.day.shift([(move.meeting, self.day.layout.number[move.room])])

    @rule(start=st.sampled_from(STARTS), minutes=st.sampled_from([30, 60]), room=st.integers(0, 3))
    def somebody_books_a_room_directly(self, start: int, minutes: int, room: int) -> None:
        """The attendant let it through, over ours or not."""
        space = self.world.spaces[room % len(self.world.spaces)]
        self.count += 1
        self.day.foreign(f"x{self.count}", space.id, start, min(start + minutes, OPEN[1] + 30))
        self.foreign.add(f"x{self.count}")
        self.put_right()

    @rule(start=st.sampled_from(STARTS), room=st.integers(0, 3))
    def a_room_is_closed(self, start: int, room: int) -> None:
        space = self.world.spaces[room % len(self.world.spaces)]
        blocked = {**self.world.blocked}
        blocked[space.id] = [*blocked.get(space.id, []), (start, start + 45)]
        self.world.blocked = blocked
        self.day = self.rebuilt_day()
        self.put_right()

    def rebuilt_day(self) -> Day:
        """The day as a new process would read it."""
        day = self.world.day()
        for seat in self.day.seats.values():
            if seat.foreign:
                day.foreign(seat.id, day.layout.spaces[seat.room].id, seat.ask.start, seat.ask.end)
        day.standing = self.standing
        return day

    def put_right(self) -> None:
        pinned = {id for id, m in self.world.meetings.items() if m.standing is Standing.FIXED}
        hit = tuple(id for id in upset(self.day) if self.standing is Standing.FIXED or id not in pinned)
        settled = settle(self.day, hit, POLICY)
        seen["settled"] += len(settled.moves)
        seen["settled and told"] += sum(move.told for move in settled.moves)
        seen["left to people"] += len(settled.tasks)
        self.follow(settled.moves, displaced=hit)
        for task in settled.tasks:
            assert self.world.meetings.pop(task.meeting).at == task.lost
            self.homeless.add(task.meeting)

    @precondition(lambda self: self.standing is not Standing.FIXED and self.count > 4)
    @rule()
    def a_night_passes(self) -> None:
        self.night()

    def teardown(self) -> None:
        """Every day ends with a night: drawn as a rule alone, nights with something to better are too rare."""
        if hasattr(self, "day") and self.standing is not Standing.FIXED:
            self.night()
            self.every_meeting_has_a_room_of_its_own()

    def night(self) -> None:
        if better := rebuild(self.day):
            assert (better.after.waste, better.after.walking) < (better.before.waste, better.before.walking)
            seen["rebuilt"] += 1
            self.follow(better.moves)
            self.day.shift([(move.meeting, self.day.layout.number[move.room]) for move in better.moves])

    @rule(number=st.integers(0, 99))
    def staff_pin_a_room(self, number: int) -> None:
        if id := self.somebody(number):
            self.day.seats[id].standing = Standing.FIXED
            self.world.meetings[id] = replace(self.world.meetings[id], standing=Standing.FIXED)
            self.day.stand(self.standing)

    @rule(further=st.integers(0, 3))
    def time_passes(self, further: int) -> None:
        if not further and self.count > 12 and self.standing is not Standing.FIXED:
            self.standing = Standing(self.standing + 1)
            self.day.stand(self.standing)
            for id, m in self.world.meetings.items():
                self.world.meetings[id] = replace(m, standing=max(m.standing, self.standing))

    @invariant()
    def every_meeting_has_a_room_of_its_own(self) -> None:
        if not hasattr(self, "day"):
            return
        names = [space.id for space in self.day.layout.spaces]
        ours = {seat.id: names[seat.room] for seat in self.day.seats.values() if not seat.foreign}
        assert ours == {id: m.at for id, m in self.world.meetings.items()}
        pinned = {id for id, m in self.world.meetings.items() if m.standing is Standing.FIXED}
        wrong = [fault for fault in self.world.wrong() if not pinned & set(fault.split())]
        assert [] == wrong
        for seat in self.day.seats.values():
            if seat.foreign:
                for id, m in self.world.meetings.items():
                    space = next(space for space in self.world.spaces if space.id == m.at)
                    apart = (
                        m.at != names[seat.room]
                        or m.end + space.turnover <= seat.ask.start
                        or seat.ask.end + space.turnover <= m.start
                    )
                    assert apart or id in pinned


def test_every_meeting_has_a_room_and_nobody_moves_unnoticed() -> None:
    seen.clear()
    run_state_machine_as_test(
        RoomsMachine,
        settings=settings(max_examples=240, stateful_step_count=30, deadline=None, derandomize=True, database=None),
    )

    assert {"moved", "told", "pulled", "rebuilt", "settled", "settled and told", "left to people", "stale"} <= {
        what for what, times in seen.items() if times
    }


@pytest.mark.long
def test_it_holds_through_many_more_days() -> None:
    run_state_machine_as_test(
        RoomsMachine,
        settings=settings(max_examples=1500, stateful_step_count=60, deadline=None, derandomize=True, database=None),
    )
