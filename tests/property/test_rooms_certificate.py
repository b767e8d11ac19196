"""Certificates against exhaustive search: what is published is there, what is refused is not (or hardly)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from syncd.errors import SlotGone
from syncd.roomalloc.allocate import Certificate, certificate, commit, objection
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import Day, Standing
from syncd.roomalloc.match import may_fit
from syncd.roomalloc.offers import Want, publishable
from tests.rooms_world import STARTS, Plain, World, crowded, wish

WORLDS = 250
GENEROUS = Policy(moves=3, nodes=100_000)


def carried_out(world: World, new: Plain, proof: Certificate) -> World:
    """What the plain world looks like afterwards."""
    meetings = dict(world.meetings)
    for move in proof.moves:
        assert meetings[move.meeting].at == move.origin
        assert meetings[move.meeting].standing is not Standing.FIXED
        meetings[move.meeting] = replace(meetings[move.meeting], at=move.room)
    meetings[new.id] = replace(new, at=proof.room)
    return World(world.spaces, world.blocked, meetings)


def test_every_certificate_is_true_and_moves_no_more_than_needed() -> None:
    random, moved = Random("certificate"), 0
    for _ in range(WORLDS):
        world, new = crowded(random, random.randint(2, 4), random.randint(4, 26), firm=0.1), wish(random, "new")
        proof = certificate(world.day(), new.ask(), GENEROUS)
        if proof is not None:
            assert [] == carried_out(world, new, proof).wrong()
            assert world.fewest_moves(new) == len(proof.moves) <= 3
            moved += bool(proof.moves)

    assert moved >= 15, "the worlds were too easy to prove anything"


def test_a_refusal_is_right_up_to_three_moves_and_rarely_wrong_beyond(capsys: pytest.CaptureFixture[str]) -> None:
    random, refused, missed = Random("refusal"), 0, 0
    for _ in range(WORLDS):
        world, new = crowded(random, random.randint(2, 4), random.randint(8, 26), firm=0.05), wish(random, "new")
        day = world.day()
        if certificate(day, new.ask(), GENEROUS) is None:
            needed = world.fewest_moves(new)
            refused += 1
            missed += needed is not None
            assert needed is None or needed > 3
            assert needed is None or may_fit(day, day.seat(new.ask())), "the filter must never be wrong"

    with capsys.disabled():
        print(f"\n  rooms: {missed} of {refused} refusals would have fitted with more than three moves")
    assert refused >= 30
    assert missed <= 0.05 * refused


def test_everything_published_can_be_booked() -> None:
    random = Random("published")
    for _ in range(60):
        world = crowded(random, random.randint(2, 4), random.randint(6, 26), firm=0.05)
        models = [wish(random, "new") for _ in range(3)]
        wants = {Want(m.ask().requirement, minutes): m for m in models for minutes in (30, 45, 60)}
        offered = publishable(world.day(), wants, STARTS, Policy())
        for want, model in wants.items():
            for start in STARTS:
                new = replace(model, start=start, end=start + want.minutes)
                proof = certificate(world.day(), new.ask(), GENEROUS)
                if start in offered.starts(want):
                    assert proof is not None
                    assert (start in offered.direct[want]) == (not proof.moves)
                    assert [] == carried_out(world, new, proof).wrong()
                else:
                    assert proof is None


def test_the_guard_at_commit_agrees_with_the_plain_world() -> None:
    random, refused = Random("guard"), 0
    for _ in range(WORLDS):
        world, new = crowded(random, 3, 10), wish(random, "new")
        proof = certificate(world.day(), new.ask(), GENEROUS)
        if proof is None:
            continue
        other = crowded(Random(random.random()), 3, 3)
        rival = replace(wish(random, "rival"), at=random.choice(world.spaces).id)
        late = World(world.spaces, other.blocked if random.random() < 0.3 else world.blocked, dict(world.meetings))
        room = next(space for space in world.spaces if space.id == rival.at)
        if late.suits(room, rival) and not any(
            m.at == room.id and late.clash(room, m, rival) for m in late.meetings.values()
        ):
            late.meetings["rival"] = rival
        day = late.day()
        wrong = carried_out(late, new, proof).wrong()
        before = late.wrong()
        if objection(day, new.ask(), proof) is None:
            assert set(wrong) <= set(before)
        else:
            refused += 1
            assert wrong

    assert refused >= 5


# Two planted faults: what the guards are for.


def counted(day: Day, new: Plain) -> Certificate | None:
    """A fault: publish on counts alone, 'meetings at once fewer than rooms', and name any suitable room."""
    seat = day.seat(new.ask())
    busiest = max(sum(row >> step & 1 for row in day.rows) for step in range(seat.first, seat.last))
    if seat.eligible and busiest < len(day.layout):
        return Certificate(day.layout.spaces[(seat.eligible & -seat.eligible).bit_length() - 1].id)
    return None


def test_counting_instead_of_a_certificate_is_caught() -> None:
    random, caught = Random("counting"), 0
    for _ in range(60):
        world, new = crowded(random, 3, 12), wish(random, "new")
        proof = counted(world.day(), new)
        caught += proof is not None and bool(carried_out(world, new, proof).wrong())

    assert caught >= 10


def test_a_stale_certificate_is_caught_at_commit() -> None:
    random, caught = Random("stale"), 0
    for _ in range(WORLDS):
        world, one = crowded(random, 3, 10), wish(random, "one")
        two = replace(one, id="two")
        day = world.day()
        first, second = certificate(day, one.ask()), certificate(day, two.ask())
        if first is None or second is None:
            continue
        commit(day, one.ask(), first)
        state = {seat.id: seat.room for seat in day.seats.values()}
        with pytest.raises(SlotGone, match="Nothing was changed"):
            commit(day, two.ask(), second)
        assert state == {seat.id: seat.room for seat in day.seats.values()}
        caught += 1

    assert caught >= 50
