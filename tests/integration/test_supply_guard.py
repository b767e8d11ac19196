"""Enough times must exist: somebody is told when they do not, and reserves open; odd bookings are told, not refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.model.eligibility import Whom
from syncd.model.offer import Form
from syncd.model.task import Task, TaskKind
from syncd.publish.guard import SupplyGuard
from syncd.slots.grid import Grid
from syncd.slots.table import Row, SlotTable
from tests.unit.publishing import RULES, TODAY, Town, wall

PHONE = Form.PHONE


def rules(more: str, tail: str = "") -> str:
    return RULES.replace('who = ["team:job"]', f'who = ["team:job"]\n{more}', 1) + tail


def guard(town: Town) -> SupplyGuard:
    return SupplyGuard(town.store, town.publisher, town.people)


def waiting(town: Town, kind: TaskKind) -> list[Task]:
    with town.store.read() as tx:
        return tx.tasks.waiting(kind)


@pytest.fixture
def town(migrated_sqlite_url: str) -> Town:
    return Town.open(migrated_sqlite_url)


def test_too_few_times_in_a_window_are_told_once_and_the_task_goes_with_its_cause(town: Town) -> None:
    town.apply(rules("supply = [{to_days = 0, at_least = 12}]"))
    enough = guard(town).look(town.now)
    key = town.event("anna", "09:00", "12:00")
    short = [guard(town).look(town.now) for _ in range(2)][-1]
    told = waiting(town, TaskKind.SUPPLY_SHORT)
    town.calendar.remove("anna", key)
    town.sync("anna")
    guard(town).look(town.now)

    assert not enough.short
    assert [("offer:talk:0-0", 6)] == [(one.about, one.found) for one in short.short]
    assert ["Fewer than 12 meetings of 'talk' can be booked from 0 to 0 days ahead."] == [
        one.en.partition(" Citizens")[0] for one in told
    ]
    assert not waiting(town, TaskKind.SUPPLY_SHORT)


def test_a_window_counts_whole_days_after_today(town: Town) -> None:
    town.apply(rules("supply = [{from_days = 1, to_days = 2, at_least = 99}]"))
    town.event("anna", "00:00", "23:59", day=TODAY + timedelta(days=1))
    (found,) = guard(town).look(town.now).short

    assert 18 == found.found


RESERVE = 'reserve = {hours = ["09:00-11:00"], release_hours = 0, within_days = 2}\n'


def test_the_reserve_opens_while_times_are_short_and_closes_again(town: Town) -> None:
    town.apply(rules(RESERVE + "supply = [{to_days = 0, at_least = 4, opens_reserve = true}]"))
    assert not guard(town).look(town.now).opened
    assert "11:00 11:30" == town.times()
    key = town.event("bo", "11:00", "12:00")
    assert ("talk",) == guard(town).look(town.now).opened
    assert "09:00 09:30 10:00 10:30 11:00 11:30" == town.times()
    assert ("talk",) == guard(town).look(town.now).opened
    town.calendar.remove("bo", key)
    town.sync("bo")
    assert not guard(town).look(town.now).opened
    assert "11:00 11:30" == town.times()


def test_times_for_immediate_booking_are_counted_where_the_rule_says_so(town: Town) -> None:
    town.apply(
        rules(RESERVE + "supply = [{to_days = 0, at_least = 12, immediate = true}, {to_days = 0, at_least = 5}]")
    )

    assert [5] == [one.guard.at_least for one in guard(town).look(town.now).short]


def test_an_offer_that_nobody_serves_is_short(town: Town) -> None:
    town.apply(rules("supply = [{to_days = 3, at_least = 1}]", "[teams.job]\nmode = 'closed'\n"))

    assert 1 == len(guard(town).look(town.now).short)


def test_who_has_fewer_times_than_expected_next_week_is_told_of(town: Town) -> None:
    town.apply(rules("", "[teams.job]\nmode = 'live'\nexpected_per_week = 30\n"))
    for day in range(7, 12):
        town.event("bo", "09:00", "09:30", day=TODAY + timedelta(days=day))

    assert ["bo"] == guard(town).expected(town.now)
    (task,) = waiting(town, TaskKind.CASEWORKER_SHORT)
    assert "Bo has fewer than the expected 30 meetings, booked or on offer, in the week from 30.11.2026." == task.en


def test_meetings_that_overlap_are_not_counted_twice() -> None:
    grid = Grid(0, 15 * 60, 96)
    table = SlotTable(grid, [Row(PHONE, 30, "anna", 0b1111_1111), Row(PHONE, 30, "bo", 0b1)])

    assert 5 == table.packed(0, 0, 99)
    assert 4 == table.packed(15, 0, 99)
    assert 3 == table.packed(0, 0, 3)


LIMITS = """
[[limits]]
most = 2
days = 30

[[limits]]
most = 1
per = "citizen-and-caseworker"
"""


def make(town: Town, start: str, citizen: str = "one", who: str = "anna") -> str:
    hold = town.desk.hold("portal", "talk", wall(start), who, PHONE, citizen, town.now)
    return town.desk.book("portal", hold.booking.id, citizen, town.now).booking.id


def test_many_bookings_are_reported_cancelled_ones_too_and_never_refused(town: Town) -> None:
    town.apply(rules("", LIMITS))
    town.desk.cancel("portal", make(town, "09:00"), town.now)
    assert not waiting(town, TaskKind.MANY_BOOKINGS)
    make(town, "10:00", "two")
    make(town, "10:30")
    personal = waiting(town, TaskKind.MANY_BOOKINGS)
    last = make(town, "11:00", who="bo")
    both = waiting(town, TaskKind.MANY_BOOKINGS)

    assert ["A citizen made more than 1 bookings within 30 days with anna"] == [
        one.en.partition(", cancelled")[0] for one in personal
    ]
    assert 2 == len(both)
    assert last in both[1].en
    assert not any("one" in task.about for task in both)


def test_a_hold_given_back_is_no_booking(town: Town) -> None:
    town.apply(rules("", LIMITS))
    for _ in range(3):
        held = town.desk.hold("portal", "talk", wall("09:00"), "anna", PHONE, "one", town.now)
        town.desk.cancel("portal", held.booking.id, town.now)
    make(town, "09:00")

    assert not waiting(town, TaskKind.MANY_BOOKINGS)


def test_one_future_meeting_of_a_kind_covers_offers_of_the_same_talk_type(town: Town) -> None:
    both = RULES.replace('title = {da = "Opkald"}', 'title = {da = "Opkald"}\ntalk_type = "7"\none_future = true')
    town.apply(both.replace('who = ["team:job"]', 'who = ["team:job"]\ntalk_type = "7"'))
    make(town, "09:00")
    with pytest.raises(Exception, match="a future meeting of this kind"):
        town.desk.hold("portal", "call", wall("11:00"), "bo", PHONE, "one", town.now, whom=Whom())
