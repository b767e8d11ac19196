"""What surrounds the allocator: time, writes, the catalogue, demand and usage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations
from typing import Any

from syncd.model.directory import Mailbox, MailboxKind, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import RoomRequirement
from syncd.roomalloc import catalogue, demand, usage
from syncd.roomalloc.allocate import Move, certificate
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import Standing
from syncd.roomalloc.demand import Outcome, Wish
from syncd.roomalloc.layout import Space
from syncd.roomalloc.timetable import Occupant, Timing, announced_at, ask_of, site_day, standing, working_day_before
from syncd.roomalloc.upset import upset
from syncd.roomalloc.usage import Held, Use
from syncd.roomalloc.writes import Kind, Step, in_order, own_fault

ZONE = "Europe/Copenhagen"
TOWN = Site("town", "Town hall", ZONE)
MONDAY = date(2026, 3, 30)  # the clocks changed the night before
PAIR = RoomRequirement(2)


def room(name: str, **facts: Any) -> Room:
    box = Mailbox(name, MailboxKind.ROOM, "main", f"{name}@example.org", ZONE)
    return replace(Room(name, name, box, "town", capacity=3, opens=time(8), closes=time(16)), **facts)


def at(hour: int, minute: int = 0, minutes: int = 60, day: date = MONDAY) -> Interval:
    return Interval.at(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC), minutes)


# Moments


def test_rooms_are_told_two_days_before_and_stand_from_noon_of_the_working_day_before() -> None:
    friday_noon = datetime(2026, 3, 27, 11, tzinfo=UTC)

    assert date(2026, 3, 27) == working_day_before(MONDAY)
    assert date(2026, 3, 26) == working_day_before(MONDAY, holidays={date(2026, 3, 27)})
    timing = Timing(announce_days=4)
    assert Standing.TENTATIVE is standing(MONDAY, datetime(2026, 3, 25, 22, 59, tzinfo=UTC), ZONE, timing)
    assert Standing.ANNOUNCED is standing(MONDAY, datetime(2026, 3, 25, 23, tzinfo=UTC), ZONE, timing)
    assert Standing.ANNOUNCED is standing(MONDAY, friday_noon - timedelta(seconds=1), ZONE, timing)
    assert Standing.FIXED is standing(MONDAY, friday_noon, ZONE, timing)


def test_nobody_is_told_after_the_freeze() -> None:
    assert datetime(2026, 3, 27, 11, tzinfo=UTC) == announced_at(MONDAY, ZONE, Timing())
    assert announced_at(MONDAY, ZONE, Timing(announce_days=None)) is None
    assert Standing.ANNOUNCED is standing(MONDAY, datetime(2026, 1, 1, tzinfo=UTC), ZONE, Timing(announce_days=None))
    assert [] == Timing().problems()
    assert ["announce_days: 0 would tell people after the rooms of their day are frozen"] == Timing(0).problems()


# A day of a site


def test_a_day_holds_meetings_foreign_bookings_closures_and_unknown_time() -> None:
    rooms = [room("a"), room("b"), room("c"), room("d"), room("elsewhere", site="other")]
    day = site_day(
        TOWN,
        MONDAY,
        rooms,
        [
            Occupant("m", "a", at(7), PAIR),
            Occupant("x", "b", at(7), foreign=True),
            Occupant("other-day", "a", at(7, day=date(2026, 4, 1))),
        ],
        Standing.TENTATIVE,
        closures={"c": [at(6, minutes=120)]},
        unknown={"d": [at(5, minutes=180)]},
    )

    assert {"m", "x"} == set(day.seats)
    assert certificate(day, ask_of(TOWN, MONDAY, "new", at(7), PAIR)) is None
    proof = certificate(day, ask_of(TOWN, MONDAY, "new", at(8), PAIR))
    assert proof is not None
    assert "a" == proof.room
    assert certificate(day, ask_of(TOWN, MONDAY, "early", at(5), PAIR)) is None, "8 o'clock is 6 in UTC now"


def test_the_days_on_which_clocks_change_have_their_own_length() -> None:
    for day, minutes in ((date(2026, 3, 29), 1380), (date(2026, 10, 25), 1500)):
        assert minutes // 15 == site_day(TOWN, day, [room("a")], [], Standing.TENTATIVE).steps
    autumn = site_day(TOWN, date(2026, 10, 25), [room("a")], [], Standing.TENTATIVE)
    eight = ask_of(TOWN, date(2026, 10, 25), "m", at(7, day=date(2026, 10, 25)), PAIR)
    assert certificate(autumn, eight) is not None
    assert certificate(autumn, replace(eight, start=eight.start - 15, end=eight.end - 15)) is None


def test_a_pinned_meeting_stays_and_an_odd_minute_takes_its_whole_step() -> None:
    occupants = [
        Occupant("m", "a", at(7, 3, 30), PAIR, pinned=True),
        Occupant("n", "a", at(7, 33, 30), PAIR),
    ]
    day = site_day(TOWN, MONDAY, [room("a")], occupants, Standing.TENTATIVE)

    assert Standing.FIXED is day.seats["m"].standing
    assert () == upset(day)
    assert certificate(day, ask_of(TOWN, MONDAY, "o", at(8, 4, 30), PAIR)) is None
    assert certificate(day, ask_of(TOWN, MONDAY, "o", at(8, 5, 30), PAIR)) is not None


# Writes


def obeyed(steps: list[Step], moves: list[Move], spans: dict[str, Interval]) -> dict[str, str | None]:
    """Play the steps as a calendar server would see them; it declines what is taken."""
    where: dict[str, str | None] = {move.meeting: move.origin for move in moves}
    for step in steps:
        holders = [m for m, r in where.items() if r == step.room and m != step.meeting]
        clash = [m for m in holders if spans[m].overlaps(spans[step.meeting])]
        if step.kind is Kind.GIVE_BACK:
            assert where[step.meeting] == step.room
            where[step.meeting] = None
        elif step.kind is Kind.SEE_FREE:
            assert not [m for m in step.after if where[m] == step.room]
        else:
            assert not clash, f"{step} would be declined"
            assert where.get(step.meeting) is None, "one entry names one room"
            where[step.meeting] = step.room
    return where


def test_a_chain_is_written_from_its_end() -> None:
    moves = [Move("x", "r1", "r2"), Move("y", "r2", "r3")]
    spans = {"new": at(7), "x": at(7), "y": at(7)}
    steps = in_order(moves, spans, ("new", "r1"))

    assert [
        (Kind.GIVE_BACK, "y"),
        (Kind.INVITE, "y"),
        (Kind.GIVE_BACK, "x"),
        (Kind.SEE_FREE, "x"),
        (Kind.INVITE, "x"),
        (Kind.SEE_FREE, "new"),
        (Kind.INVITE, "new"),
    ] == [(step.kind, step.meeting) for step in steps]
    assert {"x": "r2", "y": "r3", "new": "r1"} == obeyed(steps, moves, spans)


def test_swaps_and_rings_pass_through_no_room() -> None:
    for ring in permutations(["r0", "r1", "r2", "r3"]):
        moves = [Move(f"m{n}", f"r{n}", to) for n, to in enumerate(ring) if to != f"r{n}"]
        spans = {f"m{n}": at(7) for n in range(4)}

        assert {move.meeting: move.room for move in moves} == obeyed(in_order(moves, spans), moves, spans)


def test_a_room_nobody_leaves_is_not_waited_for() -> None:
    assert [Step(Kind.INVITE, "new", "r1")] == in_order([], {"new": at(7)}, ("new", "r1"))


def test_a_decline_caused_by_our_own_earlier_item_is_no_answer() -> None:
    assert own_fault("r1", at(7), [("r1", at(7, 30))])
    assert not own_fault("r1", at(7), [("r1", at(8)), ("r2", at(7))])


# The catalogue


def test_every_impossible_room_is_named_at_once() -> None:
    rooms = [
        room("lost", site="nowhere"),
        room("nobody", capacity=0),
        room("slow", turnover=480),
        room("night", opens=time(16), closes=time(8)),
        room("twin", mailbox=room("lost").mailbox),
        room("fine"),
    ]

    assert [
        "rooms.lost.site: there is no site 'nowhere'; sites are town",
        "rooms.nobody.capacity: 0 seats nobody; a room has at least 1",
        "rooms.slow.turnover: 480 minutes leave nothing of the 480 it is open",
        "rooms.night.closes: it must be after opens",
        "rooms.twin.mailbox: room lost has the same one (lost@example.org); each room needs its own",
    ] == catalogue.problems(rooms, {"town"})


def test_a_requirement_no_room_meets_is_said_when_the_offer_is_made() -> None:
    alarm = RoomRequirement(4, frozenset({"alarm"}), step_free=True)
    needs, minutes = {"talk": PAIR, "risk": alarm, "day": PAIR}, {"talk": 30, "risk": 30, "day": 600}

    assert [
        "offers.risk.room: no room of town has 4 seats, alarm, step-free access",
        "offers.day.minutes: 600 is longer than any suitable room of town is open",
    ] == catalogue.unmet(needs, minutes, [room("a")], [TOWN])


def test_a_freeze_after_the_meeting_is_refused() -> None:
    noon = datetime(2026, 3, 30, 12, tzinfo=UTC)

    assert catalogue.freeze_problem(noon, MONDAY, noon + timedelta(hours=1)) is None
    assert "after the first meeting has begun" in str(catalogue.freeze_problem(noon, MONDAY, noon))


# Demand


def test_missing_rooms_are_counted_without_persons_and_rare_cells_left_out() -> None:
    wish = Wish(0, 0, 540, 30, PAIR, Outcome.REFUSED)
    wishes = [wish] * 4 + [replace(wish, outcome=Outcome.WITHHELD)] * 2 + [replace(wish, start=700)] * 4
    wishes += [replace(wish, outcome=Outcome.MET)] * 9

    assert (demand.Shortage("2 seats", 0, 9, 2, 4),) == demand.shortages(wishes)


def test_another_room_is_tried_on_recorded_demand() -> None:
    wishes = [Wish(day, day, 540, 60, PAIR, Outcome.REFUSED) for day in range(3) for _ in range(2)]
    hours = [(480, 960)]
    one, two = Space("a", capacity=3), Space("b", capacity=3)
    today = demand.what_if([one], wishes, {"a": hours}, Policy())

    assert (6, 3, 0.5, {"2 seats": (3, 6)}) == (today.wished, today.accepted, today.share, today.by_kind)
    assert 1.0 == demand.what_if([one, two], wishes, {"a": hours, "b": hours}, Policy()).share
    curve = demand.rooms_needed(one, [], wishes, hours, Policy())
    assert [(1, 0.5), (2, 1.0)] == [(count, outlook.share) for count, outlook in curve]


# Usage


def test_the_figures_of_a_small_house() -> None:
    spaces = [Space("a", 0, 4, frozenset({"alarm"})), Space("b", 1, 2)]
    open_minutes = {(id, MONDAY): 480 for id in "ab"}
    uses = [
        Use("a", MONDAY, 540, 660, 2, forced=False, lead_days=4, moves=1, told=1),
        Use("b", MONDAY, 600, 720, 2, floor=1, lead_days=2),
        Use("b", MONDAY, 840, 900, 2, floor=0, held=Held.NO_SHOW),
        Use("b", MONDAY, 900, 960, 1, held=Held.RELEASED),
        Use("b", MONDAY, 930, 960, 2, floor=1),
    ]
    found = usage.measure(spaces, uses, open_minutes)

    assert (4, 270 / 960, 330 / 960, 0.25) == (found.meetings, found.frequency, found.booked, found.no_show)
    assert (120 * 2 + 150 * 2) / (120 * 4 + 150 * 2) == found.occupancy
    assert (2, 2, 1.0, 0.5) == (found.peak, found.peak95, found.released_hours, found.rebooked_hours)
    assert (0.25, 0.25, 2.0) == (found.oversized, found.avoidable, found.special_misused)
    assert (25.0, 25.0, 0.25, 3) == (found.moves, found.told, found.floors, found.lead_days)
    assert found.utilisation == (found.frequency or 0) * (found.occupancy or 0)
    assert round(2 / (270 / 480), 6) == round(found.peak_load or 0, 6)


def test_nothing_to_measure_gives_no_figure_and_no_fault() -> None:
    found = usage.measure([], [], {})

    assert (0, None, None, None, 0) == (found.meetings, found.frequency, found.occupancy, found.no_show, found.peak)


def test_pictures_leave_small_cells_out() -> None:
    days = [MONDAY + timedelta(days=7 * week) for week in range(5)]
    uses = [Use("a", day, 540, 600, 2) for day in days] + [Use("a", days[0], 720, 750, 2)]

    assert {(0, 18): 1.0, (0, 19): 1.0} == usage.heat_map(uses, days)
    one_after_another = [Use("a", day, start, start + 15, 2) for day in days for start in (540, 555)]
    assert {(0, 18): 1.0} == usage.heat_map(one_after_another, days)
    assert {2: (6, 0)} == usage.spare_seats(uses, [Space("a", capacity=4)])
    assert {} == usage.spare_seats(uses[:4], [Space("a", capacity=4)])
