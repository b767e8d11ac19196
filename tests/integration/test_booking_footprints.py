"""What calendars and staff do leaves an audit row and makes answers old; what ran out stands in nobody's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from syncd.booking import brake, texts
from syncd.booking.adopt import Trace, later_elsewhere
from syncd.booking.follow import Ground, _declined_at, declined
from syncd.booking.handover import Choice
from syncd.booking.proposals import Remedy
from syncd.booking.sight import Limits
from syncd.errors import ChangedMeanwhile, NotAllowed, SlotGone, UnknownCaseworker
from syncd.model.booking import Booking, BookingState, RoomState
from syncd.model.busy import Stamp
from syncd.model.entry import stamped
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.store.tables import AuditRow, BookingRow, ClaimRow, EntryRow, MeetingRow
from tests.simulation import town
from tests.simulation.office import Office
from tests.simulation.town import NOW, at

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
STAFF = "cli:olga"
Deed = Callable[[Office, str, str], Iterator[None]]


def look(office: Office, meeting: str, now: datetime = NOW) -> None:
    office.reconciler.meeting(meeting, now)


def rows(office: Office) -> list[tuple[str, str, str | None]]:
    with office.store.read() as tx:
        found = select(AuditRow.actor, AuditRow.action, AuditRow.detail).order_by(AuditRow.id)
        return [tuple(row) for row in tx.session.execute(found)]  # type: ignore[misc]  # any query


def forget(office: Office, meeting: str) -> None:
    """The database was restored from before this booking."""
    with office.store.begin() as tx:
        for table in (BookingRow, ClaimRow, EntryRow):
            tx.session.execute(delete(table).where(table.meeting == meeting))
        tx.session.execute(delete(MeetingRow).where(MeetingRow.id == meeting))


# Each deed prepares itself, yields, and then does the one thing that is asked about.


def moves(office: Office, meeting: str, uid: str) -> Iterator[None]:
    office.calendar.edit("anna", uid, interval=Interval.at(at(13), 45))
    yield
    look(office, meeting)


def removes(office: Office, meeting: str, uid: str) -> Iterator[None]:
    office.calendar.remove("anna", uid)
    look(office, meeting)
    office.sync(NOW + MINUTE)
    yield
    look(office, meeting, NOW + MINUTE)


def takes_the_room(office: Office, meeting: str, uid: str) -> Iterator[None]:
    office.calendar.edit("r1", uid, interval=Interval.at(at(13), 45))
    yield
    look(office, meeting)


def knows_better(office: Office, meeting: str, uid: str) -> Iterator[None]:
    draft = office.calendar._calendar("anna").things[uid].draft
    assert draft is not None
    newer = stamped(replace(draft, stamp=replace(draft.stamp, generation=4)))
    [entry] = office.calendar.find(office.directory.mailboxes["anna"], uid)
    office.calendar.update(office.directory.mailboxes["anna"], entry, newer)
    yield
    look(office, meeting)


def is_forgotten(office: Office, meeting: str, uid: str) -> Iterator[None]:
    forget(office, meeting)
    yield
    office.reconciler.sweep(NOW)


def hands_over(office: Office, meeting: str, uid: str) -> Iterator[None]:
    yield
    office.handover.hand_over(meeting, "bo", STAFF, NOW)


def telephones(office: Office, meeting: str, uid: str) -> Iterator[None]:
    yield
    office.handover.hand_over(meeting, "anna", STAFF, NOW, by_phone=True)


def rebooks(office: Office, meeting: str, uid: str) -> Iterator[None]:
    yield
    office.handover.carry_out([Choice(meeting, Remedy.NEW_TIME, "bo", at(11))], STAFF, NOW)


def cancels(office: Office, meeting: str, uid: str) -> Iterator[None]:
    yield
    office.handover.carry_out([Choice(meeting, Remedy.CANCEL)], STAFF, NOW)


NINE = "2026-11-24T09:00:00+00:00 anna"


@pytest.mark.parametrize(
    ("left", "state", "deed"),
    [
        ([("calendar:anna", "meeting.moved", f"{NINE} > 2026-11-24T13:00:00+00:00 anna")], "confirmed", moves),
        (
            [("calendar:anna", "meeting.withdrawn", None), ("calendar:anna", "booking.cancelled", None)],
            "cancelled",
            removes,
        ),
        ([("calendar:r1", "meeting.room-taken", None)], "confirmed", takes_the_room),
        ([("calendar:anna", "meeting.adopted", None)], "confirmed", knows_better),
        ([("calendar:anna", "meeting.adopted", None)], None, is_forgotten),
        ([(STAFF, "meeting.handed-over", "anna > bo")], "pending", hands_over),
        ([(STAFF, "meeting.handed-over", "anna > anna by phone")], "pending", telephones),
        ([(STAFF, "meeting.rebooked", f"{NINE} > 2026-11-24T11:00:00+00:00 bo")], "pending", rebooks),
        ([(STAFF, "booking.cancelled", None)], "cancelled", cancels),
    ],
)
def test_an_audit_row_and_old_answers_are_left_by(
    office: Office, left: list[tuple[str, str, str | None]], state: str | None, deed: Deed
) -> None:
    made = office.book(at(9))
    look(office, made.meeting.id)
    office.sync(NOW)
    going = deed(office, made.meeting.id, made.meeting.uid)
    next(going)
    before, answers = rows(office), office.store.generation()

    assert [] == list(going)

    assert left == rows(office)[len(before) :]
    assert answers < office.store.generation()
    if state is not None:
        assert state == office.see(made.booking.id).booking.state


def test_a_hold_that_ran_out_does_not_stand_in_the_way_of_a_human_or_a_room(migrated_sqlite_url: str) -> None:
    office = Office.open(migrated_sqlite_url, directory=town.directory(rooms=("r1",)))
    made = office.book(at(9))
    look(office, made.meeting.id)
    office.hold(at(13), "anna", form=Form.PHONE)
    office.hold(at(13), "bo")
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 45))

    look(office, made.meeting.id, NOW + 11 * MINUTE)

    meeting = office.meeting(made.meeting.id)
    assert (at(13), False, "r1") == (meeting.interval.start, meeting.conflict, meeting.room)
    office.store.close()


def test_a_conflict_with_a_hold_ends_with_the_hold(office: Office) -> None:
    made = office.book(at(9), form=Form.PHONE)
    look(office, made.meeting.id)
    office.hold(at(13), "anna", form=Form.PHONE)
    office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 30))
    look(office, made.meeting.id)

    assert office.meeting(made.meeting.id).conflict
    look(office, made.meeting.id, NOW + 11 * MINUTE)
    assert not office.meeting(made.meeting.id).conflict
    with office.store.read() as tx:
        assert [True] == [claim.active for claim in tx.meetings.claims(made.meeting.id)]


@pytest.mark.parametrize(("rooms", "later"), [({"r1"}, timedelta(days=14)), (set(), timedelta(days=14) + SECOND)])
def test_a_rooms_no_is_remembered_for_a_fortnight(office: Office, rooms: set[str], later: timedelta) -> None:
    meeting = office.book(at(9)).meeting
    with office.store.begin() as tx:
        tx.audit.add("calendar:r1", "meeting.room-taken", meeting=meeting.id, detail=_declined_at(meeting), now=NOW)
        tx.audit.add("calendar:r2", "meeting.room-taken", meeting=meeting.id, detail="declined then", now=NOW)

        assert rooms == declined(tx, meeting, NOW + later)


class TestTheBrake:
    LIMITS = Limits(outward=2)

    def allowed(self, office: Office, meeting: str, now: datetime) -> bool:
        with office.store.begin() as tx:
            return brake.allows(tx, meeting, self.LIMITS, now)

    def moved(self, office: Office, *meetings: str, now: datetime = NOW) -> None:
        with office.store.begin() as tx:
            for one in meetings:
                tx.audit.add("calendar:anna", "meeting.moved", meeting=one, now=now)

    @pytest.mark.parametrize(
        ("allowed", "meeting", "moved", "later"),
        [
            (True, "m3", ["m1"], 0 * SECOND),
            (False, "m3", ["m1", "m2"], 0 * SECOND),
            (True, "m2", ["m1", "m2"], 0 * SECOND),
            (False, "m1", ["m1", "m1"], 0 * SECOND),
            (True, "m1", ["m1"], 0 * SECOND),
            (False, "m3", ["m1", "m2"], 10 * MINUTE - SECOND),
            (True, "m3", ["m1", "m2"], 10 * MINUTE),
        ],
    )
    def test_so_many_other_meetings_stop_all_writing_for_so_long(
        self, office: Office, allowed: bool, meeting: str, moved: list[str], later: timedelta
    ) -> None:
        self.moved(office, *moved)

        assert allowed is self.allowed(office, meeting, NOW + later)

    def test_who_pulled_it_and_who_let_go_is_told(self, office: Office) -> None:
        self.moved(office, "m1", "m2")
        self.allowed(office, "m3", NOW)

        assert "More than 2 meetings were moved or removed in calendars within 10 minutes" in (
            office.reconciler.brake() or ""
        )
        assert office.reconciler.release_brake(STAFF, NOW + SECOND) is True
        assert office.reconciler.release_brake(STAFF, NOW + SECOND) is False
        assert office.reconciler.brake() is None
        assert [("syncd", "writes.stopped", None), (STAFF, "writes.released", None)] == rows(office)[-2:]
        assert self.allowed(office, "m3", NOW + 2 * SECOND)

    def test_one_meeting_that_is_moved_again_and_again_waits_without_stopping_others(self, office: Office) -> None:
        self.moved(office, "m1", "m1")
        self.allowed(office, "m1", NOW)

        assert office.reconciler.brake() is None


class TestLaterElsewhere:
    @pytest.mark.parametrize(
        ("found", "mailbox", "generation"), [(True, "bo", 5), (False, "bo", 4), (False, "r2", 5), (False, "bo", 3)]
    )
    def test_only_a_caseworkers_newer_entry_counts(
        self, office: Office, found: bool, mailbox: str, generation: int
    ) -> None:
        made = office.book(at(9))
        look(office, made.meeting.id)
        draft = office.calendar._calendar("anna").things[made.meeting.uid].draft
        assert draft is not None
        newer = stamped(replace(draft, stamp=replace(draft.stamp, generation=generation)))
        office.calendar.create(office.directory.mailboxes[mailbox], newer)
        office.sync(NOW)
        ground = Ground(office.directory, office.rulebook, office.limits, NOW)
        stamp = Stamp(newer.stamp.installation, made.meeting.id, generation, newer.stamp.digest)
        trace = Trace(mailbox, made.meeting.uid, newer.interval, stamp)

        with office.store.read() as tx:
            assert ([trace] if found else []) == later_elsewhere(tx, made.meeting, 4, ground)


class TestStaff:
    def test_doing_the_same_again_changes_nothing(self, office: Office) -> None:
        made = office.book(at(9))
        for choice in (Choice(made.meeting.id, Remedy.NEW_TIME, "bo", at(11)), Choice(made.meeting.id, Remedy.CANCEL)):
            office.handover.carry_out([choice], STAFF, NOW)
            before, known = rows(office), office.meeting(made.meeting.id)
            [done] = office.handover.carry_out([choice], STAFF, NOW)

            assert (None, False) == (done.error, done.call)
            assert (before, known) == (rows(office), office.meeting(made.meeting.id))

    def test_a_meeting_rebooked_with_a_colleague_gives_its_time_back(self, office: Office) -> None:
        made = office.book(at(9))
        office.handover.carry_out([Choice(made.meeting.id, Remedy.NEW_TIME, "bo", at(11))], STAFF, NOW)

        with office.store.read() as tx:
            claims = {(claim.mailbox, claim.interval.start) for claim in tx.meetings.claims(made.meeting.id)}
        assert {("bo", at(11)), (office.meeting(made.meeting.id).room, at(11))} == claims

    @pytest.mark.parametrize(
        ("error", "choice"),
        [
            (ChangedMeanwhile, {"remedy": Remedy.CANCEL, "seen": 9}),
            (UnknownCaseworker, {"remedy": Remedy.COLLEAGUE}),
            (UnknownCaseworker, {"remedy": Remedy.NEW_TIME, "to": "nobody", "start": at(11)}),
            (SlotGone, {"remedy": Remedy.COLLEAGUE, "to": "bo"}),
            (SlotGone, {"remedy": Remedy.NEW_TIME, "to": "bo", "start": at(9)}),
        ],
    )
    def test_what_cannot_be_done_is_said_and_nothing_is_changed(
        self, office: Office, error: type[Exception], choice: dict[str, object]
    ) -> None:
        made = office.book(at(9), form=Form.PHONE)
        office.book(at(9), "bo", form=Form.PHONE)
        [done] = office.handover.carry_out([Choice(made.meeting.id, **choice)], STAFF, at(7))  # type: ignore[arg-type]  # any field

        assert (error, False) == (type(done.error), done.call)
        assert made.meeting == office.meeting(made.meeting.id)

    @pytest.mark.parametrize(
        ("room", "state", "told"),
        [("r2", RoomState.PENDING, None), (None, RoomState.MISSING, texts.ROOM_MISSING)],
    )
    def test_a_meeting_given_to_another_house_gets_a_room_there_or_is_flagged(
        self, migrated_sqlite_url: str, room: str | None, state: RoomState, told: str | None
    ) -> None:
        town_hall = town.directory()
        elsewhere = replace(
            town_hall,
            sites={**town_hall.sites, "annex": replace(town_hall.sites["hq"], id="annex")},
            caseworkers={**town_hall.caseworkers, "bo": replace(town_hall.caseworkers["bo"], site="annex")},
            rooms={**town_hall.rooms, "r2": replace(town_hall.rooms["r2"], site="annex" if room else "hq")},
        )
        office = Office.open(migrated_sqlite_url, directory=elsewhere)
        made = office.book(at(9))

        handed = office.handover.hand_over(made.meeting.id, "bo", STAFF, NOW)

        assert ("r1", room, state, told) == (made.meeting.room, handed.room, handed.room_state, handed.attention)
        with office.store.read() as tx:
            assert {"bo", room} - {None} == {claim.mailbox for claim in tx.meetings.claims(made.meeting.id)}
        office.store.close()

    def test_a_meeting_that_ends_now_is_over(self, office: Office) -> None:
        made = office.book(at(9), form=Form.PHONE)
        choice = Choice(made.meeting.id, Remedy.COLLEAGUE, "bo")

        [late] = office.handover.carry_out([choice], STAFF, made.meeting.interval.end)
        [just] = office.handover.carry_out([choice], STAFF, made.meeting.interval.end - SECOND)

        assert (NotAllowed, None) == (type(late.error), just.error)

    @pytest.mark.parametrize(("call", "early"), [(True, 24 * 60 * MINUTE - SECOND), (False, 24 * 60 * MINUTE)])
    def test_reception_calls_when_less_than_a_day_is_left(self, office: Office, call: bool, early: timedelta) -> None:
        made = office.book(at(9, day=25), form=Form.PHONE)
        choice = Choice(made.meeting.id, Remedy.COLLEAGUE, "bo")

        [done] = office.handover.carry_out([choice], STAFF, made.meeting.interval.start - early)

        assert call is done.call

    @pytest.mark.parametrize(("call", "early"), [(True, 24 * 60 * MINUTE - SECOND), (False, 24 * 60 * MINUTE)])
    def test_reception_calls_whoever_is_moved_to_a_time_less_than_a_day_ahead(
        self, office: Office, call: bool, early: timedelta
    ) -> None:
        made = office.book(at(9, day=26), form=Form.PHONE)
        choice = Choice(made.meeting.id, Remedy.NEW_TIME, "bo", at(9, day=25))

        [done] = office.handover.carry_out([choice], STAFF, at(9, day=25) - early)

        assert (None, call) == (done.error, done.call)
        with office.store.read() as tx:
            assert call == bool(tx.tasks.waiting(TaskKind.CALL_CITIZEN))


class TestWhatIsOver:
    @pytest.mark.parametrize(
        ("attention", "applied", "beside"), [(texts.NEVER_WRITTEN, 0, None), (None, 1, None), (None, 0, "her event")]
    )
    def test_a_meeting_nobody_ever_wrote_is_told(
        self, office: Office, attention: str | None, applied: int, beside: str | None
    ) -> None:
        made = office.book(at(9), form=Form.PHONE)
        with office.store.begin() as tx:
            of_it = update(MeetingRow).where(MeetingRow.id == made.meeting.id)
            tx.session.execute(of_it.values(applied_generation=applied, beside=beside, attempts=3))
        look(office, made.meeting.id, made.meeting.interval.end)

        meeting = office.meeting(made.meeting.id)
        assert (attention, 0, None) == (meeting.attention, meeting.attempts, meeting.owed_since)
        assert 0 == office.reconciler.run_due(made.meeting.interval.end)


class TestWhatIsTakenUpAgain:
    def test_the_seat_is_the_hold_that_the_database_still_has(self, office: Office) -> None:
        made = office.book(at(9), form=Form.PHONE)
        look(office, made.meeting.id)
        office.sync(NOW)
        with office.store.begin() as tx:  # restored from when it was only held
            tx.session.execute(update(BookingRow).values(state="held", expires=int(NOW.timestamp()) + 600))
            tx.session.execute(update(MeetingRow).values(desired_generation=0, applied_generation=0, wanted=False))
            tx.session.execute(delete(EntryRow))

        assert 1 == office.reconciler.sweep(NOW)

        [seat] = self.seats(office, made.meeting.id)
        assert (made.booking.id, BookingState.PENDING, None) == (seat.id, seat.state, seat.expires)

    def test_a_seat_that_was_given_up_is_not_taken_for_it(self, office: Office) -> None:
        made = office.book(at(9), form=Form.PHONE)
        look(office, made.meeting.id)
        office.sync(NOW)
        with office.store.begin() as tx:
            tx.session.execute(update(BookingRow).values(state="cancelled", id=made.meeting.id))
            tx.session.execute(update(MeetingRow).values(desired_generation=0, applied_generation=0, wanted=False))
            tx.session.execute(delete(EntryRow))
        office.reconciler.sweep(NOW)

        ids = {made.meeting.id: BookingState.CANCELLED, f"{made.meeting.id}-restored": BookingState.PENDING}
        assert ids == {seat.id: seat.state for seat in self.seats(office, made.meeting.id)}

    def test_it_keeps_the_room_whose_calendar_holds_it(self, office: Office) -> None:
        made = office.book(at(9))
        look(office, made.meeting.id)
        office.sync(NOW)
        forget(office, made.meeting.id)
        office.reconciler.sweep(NOW)

        meeting = office.meeting(made.meeting.id)
        assert ("r1", RoomState.PENDING, Form.IN_PERSON) == (meeting.room, meeting.room_state, meeting.form)
        with office.store.read() as tx:
            assert {("anna", True), ("r1", True)} == {
                (claim.mailbox, claim.active) for claim in tx.meetings.claims(meeting.id)
            }
            records = {one.mailbox: one.wanted for one in tx.meetings.entries(meeting.id)}
        assert {"anna": True, "r1": True} == records

    def test_its_room_is_missing_when_another_meeting_has_it_by_now(self, migrated_sqlite_url: str) -> None:
        office = Office.open(migrated_sqlite_url, directory=town.directory(rooms=("r1",)))
        made = office.book(at(9))
        look(office, made.meeting.id)
        forget(office, made.meeting.id)
        other = office.hold(at(9), "bo")
        office.sync(NOW)
        office.reconciler.sweep(NOW)

        meeting = office.meeting(made.meeting.id)
        assert ("r1", None, RoomState.MISSING) == (other.meeting.room, meeting.room, meeting.room_state)
        office.store.close()

    def seats(self, office: Office, meeting: str) -> list[Booking]:
        with office.store.read() as tx:
            return list(tx.bookings.of(meeting))
