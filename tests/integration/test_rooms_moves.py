"""A time that needs other meetings to change rooms: offered, booked, written; over a real database and desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from syncd.booking import texts
from syncd.booking.keep_rooms import Kept, RoomKeeper
from syncd.booking.reconcile import Reconciler
from syncd.booking.relocate import relocate
from syncd.booking.results import Appointment
from syncd.errors import SlotGone, UnknownBooking, UnknownRoom
from syncd.model.booking import BookingState, RoomState
from syncd.model.directory import RoomRules
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.roomalloc.allocate import Move
from syncd.store.instants import epoch, moment
from syncd.store.tables import AuditRow, ClosureRow
from tests.unit.publishing import RULES, Town, wall

FRIDAY = date(2026, 11, 27)
"""Four days ahead: nobody has been told his room."""
WEDNESDAY = date(2026, 11, 25)
"""Two days ahead: people have been told."""
GROUP = """
[offers.group]
title = {da = "Gruppe"}
minutes = {in-person = 60}
who = ["everyone"]
step = 30
horizon_days = 14
room = {seats = 4}
"""


@pytest.fixture
def town(migrated_url: str) -> Iterator[Town]:
    opened = Town.open(migrated_url, RULES.replace("[[hours]]", GROUP + "\n[[hours]]"))
    yield opened
    opened.store.close()


def book(town: Town, who: str, clock: str, offer: str, day: date = FRIDAY) -> Appointment:
    held = town.desk.hold("portal", offer, wall(clock, day), who, Form.IN_PERSON, None, town.now)
    return town.desk.book("portal", held.booking.id, f"citizen-{held.booking.id}", town.now)


def in_large_room(town: Town, day: date = FRIDAY, clock: str = "10:00") -> Appointment:
    """Bo's talk for two, which went into the large room because the small one was taken at that moment."""
    key = town.event("r1", clock, f"{int(clock[:2]) + 1}:00", day=day)
    made = book(town, "bo", clock, "talk", day)
    assert "r2" == made.meeting.room
    town.calendar.remove("r1", key)
    town.sync("r1")
    return made


def room_of(town: Town, made: Appointment) -> str | None:
    with town.store.read() as tx:
        meeting = tx.meetings.get(made.meeting.id)
        assert meeting is not None
        return meeting.room


def reconciler(town: Town) -> Reconciler:
    return Reconciler(town.store, lambda: {"server": town.calendar}, lambda: town.people, town.rules)


def written(town: Town, made: Appointment) -> dict[str, int]:
    """In which calendars the meeting stands."""
    boxes = town.people.mailboxes
    return {name: n for name in boxes if (n := len(town.calendar.find(boxes[name], made.meeting.uid)))}


def test_a_time_is_offered_that_one_move_makes_possible_and_the_booking_carries_it_out(town: Town) -> None:
    talk = in_large_room(town)

    assert "09:00 10:00 11:00" in " ".join(
        t for t in town.times("anna", Form.IN_PERSON, "group", FRIDAY).split() if t.endswith(":00")
    )
    assert town.why("10:00", "anna", Form.IN_PERSON, "group", FRIDAY).offered
    group = book(town, "anna", "10:00", "group")
    assert ("r2", "r1") == (group.meeting.room, room_of(town, talk))
    assert "10:00" not in town.times("cara", Form.IN_PERSON, "group", FRIDAY)


def test_the_calendars_follow_the_move(town: Town) -> None:
    talk = in_large_room(town)
    keeper = reconciler(town)
    keeper.run_due(town.now)
    assert {"bo": 1, "r2": 1} == written(town, talk)
    town.sync()
    group = book(town, "anna", "10:00", "group")
    assert BookingState.PENDING is town.desk.booking("portal", talk.booking.id, town.now).booking.state
    town.sync()  # the old entry still stands in r2: it must not count against the newcomer
    keeper.run_due(town.now)
    town.sync()

    assert {"bo": 1, "r1": 1} == written(town, talk)
    assert {"anna": 1, "r2": 1} == written(town, group)
    (entry,) = town.calendar.find(town.people.mailboxes["bo"], talk.meeting.uid)
    assert "R1" in entry.location
    assert BookingState.CONFIRMED is town.desk.booking("portal", talk.booking.id, town.now).booking.state


def test_a_hold_may_be_moved_and_still_be_booked(town: Town) -> None:
    key = town.event("r1", "10:00", "11:00", day=FRIDAY)
    held = town.desk.hold("portal", "talk", wall("10:00", FRIDAY), "bo", Form.IN_PERSON, None, town.now)
    town.calendar.remove("r1", key)
    town.sync("r1")
    book(town, "anna", "10:00", "group")

    made = town.desk.book("portal", held.booking.id, "citizen", town.now)
    assert "r1" == room_of(town, made) == made.meeting.room


def test_announced_rooms_move_too_and_the_audit_says_so(town: Town) -> None:
    talk = in_large_room(town, WEDNESDAY)
    book(town, "anna", "10:00", "group", WEDNESDAY)

    assert "r1" == room_of(town, talk)
    with town.store.read() as tx:
        rows = tx.session.execute(select(AuditRow.action, AuditRow.detail).where(AuditRow.meeting == talk.meeting.id))
        assert ("meeting.room-changed", "r2 > r1") in [tuple(row) for row in rows]


def test_frozen_rooms_stay(town: Town) -> None:
    today = date(2026, 11, 24)  # tomorrow; frozen since noon of the working day before
    town.now += timedelta(hours=6)
    town.sync()
    talk = in_large_room(town, today)

    assert "10:00" not in town.times("anna", Form.IN_PERSON, "group", today)
    with pytest.raises(SlotGone):
        book(town, "anna", "10:00", "group", today)
    assert "r2" == room_of(town, talk)


def test_a_site_may_forbid_all_moves(town: Town) -> None:
    talk = in_large_room(town)
    assert talk.meeting.interval in {slot.interval for slot in town.answer("group", FRIDAY).slots}
    site = replace(town.people.sites["hq"], rooms=RoomRules(moves=0))
    town.people = replace(town.people, sites={"hq": site})

    assert talk.meeting.interval not in {slot.interval for slot in town.answer("group", FRIDAY).slots}


def test_a_stale_plan_changes_nothing(town: Town) -> None:
    talk = in_large_room(town)
    with town.store.begin() as tx:
        slot = Slot(talk.meeting.interval, "anna", Form.IN_PERSON)
        proof = town.publisher.still_free(tx, town.rules().offers["group"], slot, town.now)
    assert proof is not None
    assert (Move(talk.meeting.id, "r2", "r1"),) == proof.moves
    town.desk.cancel("portal", talk.booking.id, town.now)

    with pytest.raises(SlotGone, match="Nothing was changed"), town.store.begin() as tx:
        relocate(tx, town.people, proof.moves, town.now)
    with town.store.read() as tx:
        assert [] == tx.meetings.claims(talk.meeting.id)


def test_a_taken_target_rolls_everything_back(town: Town) -> None:
    talk = in_large_room(town)
    other = book(town, "anna", "10:00", "talk")
    assert "r1" == other.meeting.room

    with pytest.raises(SlotGone), town.store.begin() as tx:
        relocate(tx, town.people, [Move(talk.meeting.id, "r2", "r1")], town.now)
    assert ("r2", "r1") == (room_of(town, talk), room_of(town, other))


def test_every_time_on_offer_can_be_booked(town: Town) -> None:
    in_large_room(town, clock="10:00")
    offered = [slot for slot in town.answer("group", FRIDAY).slots if slot.form is Form.IN_PERSON]

    assert {"09:00", "10:00", "11:00"} <= set(town.times("anna", Form.IN_PERSON, "group", FRIDAY).split())
    for slot in offered:
        held = town.desk.hold("portal", "group", slot.interval.start, slot.caseworker, slot.form, None, town.now)
        town.desk.cancel("portal", held.booking.id, town.now)


# What upsets rooms from outside


def keeper(town: Town) -> RoomKeeper:
    return RoomKeeper(town.store, lambda: town.people, town.rules)


def close(town: Town, room: str, start: str, end: str, day: date = FRIDAY) -> None:
    span = Interval(wall(start, day), wall(end, day))
    with town.store.begin() as tx:
        tx.session.add(ClosureRow(room=room, start=epoch(span.start), end=epoch(span.end), reason="Maling"))


def test_a_room_booked_directly_by_somebody_else_sends_our_meeting_to_another(town: Town) -> None:
    talk = book(town, "anna", "10:00", "talk")
    assert ("r1", Kept()) == (talk.meeting.room, keeper(town).repair(town.now))
    town.event("r1", "10:30", "11:30", day=FRIDAY)
    kept = keeper(town).repair(town.now)

    assert ((Move(talk.meeting.id, "r1", "r2"),), ()) == (kept.moves, kept.missing)
    assert "r2" == room_of(town, talk)
    assert Kept() == keeper(town).repair(town.now)


def test_a_closed_room_sends_its_meetings_on_and_others_make_place(town: Town) -> None:
    talk = in_large_room(town)
    close(town, "r2", "09:00", "12:00")

    assert (Move(talk.meeting.id, "r2", "r1"),) == keeper(town).repair(town.now).moves
    reconciler(town).run_due(town.now)
    assert {"bo": 1, "r1": 1} == written(town, talk)


def test_what_finds_no_room_is_told_to_a_person_and_looked_after(town: Town) -> None:
    group = book(town, "anna", "10:00", "group")
    town.event("r2", "10:00", "11:00", day=FRIDAY)
    kept = keeper(town).repair(town.now)

    assert ((), (group.meeting.id,)) == (kept.moves, kept.missing)
    with town.store.read() as tx:
        meeting = tx.meetings.get(group.meeting.id)
        assert meeting is not None
        assert (None, RoomState.MISSING) == (meeting.room, meeting.room_state)
        assert texts.ROOM_MISSING in (meeting.attention or "")
        assert ["anna"] == [claim.mailbox for claim in tx.meetings.claims(meeting.id)]


def test_our_own_entries_upset_nobody(town: Town) -> None:
    talk = book(town, "anna", "10:00", "talk")
    reconciler(town).run_due(town.now)
    town.sync()

    assert {"anna": 1, "r1": 1} == written(town, talk)
    assert Kept() == keeper(town).repair(town.now)


def test_nights_bring_meetings_into_fitting_rooms_while_nobody_was_told(town: Town) -> None:
    friday, wednesday = in_large_room(town), in_large_room(town, WEDNESDAY)
    site = town.people.sites["hq"]
    better = keeper(town).preview(site, FRIDAY, town.now)

    assert better is not None
    assert (Move(friday.meeting.id, "r2", "r1"),) == better.moves
    assert keeper(town).preview(site, WEDNESDAY, town.now) is None
    assert better.moves == keeper(town).rearrange(town.now, timedelta(days=7)).moves
    assert ("r1", "r2") == (room_of(town, friday), room_of(town, wednesday))


def test_a_meeting_that_a_person_moved_gets_a_room_others_leave(town: Town) -> None:
    talk, group = in_large_room(town), book(town, "anna", "11:00", "group")
    keeping = reconciler(town)
    keeping.run_due(town.now)
    town.sync()
    moved = Interval.at(wall("10:00", FRIDAY), 60)
    town.calendar.edit("anna", group.meeting.uid, interval=moved)
    town.sync("anna")
    keeping.run_due(town.now)

    with town.store.read() as tx:
        found = tx.meetings.get(group.meeting.id)
    assert moved == (found and found.interval)
    assert ("r2", "r1") == (room_of(town, group), room_of(town, talk))


def test_blocking_a_room_moves_its_meetings_and_is_audited(town: Town) -> None:
    talk = book(town, "anna", "10:00", "talk")
    span = Interval(wall("08:00", FRIDAY), wall("16:00", FRIDAY))
    kept = keeper(town).block("r1", span, "Maling", "karen", town.now)

    assert (Move(talk.meeting.id, "r1", "r2"),) == kept.moves
    assert "10:00" not in town.times("bo", Form.IN_PERSON, "talk", FRIDAY)
    with town.store.read() as tx:
        assert "cli:karen" in tx.session.scalars(select(AuditRow.actor).where(AuditRow.action == "room.closed"))


def test_a_room_is_explained_by_booking_or_meeting(town: Town) -> None:
    talk = book(town, "anna", "10:00", "talk")
    reasons = keeper(town).why(talk.booking.id, town.now)

    assert ["r1", "r2"] == [reason.room for reason in reasons]
    assert reasons == keeper(town).why(talk.meeting.id, town.now)
    with pytest.raises(UnknownBooking, match="no booking 'nobody'"):
        keeper(town).why("nobody", town.now)


def test_a_pinned_meeting_stays_whoever_needs_its_room(town: Town) -> None:
    talk = in_large_room(town)
    rooms = keeper(town)
    assert "r2" == rooms.pin(talk.booking.id, None, "karen", town.now)

    assert "10:00" not in town.times("anna", Form.IN_PERSON, "group", FRIDAY)
    assert Kept() == rooms.rearrange(town.now, timedelta(days=7))
    town.event("r2", "10:00", "10:30", day=FRIDAY)
    assert Kept() == rooms.repair(town.now)
    assert "r2" == room_of(town, talk)


def test_a_pin_may_choose_another_room_that_is_not_taken(town: Town) -> None:
    talk, other = book(town, "anna", "10:00", "talk"), book(town, "bo", "10:00", "talk")
    with pytest.raises(SlotGone, match="r2 is taken"):
        keeper(town).pin(talk.meeting.id, "r2", "karen", town.now)
    town.desk.cancel("portal", other.booking.id, town.now)

    assert "r2" == keeper(town).pin(talk.meeting.id, "r2", "karen", town.now) == room_of(town, talk)
    with pytest.raises(UnknownRoom):
        keeper(town).pin(talk.meeting.id, "r9", "karen", town.now)
    assert keeper(town).unpin(talk.meeting.id, "karen", town.now)
    assert (Move(talk.meeting.id, "r2", "r1"),) == keeper(town).rearrange(town.now, timedelta(days=7)).moves


def test_times_that_only_a_room_is_missing_for_are_remembered_once(town: Town) -> None:
    close(town, "r1", "09:00", "12:00")
    close(town, "r2", "10:00", "12:00")
    window = Interval(wall("00:00", FRIDAY), wall("23:00", FRIDAY))

    def remember() -> int:
        with town.store.begin() as tx:
            return tx.rooms.missed(town.publisher.shortages(tx, "talk", window, town.now), town.now)

    assert (4, 0) == (remember(), remember())
    with town.store.read() as tx:
        starts = [moment(one.start) for one in tx.rooms.shortages(window)]
    assert [wall(clock, FRIDAY) for clock in ("09:30", "10:00", "10:30", "11:00")] == starts
