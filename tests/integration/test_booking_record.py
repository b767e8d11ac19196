"""What a look, and what a calendar said, leave in the database: one transaction at a time, asked directly."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from syncd.booking import follow as following
from syncd.booking import record as recording
from syncd.booking import texts, turns
from syncd.booking.adopt import Trace, adopt
from syncd.booking.decide import seen
from syncd.booking.desire import desire
from syncd.booking.follow import Ground, _own_fault, follow, overlapped
from syncd.booking.record import _reassessed, conclude, record
from syncd.booking.sight import Decision, Moved, Newer, RoomTaken, Verdict, Withdrawn
from syncd.booking.steps import Acted
from syncd.errors import Transient
from syncd.model.booking import BookingState, EntryRecord, Meeting, RoomState
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.store import Tx
from syncd.store.instants import epoch
from syncd.store.outward_tables import EventRow
from syncd.store.tables import AuditRow, MeetingRow
from tests.simulation import town
from tests.simulation.office import Office
from tests.simulation.town import NOW, at

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DONE, AWAY = Acted((), 0, {}), Acted((), 0, {"anna": Transient("Away.")})
LINKLESS = Decision(linkless=True)


@pytest.fixture
def made(office: Office) -> Meeting:
    """A meeting that was booked and not yet looked at."""
    return office.book(at(9)).meeting


def ground(office: Office, now: datetime = NOW) -> Ground:
    return Ground(office.directory, office.rulebook, office.limits, now)


def changed(office: Office, meeting: Meeting, **changes: Any) -> Meeting:
    """The meeting as it is stored from now on."""
    after = replace(meeting, **changes)
    with office.store.begin() as tx:
        tx.meetings.save(after, None)
    return after


def recorded(
    office: Office, meeting: Meeting, decision: Decision | None = None, acted: Acted = DONE, now: datetime = NOW
) -> bool:
    with office.store.begin() as tx:
        return record(tx, meeting, decision or Decision(), acted, ground(office, now), 0.0)


def followed(office: Office, meeting: Meeting, verdict: Verdict) -> bool:
    with office.store.begin() as tx:
        return follow(tx, meeting, verdict, ground(office))


def due(office: Office, meeting: Meeting) -> timedelta | None:
    with office.store.read() as tx:
        found = tx.session.scalar(select(MeetingRow.due).where(MeetingRow.id == meeting.id))
    return None if found is None else timedelta(seconds=found - epoch(NOW))


def events(office: Office) -> list[str]:
    with office.store.read() as tx:
        return list(tx.session.scalars(select(EventRow.kind).order_by(EventRow.number)))


def states(office: Office, meeting: Meeting) -> list[BookingState]:
    with office.store.read() as tx:
        return [booking.state for booking in tx.bookings.of(meeting.id)]


class TestRecorded:
    def test_what_stands_as_it_should_is_settled_and_told_once(self, office: Office, made: Meeting) -> None:
        told = events(office)
        tried = changed(office, made, attempts=3, owed_since=NOW - MINUTE, attention="Old.")

        assert recorded(office, tried) is True
        assert recorded(office, office.meeting(made.id)) is True

        after = office.meeting(made.id)
        assert (made.desired_generation, 0, None, None) == (
            after.applied_generation,
            after.attempts,
            after.owed_since,
            after.attention,
        )
        assert (None, RoomState.ACCEPTED) == (due(office, made), after.room_state)
        assert [BookingState.CONFIRMED] == states(office, made)
        assert ["booking.confirmed"] == events(office)[len(told) :]

    def test_what_was_decided_for_an_older_wish_is_void(self, office: Office, made: Meeting) -> None:
        with office.store.begin() as tx:
            wish = desire(tx, made, NOW)

        assert recorded(office, made) is False
        assert wish == office.meeting(made.id)
        assert recorded(office, replace(made, id="nobody")) is False

    def test_what_another_look_overtook_is_void(self, office: Office, made: Meeting) -> None:
        with office.store.begin() as tx:
            first = tx.meetings.lease(NOW, NOW + MINUTE, "one")
            second = tx.meetings.lease(NOW + 2 * MINUTE, NOW + 3 * MINUTE, "two")
        assert first is not None
        assert second is not None
        for lease, right in ((second[1], True), (first[1], False)):
            with office.store.begin() as tx:
                assert record(tx, made, Decision(), DONE, ground(office), 0.0, lease) is right

    @pytest.mark.parametrize(
        ("decision", "acted"),
        [
            (Decision(), AWAY),
            (Decision(unread=("anna",)), DONE),
            (Decision(waiting=True), DONE),
            (Decision(behind=True), DONE),
            (Decision(attention=("Look.",)), DONE),
            (LINKLESS, DONE),
            (Decision(), replace(DONE, linkless=True)),
        ],
    )
    def test_whatever_is_left_to_do_is_owed(
        self, office: Office, made: Meeting, decision: Decision, acted: Acted
    ) -> None:
        assert recorded(office, made, decision, acted) is False

        after = office.meeting(made.id)
        assert (0, 1, NOW) == (after.applied_generation, after.attempts, after.owed_since)
        assert (due(office, made) or timedelta()) > timedelta()
        assert [BookingState.PENDING] == states(office, made)

    @pytest.mark.parametrize(("told", "since"), [(False, 15 * MINUTE - SECOND), (True, 15 * MINUTE)])
    def test_a_person_is_told_after_a_quarter_of_an_hour(
        self, office: Office, made: Meeting, told: bool, since: timedelta
    ) -> None:
        recorded(office, changed(office, made, owed_since=NOW - since), acted=AWAY)

        assert (texts.lagging("Away.") if told else None) == office.meeting(made.id).attention

    def test_a_link_that_does_not_come_is_waited_for_three_minutes_and_then_now_and_then(
        self, office: Office, made: Meeting
    ) -> None:
        waited = changed(office, made, owed_since=NOW - 3 * MINUTE)

        assert recorded(office, waited, LINKLESS) is True

        after = office.meeting(made.id)
        assert (made.desired_generation, texts.NO_LINK) == (after.applied_generation, after.attention)
        assert office.limits.longest_pause == due(office, made)

    def test_of_a_meeting_that_is_called_off_no_link_is_missed(self, office: Office, made: Meeting) -> None:
        off = changed(office, made, wanted=False, room_state=RoomState.MISSING, conflict=True)

        assert recorded(office, off, LINKLESS) is True
        assert (None, None) == (due(office, made), office.meeting(made.id).attention)
        assert RoomState.MISSING is office.meeting(made.id).room_state

    @pytest.mark.parametrize(
        ("told", "settled", "before", "now"),
        [
            (True, True, None, "https://teams/1"),
            (True, True, "https://teams/1", "https://teams/2"),
            (False, True, "https://teams/1", "https://teams/1"),
            (False, True, "https://teams/1", ""),
            (False, False, None, "https://teams/1"),
        ],
    )
    def test_the_outside_hears_of_another_link_once_the_meeting_was_settled(
        self, office: Office, made: Meeting, told: bool, settled: bool, before: str | None, now: str
    ) -> None:
        applied = made.desired_generation if settled else 0
        meeting = changed(office, made, applied_generation=applied, link=before)
        heard = events(office)

        recorded(office, meeting, Decision(records=(EntryRecord("anna", wanted=True, link=now),)))

        assert told == ("booking.changed" in events(office)[len(heard) :])
        assert (now or None) == office.meeting(made.id).link

    def test_a_room_that_is_missing_is_looked_for_now_and_then(self, office: Office, made: Meeting) -> None:
        for room in ("r1", "r2"):
            office.event(room, at(9))
        office.sync(NOW)
        lacking = self._without_room(office, made)

        assert recorded(office, lacking) is True
        assert office.limits.longest_pause == due(office, made)
        assert texts.ROOM_MISSING == office.meeting(made.id).attention

    def test_a_room_that_came_free_is_a_new_wish_and_makes_answers_old(self, office: Office, made: Meeting) -> None:
        lacking = self._without_room(office, made)
        before = office.store.generation()

        assert recorded(office, lacking) is False

        after = office.meeting(made.id)
        assert (lacking.desired_generation + 1, "r1", RoomState.PENDING) == (
            after.desired_generation,
            after.room,
            after.room_state,
        )
        assert before < office.store.generation()

    def _without_room(self, office: Office, made: Meeting) -> Meeting:
        with office.store.begin() as tx:
            tx.meetings.release(made.id, "r1")
        return changed(office, made, room=None, room_state=RoomState.MISSING)

    @pytest.mark.parametrize(
        ("locked", "changes"),
        [
            (False, {}),
            (True, {"conflict": True}),
            (True, {"room": None, "room_state": RoomState.MISSING}),
            (False, {"conflict": True, "wanted": False}),
            (False, {"room": None, "room_state": RoomState.MISSING, "wanted": False}),
        ],
    )
    def test_time_and_rooms_are_locked_only_where_they_may_be_taken(
        self, office: Office, made: Meeting, monkeypatch: pytest.MonkeyPatch, locked: bool, changes: dict[str, Any]
    ) -> None:
        taken: list[Any] = []
        monkeypatch.setattr(recording, "lock_site_days", lambda *_asked: taken.append(_asked))

        recorded(office, changed(office, made, **changes))

        assert locked == bool(taken)

    def test_what_stands_beside_her_event_is_never_in_conflict_with_it(self, office: Office, made: Meeting) -> None:
        office.event("anna", at(9))
        office.sync(NOW)
        with office.store.begin() as tx:
            note = replace(made, beside="key:uid")
            assert note is _reassessed(tx, note, ground(office))
            assert _reassessed(tx, made, ground(office)).conflict


class TestConcluded:
    def concluded(self, office: Office, meeting: Meeting) -> None:
        with office.store.begin() as tx:
            conclude(tx, meeting)

    def test_what_is_over_owes_nothing_any_more(self, office: Office, made: Meeting) -> None:
        owing = changed(office, made, attempts=2, owed_since=NOW, applied_generation=1, attention="Lags.")

        self.concluded(office, owing)

        after = office.meeting(made.id)
        assert (0, None, "Lags.") == (after.attempts, after.owed_since, after.attention)
        assert due(office, made) is None

    @pytest.mark.parametrize(
        ("told", "changes"),
        [
            (texts.NEVER_WRITTEN, {"applied_generation": 0}),
            (None, {"applied_generation": 1}),
            (None, {"applied_generation": 0, "beside": "key:uid"}),
        ],
    )
    def test_what_was_never_written_is_told(
        self, office: Office, made: Meeting, told: str | None, changes: dict[str, Any]
    ) -> None:
        self.concluded(office, changed(office, made, **changes))

        assert told == office.meeting(made.id).attention

    def test_what_is_wished_otherwise_meanwhile_or_unknown_is_left_alone(self, office: Office, made: Meeting) -> None:
        with office.store.begin() as tx:
            wish = desire(tx, made, NOW)

        self.concluded(office, made)
        self.concluded(office, replace(made, id="nobody"))

        assert wish == office.meeting(made.id)


class TestFollowed:
    @pytest.fixture
    def made(self, office: Office) -> Meeting:
        """A meeting that stands in its calendars."""
        booked = office.book(at(9)).meeting
        office.settle(NOW, passes=1)
        return office.meeting(booked.id)

    def moved(self, office: Office, made: Meeting, hour: int = 13) -> Moved:
        office.calendar.edit("anna", made.uid, interval=Interval.at(at(hour), 45))
        [entry] = office.entries("anna", made)
        return Moved("anna", Interval.at(at(hour), 45), entry)

    def known(self, office: Office, made: Meeting) -> dict[str, EntryRecord]:
        with office.store.read() as tx:
            return {one.mailbox: one for one in tx.meetings.entries(made.id)}

    def test_a_move_is_a_new_wish_that_knows_what_stands_there(self, office: Office, made: Meeting) -> None:
        verdict = self.moved(office, made)
        was = self.known(office, made)["anna"]

        assert followed(office, made, verdict) is True

        after = office.meeting(made.id)
        assert (made.desired_generation + 1, verdict.interval) == (after.desired_generation, after.interval)
        assert seen(was, verdict.entry) == self.known(office, made)["anna"] != was
        assert [BookingState.PENDING] == states(office, made)
        assert followed(office, made, verdict) is False, "it was wished otherwise meanwhile"
        assert followed(office, replace(made, id="nobody"), verdict) is False

    def test_a_move_onto_another_meeting_says_so_at_once(self, office: Office, made: Meeting) -> None:
        office.book(at(13), form=Form.PHONE)

        followed(office, made, self.moved(office, made))

        after = office.meeting(made.id)
        assert (True, texts.CONFLICT) == (after.conflict, after.attention)
        followed(office, after, self.moved(office, made, 11))
        assert (False, None) == (office.meeting(made.id).conflict, office.meeting(made.id).attention)

    def test_a_note_that_was_moved_is_put_beside_her_event_again(self, office: Office, made: Meeting) -> None:
        note = changed(office, made, beside="key:uid")
        verdict = self.moved(office, note)

        assert followed(office, note, verdict) is True

        after = office.meeting(made.id)
        assert (made.desired_generation + 1, made.interval) == (after.desired_generation, after.interval)
        assert verdict.entry.digest == self.known(office, made)["anna"].digest

    def test_a_room_that_was_taken_makes_bookings_wait_again(self, office: Office, made: Meeting) -> None:
        assert followed(office, made, RoomTaken("r1")) is True

        after = office.meeting(made.id)
        assert ("r2", RoomState.PENDING) == (after.room, after.room_state)
        assert [BookingState.PENDING] == states(office, made)

    def test_a_newer_entry_and_a_withdrawal_are_carried_out(self, office: Office, made: Meeting) -> None:
        [entry] = office.entries("anna", made)

        assert followed(office, made, Newer("anna", 7, made.interval, entry)) is True
        adopted = office.meeting(made.id)
        assert (8, texts.RESTORED) == (adopted.desired_generation, adopted.attention)
        assert followed(office, adopted, Withdrawn("anna")) is True
        assert ([BookingState.CANCELLED], False) == (states(office, made), office.meeting(made.id).wanted)

    @pytest.mark.parametrize(
        ("told", "changes"), [(texts.RESTORED, {}), (None, {"wanted": False}), (None, {"beside": "key:uid"})]
    )
    def test_that_the_database_was_restored_is_told_of_meetings_that_are_to_be(
        self, office: Office, made: Meeting, told: str | None, changes: dict[str, Any]
    ) -> None:
        [entry] = office.entries("anna", made)
        elsewhere = Interval.at(at(13), 45)

        followed(office, changed(office, made, **changes), Newer("anna", 7, elsewhere, entry))

        after = office.meeting(made.id)
        assert (told, elsewhere if told else made.interval) == (after.attention, after.interval)

    def test_a_note_that_its_person_removed_is_dismissed_and_nobody_is_told(
        self, office: Office, made: Meeting
    ) -> None:
        note = changed(office, made, beside="key:uid")

        followed(office, note, Withdrawn("anna"))

        with office.store.read() as tx:
            last = list(tx.session.execute(select(AuditRow.actor, AuditRow.action).order_by(AuditRow.id)))[-1]
        assert ("calendar:anna", "mark.dismissed") == tuple(last)
        assert [BookingState.CONFIRMED] == states(office, made)

    def test_nothing_is_followed_when_the_brake_does_not_allow_it(self, office: Office, made: Meeting) -> None:
        office.limits = replace(office.limits, outward=0)

        assert followed(office, made, self.moved(office, made)) is False
        assert made == office.meeting(made.id)

    def test_what_a_calendar_knows_of_is_remembered_though_it_is_not_to_stand_there(
        self, office: Office, made: Meeting
    ) -> None:
        [entry] = office.entries("anna", made)

        followed(office, made, Newer("bo", 7, None, entry))

        assert (False, entry.key) == (self.known(office, made)["bo"].wanted, self.known(office, made)["bo"].key)

    @pytest.mark.parametrize(
        ("overlaps", "busy"),
        [(True, BusyType.BUSY), (False, BusyType.FREE), (False, BusyType.UNAVAILABLE)],
    )
    def test_closed_hours_and_free_time_are_no_conflict(
        self, office: Office, made: Meeting, overlaps: bool, busy: BusyType
    ) -> None:
        office.calendar.put("anna", "x", [Occurrence("x", None, made.interval, busy)])
        office.sync(NOW)

        with office.store.read() as tx:
            assert overlaps == overlapped(tx, made, office.rulebook)
            assert overlapped(tx, replace(made, beside="key:uid"), office.rulebook) is False, "it stands beside one"

    def test_a_room_is_asked_again_twice_when_it_may_have_meant_our_earlier_entry(
        self, office: Office, made: Meeting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left, contested = True, False
        monkeypatch.setattr(turns, "left", lambda *_: left)
        monkeypatch.setattr(turns, "contested", lambda *_: contested)

        def asked(now: datetime = NOW, meeting: Meeting = made) -> bool:
            with office.store.begin() as tx:
                return _own_fault(tx, meeting, now)

        left = False
        assert asked() is False
        left, contested = True, True
        assert asked() is False
        contested = False
        assert [True, True, False] == [asked(), asked(), asked()]
        assert asked(meeting=replace(made, interval=Interval.at(at(13), 45))) is True, "another time is asked anew"
        assert asked(NOW + timedelta(days=14)) is False
        assert asked(NOW + timedelta(days=14, seconds=1)) is True

    @pytest.mark.parametrize(("declined", "room"), [(True, "r1"), (False, "r2")])
    def test_a_no_that_meant_our_earlier_entry_is_asked_for_anew(
        self, office: Office, made: Meeting, monkeypatch: pytest.MonkeyPatch, declined: bool, room: str
    ) -> None:
        monkeypatch.setattr(turns, "left", lambda *_: True)

        assert followed(office, made, RoomTaken("r1", declined=declined)) is True

        after = office.meeting(made.id)
        assert (made.desired_generation + 1, room) == (after.desired_generation, after.room)

    def test_a_hold_that_ran_out_does_not_keep_a_room_from_a_note_that_asks_for_one(
        self, migrated_sqlite_url: str
    ) -> None:
        office = Office.open(migrated_sqlite_url, directory=town.directory(rooms=("r1",)))
        meeting = replace(
            office.book(at(9), form=Form.PHONE).meeting, beside="key:uid", asks=town.offer().room, form=Form.IN_PERSON
        )
        office.hold(at(13), "bo")
        later = Ground(office.directory, office.rulebook, office.limits, NOW + 11 * MINUTE)

        def placed(tx: Tx) -> Meeting:
            return following.placed(tx, replace(meeting, interval=Interval.at(at(13), 45)), later)

        assert "r1" == office.store.run(placed).room
        office.store.close()


def trace(mailbox: str, meeting: str, generation: int) -> Trace:
    return Trace(mailbox, f"key-{mailbox}", Interval.at(at(9), 45), Stamp("here", meeting, generation, ""))


def adopted(office: Office, *found: Trace) -> Meeting:
    """The meeting that was taken up, while nothing was due and a person had been asked whose it is."""
    about = f"meeting:{found[0].stamp.meeting}"
    with office.store.begin() as tx:
        tx.session.execute(update(MeetingRow).values(due=None))
        tx.tasks.raise_(TaskKind.ENTRY_WITHOUT_MEETING, about, {"room": "r1", "when": "", "reference": ""}, NOW)
        left = adopt(tx, found, ground(office))
    assert left is not None
    return left


def noted(office: Office, meeting: Meeting) -> dict[str, tuple[bool, str]]:
    with office.store.read() as tx:
        return {one.mailbox: (one.wanted, one.key or "") for one in tx.meetings.entries(meeting.id)}


def asked_still(office: Office) -> int:
    with office.store.read() as tx:
        return len(tx.tasks.waiting(TaskKind.ENTRY_WITHOUT_MEETING))


@pytest.mark.parametrize(("ahead", "whose"), [(0, "anna"), (1, "bo")])
def test_an_entry_elsewhere_moves_a_known_meeting_only_when_it_is_newer(
    office: Office, made: Meeting, ahead: int, whose: str
) -> None:
    left = adopted(office, trace("bo", made.id, made.desired_generation + ahead))
    at_once = due(office, made)

    assert whose == left.caseworker
    assert (whose == "bo", "key-bo") == noted(office, made)["bo"]
    assert 1 - ahead == asked_still(office)
    assert at_once is not None
    assert at_once <= timedelta(0)


def test_a_meeting_that_is_to_go_is_not_brought_back_by_a_newer_entry_elsewhere(office: Office, made: Meeting) -> None:
    changed(office, made, wanted=False)
    left = adopted(office, trace("bo", made.id, made.desired_generation + 1))

    assert ("anna", False) == (left.caseworker, left.wanted)


def test_what_stood_beside_an_event_and_is_not_known_goes(office: Office) -> None:
    left = adopted(office, trace("anna", "beside-x", 3))
    at_once = due(office, left)

    with office.store.read() as tx:
        stored = tx.meetings.get(left.id)

    assert stored is not None
    assert (False, 4) == (stored.wanted, stored.desired_generation)
    assert {"anna": (False, "key-anna")} == noted(office, left)
    assert at_once is not None
    assert at_once <= timedelta(0)


def test_an_unknown_meeting_is_taken_up_as_it_stands_with_its_room_or_without(office: Office) -> None:
    alone, housed = (
        adopted(office, trace("anna", "new-1", 2)),
        adopted(office, trace("bo", "new-2", 2), trace("r1", "new-2", 2)),
    )

    assert (None, RoomState.NONE, 3) == (alone.room, alone.room_state, alone.desired_generation)
    assert ("r1", RoomState.PENDING) == (housed.room, housed.room_state)
    assert {"bo": (True, "key-bo"), "r1": (True, "key-r1")} == noted(office, housed)
    assert 0 == asked_still(office)
