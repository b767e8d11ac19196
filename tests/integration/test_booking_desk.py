"""The desk on both databases: what a client may do, and what it is refused."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from syncd.booking.desk import Desk
from syncd.booking.results import Reply
from syncd.errors import (
    BadRequest,
    HoldExpired,
    KeyMissing,
    KeyReused,
    NotAllowed,
    SlotGone,
    UnknownBooking,
    UnknownCaseworker,
    UnknownHold,
    UnknownOffer,
)
from syncd.model.booking import BookingState, RoomState, advance
from syncd.model.eligibility import STAFF
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store.tables import AuditRow
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at


@pytest.fixture
def office(any_office: Office) -> Office:
    return any_office


def with_offer(office: Office, **changes: Any) -> Office:
    office.rulebook = town.rulebook(town.offer(**changes))
    return office


def audit(office: Office) -> list[tuple[str, str]]:
    with office.store.read() as tx:
        return [(row.actor, row.action) for row in tx.session.scalars(select(AuditRow).order_by(AuditRow.id))]


def test_a_hold_takes_person_and_room_and_books_into_a_meeting(office):
    held = office.hold(at(9))

    booked = office.desk.book(CLIENT, held.booking.id, "citizen", NOW)

    assert (BookingState.HELD, BookingState.PENDING) == (held.booking.state, booked.booking.state)
    assert held.meeting.room == booked.meeting.room is not None
    assert RoomState.PENDING is booked.meeting.room_state
    assert booked.meeting.wanted
    assert "citizen" == booked.booking.citizen


def test_a_phone_meeting_takes_no_room(office):
    assert office.hold(at(9), form=Form.PHONE).meeting.room is None


def test_held_time_is_gone_for_others_and_they_are_shown_other_times(office):
    office.hold(at(9))

    with pytest.raises(SlotGone) as gone:
        office.hold(at(9, 15))

    alternatives = gone.value.facts["alternatives"]
    assert isinstance(alternatives, list | tuple)
    assert "2026-11-24T09:45:00Z" in alternatives
    assert "2026-11-24T09:15:00Z" not in alternatives


def test_buffers_of_two_meetings_add_up(office):
    with_offer(office, before=10, after=5)
    office.hold(at(9))

    with pytest.raises(SlotGone):
        office.hold(at(9, 55))
    assert office.hold(at(10, 0))


def test_a_hold_that_ran_out_frees_its_time(office):
    held = office.hold(at(9))
    later = NOW + timedelta(minutes=10)

    again = office.hold(at(9), now=later)

    assert again.booking.id != held.booking.id
    with pytest.raises(HoldExpired):
        office.desk.book(CLIENT, held.booking.id, "citizen", later)


def test_a_hold_is_good_until_its_last_second(office):
    held = office.hold(at(9))

    assert office.desk.book(CLIENT, held.booking.id, "citizen", NOW + timedelta(minutes=10, seconds=-1))


def test_each_thing_a_client_does_makes_answers_about_slots_old(office):
    told = []

    def after(made):
        told.append(office.store.generation())
        return made

    told.append(office.store.generation())
    held = after(office.hold(at(9)))
    after(office.desk.book(CLIENT, held.booking.id, "citizen", NOW))
    after(office.desk.reschedule(CLIENT, held.booking.id, at(13), None, None, NOW))
    after(office.desk.cancel(CLIENT, held.booking.id, NOW))

    assert sorted(set(told)) == told


def test_who_is_refused_with_everybody_taken_is_told_so(office):
    for person in ("anna", "bo"):
        office.hold(at(9), person)

    with pytest.raises(SlotGone, match="no longer on offer"):
        office.hold(at(9), None)


def test_housekeeping_frees_expired_holds(office):
    held = office.hold(at(9))

    assert 0 == office.reconciler.free_expired_holds(NOW)
    assert 1 == office.reconciler.free_expired_holds(NOW + timedelta(minutes=11))
    assert BookingState.EXPIRED is office.see(held.booking.id).booking.state


def test_booking_a_hold_twice_is_one_booking(office):
    held = office.hold(at(9))
    first = office.desk.book(CLIENT, held.booking.id, "citizen", NOW)

    again = office.desk.book(CLIENT, held.booking.id, "citizen", NOW)

    assert first.meeting.desired_generation == again.meeting.desired_generation
    with pytest.raises(BadRequest):
        office.desk.book(CLIENT, held.booking.id, "somebody else", NOW)


def test_an_event_that_landed_on_a_live_hold_makes_booking_it_fail(office):
    held = office.hold(at(9))
    office.event("anna", at(9, 30))
    office.sync(NOW)

    with pytest.raises(SlotGone) as gone:
        office.desk.book(CLIENT, held.booking.id, "citizen", NOW)

    assert gone.value.facts["alternatives"]
    assert BookingState.HELD is office.see(held.booking.id).booking.state


def test_an_event_that_landed_on_a_held_room_makes_booking_it_fail(office):
    held = office.hold(at(9))
    office.event(held.meeting.room, at(9, 30))
    office.sync(NOW)

    with pytest.raises(SlotGone):
        office.desk.book(CLIENT, held.booking.id, "citizen", NOW)


def test_an_event_beside_the_hold_does_no_harm(office):
    held = office.hold(at(9))
    office.event("anna", at(9, 45))
    office.sync(NOW)

    assert office.desk.book(CLIENT, held.booking.id, "citizen", NOW)


def test_no_caseworker_named_means_the_least_burdened(office):
    office.book(at(12), "anna")

    assert "bo" == office.hold(at(9), None).meeting.caseworker
    assert "anna" == office.hold(at(9), None).meeting.caseworker
    with pytest.raises(SlotGone):
        office.hold(at(9), None)


def test_a_citizen_has_one_future_meeting_where_the_offer_says_so(office):
    with_offer(office, one_future=True)
    first = office.book(at(9), citizen="citizen")

    with pytest.raises(NotAllowed) as refused:
        office.hold(at(11), citizen="citizen")
    unnamed = office.hold(at(11))
    with pytest.raises(NotAllowed):
        office.desk.book(CLIENT, unnamed.booking.id, "citizen", NOW)

    assert first.booking.id == refused.value.facts["booking"]
    assert office.hold(at(13), citizen="another")
    office.desk.cancel(CLIENT, first.booking.id, NOW)
    assert office.desk.book(CLIENT, unnamed.booking.id, "citizen", NOW)


def test_a_citizens_meeting_that_is_over_does_not_count(office):
    with_offer(office, one_future=True)
    office.book(at(9), citizen="citizen")

    assert office.hold(at(9, day=25), citizen="citizen", now=at(12))


def test_moving_frees_its_own_time_first(office):
    booked = office.book(at(9))

    moved = office.desk.reschedule(CLIENT, booked.booking.id, at(9, 15), None, None, NOW)

    assert Interval.at(at(9, 15), 45) == moved.meeting.interval
    assert booked.meeting.desired_generation + 1 == moved.meeting.desired_generation
    assert 1 == moved.booking.moves
    assert office.hold(at(10))


def test_a_move_that_cannot_be_had_changes_nothing(office):
    office.book(at(11))
    booked = office.book(at(9))

    with pytest.raises(SlotGone):
        office.desk.reschedule(CLIENT, booked.booking.id, at(11, 15), None, None, NOW)

    assert booked.meeting == office.meeting(booked.meeting.id)
    with pytest.raises(SlotGone):
        office.hold(at(9))


def test_moving_to_another_person_and_form(office):
    booked = office.book(at(9))

    moved = office.desk.reschedule(CLIENT, booked.booking.id, at(9), "bo", Form.PHONE, NOW)

    assert ("bo", None, RoomState.NONE) == (moved.meeting.caseworker, moved.meeting.room, moved.meeting.room_state)
    assert Interval.at(at(9), 30) == moved.meeting.interval
    assert office.hold(at(9), "anna")


def test_moving_nowhere_is_no_move(office):
    booked = office.book(at(9))

    assert 0 == office.desk.reschedule(CLIENT, booked.booking.id, at(9), None, None, NOW).booking.moves


def test_moves_end_where_the_offer_says(office):
    with_offer(office, moves=1)
    booked = office.book(at(9))
    office.desk.reschedule(CLIENT, booked.booking.id, at(10), None, None, NOW)

    with pytest.raises(NotAllowed):
        office.desk.reschedule(CLIENT, booked.booking.id, at(11), None, None, NOW)


def test_it_can_be_too_late_to_move_or_cancel(office):
    with_offer(office, cancel_notice=60)
    booked = office.book(at(9))

    for late in (lambda now: office.desk.cancel(CLIENT, booked.booking.id, now),):
        with pytest.raises(NotAllowed):
            late(at(8, 0))
    with pytest.raises(NotAllowed):
        office.desk.reschedule(CLIENT, booked.booking.id, at(12), None, None, at(8, 0))
    assert office.desk.cancel(CLIENT, booked.booking.id, at(7, 59))


def test_a_citizen_who_did_not_come_can_neither_move_nor_cancel(office):
    booked = office.book(at(9))
    with office.store.begin() as tx:
        tx.bookings.save(advance(booked.booking, BookingState.NO_SHOW), NOW)

    with pytest.raises(NotAllowed, match="no-show"):
        office.desk.cancel(CLIENT, booked.booking.id, NOW)
    with pytest.raises(NotAllowed, match="no-show"):
        office.desk.reschedule(CLIENT, booked.booking.id, at(11), None, None, NOW)


def test_cancelling_gives_the_time_back_and_can_be_repeated(office):
    booked = office.book(at(9))

    ended = office.desk.cancel(CLIENT, booked.booking.id, NOW)
    again = office.desk.cancel(CLIENT, booked.booking.id, NOW)

    assert BookingState.CANCELLED is ended.booking.state is again.booking.state
    assert not ended.meeting.wanted
    assert booked.meeting.desired_generation + 1 == again.meeting.desired_generation
    assert office.hold(at(9))


def test_giving_a_hold_back_leaves_nothing_owed(office):
    held = office.hold(at(9))
    office.desk.cancel(CLIENT, held.booking.id, NOW)

    assert 0 == office.reconciler.run_due(NOW)
    assert office.hold(at(9))


def test_a_client_sees_its_own_bookings_only(office):
    booked, held = office.book(at(9)), office.hold(at(11))

    for request in (
        lambda: office.desk.booking("stranger", booked.booking.id, NOW),
        lambda: office.desk.cancel("stranger", booked.booking.id, NOW),
        lambda: office.desk.reschedule("stranger", booked.booking.id, at(10), None, None, NOW),
    ):
        with pytest.raises(UnknownBooking):
            request()
    with pytest.raises(UnknownHold):
        office.desk.book("stranger", held.booking.id, "citizen", NOW)


def test_unknown_names_are_refused(office):
    with pytest.raises(UnknownOffer):
        office.desk.hold(CLIENT, "nothing", at(9), None, Form.PHONE, None, NOW)
    with pytest.raises(UnknownCaseworker):
        office.hold(at(9), "nobody")
    with pytest.raises(BadRequest):
        office.hold(at(9), form=Form.VIDEO)
    with pytest.raises(BadRequest):
        office.desk.book(CLIENT, office.hold(at(9)).booking.id, " ", NOW)


def test_each_look_up_and_change_leaves_an_audit_row(office):
    booked = office.book(at(9))
    office.see(booked.booking.id)
    office.desk.reschedule(CLIENT, booked.booking.id, at(10), None, None, NOW)
    office.desk.cancel(CLIENT, booked.booking.id, NOW)

    actions = ["hold.made", "booking.made", "booking.read", "booking.moved", "booking.cancelled"]
    assert [(f"client:{CLIENT}", action) for action in actions] == audit(office)


def test_a_refused_change_leaves_no_audit_row(office):
    office.hold(at(9))
    with pytest.raises(SlotGone):
        office.hold(at(9))

    assert 1 == len(audit(office))


def test_the_citizens_reference_is_not_in_the_audit(office):
    office.book(at(9), citizen="0101901234")

    with office.store.read() as tx:
        rows = list(tx.session.scalars(select(AuditRow)))
        assert not any("0101901234" in str(vars(row)) for row in rows)
        digests = {row.citizen for row in rows if row.citizen}
        assert {tx.audit.citizen_digest("0101901234")} == digests


class TestOnce:
    """Idempotency-Key."""

    @staticmethod
    def action(desk: Desk, counted: list[int], start=None):
        def run(tx):
            counted.append(1)
            made = desk.hold(CLIENT, "talk", start or at(9), "anna", Form.PHONE, None, NOW, tx=tx)
            return Reply(201, made.booking.id.encode(), made.booking.id)

        return run

    def test_a_repeated_request_gets_the_same_bytes_and_happens_once(self, office):
        counted: list[int] = []
        replies = [office.desk.once(CLIENT, "k", "d", self.action(office.desk, counted), NOW) for _ in range(3)]

        assert [1] == counted
        assert 1 == len({(reply.status, reply.body) for reply in replies})
        assert [False, True, True] == [reply.replayed for reply in replies]
        assert 2 == [action for _, action in audit(office)].count("answer.replayed")

    def test_the_key_with_another_body_is_refused(self, office):
        office.desk.once(CLIENT, "k", "d", self.action(office.desk, []), NOW)

        with pytest.raises(KeyReused):
            office.desk.once(CLIENT, "k", "other", self.action(office.desk, []), NOW)

    @pytest.mark.parametrize("key", [None, ""])
    def test_a_missing_key_is_refused(self, office, key):
        with pytest.raises(KeyMissing):
            office.desk.once(CLIENT, key, "d", self.action(office.desk, []), NOW)

    @pytest.mark.parametrize("key", ["x" * 256, "a\nb"])
    def test_an_impossible_key_is_refused(self, office, key):
        with pytest.raises(BadRequest):
            office.desk.once(CLIENT, key, "d", self.action(office.desk, []), NOW)

    def test_keys_belong_to_their_client(self, office):
        office.desk.once(CLIENT, "k", "d", self.action(office.desk, []), NOW)

        other = office.desk.once("other", "k", "d2", lambda tx: Reply(200, b"mine"), NOW)

        assert b"mine" == other.body

    def test_a_refusal_is_not_stored(self, office):
        office.hold(at(9))
        with pytest.raises(SlotGone) as gone:
            office.desk.once(CLIENT, "k", "d", self.action(office.desk, []), NOW)
        assert gone.value.facts["alternatives"]

        again = office.desk.once(CLIENT, "k", "d", self.action(office.desk, [], at(11)), NOW)

        assert 201 == again.status

    def test_a_key_is_forgotten_after_a_fortnight(self, office):
        counted: list[int] = []
        office.desk.once(CLIENT, "k", "d", self.action(office.desk, counted), NOW)

        later = NOW + timedelta(days=14, seconds=1)
        again = office.desk.once(CLIENT, "k", "other", self.action(office.desk, counted, at(11)), later)

        assert not again.replayed
        with office.store.begin() as tx:
            assert 0 == tx.idempotency.purge(later)
            assert 1 == tx.idempotency.purge(later + timedelta(days=15))


@pytest.mark.parametrize(("key", "taken"), [("k" * 255, True), ("k" * 256, False), ("k\n", False), (" ", True)])
def test_a_key_is_printable_and_has_at_most_255_characters(office, key, taken):
    with nullcontext() if taken else pytest.raises(BadRequest, match="255"):
        office.desk.once(CLIENT, key, "digest", lambda _tx: Reply(200, b"{}"), NOW)


def test_a_booking_stays_where_it_is_when_its_new_time_is_after_the_last_day_asked_for(office):
    booked = office.book(at(9))
    before = booked.meeting.interval
    with pytest.raises(NotAllowed, match="last day"):
        office.desk.reschedule(
            CLIENT,
            booked.booking.id,
            at(9) + timedelta(days=1),
            None,
            None,
            NOW,
            whom=replace(STAFF, latest=at(9).date()),
        )

    assert before == office.see(booked.booking.id).meeting.interval
    again = office.desk.reschedule(CLIENT, booked.booking.id, at(9), None, None, NOW)
    assert (booked.booking.id, before) == (again.booking.id, again.meeting.interval)


def test_whoever_works_here_but_does_not_serve_the_offer_cannot_be_asked_for(office):
    office.rulebook.offers["talk"] = replace(office.rulebook.offers["talk"], caseworkers=("anna",))
    booked = office.book(at(9))
    with pytest.raises(UnknownCaseworker):
        office.hold(at(10), "bo")
    with pytest.raises(UnknownCaseworker):
        office.desk.reschedule(CLIENT, booked.booking.id, at(10), "bo", None, NOW)
