"""What is on offer: over a real database, filled by the real engine, booked at the real desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from syncd.errors import BadRequest, SlotGone, TemporarilyClosed, UnknownCaseworker, UnknownOffer
from syncd.model.busy import BusyType, Stamp
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.publish import Publisher, PublishSettings, preview
from syncd.rulebook import parse
from syncd.slots.table import SlotTable
from tests.unit.publishing import NOW, RULES, TODAY, Town, wall

ALL_DAY = "09:00 09:30 10:00 10:30 11:00 11:30"
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def town(migrated_sqlite_url: str) -> Town:
    return Town.open(migrated_sqlite_url)


def test_working_hours_are_cut_into_slots(town: Town) -> None:
    assert ALL_DAY == town.times()
    assert "09:00 09:30 10:00 10:30 11:00" == town.times(form=Form.IN_PERSON)


def test_busy_time_is_not_on_offer(town: Town) -> None:
    town.event("anna", "10:00", "10:45")

    assert "09:00 09:30 11:00 11:30" == town.times()
    assert ALL_DAY == town.times("bo")


def test_buffers_keep_a_distance_from_events_but_may_reach_outside_working_hours(town: Town) -> None:
    town.event("anna", "10:30", "11:00")

    assert "09:00 09:30 11:30" == town.times(offer="call")


def test_buffers_of_two_meetings_add_up(town: Town) -> None:
    town.book("10:00", offer="call")

    assert "09:00 11:00 11:30" == town.times(offer="call")
    assert "09:00 11:00 11:30" == town.times()


@pytest.mark.parametrize(
    ("busy", "more", "phone", "in_person"),
    [
        (BusyType.BUSY, {}, False, False),
        (BusyType.OUT_OF_OFFICE, {}, False, False),
        (BusyType.TENTATIVE, {}, False, False),
        (BusyType.UNAVAILABLE, {}, False, False),
        (BusyType.WORKING_ELSEWHERE, {}, True, False),
        (BusyType.FREE, {}, True, True),
        (BusyType.FREE, {"all_day": True}, False, False),
        (BusyType.FREE, {"all_day": True, "recurring": True}, True, True),
        (BusyType.BUSY, {"categories": ("Selvbook",)}, True, True),
    ],
)
def test_what_an_event_blocks_depends_on_its_kind(
    town: Town, busy: BusyType, more: dict[str, Any], phone: bool, in_person: bool
) -> None:
    town.event("anna", "00:00", "23:00", busy, **more)

    assert (phone, in_person) == (bool(town.times()), bool(town.times(form=Form.IN_PERSON)))


def test_an_event_of_odd_minutes_blocks_every_meeting_that_it_touches(town: Town) -> None:
    town.event("anna", "09:29", "10:01")
    town.event("anna", "11:14", "11:16")

    assert "10:30 11:30" == town.times()


def test_no_meeting_begins_before_or_ends_after_working_hours_of_odd_minutes(town: Town) -> None:
    town.apply(RULES.replace("09:00", "09:07").replace("12:00", "11:53"))

    assert "09:30 10:00 10:30 11:00" == town.times()


def test_notice_is_kept_to_the_second(town: Town) -> None:
    town.now = wall("08:30") + timedelta(milliseconds=500)
    town.sync()
    late = town.times(offer="call")
    town.now = wall("08:30")
    town.sync()

    assert ("10:00 10:30 11:00 11:30", "09:30 10:00 10:30 11:00 11:30") == (late, town.times(offer="call"))


def test_a_team_may_let_tentative_time_be_booked(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'live'\nblocks = {tentative = 'none'}\n")
    town.event("anna", "10:00", "10:30", BusyType.TENTATIVE)
    town.event("cara", "10:00", "10:30", BusyType.TENTATIVE)

    assert "10:00" in town.times()
    assert "10:00" not in town.times("cara", offer="call")


def test_a_held_time_is_gone_until_the_hold_runs_out(town: Town) -> None:
    made = town.hold("10:00")
    held = town.times()
    assert made.booking.expires is not None
    edge = town.answer().valid_until
    town.now = made.booking.expires

    assert "09:00 09:30 10:30 11:00 11:30" == held
    assert edge <= made.booking.expires
    assert ALL_DAY == town.times()


def test_a_cancelled_booking_gives_its_time_back_though_its_entry_is_still_in_the_calendar(town: Town) -> None:
    made = town.book("10:00")
    town.event("anna", "10:00", "10:30", uid=made.meeting.uid, stamp=town.stamp(made))
    booked = town.times()
    town.desk.cancel("portal", made.booking.id, town.now)

    assert "09:00 09:30 10:30 11:00 11:30" == booked
    assert ALL_DAY == town.times()


def test_a_copy_of_our_entry_that_a_person_made_is_busy_time(town: Town) -> None:
    made = town.book("10:00")
    town.event("anna", "11:00", "11:30", uid="copied", stamp=town.stamp(made))
    town.desk.cancel("portal", made.booking.id, town.now)

    assert "09:00 09:30 10:00 10:30 11:30" == town.times()


@pytest.mark.parametrize("stamp", [Stamp("another", "m", 1, "x"), Stamp("", "unknown", 1, "x")])
def test_an_entry_of_another_installation_or_an_unknown_meeting_is_busy_time(town: Town, stamp: Stamp) -> None:
    ours = Stamp(stamp.installation or town.installation(), stamp.meeting, stamp.generation, stamp.digest)
    town.event("anna", "10:00", "10:30", stamp=ours)

    assert "10:00" not in town.times()


def test_a_meeting_that_is_moved_does_not_stand_in_its_own_way(town: Town) -> None:
    made = town.book("10:00", form=Form.IN_PERSON)
    for mailbox in ("anna", made.meeting.room or ""):
        town.event(mailbox, "10:00", "11:00", uid=made.meeting.uid, stamp=town.stamp(made))
    moved = town.desk.reschedule("portal", made.booking.id, wall("10:30"), None, None, town.now)

    assert Interval(wall("10:30"), wall("11:30")) == moved.meeting.interval


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda town: town.stale(), "last read"),
        (lambda town: town.refuse("anna"), "a person must decide"),
        (lambda town: town.unreadable("anna"), "cannot be understood"),
        (lambda town: town.forget("anna"), "not been read"),
    ],
)
def test_unknown_time_is_never_free_time(town: Town, spoil: Callable[[Town], None], reason: str) -> None:
    spoil(town)
    answer = town.answer(caseworker="anna")

    assert not answer.slots
    assert reason in answer.closed["anna"]
    with pytest.raises((TemporarilyClosed, SlotGone)):
        town.hold("10:00")


def test_one_calendar_that_cannot_be_trusted_closes_only_its_owner(town: Town) -> None:
    town.refuse("anna")

    assert ["anna"] == list(town.answer(form=Form.PHONE).closed)
    assert {"bo": 6} == town.answer(form=Form.PHONE).by_caseworker()


def test_nothing_is_offered_beyond_what_was_read(town: Town) -> None:
    far = TODAY + timedelta(days=400)
    town.apply(RULES.replace("horizon_days = 14", "horizon_days = 366"))
    with town.store.begin() as tx:
        read_to = int(wall("00:00", TODAY + timedelta(days=3)).timestamp())
        tx.session.connection().exec_driver_sql("UPDATE mailboxes SET covered_end = ?", (read_to,))
        tx.settings.bump()

    starts = [slot.interval.start for slot in town.answer(days=366, form=Form.PHONE).slots]
    assert max(starts) < wall("00:00", TODAY + timedelta(days=3)) < wall("00:00", far)


def test_a_meeting_in_person_needs_a_free_room(town: Town) -> None:
    town.event("r1", "09:00", "11:00")
    town.event("r2", "10:00", "12:00")

    assert "09:00 11:00" == town.times(form=Form.IN_PERSON)
    assert ALL_DAY == town.times()


def test_a_room_whose_calendar_cannot_be_trusted_is_no_room(town: Town) -> None:
    town.event("r1", "09:00", "12:00")
    town.refuse("r2")

    assert "" == town.times(form=Form.IN_PERSON)
    assert ALL_DAY == town.times()


def test_a_closed_room_is_no_room(town: Town) -> None:
    with town.store.begin() as tx:
        for room in ("r1", "r2"):
            start = int(wall("09:00").timestamp())
            tx.session.connection().exec_driver_sql(
                "INSERT INTO room_closures (room, start, end, reason) VALUES (?, ?, ?, 'repair')",
                (room, start, start + 3600),
            )
        tx.settings.bump()

    assert "10:00 10:30 11:00" == town.times(form=Form.IN_PERSON)


def test_the_last_room_goes_to_one_of_two_who_ask_for_the_same_time(town: Town) -> None:
    town.event("r2", "09:00", "12:00")
    town.hold("10:00", "anna", Form.IN_PERSON)

    assert "09:00 11:00" == town.times("bo", Form.IN_PERSON)
    with pytest.raises(SlotGone):
        town.hold("10:30", "bo", Form.IN_PERSON)


def test_notice_and_horizon_bound_what_can_be_booked(town: Town) -> None:
    town.now = wall("09:00") + timedelta(seconds=1)
    last = TODAY + timedelta(days=14)

    town.sync()
    assert "10:30 11:00 11:30" == town.times(offer="call")
    assert ALL_DAY == town.times(offer="call", day=last - timedelta(days=3))
    assert ("09:00 09:30 10:00 10:30 11:00 11:30", "") == (
        town.times(offer="call", day=last),
        town.times(offer="call", day=last + timedelta(days=1)),
    )


def test_a_cap_per_day_closes_the_day_when_it_is_reached(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'live'\nper_day = 2\n")
    town.book("09:00")
    one = town.times()
    town.book("11:00", offer="call")

    assert "09:30 10:00 10:30 11:00 11:30" == one
    assert ("", ALL_DAY, ALL_DAY) == (town.times(), town.times("bo"), town.times(day=TOMORROW))


def test_the_full_day_of_one_caseworker_is_nobody_elses_when_everybody_is_asked_for(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'live'\nper_day = 1\n")
    town.book("09:00")

    assert ["bo"] * 6 == [slot.caseworker for slot in town.answer(form=Form.PHONE).slots]


def test_minutes_of_a_week_are_counted_over_its_days(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'live'\nminutes_per_week = 60\n")
    town.book("09:00")
    one = town.times(day=TOMORROW)
    town.book("10:00")

    assert (ALL_DAY, "") == (one, town.times(day=TOMORROW))
    assert ALL_DAY == town.times(day=TODAY + timedelta(days=7))


def test_a_cap_on_an_offer_counts_that_offer_only_and_everybodys(town: Town) -> None:
    town.apply(RULES.replace("step = 30\nhorizon_days = 14", "step = 30\nhorizon_days = 14\noffer_per_week = 2", 1))
    town.book("09:00", "anna")
    town.book("09:00", "anna", offer="call") if "09:00" in town.times(offer="call") else None
    open_still = town.times("bo")
    town.book("09:00", "bo")

    assert ALL_DAY == open_still
    assert ("", "", ALL_DAY) == (
        town.times("bo"),
        town.times("anna", day=TOMORROW),
        town.times("bo", day=TODAY + timedelta(days=7)),
    )


def test_teams_that_are_not_live_are_not_on_offer_and_switch_without_restart(town: Town) -> None:
    seen = []
    for mode in ("closed", "shadow", "live", "shadow"):
        town.apply(RULES + f"[teams.job]\nmode = '{mode}'\n")
        window = Interval(wall("00:00"), wall("23:00"))
        shadow = town.publisher.answer("talk", window, town.now, form=Form.PHONE, shadow=True)
        seen.append((len(town.answer(form=Form.PHONE).slots), len(shadow.slots)))

    assert [(0, 0), (0, 12), (12, 12), (0, 12)] == seen


def test_a_team_in_shadow_cannot_be_booked_either(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'shadow'\n")

    with pytest.raises(SlotGone):
        town.hold("10:00")


def test_only_marked_time_is_on_offer_where_the_team_wants_it_so(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'live'\npublish = 'marked'\n")
    town.event("anna", "14:00", "15:00", categories=("Selv Book",))
    town.event("anna", "16:00", "17:00", categories=("selvbook: SAMTALE",))
    town.event("anna", "18:00", "19:00", categories=("Selvbook: opkald",))
    town.event("anna", "14:00", "14:30")

    assert ("14:30 16:00 16:30", "") == (town.times(), town.times("bo"))


def test_marked_time_comes_on_top_of_the_hours_where_the_team_wants_both(town: Town) -> None:
    town.apply(RULES + "[teams.job]\nmode = 'live'\npublish = 'both'\n")
    town.event("anna", "11:40", "12:40", categories=("Selvbook",))

    assert f"{ALL_DAY} 12:00" == town.times()


def test_holidays_closing_days_and_exceptions_change_the_hours_of_a_day(town: Town) -> None:
    christmas = date(2026, 12, 24)
    rules = RULES.partition("\n\n")[2].replace("horizon_days = 14", "horizon_days = 60")
    rules += "[[closings]]\nfirst = 2026-12-22\nwhy = 'Flytning'\n"
    rules += "[[exceptions]]\nwho = ['anna']\nfirst = 2026-12-23\nhours = ['13:00-14:00']\nwhy = 'Kursus'\n"
    town.apply(rules)

    assert ["", "13:00 13:30", "", "", ALL_DAY] == [
        town.times(day=day)
        for day in (date(2026, 12, 22), date(2026, 12, 23), christmas, date(2026, 12, 25), date(2026, 12, 28))
    ]
    assert ALL_DAY == town.times("bo", day=date(2026, 12, 23))


def test_a_pools_answer_is_the_union_of_its_members(town: Town) -> None:
    town.event("anna", "10:00", "10:30")
    town.book("11:00", "bo", Form.IN_PERSON)
    singles = [slot for one in ("anna", "bo") for slot in town.answer(caseworker=one).slots]
    pool = town.answer()

    assert sorted(singles) == sorted(pool.slots)
    assert [slot.interval.start for slot in pool.slots] == sorted(slot.interval.start for slot in pool.slots)


def test_times_of_a_pool_come_once_with_how_many_can_serve_them(town: Town) -> None:
    town.event("anna", "10:00", "10:30")
    slots = town.answer(form=Form.PHONE).slots
    assert isinstance(slots, SlotTable)
    times = slots.times(named=True)

    assert [2, 2, 1, 2, 2, 2] == [time.number for time in times]
    assert ("bo",) == times[2].servers


def test_an_answer_stays_the_same_object_until_something_can_have_changed(town: Town) -> None:
    first = town.answer()
    town.now += timedelta(seconds=30)
    same = town.answer()
    town.event("bo", "10:00", "10:30")

    assert first is same
    assert town.answer() is not first
    assert town.answer().generation > first.generation


def test_a_calendar_that_changed_is_read_again_though_others_are_remembered(town: Town) -> None:
    before = town.answer(form=Form.PHONE).by_caseworker()
    town.event("bo", "10:00", "10:30")

    assert ({"anna": 6, "bo": 6}, {"anna": 6, "bo": 5}) == (before, town.answer(form=Form.PHONE).by_caseworker())


def test_an_entry_of_ours_that_a_person_moved_takes_its_new_time_too_until_the_booking_follows(town: Town) -> None:
    made = town.book("10:00")
    town.event("anna", "11:00", "11:30", uid=made.meeting.uid, stamp=town.stamp(made))

    assert "09:00 09:30 10:30 11:30" == town.times()


def test_an_answer_is_good_until_its_first_slot_falls_below_the_notice(town: Town) -> None:
    town.now = wall("08:59")
    town.sync()
    answer = town.answer(form=Form.PHONE)

    assert wall("09:00") == answer.valid_until
    town.now = wall("09:00")
    assert "09:00" in town.times()
    town.now += timedelta(seconds=1)
    assert "09:00" not in town.times()


def test_an_answer_is_good_only_as_long_as_its_calendars_may_be_trusted(town: Town) -> None:
    answer = town.answer(day=TOMORROW, form=Form.PHONE)

    assert (NOW, NOW + timedelta(minutes=15)) == (answer.as_of, answer.valid_until)


def test_the_survivors_of_each_step_are_counted(town: Town) -> None:
    town.event("anna", "10:00", "10:30")
    town.hold("09:00")
    counts = town.answer(form=Form.PHONE, caseworker="anna").counts

    assert {"grid": 48, "hours": 6, "events": 5, "claims": 4, "room": 4}.items() <= counts.items()


def test_questions_that_cannot_be_answered_are_refused(town: Town) -> None:
    week = Interval(NOW, NOW + timedelta(days=7))
    with pytest.raises(UnknownOffer, match="Offers are: call, talk"):
        town.publisher.answer("tlak", week, NOW)
    with pytest.raises(UnknownCaseworker, match="'cara' serves the offer 'talk'"):
        town.publisher.answer("talk", week, NOW, caseworker="cara")
    with pytest.raises(BadRequest, match="its forms are: in-person, phone"):
        town.publisher.answer("talk", week, NOW, form=Form.VIDEO)
    with pytest.raises(BadRequest, match="7305 days; at most 366"):
        town.publisher.answer("talk", Interval(NOW, NOW + timedelta(days=7305)), NOW)


def test_no_rules_are_no_offers(migrated_sqlite_url: str) -> None:
    town = Town.open(migrated_sqlite_url, RULES)
    fresh = Publisher(town.store, lambda: town.people)
    with town.store.begin() as tx:
        tx.session.connection().exec_driver_sql("DELETE FROM revisions")
        tx.settings.bump()

    with pytest.raises(UnknownOffer, match="Offers are: none"):
        fresh.answer("talk", Interval(NOW, NOW + timedelta(days=1)), NOW)


@pytest.mark.parametrize("minutes", [0, 15])
def test_a_slot_of_another_length_or_off_the_grid_cannot_be_taken(town: Town, minutes: int) -> None:
    start = wall("10:00") + timedelta(minutes=minutes)
    slot = Slot(Interval.at(start, 30 + (0 if minutes else 15)), "anna", Form.PHONE)

    with town.store.begin() as tx, pytest.raises(SlotGone):
        town.publisher.still_free(tx, town.rules().offers["talk"], slot, NOW)


def test_a_preview_tells_what_new_rules_would_change_and_changes_nothing(town: Town) -> None:
    proposed = parse(
        RULES.replace('to = "12:00"', 'to = "10:00"').replace("[offers.call]", "[offers.ring]"), town.people, 2
    )
    window = Interval(wall("00:00"), wall("23:00"))
    changes = preview(town.store, lambda: town.people, PublishSettings(), proposed, window, NOW)

    assert [("call", "anna", 6, 0), ("ring", "anna", 0, 2), ("talk", "anna", 11, 3)] == [
        (one.offer, one.caseworker, one.now, one.then) for one in changes if one.caseworker == "anna"
    ]
    assert ALL_DAY == town.times()


def test_a_clock_change_in_a_night_shift_offers_no_time_twice_and_none_that_is_skipped(
    migrated_sqlite_url: str,
) -> None:
    night = RULES.replace('"mon-fri"', '"sat-sun"').replace('"09:00"', '"01:00"').replace('"12:00"', '"04:00"')
    town = Town(Town.open(migrated_sqlite_url, night).store, now=datetime.fromisoformat("2027-03-26T12:00:00+00:00"))
    town.sync()

    spring = [slot.interval for slot in town.answer(day=date(2027, 3, 28), caseworker="anna", form=Form.PHONE).slots]
    usual = [slot.interval for slot in town.answer(day=date(2027, 3, 27), caseworker="anna", form=Form.PHONE).slots]
    assert (4, 6) == (len(spring), len(usual))
    assert all(not one.overlaps(other) for one, other in pairwise(spring))
