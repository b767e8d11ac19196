"""Moves, repairs, rebuilds and reasons on days small enough to read."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from syncd.errors import SlotGone
from syncd.model.offer import RoomRequirement
from syncd.roomalloc.allocate import Certificate, Move, certificate, commit, free_rooms, objection, pull
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import Ask, Day, Standing
from syncd.roomalloc.explain import why
from syncd.roomalloc.layout import Layout, Space
from syncd.roomalloc.offers import Want, publishable, shaped
from syncd.roomalloc.rebuild import rebuild, total
from syncd.roomalloc.upset import settle, upset
from tests.rooms_world import World, crowded

SMALL, LARGE = Space("small", 0, 3), Space("large", 1, 12)


def nine(id: str, minutes: int = 60, start: int = 540, **facts: int) -> Ask:
    return Ask(id, start, start + minutes, RoomRequirement(facts.get("seats", 2)), facts.get("floor", 0))


def day_of(*spaces: Space, hours: tuple[int, int] = (480, 960), grid: int = 15) -> Day:
    return Day(Layout(spaces), hours={space.id: [hours] for space in spaces}, grid=grid)


def put(day: Day, ask: Ask, room: str, standing: Standing = Standing.TENTATIVE) -> None:
    day.add(day.seat(ask, standing), day.layout.number[room])


def rooms(day: Day) -> dict[str, str]:
    return {seat.id: day.layout.spaces[seat.room].id for seat in day.seats.values()}


def test_a_meeting_in_too_large_a_room_makes_way_for_who_needs_it() -> None:
    day = day_of(SMALL, LARGE)
    put(day, nine("two"), "large")
    proof = certificate(day, nine("many", seats=8))

    assert Certificate("large", (Move("two", "large", "small"),)) == proof


def test_an_announced_meeting_moves_only_when_no_tentative_one_can() -> None:
    day = day_of(SMALL, replace(SMALL, id="small2"), replace(LARGE, id="l1"), replace(LARGE, id="l2"))
    put(day, nine("told"), "l1", Standing.ANNOUNCED)
    put(day, nine("untold"), "l2")
    proof = certificate(day, nine("many", seats=8))

    assert proof is not None
    assert (Move("untold", "l2", "small"),) == proof.moves
    commit(day, nine("many", seats=8), proof)
    second = certificate(day, nine("more", seats=8))
    assert second is not None
    assert (Move("told", "l1", "small2", told=True),) == second.moves
    assert second.told == 1


def test_nothing_frozen_or_pinned_is_moved_nor_may_a_plan_ask_for_it() -> None:
    day = day_of(SMALL, LARGE)
    put(day, nine("two"), "large", Standing.FIXED)
    ask = nine("many", seats=8)
    forged = Certificate("large", (Move("two", "large", "small"),))

    assert certificate(day, ask) is None
    assert objection(day, ask, forged) == "meeting two must stay in large"
    with pytest.raises(SlotGone, match="must stay"):
        commit(day, ask, forged)


def test_a_plan_whose_room_or_meeting_is_gone_is_refused() -> None:
    day = day_of(SMALL)

    assert "not at this site" in str(objection(day, nine("a"), Certificate("elsewhere")))
    assert "no longer in" in str(objection(day, nine("a"), Certificate("small", (Move("ghost", "small", "small"),))))
    assert "does not suit" in str(objection(day, nine("a", seats=9), Certificate("small")))


def test_four_moves_in_a_row_are_one_too_many() -> None:
    """Five rooms of growing size: only if everybody steps down one room does the newcomer fit."""
    spaces = [Space(f"r{n}", 0, n + 2) for n in range(6)]
    for newcomer, expected in ((4, 3), (5, None), (3, 2)):
        day = day_of(*spaces[: newcomer + 1])
        for n in range(1, newcomer):
            put(day, nine(f"m{n}", seats=n + 1), f"r{n}")
        put(day, nine("wide", 60, 540, seats=2), f"r{newcomer}", Standing.FIXED)
        proof = certificate(day, nine("new", seats=newcomer + 1))
        assert proof is None if expected is None else proof is not None and len(proof.moves) == expected


def test_two_meetings_may_change_rooms_to_make_place() -> None:
    day = day_of(SMALL, LARGE, hours=(540, 660))
    put(day, nine("a", 30, 540), "large")
    put(day, nine("b", 60, 570), "small")
    proof = certificate(day, nine("c", 30, 540, seats=9))

    assert proof is not None
    assert [("a", "small")] == [(move.meeting, move.room) for move in proof.moves]


def test_after_a_cancellation_one_tentative_meeting_leaves_the_large_room() -> None:
    day = day_of(SMALL, LARGE)
    put(day, nine("a"), "small")
    put(day, nine("b"), "large")
    left = day.remove("a")

    assert Move("b", "large", "small") == pull(day, left)
    day.seats["b"].standing = Standing.ANNOUNCED
    assert pull(day, left) is None


def test_a_foreign_booking_over_ours_is_a_pin_and_ours_moves_at_once() -> None:
    day = day_of(SMALL, replace(SMALL, id="other"))
    put(day, nine("a"), "small", Standing.ANNOUNCED)
    day.foreign("x", "small", 570, 600)

    assert ("a",) == upset(day)
    settled = settle(day, upset(day), Policy())
    assert (Move("a", "small", "other", told=True),) == settled.moves
    assert {"a": "other", "x": "small"} == rooms(day)
    assert () == upset(day)


def test_a_repair_moves_tentative_meetings_before_announced_ones() -> None:
    day = day_of(SMALL, replace(SMALL, id="s2"), replace(LARGE, id="l1"), replace(LARGE, id="l2"))
    put(day, nine("lost", seats=8), "l1")
    put(day, nine("told"), "l2", Standing.ANNOUNCED)
    put(day, nine("x1"), "small", Standing.FIXED)
    day.foreign("x", "l1", 540, 600)
    settled = settle(day, upset(day), Policy())

    assert [("lost", "l2", False), ("told", "s2", True)] == [(m.meeting, m.room, m.told) for m in settled.moves]


def test_what_cannot_be_repaired_becomes_a_task_with_its_options() -> None:
    day = day_of(SMALL, LARGE, hours=(540, 660))
    put(day, nine("a", seats=8), "large")
    day.foreign("x", "large", 540, 600)
    settled = settle(day, upset(day), Policy())

    (task,) = settled.tasks
    assert ("a", "large", (600,), (("small", "5 seats"),)) == (
        task.meeting,
        task.lost,
        task.other_starts,
        task.unsuitable,
    )
    assert "a" not in day.seats


def test_touching_meetings_off_the_grid_are_no_conflict() -> None:
    day = day_of(SMALL, grid=5)
    put(day, Ask("a", 541, 567), "small")
    put(day, Ask("b", 567, 597), "small")

    assert () == upset(day)
    assert () == free_rooms(day, Ask("c", 535, 542))


def test_a_night_brings_people_nearer_and_leaves_firm_meetings_alone() -> None:
    day = day_of(Space("down", 0, 3), Space("up", 3, 3))
    put(day, nine("a", floor=3), "down")
    put(day, nine("b", floor=0), "up")
    better = rebuild(day)

    assert better is not None
    assert {("a", "up"), ("b", "down")} == {(move.meeting, move.room) for move in better.moves}
    assert (better.before.walking - better.after.walking) == 6
    day.seats["a"].standing = Standing.ANNOUNCED
    assert rebuild(day) is None


def test_rebuilt_days_keep_every_promise() -> None:
    random, better_days = Random("rebuild"), 0
    for _ in range(150):
        world = crowded(random, random.randint(2, 4), random.randint(6, 20), firm=0.3)
        day = world.day()
        for seat in day.seats.values():
            seat.ask = replace(seat.ask, floor=random.randrange(3))
        before = rooms(day)
        better = rebuild(day)
        assert before == rooms(day)
        if better is None:
            continue
        better_days += 1
        meetings = dict(world.meetings)
        for move in better.moves:
            assert meetings[move.meeting].standing is Standing.TENTATIVE
            meetings[move.meeting] = replace(meetings[move.meeting], at=move.room)
        day.shift([(move.meeting, day.layout.number[move.room]) for move in better.moves])
        assert [] == World(world.spaces, world.blocked, meetings).wrong()
        assert total(day) == better.after

    assert better_days > 50


def test_the_reason_names_the_chosen_room_and_the_next_two() -> None:
    day = day_of(SMALL, replace(SMALL, id="second", floor=2), LARGE, replace(LARGE, id="huge", capacity=20))
    put(day, nine("a"), "small")
    put(day, nine("x"), "second")
    chosen, *others = why(day, "a")

    assert "small" == chosen.room
    assert ["large", "huge"] == [reason.room for reason in others]
    assert (0, 2) == (others[0].moves, others[0].waste)
    assert chosen.says().startswith("small: moves 0 (0 announced), waste 0, floors 0, lost 0 min")


def test_shaping_hides_a_start_that_leaves_a_hole_while_a_better_one_is_near() -> None:
    day = day_of(SMALL, hours=(480, 780))
    put(day, Ask("a", 540, 720), "small")
    want = Want(RoomRequirement(2), 30)
    starts = publishable(day, [want], range(480, 780, 15), Policy()).starts(want)

    assert {480, 495, 510, 720, 735, 750} == starts
    assert {480, 510, 720, 750} == shaped(day, want, starts, Policy(crowded=0.5))
    assert starts == shaped(day, want, starts, Policy(crowded=0.9))


def test_two_thousand_rooms_are_no_trouble() -> None:
    random = Random("many")
    spaces = [Space(f"r{n:04d}", random.randrange(9), random.choice((3, 6, 12)), step_free=True) for n in range(2000)]
    day = day_of(*spaces)
    for n in range(300):
        ask = nine(f"m{n}", start=random.randrange(480, 900, 15), seats=random.choice((2, 5, 9)))
        proof = certificate(day, ask)
        assert proof is not None
        commit(day, ask, proof)

    want = Want(RoomRequirement(9), 60)
    assert 29 == len(publishable(day, [want], range(480, 960, 15), Policy()).starts(want))
