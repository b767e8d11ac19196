"""Small print of the booking code that no larger story would miss; each of these once let a mutant live."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from syncd.booking import texts
from syncd.booking.allowed import known_topic
from syncd.booking.desk import new_id
from syncd.booking.follow import Ground, follow
from syncd.booking.reconcile import Result, _kind, _read_since
from syncd.booking.record import UNKNOWN_SOON
from syncd.booking.relocate import relocate
from syncd.booking.results import Appointment
from syncd.booking.sight import Withdrawn
from syncd.booking.steps import draft
from syncd.booking.take import by_load
from syncd.errors import BadRequest, OutcomeUnknown, SlotGone, Transient
from syncd.model.booking import BookingState, EntryRecord, RoomState
from syncd.model.directory import MailboxKind
from syncd.model.entry import Resource, stamped
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus
from syncd.model.offer import Form
from syncd.model.policy import Policy
from syncd.roomalloc.allocate import Move
from syncd.store.tables import BookingRow, ClaimRow, EntryRow, MeetingRow
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at

MINUTE = timedelta(minutes=1)
FAR = at(9, day=30)
"""A day whose rooms people are told on the 28th."""


def booked(office: Office, *where: Any, **more: Any) -> Appointment:
    """A meeting that stands in its calendars, and in the mirror."""
    made = office.book(*where, **more)
    office.reconciler.run_due(NOW)
    office.sync(NOW)
    return made


def location(office: Office, made: Appointment) -> str:
    return office.entries(made.meeting.caseworker, made.meeting)[0].location


def look(office: Office, made: Appointment, now: datetime = NOW) -> Result:
    return office.reconciler.meeting(made.meeting.id, now)


def forget(office: Office, made: Appointment) -> None:
    """The database was restored from before this booking."""
    with office.store.begin() as tx:
        for table in (BookingRow, ClaimRow, EntryRow):
            tx.session.execute(delete(table).where(table.meeting == made.meeting.id))
        tx.session.execute(delete(MeetingRow).where(MeetingRow.id == made.meeting.id))


class TestWhatAnEntrySaysOfItsRoom:
    def test_the_room_can_change_until_people_are_told(self, office: Office) -> None:
        assert "lokale 2.r1 (kan ændres)" == location(office, booked(office, FAR))

    def test_it_stays_once_they_were_told_however_far_the_day(self, office: Office) -> None:
        made = booked(office, FAR)
        with office.store.begin() as tx:
            tx.rooms.tell(made.meeting.id, made.meeting.room, NOW)
        look(office, made)

        assert "lokale 2.r1" == location(office, made)

    def test_it_stays_once_the_day_has_come_though_nobody_was_told_yet(self, office: Office) -> None:
        made = booked(office, FAR)
        look(office, made, at(9, day=28))

        assert "lokale 2.r1" == location(office, made)

    @pytest.mark.parametrize(
        ("record", "behind", "changing"),
        [
            (EntryRecord("r1", wanted=False, key="k"), True, True),
            (EntryRecord("r1", wanted=False, key="k"), False, False),
            (EntryRecord("r1", wanted=True, key="k"), True, False),
            (EntryRecord("r1", wanted=False), True, False),
            (EntryRecord("anna", wanted=False, key="k"), True, False),
        ],
    )
    def test_a_meeting_has_no_room_only_while_it_gives_one_back_and_waits_for_another(
        self, office: Office, record: EntryRecord, behind: bool, changing: bool
    ) -> None:
        meeting = office.book(at(9)).meeting
        with office.store.read() as tx:
            told = office.reconciler._told(tx, meeting, [record], behind, NOW)

        assert changing is told.changing

    def test_the_room_is_named_and_invited_on_the_caseworkers_own_entry_only(self, office: Office) -> None:
        meeting = replace(office.book(at(9)).meeting, partners=("bo",))
        boxes = office.directory.mailboxes

        anna, bo = (draft(meeting, boxes[one], office.directory, {}, "i") for one in ("anna", "bo"))

        assert Resource("r1@example.org", "2.r1", invited=boxes["r1"].invited) == anna.room
        assert None is bo.room
        assert "lokale 2.r1 (kan ændres)" == anna.location == bo.location


class TestWhoeverBooksADayThatWasAnnounced:
    def told(self, office: Office, made: Appointment) -> str | None:
        with office.store.read() as tx:
            notice = tx.rooms.notice(made.meeting.id)
        return notice.room if notice else None

    def test_knows_the_room_at_once(self, office: Office) -> None:
        near, far = office.book(at(9)), office.book(FAR)

        assert (near.meeting.room, None) == (self.told(office, near), self.told(office, far))

    def test_knows_it_when_moved_there_too(self, office: Office) -> None:
        made = office.book(FAR)
        moved = office.desk.reschedule(CLIENT, made.booking.id, at(9), None, None, NOW)

        assert moved.meeting.room == self.told(office, moved) is not None


class TestWhoIsChosen:
    def test_the_least_burdened_of_that_week_by_weight(self, office: Office) -> None:
        for hour in (9, 10):
            office.book(at(hour), "anna", form=Form.PHONE)
            office.book(at(hour, day=27), "bo", form=Form.PHONE)
        office.book(at(11, day=25), "bo", form=Form.PHONE)
        for hour in (9, 10, 11):
            office.book(at(hour, day=30), "anna", form=Form.PHONE)  # next week does not count
        heavy = replace(office.rulebook, policies={"bo": Policy(weight=2.0)})
        span = Interval.at(at(13, day=26), 30)

        with office.store.read() as tx:
            assert ["anna", "bo"] == by_load(tx, office.rulebook, office.directory, ["bo", "anna"], span, NOW)
            assert ["bo", "anna"] == by_load(tx, heavy, office.directory, ["anna", "bo"], span, NOW)
            taken = Interval.at(at(9), 30)
            assert ["bo"] == by_load(tx, office.rulebook, office.directory, ["anna", "bo"], taken, NOW)

    @pytest.mark.parametrize("person", ["anna", None])
    def test_a_refusal_names_the_caseworker_only_where_one_was_asked_for(
        self, office: Office, person: str | None
    ) -> None:
        for one in ("anna", "bo"):
            office.book(at(9), one, form=Form.PHONE)
        with pytest.raises(SlotGone) as gone:
            office.hold(at(9), person, form=Form.PHONE)

        assert person == gone.value.facts.get("caseworker")


class TestWhatIsInTheWay:
    def test_a_room_held_by_a_hold_that_ran_out_is_free(self, migrated_sqlite_url: str) -> None:
        office = Office.open(migrated_sqlite_url, directory=town.directory(rooms=("r1",)))
        office.hold(at(9), "bo")

        assert "r1" == office.hold(at(9), "anna", now=NOW + 11 * MINUTE).meeting.room
        office.store.close()

    def test_an_entry_of_a_cancelled_meeting_is_not(self, office: Office) -> None:
        made = booked(office, at(9))
        office.desk.cancel(CLIENT, made.booking.id, NOW)

        assert BookingState.PENDING is office.book(at(9)).booking.state

    def test_an_entry_on_its_way_out_of_the_room_is_not(self, office: Office) -> None:
        made = booked(office, at(9))
        with office.store.begin() as tx:
            relocate(tx, office.directory, [Move(made.meeting.id, "r1", "r2")], NOW)

        other = office.book(at(9), "bo")

        assert ("r1", BookingState.PENDING) == (other.meeting.room, other.booking.state)

    def test_a_copy_that_a_human_made_in_the_room_is(self, office: Office) -> None:
        made = booked(office, at(9))
        held = office.hold(at(14))
        things = office.calendar._calendar("r1").things
        copy = replace(things[made.meeting.uid].occurrences[0], uid="copy", interval=held.meeting.interval)
        office.calendar.put("r1", "copy", [copy])
        office.sync(NOW)

        with pytest.raises(SlotGone):
            office.desk.book(CLIENT, held.booking.id, "c", NOW)


class TestUnknownOutcomes:
    def test_a_few_in_a_row_are_looked_up_soon_and_then_ever_later(self, office: Office) -> None:
        office.rulebook = town.rulebook(town.offer())
        made, now, pauses = office.book(at(9), form=Form.PHONE), NOW, list[int]()
        office.calendar.fail("create", OutcomeUnknown("Lost."), times=9)
        for _ in range(UNKNOWN_SOON + 2):
            office.reconciler.run_due(now)
            with office.store.read() as tx:
                due = tx.session.query(MeetingRow.due).filter_by(id=made.meeting.id).scalar()
            pauses.append(due - int(now.timestamp()))
            now += timedelta(seconds=pauses[-1])

        assert [5] * UNKNOWN_SOON == pauses[:UNKNOWN_SOON]
        assert 5 < pauses[UNKNOWN_SOON] < pauses[UNKNOWN_SOON + 1]


class TestFollowing:
    def test_a_booking_waits_again_until_the_calendars_hold_what_a_human_chose(self, office: Office) -> None:
        made = booked(office, at(9))
        office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 45))
        office.calendar.fail("update", Transient("Away."), times=9)

        assert Result.OWED is look(office, made)
        assert BookingState.PENDING is office.see(made.booking.id).booking.state

    def test_a_room_that_came_free_is_owed_and_not_settled(self, office: Office) -> None:
        made = booked(office, at(9))
        office.event("r1", at(11), key="x")
        office.event("r2", at(11), key="y")
        office.sync(NOW)
        office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(11), 45))
        office.settle(NOW)
        office.calendar.remove("r2", "y")
        office.sync(NOW + MINUTE)

        assert Result.OWED is look(office, made, NOW + MINUTE)
        assert "r2" == office.meeting(made.meeting.id).room

    @pytest.mark.parametrize(
        ("room", "state", "told"),
        [("r2", RoomState.ACCEPTED, None), (None, RoomState.MISSING, texts.ROOM_MISSING)],
    )
    def test_a_room_taken_from_a_meeting_whose_offer_nobody_knows_any_more_is_replaced_or_told(
        self, office: Office, room: str | None, state: RoomState, told: str | None
    ) -> None:
        made = booked(office, at(9))
        for one in ("r1", "r2") if room is None else ():
            office.event(one, at(9))
        office.sync(NOW)
        office.rulebook = town.rulebook(town.offer(name="another"))
        office.calendar.edit("r1", made.meeting.uid, interval=Interval.at(at(13), 45))

        office.settle(NOW)

        meeting = office.meeting(made.meeting.id)
        assert (room, state, told) == (meeting.room, meeting.room_state, meeting.attention)

    def test_what_was_adopted_and_removed_before_it_was_written_anew_counts_as_removed(self, office: Office) -> None:
        made = booked(office, at(9), form=Form.PHONE)
        [entry] = office.entries("anna", made.meeting)
        was = office.calendar._calendar("anna").things[entry.key].draft
        assert was is not None
        newer = stamped(replace(was, stamp=replace(was.stamp, generation=4)))
        office.calendar.update(office.directory.mailboxes["anna"], entry, newer)
        with office.store.begin() as tx:  # restored from before it was first written
            tx.session.execute(update(EntryRow).values(generation=0, key=None, version=None, digest=None))
        office.calendar.fail("update", Transient("Away."))
        look(office, made)
        office.calendar.remove("anna", entry.key)

        office.settle(NOW + MINUTE, passes=5)

        assert BookingState.CANCELLED is office.see(made.booking.id).booking.state

    def test_a_meeting_only_the_calendars_know_claims_the_time_it_has_there_and_no_more(self, office: Office) -> None:
        made = booked(office, at(9), form=Form.PHONE)
        forget(office, made)

        office.reconciler.sweep(NOW)

        with office.store.read() as tx:
            assert [made.meeting.interval] == [claim.interval for claim in tx.meetings.claims(made.meeting.id)]


class TestAdopting:
    def forgotten(self, office: Office) -> tuple[Appointment, Appointment]:
        """A meeting of anna's that only calendars know, and one of ours at the time to which she moved it."""
        made = booked(office, at(9), form=Form.PHONE)
        forget(office, made)
        other = booked(office, at(10), form=Form.PHONE)
        office.calendar.edit("anna", made.meeting.uid, interval=other.meeting.interval)
        office.sync(NOW)
        return made, other

    def test_a_meeting_found_at_a_time_that_is_taken_is_a_conflict(self, office: Office) -> None:
        made, other = self.forgotten(office)

        office.reconciler.sweep(NOW)

        assert (True, False) == (office.meeting(made.meeting.id).conflict, office.meeting(other.meeting.id).conflict)
        with office.store.read() as tx:
            assert [False] == [claim.active for claim in tx.meetings.claims(made.meeting.id)]


class TestWhatIsNotThere:
    def test_a_meeting_nobody_knows(self, office: Office) -> None:
        assert Result.UNKNOWN is office.reconciler.meeting("nobody", NOW)

    def test_a_calendar_nobody_watches_is_owed_and_told(self, office: Office) -> None:
        made = office.book(at(9), form=Form.PHONE)
        office.directory = town.directory(("bo",))

        assert Result.OWED is look(office, made)
        assert MailboxKind.PERSON is _kind(made.meeting, "anna")
        assert MailboxKind.ROOM is _kind(made.meeting, "r9")

    def test_what_a_calendar_said_of_a_meeting_that_has_changed_since_is_void(self, office: Office) -> None:
        made = booked(office, at(9))
        seen = office.meeting(made.meeting.id)
        office.desk.reschedule(CLIENT, made.booking.id, at(14), None, None, NOW)

        ground = Ground(office.directory, office.rulebook, office.limits, NOW)
        with office.store.begin() as tx:
            assert False is follow(tx, seen, Withdrawn("anna"), ground)
        assert BookingState.PENDING is office.see(made.booking.id).booking.state

    def test_nobody_to_choose_from(self, office: Office) -> None:
        with office.store.read() as tx:
            assert [] == by_load(tx, office.rulebook, office.directory, [], Interval.at(at(9), 30), NOW)

    def test_a_topic_of_an_offer_without_topics(self) -> None:
        with pytest.raises(BadRequest, match="are: none"):
            known_topic(town.offer(), "other")


def test_ids_have_a_hundred_bits() -> None:
    made = {new_id() for _ in range(50)}

    assert (50, {20}) == (len(made), {len(one) for one in made})


@pytest.mark.parametrize(
    ("status", "believed"),
    [
        (None, False),
        (MailboxStatus("anna"), False),
        (MailboxStatus("anna", as_of=NOW), False),
        (MailboxStatus("anna", as_of=NOW + MINUTE), True),
        (MailboxStatus("anna", as_of=NOW + MINUTE, problem="It is away."), False),
        (MailboxStatus("anna", as_of=NOW + MINUTE, refused="Too many are gone."), False),
    ],
)
def test_only_a_whole_and_unsuspicious_pass_that_began_later_can_say_that_an_entry_is_gone(
    status: MailboxStatus | None, believed: bool
) -> None:
    assert believed is _read_since(status, NOW)
