"""The choice of a free room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from syncd.model.directory import Mailbox, MailboxKind, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import RoomRequirement
from syncd.roomalloc.rank import choose, claim

TOWN = Site("town", "Town hall", "Europe/Copenhagen")
TALK = Interval.at(datetime(2026, 3, 2, 9, tzinfo=UTC), 45)  # 10:00 on the wall


def room(name: str, **facts: Any) -> Room:
    box = Mailbox(name, MailboxKind.ROOM, "main", f"{name}@example.org", TOWN.zone)
    return replace(Room(name, name, box, "town", capacity=3), **facts)


def chosen(rooms: list[Room], busy: dict[str, list[Interval]] | None = None, **facts: Any) -> tuple[str, ...]:
    requirement = RoomRequirement(**{k: facts.pop(k) for k in ("seats", "features", "step_free") if k in facts})
    interval = facts.pop("interval", TALK)
    return choose(rooms, requirement, interval, busy or {}, site=TOWN, **facts)


def test_the_smallest_room_that_fits_comes_first() -> None:
    rooms = [room("big", capacity=12), room("small", capacity=3), room("middle", capacity=6)]

    assert chosen(rooms) == ("small", "middle", "big")
    assert chosen(rooms, seats=4) == ("middle", "big")


def test_a_room_with_equipment_is_kept_for_those_who_need_it() -> None:
    rooms = [room("alarm", features=frozenset({"alarm"})), room("plain")]

    assert chosen(rooms) == ("plain", "alarm")
    assert chosen(rooms, features=frozenset({"alarm"})) == ("alarm",)


def test_the_nearest_floor_wins_among_equals_and_a_preferred_room_before_it() -> None:
    rooms = [room("a", floor=0), room("b", floor=2), room("c", floor=3, preferred_by=("youth",))]

    assert chosen(rooms, floor=2) == ("b", "c", "a")
    assert chosen(rooms, floor=2, teams=("youth",)) == ("c", "b", "a")


def test_step_free_access_and_site_are_never_given_up() -> None:
    rooms = [room("stairs"), room("lift", step_free=True), room("elsewhere", site="other", step_free=True)]

    assert chosen(rooms, step_free=True) == ("lift",)


def test_a_taken_or_closed_room_is_out() -> None:
    half = Interval.at(TALK.start + timedelta(minutes=30), 60)

    assert chosen([room("a"), room("b")], {"a": [half]}) == ("b",)
    assert chosen([room("a"), room("b")], closures={"b": [half]}) == ("a",)


def test_turnover_is_kept_before_the_next_meeting_and_after_the_last() -> None:
    a = room("a", turnover=10)
    before, after = Interval.at(TALK.start - timedelta(minutes=30), 30), Interval.at(TALK.end, 30)

    assert chosen([a], {"a": [claim(a, before)]}) == ()
    assert chosen([a], {"a": [claim(a, after)]}) == ()
    assert chosen([a], {"a": [claim(a, Interval.at(TALK.end + timedelta(minutes=10), 30))]}) == ("a",)


def test_opening_hours_are_wall_clock_and_turnover_may_run_past_closing() -> None:
    a = room("a", opens=time(10), closes=time(10, 45), turnover=15)

    assert chosen([a]) == ("a",)
    assert chosen([a], interval=Interval.at(TALK.start - timedelta(minutes=5), 45)) == ()
    assert chosen([a], interval=Interval.at(TALK.start + timedelta(minutes=5), 45)) == ()
    summer = Interval.at(datetime(2026, 7, 1, 8, tzinfo=UTC), 45)
    assert chosen([a], interval=summer) == ("a",)


def test_a_gap_too_short_for_any_meeting_is_avoided() -> None:
    quarter = Interval.at(TALK.start - timedelta(minutes=75), 60)
    flush = Interval.at(TALK.start - timedelta(minutes=60), 60)

    assert chosen([room("a"), room("b")], {"a": [quarter], "b": [flush]}) == ("b", "a")


def test_equal_rooms_come_in_the_order_of_their_ids() -> None:
    assert chosen([room("c"), room("a"), room("b")]) == ("a", "b", "c")
