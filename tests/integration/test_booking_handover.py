"""Meetings change hands: proposals by the rules, decisions by people, calendars follow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from syncd.booking.handover import Choice, Handover
from syncd.errors import NotAllowed, SlotGone, UnknownBooking, UnknownCaseworker
from syncd.model.booking import BookingState, RoomState
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store.tables import AuditRow
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at

PEOPLE = ("anna", "bo", "cara")
TUESDAY = Interval.at(at(0), 24 * 60)
ACTOR = "cli:olga"
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def office(migrated_url: str) -> Iterator[Office]:
    rules = town.rulebook(town.offer(PEOPLE))
    opened = Office.open(migrated_url, directory=town.directory(PEOPLE), rulebook=rules)
    yield opened
    opened.store.close()


@pytest.fixture
def handover(office: Office) -> Handover:
    return Handover(office.store, office.publisher, lambda: office.directory)


def test_a_colleague_takes_a_meeting_and_the_room_stays(office, handover):
    made = office.book(at(9))
    office.settle(NOW, passes=1)

    handed = handover.hand_over(made.meeting.id, "bo", ACTOR, NOW)
    office.settle(NOW)

    assert ("bo", made.meeting.room, made.meeting.interval) == (handed.caseworker, handed.room, handed.interval)
    assert [] == office.standing("anna")
    assert [handed.interval] == office.standing("bo") == office.standing(handed.room or "")
    assert BookingState.CONFIRMED is office.see(made.booking.id).booking.state
    assert office.hold(at(9), "anna", now=LATER)
    with pytest.raises(SlotGone):
        office.hold(at(9), "bo", now=LATER)
    with office.store.read() as tx:
        rows = tx.session.execute(
            select(AuditRow.actor, AuditRow.detail).where(AuditRow.action == "meeting.handed-over")
        )
        assert [(ACTOR, "anna > bo")] == [tuple(row) for row in rows]


@pytest.mark.parametrize("why", ["meeting", "event"])
def test_a_colleague_who_is_busy_cannot_take_it(office, handover, why):
    made = office.book(at(9))
    if why == "meeting":
        office.book(at(9, 15), "bo")
    else:
        office.event("bo", at(9, 30))
        office.sync(NOW)

    with pytest.raises(SlotGone):
        handover.hand_over(made.meeting.id, "bo", ACTOR, NOW)

    assert made.meeting == office.meeting(made.meeting.id)
    with pytest.raises(SlotGone):
        office.hold(at(9), "anna", now=LATER)


def test_a_meeting_in_person_becomes_one_by_telephone(office, handover):
    made = office.book(at(9))
    office.settle(NOW, passes=1)

    handover.hand_over(made.meeting.id, "anna", ACTOR, NOW, by_phone=True)
    office.settle(NOW)

    meeting = office.meeting(made.meeting.id)
    assert (Form.PHONE, None, RoomState.NONE) == (meeting.form, meeting.room, meeting.room_state)
    assert [] == office.standing(made.meeting.room or "")
    assert "Telefon" == office.entries("anna", meeting)[0].location
    assert office.hold(at(9), "bo", now=LATER).meeting.room == made.meeting.room


def test_what_cannot_change_hands_is_refused(office, handover):
    made = office.book(at(9))
    with pytest.raises(UnknownCaseworker):
        handover.hand_over(made.meeting.id, "nobody", ACTOR, NOW)
    with pytest.raises(UnknownBooking):
        handover.hand_over("nothing", "bo", ACTOR, NOW)
    with pytest.raises(NotAllowed):
        handover.hand_over(made.meeting.id, "bo", ACTOR, at(10))
    office.desk.cancel(CLIENT, made.booking.id, NOW)
    with pytest.raises(NotAllowed):
        handover.hand_over(made.meeting.id, "bo", ACTOR, NOW)


def test_an_absence_gets_a_proposal_for_each_meeting(office, handover):
    first, second = office.book(at(9)), office.book(at(12), form=Form.PHONE)
    office.book(at(9, day=25))
    office.event("cara", at(12))
    office.sync(NOW)

    proposals = handover.proposals("anna", TUESDAY, NOW)

    assert [first.meeting.id, second.meeting.id] == [one.meeting.id for one in proposals]
    assert ("bo", "cara") == proposals[0].colleagues
    assert ("bo",) == proposals[1].colleagues
    assert [True, False] == [one.phone for one in proposals]
    assert [False, False] == [one.call for one in proposals]
    assert all(one.call for one in handover.proposals("anna", TUESDAY, NOW + timedelta(hours=8)))


def test_nobody_is_proposed_for_two_meetings_at_once(office, handover):
    rules = town.rulebook(town.offer(PEOPLE, step=15))
    office.rulebook = rules
    made = office.book(at(9), form=Form.PHONE)
    second = office.book(at(9, 30), form=Form.PHONE)
    office.settle(NOW, passes=1)
    office.calendar.edit("anna", second.meeting.uid, interval=Interval.at(at(9, 15), 30))
    office.settle(NOW)

    proposals = handover.proposals("anna", TUESDAY, NOW + timedelta(minutes=5))

    assert {made.meeting.id, second.meeting.id} == {one.meeting.id for one in proposals}
    assert 2 == len({one.colleagues[0] for one in proposals})


def test_one_confirmation_carries_all_out_and_says_what_it_could_not(office, handover):
    first, second, third = office.book(at(9)), office.book(at(11)), office.book(at(13))
    office.settle(NOW, passes=1)
    choices = [
        Choice(first.meeting.id, "bo"),
        Choice(second.meeting.id, None),
        Choice(third.meeting.id, "cara", by_phone=True),
        Choice("nothing", "bo"),
    ]

    done = handover.carry_out(choices, ACTOR, NOW)
    office.settle(NOW)

    assert [None, None, None] == [one.refused for one in done[:3]]
    assert "no meeting" in (done[3].refused or "")
    assert [] == office.standing("anna")
    assert [first.meeting.interval] == office.standing("bo")
    assert [third.meeting.interval] == office.standing("cara")
    assert BookingState.CANCELLED is office.see(second.booking.id).booking.state
