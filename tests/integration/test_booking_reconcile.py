"""Meetings and calendars come to agree, whatever servers and people do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from syncd import points
from syncd.booking import texts
from syncd.booking.reconcile import Look, Result
from syncd.errors import AccessDenied, EntryRemoved, OutcomeUnknown, SlotGone, Throttled, Transient
from syncd.model.booking import BookingState, RoomState
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.entry import EntryDraft, stamped
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store.tables import AuditRow, BookingRow, ClaimRow, EntryRow, MeetingRow
from tests.simulation import scenarios, town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at

MINUTE = timedelta(minutes=1)


def booked(office: Office, hour: int = 9, **more: Any):
    """A meeting that stands in its calendars."""
    made = office.book(at(hour), **more)
    office.reconciler.run_due(NOW)
    office.sync(NOW)
    return made


def attention(office: Office, made) -> str:
    return office.meeting(made.meeting.id).attention or ""


def due(office: Office, made) -> int | None:
    with office.store.read() as tx:
        return tx.session.scalar(select(MeetingRow.due).where(MeetingRow.id == made.meeting.id))


def wait(office: Office, made, now: datetime) -> int:
    """Seconds until the meeting is looked at again."""
    when = due(office, made)
    assert when is not None
    return when - int(now.timestamp())


class TestOnBothDatabases:
    def test_a_booking_is_written_and_confirmed(self, any_office):
        office = any_office
        made = office.book(at(9))

        assert 1 == office.reconciler.run_due(NOW)

        person, room = office.entries("anna", made.meeting), office.entries(made.meeting.room, made.meeting)
        assert [made.meeting.interval] == [entry.interval for entry in person] == [entry.interval for entry in room]
        assert "lokale 2.r1" == person[0].location
        seen = office.see(made.booking.id)
        assert (BookingState.CONFIRMED, RoomState.ACCEPTED) == (seen.booking.state, seen.meeting.room_state)
        assert seen.meeting.settled
        assert 0 == office.reconciler.run_due(NOW)

    def test_a_cancelled_booking_leaves_clean_calendars(self, any_office):
        office = any_office
        made = booked(office)
        office.desk.cancel(CLIENT, made.booking.id, NOW)

        office.reconciler.run_due(NOW)

        assert [] == office.standing("anna") == office.standing(made.meeting.room)
        assert office.meeting(made.meeting.id).settled

    def test_a_human_who_moves_it_is_followed_within_one_pass(self, any_office):
        office = any_office
        made = booked(office)
        office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 60))

        office.sync(NOW)
        office.reconciler.run_due(NOW)

        seen = office.see(made.booking.id)
        assert Interval.at(at(13), 60) == seen.meeting.interval
        assert [Interval.at(at(13), 60)] == office.standing("anna") == office.standing(seen.meeting.room)
        assert office.hold(at(9))
        with pytest.raises(SlotGone):
            office.hold(at(13, 30))

    def test_a_meeting_moved_into_the_past_leaves_its_room_at_the_time_it_had(self, any_office):
        office, past = any_office, Interval.at(NOW - 60 * MINUTE, 45)
        made = booked(office)
        office.calendar.edit("anna", made.meeting.uid, interval=past)
        office.calendar.fail("update", Transient("The server is away."))

        office.settle(NOW, 3)

        seen = office.see(made.booking.id)
        assert [past] == office.standing("anna") == office.standing(made.meeting.room)
        assert (BookingState.CONFIRMED, past) == (seen.booking.state, seen.meeting.interval)

    @pytest.mark.parametrize("how", ["undone", "over", "forgotten"])
    def test_a_meeting_moved_out_of_the_past_is_followed(self, any_office, how):
        office, later, now = any_office, Interval.at(at(13, day=26), 45), at(10)
        made = booked(office)
        if how == "undone":
            office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(NOW - 60 * MINUTE, 45))
            now = office.settle(NOW)
        elif how == "forgotten":
            office.settle(now)
            with office.store.begin() as tx:  # as retention does
                tx.session.execute(delete(EntryRow))
                tx.session.execute(delete(ClaimRow))
        office.calendar.edit("anna", made.meeting.uid, interval=later)

        office.sync(now)
        office.reconciler.sweep(now)
        now = office.settle(now)

        seen = office.see(made.booking.id, now)
        assert (BookingState.CONFIRMED, later) == (seen.booking.state, seen.meeting.interval)
        assert later in office.standing("anna")
        assert later in office.standing(seen.meeting.room)
        with pytest.raises(SlotGone):
            office.hold(at(13, day=26), "anna", now=now)

    def test_a_move_onto_another_meeting_is_a_conflict_told_once(self, any_office):
        office = any_office
        made, other = booked(office), booked(office, 13)
        office.calendar.edit("anna", made.meeting.uid, interval=other.meeting.interval)

        office.settle(NOW)

        seen = office.meeting(made.meeting.id)
        assert seen.conflict
        assert not office.meeting(other.meeting.id).conflict
        assert texts.CONFLICT == seen.attention
        assert other.meeting.interval == seen.interval
        assert seen.settled

    def test_the_sweep_finds_what_nobody_told(self, any_office):
        office = any_office
        made, other = booked(office), booked(office, 13)
        office.calendar.remove("anna", made.meeting.uid)
        office.sync(NOW)
        with office.store.begin() as tx:
            tx.session.execute(update(MeetingRow).values(due=None))

        assert 1 == office.reconciler.sweep(NOW)
        assert due(office, made) is not None
        assert due(office, other) is None


def test_a_phone_meeting_stands_in_one_calendar(office):
    made = booked(office, form=Form.PHONE)

    assert "Telefon" == office.entries("anna", made.meeting)[0].location
    assert [] == office.standing("r1") == office.standing("r2")


def test_a_moved_booking_moves_in_both_calendars(office):
    made = booked(office)
    office.desk.reschedule(CLIENT, made.booking.id, at(14), None, None, NOW)

    office.reconciler.run_due(NOW)

    assert [Interval.at(at(14), 45)] == office.standing("anna") == office.standing(made.meeting.room)


def test_a_booking_moved_to_a_colleague_leaves_the_first_calendar(office):
    made = booked(office)
    office.desk.reschedule(CLIENT, made.booking.id, at(14), "bo", Form.PHONE, NOW)

    office.reconciler.run_due(NOW)

    assert [] == office.standing("anna") == office.standing(made.meeting.room)
    assert [Interval.at(at(14), 30)] == office.standing("bo")


def test_our_own_deletion_is_not_taken_for_a_humans(office):
    """Found by the simulation: moved to a colleague and back before the deletion was known to have happened."""
    made = booked(office, form=Form.PHONE)
    office.desk.reschedule(CLIENT, made.booking.id, at(14), "bo", None, NOW)
    office.calendar.fail("delete", OutcomeUnknown("The answer was lost."), done=True)
    office.reconciler.run_due(NOW)
    office.desk.reschedule(CLIENT, made.booking.id, at(12), "anna", None, NOW)

    office.settle(NOW + MINUTE)

    assert BookingState.CONFIRMED is office.see(made.booking.id).booking.state
    assert [Interval.at(at(12), 30)] == office.standing("anna")
    assert [] == office.standing("bo")


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("method", ["create", "update", "delete"])
def test_an_unknown_outcome_is_looked_up_and_ends_right(office, method, done):
    made = office.book(at(9)) if method == "create" else booked(office)
    if method == "update":
        office.desk.reschedule(CLIENT, made.booking.id, at(14), None, None, NOW)
    if method == "delete":
        office.desk.cancel(CLIENT, made.booking.id, NOW)
    office.calendar.fail(method, OutcomeUnknown("The answer was lost."), done=done)

    office.reconciler.run_due(NOW)
    assert not office.meeting(made.meeting.id).settled
    office.reconciler.run_due(NOW + 5 * MINUTE)

    meeting = office.meeting(made.meeting.id)
    assert meeting.settled
    expected = [meeting.interval] if meeting.wanted else []
    assert expected == office.standing("anna") == office.standing(meeting.room)


def test_failures_are_tried_again_at_growing_distance_and_told_in_the_end(office):
    made = office.book(at(9))
    office.calendar.fail("create", Transient("The server is away."), times=1000)
    now, pauses = NOW, []
    while now < NOW + 60 * MINUTE:
        office.reconciler.run_due(now)
        waits = wait(office, made, now)
        pauses.append(waits)
        now += timedelta(seconds=waits)

    assert pauses == sorted(pauses)
    assert 900 >= pauses[-1] > 600
    assert "The server is away." in attention(office, made)
    assert BookingState.PENDING is office.see(made.booking.id).booking.state


def test_a_short_failure_is_not_told(office):
    made = office.book(at(9))
    office.calendar.fail("create", AccessDenied("The password is wrong."))

    office.reconciler.run_due(NOW)

    assert "" == attention(office, made)


def test_a_server_that_asks_for_a_pause_gets_it(office):
    made = office.book(at(9))
    office.calendar.fail("create", Throttled("Slow down.", 120))

    office.reconciler.run_due(NOW)

    assert 120 <= wait(office, made, NOW)


def test_one_calendar_that_fails_does_not_hold_up_the_other(office):
    made = office.book(at(9))
    office.calendar.fail("find", Transient("The server is away."))  # the first look: anna

    office.reconciler.run_due(NOW)

    assert [] == office.standing("anna")
    assert [made.meeting.interval] == office.standing(made.meeting.room)


def test_a_deleted_meeting_is_cancelled_after_a_second_look(office):
    made = booked(office)
    office.calendar.remove("anna", made.meeting.uid)

    office.sync(NOW + MINUTE)
    office.reconciler.run_due(NOW + MINUTE)
    assert BookingState.CONFIRMED is office.see(made.booking.id).booking.state
    office.settle(NOW + 2 * MINUTE)

    assert BookingState.CANCELLED is office.see(made.booking.id).booking.state
    assert [] == office.standing(made.meeting.room)
    assert office.hold(at(9), now=NOW + 10 * MINUTE)
    with office.store.read() as tx:
        rows = tx.session.scalars(select(AuditRow.actor).where(AuditRow.action == "booking.cancelled"))
        assert ["calendar:anna"] == list(rows)


def test_a_meeting_that_only_seemed_to_be_gone_is_kept(office):
    made = booked(office)
    entry = office.entries("anna", made.meeting)[0]
    draft = office.calendar._calendar("anna").things[entry.key].draft
    office.calendar.remove("anna", entry.key)
    office.settle(NOW + MINUTE, passes=1)
    office.calendar.create(office.directory.mailboxes["anna"], draft)

    office.settle(NOW + 2 * MINUTE)

    assert BookingState.CONFIRMED is office.see(made.booking.id).booking.state
    assert office.meeting(made.meeting.id).settled


def test_two_meetings_gone_in_one_pass_cancel_nothing(office):
    first, second = booked(office), booked(office, 13)
    for made in (first, second):
        office.calendar.remove("anna", made.meeting.uid)

    office.settle(NOW + MINUTE, passes=6)

    for made in (first, second):
        assert BookingState.CONFIRMED is office.see(made.booking.id).booking.state
        assert office.meeting(made.meeting.id).wanted


def test_losses_that_a_person_accepted_are_followed(office):
    first, second = booked(office), booked(office, 13)
    for made in (first, second):
        office.calendar.remove("anna", made.meeting.uid)
    now = office.settle(NOW + MINUTE, passes=3)

    office.engine.sync_mailbox("anna", now, accept_loss=True)
    for _ in range(3):
        now += MINUTE
        office.engine.sync_mailbox("anna", now, force=True)
        office.reconciler.run_due(now)

    for made in (first, second):
        assert BookingState.CANCELLED is office.see(made.booking.id).booking.state


def test_a_human_who_moves_it_outside_all_hours_is_followed(office):
    made = booked(office)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(21), 45))

    office.settle(NOW)

    assert at(21) == office.meeting(made.meeting.id).interval.start


def test_a_followed_meeting_keeps_its_room_where_it_is_free(office):
    made = booked(office)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(11), 45))

    office.settle(NOW)

    assert made.meeting.room == office.meeting(made.meeting.id).room


def test_a_followed_meeting_gets_another_room_where_its_own_is_taken(office):
    made = booked(office)
    office.event(made.meeting.room, at(11))
    office.sync(NOW)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(11), 45))

    office.settle(NOW)

    meeting = office.meeting(made.meeting.id)
    assert "r2" == meeting.room
    assert "lokale 2.r2" == office.entries("anna", meeting)[0].location
    assert () == office.entries("r1", meeting)


def test_a_followed_meeting_without_any_room_is_kept_and_told_and_gets_one_later(office):
    made = booked(office)
    office.event("r1", at(11), key="x")
    office.event("r2", at(11), key="y")
    office.sync(NOW)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(11), 45))

    office.settle(NOW)

    meeting = office.meeting(made.meeting.id)
    assert (None, RoomState.MISSING, texts.ROOM_MISSING) == (meeting.room, meeting.room_state, meeting.attention)
    assert "Lokale mangler" == office.entries("anna", meeting)[0].location
    office.calendar.remove("r2", "y")
    office.settle(NOW + 20 * MINUTE)
    meeting = office.meeting(made.meeting.id)
    assert ("r2", RoomState.ACCEPTED, None) == (meeting.room, meeting.room_state, meeting.attention)


def test_a_followed_meeting_of_an_offer_that_is_gone_keeps_its_room_or_gets_one_like_it(office):
    made = booked(office)
    office.rulebook = town.rulebook(town.offer(name="another"))
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(11), 45))
    now = office.settle(NOW)
    assert ("r1", RoomState.ACCEPTED, None) == _room(office, made)

    office.event("r1", at(13))
    office.sync(now)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 45))
    office.settle(now)

    assert ("r2", RoomState.ACCEPTED, None) == _room(office, made)


def test_a_meeting_of_an_offer_that_is_gone_gets_a_room_as_soon_as_one_comes_free(office):
    made = booked(office)
    office.rulebook = town.rulebook(town.offer(name="another"))
    office.event("r1", at(11), key="x")
    office.event("r2", at(11), key="y")
    office.sync(NOW)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(11), 45))
    office.settle(NOW)
    assert (None, RoomState.MISSING, texts.ROOM_MISSING) == _room(office, made)

    office.calendar.remove("r2", "y")
    office.settle(NOW + 20 * MINUTE)

    assert ("r2", RoomState.ACCEPTED, None) == _room(office, made)


def _room(office: Office, made) -> tuple[str | None, RoomState, str | None]:
    meeting = office.meeting(made.meeting.id)
    return meeting.room, meeting.room_state, meeting.attention


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_room_taken_away_leads_to_another_one(office, how):
    made = booked(office)
    if how == "deleted":
        office.calendar.remove("r1", made.meeting.uid)
    else:
        office.calendar.edit("r1", made.meeting.uid, interval=Interval.at(at(15), 45))

    office.settle(NOW + MINUTE, passes=4)

    meeting = office.meeting(made.meeting.id)
    assert ("r2", made.meeting.interval) == (meeting.room, meeting.interval)
    assert [] == office.standing("r1")
    assert [meeting.interval] == office.standing("r2")
    assert meeting.settled


def test_a_reworded_meeting_is_left_alone(office):
    made = booked(office)
    office.calendar.edit("anna", made.meeting.uid, summary="Samtale (husk journal)")
    before = office.entries("anna", made.meeting)[0].version

    office.settle(NOW)

    assert before == office.entries("anna", made.meeting)[0].version
    assert office.meeting(made.meeting.id).settled


def test_a_surplus_copy_is_removed(office):
    made = booked(office)
    thing = office.calendar._calendar("anna").things[made.meeting.uid]
    office.calendar._store(office.calendar._calendar("anna"), "copy", thing)

    office.settle(NOW)

    assert 1 == len(office.entries("anna", made.meeting))


def test_a_write_that_lands_long_after_its_meeting_was_cancelled_is_cleaned_up(office):
    made = booked(office)
    thing = office.calendar._calendar("anna").things[made.meeting.uid]
    office.desk.cancel(CLIENT, made.booking.id, NOW)
    office.settle(NOW)
    office.calendar._store(office.calendar._calendar("anna"), "late", thing)

    office.settle(NOW + 10 * MINUTE)

    assert [] == office.standing("anna")


def test_another_installations_entry_is_never_touched(office):
    made = office.book(at(9))
    stamp = Stamp("elsewhere", made.meeting.id, 1, "")
    foreign = stamped(EntryDraft(made.meeting.uid, Interval.at(at(16), 30), town.ZONE, "Andet", "", "", stamp))
    office.calendar.create(office.directory.mailboxes["anna"], foreign)

    office.settle(NOW)

    assert [Interval.at(at(16), 30)] == office.standing("anna")
    assert texts.FOREIGN in attention(office, made)


def test_a_restored_database_adopts_what_the_calendar_knows(office):
    scenarios.restored_database(office)


def test_a_late_write_after_a_restore_yields_to_the_newer_entry_in_a_colleagues_calendar(office):
    made = booked(office)
    anna, entry = office.directory.mailboxes["anna"], office.entries("anna", made.meeting)[0]
    draft = office.calendar._calendar("anna").things[entry.key].draft
    late = replace(draft, interval=Interval.at(at(14), 45), stamp=replace(draft.stamp, generation=4))
    last = replace(draft, interval=Interval.at(at(11), 45), stamp=replace(draft.stamp, generation=5))
    office.calendar.create(office.directory.mailboxes["bo"], stamped(last))
    office.calendar.update(anna, entry, stamped(late))

    office.settle(NOW)

    meeting = office.meeting(made.meeting.id)
    assert ("bo", Interval.at(at(11), 45)) == (meeting.caseworker, meeting.interval)
    assert texts.RESTORED in meeting.attention
    assert [] == office.standing("anna")
    assert [meeting.interval] == office.standing("bo") == office.standing(meeting.room)


def test_a_meeting_cancelled_after_a_restore_is_cleaned_all_the_same(office):
    made = booked(office)
    draft = office.calendar._calendar("anna").things[made.meeting.uid].draft
    newer = stamped(replace(draft, stamp=replace(draft.stamp, generation=9)))
    office.calendar.update(office.directory.mailboxes["anna"], office.entries("anna", made.meeting)[0], newer)
    office.desk.cancel(CLIENT, made.booking.id, NOW)

    office.settle(NOW)

    assert [] == office.standing("anna") == office.standing(made.meeting.room)


def test_a_meeting_that_is_over_is_history(office):
    made = booked(office)
    office.calendar.remove("anna", made.meeting.uid)
    with office.store.begin() as tx:
        tx.session.execute(update(MeetingRow).values(due=0))

    assert Result.SETTLED is office.reconciler.meeting(made.meeting.id, at(10))
    assert BookingState.CONFIRMED is office.see(made.booking.id).booking.state
    assert due(office, made) is None
    assert "" == attention(office, made)


def test_a_meeting_never_written_before_it_was_held_is_told(office):
    made = office.book(at(9))

    office.reconciler.run_due(at(10))

    assert texts.NEVER_WRITTEN == attention(office, made)


def test_a_conflict_that_goes_away_is_forgotten(office):
    made, other = booked(office), booked(office, 13)
    office.calendar.edit("anna", made.meeting.uid, interval=other.meeting.interval)
    now = office.settle(NOW)
    assert office.meeting(made.meeting.id).conflict
    office.desk.cancel(CLIENT, other.booking.id, now)

    office.settle(now + 20 * MINUTE)

    meeting = office.meeting(made.meeting.id)
    assert not meeting.conflict
    assert meeting.attention is None
    with office.store.read() as tx:
        assert all(claim.active for claim in tx.meetings.claims(meeting.id))


def test_an_event_put_onto_a_booked_meeting_is_flagged_once_and_forgotten_when_it_goes(any_office):
    office = any_office
    made, other = booked(office), booked(office, 13)
    office.event("anna", at(9, 30))
    office.sync(NOW + MINUTE)
    with office.store.begin() as tx:
        tx.session.execute(update(MeetingRow).values(due=None))  # sync's hint was lost

    assert 1 == office.reconciler.sweep(NOW + MINUTE)
    office.reconciler.run_due(NOW + MINUTE)

    assert (True, texts.CONFLICT) == (office.meeting(made.meeting.id).conflict, attention(office, made))
    assert not office.meeting(other.meeting.id).conflict
    assert 0 == office.reconciler.sweep(NOW + 2 * MINUTE)
    office.calendar.remove("anna", "other")
    office.settle(NOW + 20 * MINUTE)
    assert (False, "") == (office.meeting(made.meeting.id).conflict, attention(office, made))


def test_an_event_that_does_not_block_is_no_conflict(office):
    booked(office)
    event = Occurrence("elsewhere", None, Interval.at(at(9), 60), BusyType.FREE)
    office.calendar.put("anna", "elsewhere", [event])
    office.sync(NOW + MINUTE)

    assert 0 == office.reconciler.sweep(NOW + MINUTE)


def test_a_human_who_moves_a_meeting_onto_a_hold_makes_booking_the_hold_fail(office):
    made, held = booked(office), office.hold(at(13))
    office.calendar.edit("anna", made.meeting.uid, interval=held.meeting.interval)
    office.settle(NOW)

    with pytest.raises(SlotGone):
        office.desk.book(CLIENT, held.booking.id, "citizen", NOW)


class TestBrake:
    def many(self, office: Office, number: int):
        made = [office.book(at(8) + n * 45 * MINUTE, "anna", form=Form.PHONE) for n in range(9)]
        made += [office.book(at(8, day=25) + n * 45 * MINUTE, "anna", form=Form.PHONE) for n in range(number - 9)]
        office.settle(NOW, passes=1)
        return made

    def shift(self, office: Office, made, now) -> None:
        for one in made:
            moved = Interval.at(one.meeting.interval.start + timedelta(days=2), 30)
            office.calendar.edit("anna", one.meeting.uid, interval=moved)
        office.sync(now)
        office.reconciler.run_due(now)

    def test_ten_moves_are_people(self, office):
        self.shift(office, self.many(office, 10), NOW)

        assert office.reconciler.brake() is None

    def test_eleven_moves_in_ten_minutes_stop_all_writing(self, office):
        made = self.many(office, 11)

        self.shift(office, made, NOW + MINUTE)

        assert office.reconciler.brake() is not None
        still = [one for one in made if office.meeting(one.meeting.id).interval == one.meeting.interval]
        assert 1 == len(still)
        office.book(at(9, day=30), form=Form.PHONE)
        assert 0 == office.reconciler.run_due(NOW + 2 * MINUTE)

    def test_a_person_lets_it_go_on(self, office):
        made = self.many(office, 11)
        self.shift(office, made, NOW + MINUTE)

        assert office.reconciler.release_brake("cli:olga", NOW + 30 * MINUTE)
        office.settle(NOW + 31 * MINUTE)

        assert office.reconciler.brake() is None
        assert all(office.meeting(one.meeting.id).interval != one.meeting.interval for one in made)
        assert not office.reconciler.release_brake("cli:olga", NOW)

    def test_eleven_moves_over_an_hour_are_people(self, office):
        made = self.many(office, 11)
        for n, one in enumerate(made):
            self.shift(office, [one], NOW + n * 5 * MINUTE)

        assert office.reconciler.brake() is None


class TestRestoredDatabase:
    def forget(self, office: Office, made) -> None:
        """The database was restored from before this booking."""
        with office.store.begin() as tx:
            tx.session.execute(delete(BookingRow).where(BookingRow.meeting == made.meeting.id))
            for table in (ClaimRow, EntryRow):
                tx.session.execute(delete(table).where(table.meeting == made.meeting.id))
            tx.session.execute(delete(MeetingRow).where(MeetingRow.id == made.meeting.id))

    def test_a_meeting_that_only_the_calendars_know_is_taken_up_again(self, any_office):
        office = any_office
        made = booked(office)
        self.forget(office, made)
        assert (None,) == (unknown(office, made),)

        assert 1 == office.reconciler.sweep(NOW)
        office.settle(NOW + MINUTE)

        meeting = office.meeting(made.meeting.id)
        assert (made.meeting.interval, "anna", made.meeting.room) == (
            meeting.interval,
            meeting.caseworker,
            meeting.room,
        )
        assert meeting.settled
        assert texts.RESTORED_UNKNOWN == meeting.attention
        assert [meeting.interval] == office.standing("anna") == office.standing(meeting.room)
        assert 0 == office.reconciler.sweep(NOW + 10 * MINUTE)
        with office.store.read() as tx:
            assert [("restored", BookingState.CONFIRMED)] == [(b.client, b.state) for b in tx.bookings.of(meeting.id)]
        with pytest.raises(SlotGone):
            office.hold(at(9), now=NOW + 10 * MINUTE)

    def test_who_the_citizen_is_stays_asked_when_its_person_moves_what_was_taken_up(self, office):
        made = booked(office)
        self.forget(office, made)
        office.reconciler.sweep(NOW)
        now = office.settle(NOW + MINUTE)

        office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 45))
        office.settle(now)

        meeting = office.meeting(made.meeting.id)
        assert (Interval.at(at(13), 45), texts.RESTORED_UNKNOWN) == (meeting.interval, meeting.attention)
        assert meeting.settled

    def test_a_hold_that_had_been_booked_becomes_a_booking_again(self, any_office):
        office = any_office
        made = booked(office)
        with office.store.begin() as tx:
            meeting = replace(made.meeting, wanted=False, desired_generation=0, applied_generation=0)
            tx.meetings.save(meeting, None)
            tx.session.execute(delete(EntryRow).where(EntryRow.meeting == meeting.id))
            held = replace(made.booking, state=BookingState.HELD, citizen=None, expires=NOW - MINUTE)
            tx.bookings.save(held, NOW)

        office.reconciler.sweep(NOW)
        office.settle(NOW + MINUTE)

        seen = office.see(made.booking.id)
        assert (BookingState.CONFIRMED, "talk") == (seen.booking.state, seen.meeting.offer)

    def test_a_copy_that_a_human_made_is_not_taken_for_a_meeting(self, office):
        made = booked(office)
        thing = office.calendar._calendar("anna").things[made.meeting.uid]
        event = replace(thing.occurrences[0], uid="copy", interval=Interval.at(at(15), 45))
        office.calendar.put("anna", "copy", [event])
        self.forget(office, made)
        office.calendar.remove("anna", made.meeting.uid)
        office.sync(NOW + MINUTE)

        assert 0 == office.reconciler.sweep(NOW + MINUTE)
        with pytest.raises(SlotGone):
            office.hold(at(15), now=NOW + MINUTE)

    def test_a_calendar_that_lost_our_meetings_is_written_again_when_a_person_says_so(self, any_office):
        office = any_office
        first, second = booked(office), booked(office, 13)
        for made in (first, second):
            office.calendar.remove("anna", made.meeting.uid)
        now = office.settle(NOW + MINUTE)

        before = {made.meeting.id: office.meeting(made.meeting.id).desired_generation for made in (first, second)}
        assert 2 == office.reconciler.write_again("anna", "cli:olga", now)
        for name, generation in before.items():
            assert generation + 1 == office.meeting(name).desired_generation, "a server may remember the old wish"
        office.engine.sync_mailbox("anna", now, accept_loss=True)
        office.settle(now + MINUTE)

        assert [first.meeting.interval, second.meeting.interval] == office.standing("anna")
        for made in (first, second):
            assert BookingState.CONFIRMED is office.see(made.booking.id).booking.state


def unknown(office: Office, made):
    with office.store.read() as tx:
        return tx.meetings.get(made.meeting.id)


def test_a_meeting_moved_again_and_again_waits_alone(office):
    made, other = booked(office), booked(office, 13)
    for n in range(12):
        office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(9, n), 45))
        office.sync(NOW)
        office.reconciler.run_due(NOW)

    office.desk.reschedule(CLIENT, other.booking.id, at(14), None, None, NOW)
    office.reconciler.run_due(NOW)

    assert office.reconciler.brake() is None
    assert Interval.at(at(14), 45) in office.standing("anna")
    office.settle(NOW + 15 * MINUTE)
    assert at(9, 11) == office.meeting(made.meeting.id).interval.start


def test_two_workers_never_take_the_same_meeting(any_office):
    office = any_office
    made = [office.book(at(9)), office.book(at(13))]
    with office.store.begin() as tx:
        first = tx.meetings.lease(NOW, NOW + MINUTE)
    with office.store.begin() as tx:
        second, third = tx.meetings.lease(NOW, NOW + MINUTE), tx.meetings.lease(NOW, NOW + MINUTE)

    assert {(one.meeting.id, 1) for one in made} == {first, second}
    assert third is None


def test_a_worker_that_dies_loses_its_lease(office):
    made = office.book(at(9))
    with office.store.begin() as tx:
        tx.meetings.lease(NOW, NOW + MINUTE)

    assert 0 == office.reconciler.run_due(NOW)
    assert 1 == office.reconciler.run_due(NOW + MINUTE)
    assert office.meeting(made.meeting.id).settled


def test_a_look_holds_its_meeting_for_ninety_seconds(office):
    made = office.book(at(9))

    assert made.meeting.id == office.reconciler._lease(NOW).meeting
    assert 90 == wait(office, made, NOW)


def test_a_look_that_a_later_one_outran_records_nothing_and_one_more_looks_at_what_it_wrote(any_office):
    office = any_office
    made = office.book(at(9))
    with office.store.begin() as tx:
        _, old = tx.meetings.lease(NOW, NOW + MINUTE)
    with office.store.begin() as tx:
        _, new = tx.meetings.lease(NOW + MINUTE, NOW + 2 * MINUTE)

    assert Result.OWED is office.reconciler.meeting(made.meeting.id, NOW, Look(made.meeting.id, old, float("inf")))
    assert Interval.at(at(9), 45) in office.standing("anna")  # it was frozen in the midst of its write, say
    assert not office.meeting(made.meeting.id).settled
    with office.store.begin() as tx:
        assert tx.meetings.outrun(made.meeting.id, new)  # which cannot know whether it saw that write
    assert 1 == office.reconciler.run_due(NOW)
    assert office.meeting(made.meeting.id).settled
    assert 1 == len(office.standing("anna"))


@pytest.mark.parametrize(("alive", "until"), [(False, float("inf")), (True, 0.0)])
def test_a_node_that_others_may_have_taken_over_from_writes_nothing(office, alive, until):
    made = office.book(at(9))
    with office.store.begin() as tx:
        _, lease = tx.meetings.lease(NOW, NOW + MINUTE)
    office.reconciler._node = SimpleNamespace(name="away", alive=lambda: alive, elapsed=lambda: 1.0)

    assert Result.OWED is office.reconciler.meeting(made.meeting.id, NOW, Look(made.meeting.id, lease, until))
    assert [] == list(office.standing("anna"))


def test_no_more_looks_are_begun_than_asked_for_and_none_once_it_is_to_stop(office):
    for hour in (9, 13):
        office.book(at(hour))

    assert [0, 1, 1, 0] == [
        office.reconciler.run_due(NOW, stopping=lambda: True),
        office.reconciler.run_due(NOW, limit=1),
        office.reconciler.run_due(NOW, limit=9),
        office.reconciler.run_due(NOW),
    ]


def test_a_new_wish_begins_with_short_pauses(office):
    made = office.book(at(9))
    office.calendar.fail("create", Transient("Away."), times=3)
    office.reconciler.run_due(NOW)
    tried = office.meeting(made.meeting.id).attempts
    office.desk.reschedule(CLIENT, made.booking.id, at(13), None, None, NOW)

    assert (1, 0) == (tried, office.meeting(made.meeting.id).attempts)


def test_one_move_is_followed_where_only_one_is_believed(office):
    office.reconciler._limits = replace(office.limits, outward=1)
    made = booked(office)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(14), 45))
    office.settle(NOW + MINUTE)

    assert Interval.at(at(14), 45) == office.meeting(made.meeting.id).interval


def test_the_entry_tells_where_citizens_report(office):
    site = replace(office.directory.sites["hq"], reception="Skranken i stuen")
    office.directory = replace(office.directory, sites={"hq": site})
    made = booked(office)

    draft = office.calendar._calendar("anna").things[office.entries("anna", made.meeting)[0].key].draft
    assert draft is not None
    assert "Skranken i stuen" in f"{draft.location} {draft.description}"


@pytest.mark.parametrize("answer", ["comes", "is lost", "is lost, but the server tells"])
def test_what_a_caseworker_deletes_while_it_is_first_written_is_not_left_in_doubt(office, answer):
    """Seen by us or told by the server, her deletion stands after a second look; else the entry is written again."""
    made, right = office.book(at(9)), office.calendar.create

    def remembering(mailbox, draft):
        if mailbox.id == "anna":
            raise EntryRemoved("It was written before, and is gone.")
        return right(mailbox, draft)

    def create(mailbox, draft):
        entry = right(mailbox, draft)
        if mailbox.id == "anna":
            office.calendar.create = remembering if answer.endswith("tells") else right
            office.calendar.remove("anna", made.meeting.uid)
            if answer != "comes":
                raise OutcomeUnknown("Lost.")
        return entry

    office.calendar.create = create
    office.reconciler.run_due(NOW)
    for passed in range(1, 7):
        office.sync(NOW + passed * MINUTE)
        office.reconciler.sweep(NOW + passed * MINUTE)
        office.reconciler.run_due(NOW + passed * MINUTE)

    seen, stands = office.see(made.booking.id), answer == "is lost"
    assert (BookingState.CONFIRMED if stands else BookingState.CANCELLED) is seen.booking.state
    assert ([made.meeting.interval] if stands else []) == office.standing("anna") == office.standing(made.meeting.room)
    assert office.meeting(made.meeting.id).settled


class Crash(BaseException):
    """The process died here."""


@pytest.mark.parametrize("point", ["leased", "decided", "wrote", "acted", "recorded"])
@pytest.mark.parametrize("deed", ["book", "move", "cancel"])
def test_a_crash_at_any_point_ends_right_after_a_restart(office, deed, point):
    made = office.book(at(9)) if deed == "book" else booked(office)
    if deed == "move":
        office.desk.reschedule(CLIENT, made.booking.id, at(14), None, None, NOW)
    if deed == "cancel":
        office.desk.cancel(CLIENT, made.booking.id, NOW)

    def die(here: str) -> None:
        if here == f"reconcile.{point}":
            raise Crash

    with points.watched(die), pytest.raises(Crash):
        office.reconciler.run_due(NOW)
    office.settle(NOW + 2 * MINUTE)

    meeting = office.meeting(made.meeting.id)
    assert meeting.settled
    expected = [meeting.interval] if deed != "cancel" else []
    assert expected == office.standing("anna") == office.standing(meeting.room)


@pytest.mark.parametrize("point", ["decided", "followed"])
def test_a_crash_while_following_a_human_ends_right(office, point):
    made = booked(office)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 45))
    office.sync(NOW)

    def die(here: str) -> None:
        if here == f"reconcile.{point}":
            raise Crash

    with points.watched(die), pytest.raises(Crash):
        office.reconciler.run_due(NOW)
    office.settle(NOW + 2 * MINUTE)

    meeting = office.meeting(made.meeting.id)
    assert Interval.at(at(13), 45) == meeting.interval
    assert [meeting.interval] == office.standing("anna") == office.standing(meeting.room)


def test_what_a_look_found_is_void_when_more_was_wished_meanwhile(office):
    made = office.book(at(9))

    def move(here: str) -> None:
        if here == "reconcile.acted" and office.meeting(made.meeting.id).desired_generation == 1:
            office.desk.reschedule(CLIENT, made.booking.id, at(14), None, None, NOW)

    with points.watched(move):
        office.reconciler.meeting(made.meeting.id, NOW)

    assert not office.meeting(made.meeting.id).settled
    office.settle(NOW + MINUTE)
    assert [Interval.at(at(14), 45)] == office.standing("anna") == office.standing(made.meeting.room)


def test_an_older_copy_that_was_there_already_is_not_taken_for_the_new_one(office):
    scenarios.older_copy(office)
