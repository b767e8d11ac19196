"""Small print of the booking code that needs no database: pauses, sentences, limits, drafts; value by value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from syncd.booking import texts
from syncd.booking.adopt import Trace, _as_found, _unknown, _zone
from syncd.booking.allowed import in_time, known_topic, may_cancel, may_move
from syncd.booking.follow import _joined, with_room
from syncd.booking.handover import Choice, Done, Handover, accepted
from syncd.booking.proposals import Affected, Proposal, Remedy, propose
from syncd.booking.reconcile import Facts, Look, Reconciler, _about
from syncd.booking.record import _attention, _counted, _in_vain, _lagging, _linked, _pause
from syncd.booking.sight import Decision, Limits, Withdrawn
from syncd.booking.steps import Acted, Told, draft, places
from syncd.booking.take import Taken, Wish, _asked, about, local_days, moved_meeting, new_meeting
from syncd.errors import BadRequest, NotAllowed, OutcomeUnknown, SlotGone, Throttled, Transient, VersionConflict
from syncd.model.booking import Booking, BookingState, EntryRecord, Meeting, RoomState
from syncd.model.busy import Stamp
from syncd.model.eligibility import Whom
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from tests.simulation import town
from tests.simulation.town import NOW, at

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DIRECTORY = town.directory()
BOXES = DIRECTORY.mailboxes


def a_meeting(**changes: Any) -> Meeting:
    values: dict[str, Any] = {
        "id": "abcd1234", "uid": "abcd1234@syncd", "offer": "talk", "form": Form.IN_PERSON, "caseworker": "anna",
        "room": "r1", "room_state": RoomState.PENDING, "interval": Interval.at(at(9), 45), "zone": town.ZONE,
        "before": 0, "after": 0, "wanted": True, "desired_generation": 2, "applied_generation": 1,
    }  # fmt: skip
    return Meeting(**(values | changes))


def acted(*errors: Exception) -> Acted:
    return Acted((), 0, dict(zip(("anna", "r1"), errors, strict=False)))  # type: ignore[arg-type]  # any error does


def a_booking(state: BookingState = BookingState.CONFIRMED, **more: Any) -> Booking:
    return Booking("b", "abcd1234", "portal", state, NOW, "c", **more)


LOST, AWAY = OutcomeUnknown("Lost."), Transient("Away.")
BEHIND, WAITING = Decision(behind=True), Decision(waiting=True)


@pytest.mark.parametrize(
    ("seconds", "attempts", "decision", "done"),
    [
        (3.75, 0, Decision(), acted()),
        (7.5, 1, Decision(), acted()),
        (675, 30, Decision(), acted()),
        (5, 2, Decision(), acted(LOST)),
        (5, 2, Decision(), acted(VersionConflict("Another one."))),
        (30, 3, Decision(), acted(LOST)),
        (5, 59, BEHIND, acted()),
        (675, 60, BEHIND, acted()),
        (15, 2, BEHIND, acted(AWAY)),
        (60, 0, WAITING, acted()),
        (3.75, 0, WAITING, acted(AWAY)),
        (120, 0, Decision(), acted(AWAY, Throttled("Slow down.", 120))),
        (675, 20, Decision(), acted(Throttled("Slow down.", 120))),
    ],
)
def test_the_pause_until_the_next_look(seconds: float, attempts: int, decision: Decision, done: Acted) -> None:
    meeting = a_meeting(attempts=attempts)

    assert timedelta(seconds=seconds) == _pause(meeting, decision, done, Limits(), 0.5)


@pytest.mark.parametrize(
    ("seconds", "attempts", "chance"), [(0.5, 0, 0.0), (0.75, 0, 0.5), (32_768, 16, 0.0), (32_768, 17, 0.0)]
)
def test_pauses_grow_from_half_the_first_one_and_no_more_after_sixteen_tries(
    seconds: float, attempts: int, chance: float
) -> None:
    limits = Limits(first_pause=SECOND, longest_pause=timedelta(days=9))

    assert timedelta(seconds=seconds) == _pause(a_meeting(attempts=attempts), Decision(), acted(), limits, chance)


@pytest.mark.parametrize(
    ("told", "meeting", "done"),
    [
        (texts.SHOULD_BE_GONE, a_meeting(wanted=False), acted(AWAY)),
        (texts.lagging("Away."), a_meeting(), acted(AWAY, LOST)),
        (texts.lagging(texts.NOT_SEEN), a_meeting(), acted()),
    ],
)
def test_what_a_person_is_told_of_calendars_that_lag(told: str, meeting: Meeting, done: Acted) -> None:
    assert told == _lagging(meeting, done)


@pytest.mark.parametrize(
    ("told", "meeting", "said"),
    [
        (None, a_meeting(), ()),
        (None, a_meeting(attention=texts.CONFLICT), ()),
        ("This.", a_meeting(attention="That."), ("This.",)),
        (texts.CONFLICT, a_meeting(conflict=True), ()),
        (None, a_meeting(conflict=True, wanted=False), ()),
        (texts.ROOM_MISSING, a_meeting(room_state=RoomState.MISSING), ()),
        (None, a_meeting(room_state=RoomState.MISSING, wanted=False), ()),
        (f"This. {texts.RESTORED}", a_meeting(attention=f"That. {texts.RESTORED}"), ("This.",)),
    ],
)
def test_attention_says_what_is_so_now_and_keeps_what_lasts(
    told: str | None, meeting: Meeting, said: tuple[str, ...]
) -> None:
    assert told == _attention(meeting, said)


@pytest.mark.parametrize(
    ("counted", "before", "repairs"),
    [((7, 2), (7, 2), 0), ((20_780, 1), (7, 2), 1), ((20_780, 5), (20_780, 3), 2)],
)
def test_repairs_are_counted_by_the_day(counted: tuple[int, int], before: tuple[int, int], repairs: int) -> None:
    meeting = _counted(a_meeting(rewrites_day=before[0], rewrites=before[1]), repairs, NOW)

    assert counted == (meeting.rewrites_day, meeting.rewrites)


@pytest.mark.parametrize(
    ("vain", "since", "attention"),
    [
        (False, None, None),
        (False, NOW - 3 * MINUTE + SECOND, None),
        (True, NOW - 3 * MINUTE, None),
        (True, NOW, f"This. {texts.NO_LINK}"),
        (False, NOW, "This."),
    ],
)
def test_a_link_is_waited_for_three_minutes_and_only_once(vain: bool, since: Any, attention: str | None) -> None:
    ground: Any = type("Now", (), {"now": NOW, "limits": Limits()})

    assert vain is _in_vain(a_meeting(owed_since=since, attention=attention), ground)


@pytest.mark.parametrize(
    ("link", "records"),
    [
        ("old", ()),
        ("old", (EntryRecord("r1", wanted=True, link="room's"),)),
        (None, (EntryRecord("anna", wanted=True, link=""),)),
        ("last", (EntryRecord("anna", wanted=True, link="first"), EntryRecord("anna", wanted=True, link="last"))),
    ],
)
def test_the_link_is_the_one_that_its_caseworkers_calendar_has_now(
    link: str | None, records: tuple[EntryRecord, ...]
) -> None:
    assert link == _linked(a_meeting(link="old"), records).link


def test_a_meeting_with_another_room_waits_for_its_answer_and_one_without_is_told_once() -> None:
    meeting = a_meeting(note="Only r2 was free.", attention=f"{texts.RESTORED}")
    with_one, without = with_room(meeting, "r2"), with_room(meeting, None)

    assert ("r2", RoomState.PENDING, None) == (with_one.room, with_one.room_state, with_one.note)
    assert (None, RoomState.MISSING, None) == (without.room, without.room_state, without.note)
    assert f"{texts.RESTORED} {texts.ROOM_MISSING}" == without.attention
    assert "One. Two." == _joined("One.", None, "", "Two.", "One.")


@pytest.mark.parametrize(
    ("housed", "homeless", "before"),
    [
        (None, texts.ROOM_MISSING, None),
        (None, texts.ROOM_MISSING, texts.ROOM_MISSING),
        (texts.CONFLICT, f"{texts.CONFLICT} {texts.ROOM_MISSING}", f"{texts.CONFLICT} {texts.ROOM_MISSING}"),
        (texts.CONFLICT, f"{texts.CONFLICT} {texts.ROOM_MISSING}", f"{texts.ROOM_MISSING} {texts.CONFLICT}"),
    ],
)
def test_that_a_room_is_missing_is_said_once_and_only_while_it_is_so(
    housed: str | None, homeless: str, before: str | None
) -> None:
    meeting = a_meeting(attention=before)

    assert (housed, homeless) == (with_room(meeting, "r2").attention, with_room(meeting, None).attention)
    assert homeless == with_room(with_room(meeting, None), None).attention


def test_texts_of_several_sentences_are_joined_without_repeating_one_of_them() -> None:
    assert "One. Two. Three." == _joined("One. Two.", "Two.", "Three.", "One.")
    assert "" == _joined(None, "")


@pytest.mark.parametrize(
    ("stands", "meeting"),
    [
        ((), a_meeting(wanted=False)),
        (("anna", "r1"), a_meeting()),
        (("anna", "bo"), a_meeting(room=None, partners=("bo",))),
    ],
)
def test_where_a_meeting_stands(stands: tuple[str, ...], meeting: Meeting) -> None:
    assert stands == places(meeting)


@pytest.mark.parametrize(("unknown", "error"), [(True, LOST), (True, VersionConflict("")), (False, AWAY)])
def test_what_must_be_looked_up_before_anything_is_tried_again(unknown: bool, error: Exception) -> None:
    assert unknown is acted(AWAY, error).unknown


class TestDrafts:
    def of(self, meeting: Meeting, mailbox: str = "anna", told: Told | None = None, **more: Any) -> Any:
        return draft(
            meeting, BOXES[mailbox], more.pop("directory", DIRECTORY), {"da": "Samtale"}, "i", (), **more, told=told
        )

    def test_a_room_learns_nothing_but_that_it_is_taken(self) -> None:
        seen = self.of(a_meeting(), "r1")

        assert (texts.ROOM_SUBJECT, "", "", None) == (seen.summary, seen.description, seen.location, seen.room)

    @pytest.mark.parametrize(
        ("online", "form", "mailbox", "number"),
        [
            (True, Form.VIDEO, "anna", ""),
            (False, Form.VIDEO, "bo", ""),
            (False, Form.PHONE, "anna", ""),
            (True, Form.VIDEO, "anna", "12345678"),
        ],
    )
    def test_a_link_is_asked_for_on_the_caseworkers_own_entry_of_a_meeting_by_video(
        self, online: bool, form: Form, mailbox: str, number: str
    ) -> None:
        assert online is self.of(a_meeting(form=form, room=None, partners=("bo",)), mailbox, number=number).online

    def test_no_link_is_asked_for_where_the_caseworker_has_one(self) -> None:
        people = {"anna": replace(DIRECTORY.caseworkers["anna"], video="https://video.example.org/anna")}
        fixed = replace(DIRECTORY, caseworkers={**DIRECTORY.caseworkers, **people})
        seen = self.of(a_meeting(form=Form.VIDEO, room=None), directory=fixed)

        assert not seen.online
        assert "https://video.example.org/anna" in seen.description

    @pytest.mark.parametrize(("named", "form"), [(True, Form.PHONE), (False, Form.IN_PERSON)])
    def test_a_number_is_named_in_a_talk_by_telephone_only(self, named: bool, form: Form) -> None:
        assert named is ("12345678" in self.of(a_meeting(form=form), number="12345678").description)

    def test_the_room_before_is_named(self) -> None:
        assert "2.r2" in self.of(a_meeting(), told=Told(announced=True, before="r2")).description
        assert "2.r2" not in self.of(a_meeting(), told=Told(announced=True)).description

    def test_no_room_is_invited_while_the_old_one_is_given_back(self) -> None:
        assert None is self.of(a_meeting(), told=Told(changing=True)).room
        assert None is self.of(a_meeting(room=None)).room


class TestWhatCitizensMay:
    START = at(9)

    @pytest.mark.parametrize(
        ("wrong", "move", "early", "moves", "state"),
        [
            (None, None, 60 * MINUTE + SECOND, 0, BookingState.CONFIRMED),
            (None, None, 60 * MINUTE + SECOND, 1, BookingState.PENDING),
            ("too late", None, 60 * MINUTE, 0, BookingState.CONFIRMED),
            (None, 30, 31 * MINUTE, 0, BookingState.CONFIRMED),
            ("too late", 90, 61 * MINUTE, 0, BookingState.CONFIRMED),
            ("moved 2 times", None, 61 * MINUTE, 2, BookingState.CONFIRMED),
            ("is held", None, 61 * MINUTE, 0, BookingState.HELD),
        ],
    )
    def test_a_booking_is_moved_in_time_and_so_often(
        self, wrong: str | None, move: int | None, early: timedelta, moves: int, state: BookingState
    ) -> None:
        offer = town.offer(cancel_notice=60, move_notice=move, moves=2)
        self.judged(wrong, lambda: may_move(a_booking(state, moves=moves), a_meeting(), offer, self.START - early))

    def test_a_booking_is_moved_as_often_as_one_likes_where_nothing_is_said(self) -> None:
        may_move(a_booking(moves=99), a_meeting(), town.offer(), NOW)

    @pytest.mark.parametrize(
        ("wrong", "offer", "early"),
        [
            (None, town.offer(cancel_notice=60), 60 * MINUTE + SECOND),
            ("too late", town.offer(cancel_notice=60), 60 * MINUTE),
            ("cannot be cancelled", town.offer(cancellable=False), 600 * MINUTE),
            (None, None, SECOND),
            ("too late", None, 0 * SECOND),
        ],
    )
    def test_a_booking_is_given_up_in_time(self, wrong: str | None, offer: Any, early: timedelta) -> None:
        self.judged(wrong, lambda: may_cancel(a_booking(), a_meeting(), offer, self.START - early))

    @pytest.mark.parametrize(("wrong", "end"), [(None, 0), ("after 2026-11-24", 1)])
    def test_a_meeting_ends_by_the_last_day_asked_for(self, wrong: str | None, end: int) -> None:
        # Midnight in Copenhagen is 23:00 UTC.
        span = Interval(at(22, day=24), at(23, day=24) + end * SECOND)
        wish = Wish(town.offer(), Form.PHONE, span, "m", whom=Whom(latest=date(2026, 11, 24)))
        self.judged(wrong, lambda: in_time(DIRECTORY, wish))

    @pytest.mark.parametrize(("wrong", "topic"), [(None, ""), (None, "Job"), ("are: Job, CV", "Other")])
    def test_a_topic_is_one_of_the_offers(self, wrong: str | None, topic: str) -> None:
        self.judged(wrong, lambda: known_topic(town.offer(topics=("Job", "CV")), topic))

    def judged(self, wrong: str | None, deed: Any) -> None:
        if wrong is None:
            deed()
            return
        with pytest.raises((NotAllowed, BadRequest), match=wrong):
            deed()


class TestWhatIsTakenUp:
    TRACE = Trace("r1", "k", Interval.at(at(9), 45), Stamp("i", "abcd1234", 3, ""))

    @pytest.mark.parametrize(("zone", "mailbox"), [(town.ZONE, "anna"), (town.ZONE, "r1"), ("UTC", "nobody")])
    def test_its_zone_is_that_of_the_calendars_owner(self, zone: str, mailbox: str) -> None:
        assert zone == _zone(replace(self.TRACE, mailbox=mailbox), DIRECTORY)

    def test_nothing_is_known_of_it_but_its_time(self) -> None:
        meeting = _unknown(self.TRACE, "UTC")

        assert (0, 0, 0, 0) == (meeting.before, meeting.after, meeting.desired_generation, meeting.applied_generation)
        assert (True, "", Form.PHONE, None) == (meeting.wanted, meeting.offer, meeting.form, meeting.room)

    def test_it_is_wanted_again_as_the_calendar_has_it(self) -> None:
        found = _as_found(a_meeting(wanted=False, caseworker="bo"), self.TRACE)

        assert (True, "r1", None, RoomState.NONE) == (found.wanted, found.caseworker, found.room, found.room_state)
        assert texts.RESTORED_UNKNOWN == found.attention


A_DAY_BEFORE = Slot(Interval.at(at(9, day=25), 45), "bo", Form.IN_PERSON)
A_DAY_LATER = Slot(Interval.at(at(9, day=27), 45), "bo", Form.IN_PERSON)


class TestHandover:
    def test_a_proposal_is_taken_as_it_is(self) -> None:
        proposal = Proposal(Affected(a_meeting()), Remedy.NEW_TIME, "bo", at(11), call=False)

        assert Choice("abcd1234", Remedy.NEW_TIME, "bo", at(11)) == accepted(proposal)

    @pytest.mark.parametrize(
        ("remedy", "call", "early", "more"),
        [
            (Remedy.COLLEAGUE, False, timedelta(days=2), {"colleagues": ("bo",)}),
            (Remedy.COLLEAGUE, False, timedelta(days=1), {"colleagues": ("bo",)}),
            (Remedy.COLLEAGUE, True, timedelta(days=1) - SECOND, {"colleagues": ("bo",)}),
            (Remedy.PHONE, True, timedelta(days=1) - SECOND, {"by_phone": ("bo",)}),
            (Remedy.CANCEL, False, timedelta(days=1), {}),
            (Remedy.CANCEL, True, timedelta(days=1) - SECOND, {}),
            (Remedy.NEW_TIME, False, timedelta(days=2), {"times": (A_DAY_BEFORE,)}),
            (Remedy.NEW_TIME, True, timedelta(days=2) - SECOND, {"times": (A_DAY_BEFORE,)}),
            (Remedy.NEW_TIME, True, timedelta(days=1) - SECOND, {"times": (A_DAY_LATER,)}),
            (Remedy.NEW_TIME, False, timedelta(days=1), {"times": (A_DAY_LATER,)}),
        ],
    )
    def test_the_citizen_is_called_when_the_old_or_the_new_time_is_less_than_a_day_ahead(
        self, remedy: Remedy, call: bool, early: timedelta, more: dict[str, Any]
    ) -> None:
        meeting = a_meeting(interval=Interval.at(at(9, day=26), 45))

        [proposal] = propose([Affected(meeting, **more)], at(9, day=26) - early)

        assert (remedy, call) == (proposal.remedy, proposal.call)

    def test_nobody_is_proposed_for_what_touches_another_proposals_buffers(self) -> None:
        first = a_meeting(id="1", after=15)
        beside, apart = Interval.at(at(9, 59), 45), Interval.at(at(10), 45)
        for interval, remedy in ((beside, Remedy.CANCEL), (apart, Remedy.COLLEAGUE)):
            second = a_meeting(id="2", interval=interval)
            found = propose([Affected(second, ("bo",)), Affected(first, ("bo",))], NOW)

            assert [("1", Remedy.COLLEAGUE), ("2", remedy)] == [(one.meeting.id, one.remedy) for one in found]

    @pytest.mark.parametrize(("said", "error"), [(None, None), ("Not free.", SlotGone("Not free."))])
    def test_what_was_refused_is_a_sentence(self, said: str | None, error: Any) -> None:
        assert said == Done(Choice("m", Remedy.CANCEL), error, call=False).refused

    @pytest.mark.parametrize(
        ("change", "choice"),
        [
            ("er aflyst", Choice("m", Remedy.CANCEL)),
            ("holdes nu af Bo", Choice("m", Remedy.COLLEAGUE, "bo")),
            ("holdes nu som telefonsamtale med Anna", Choice("m", Remedy.PHONE, "anna")),
            ("er flyttet til 24.11.2026 12:00 hos Bo", Choice("m", Remedy.NEW_TIME, "bo", at(11))),
            ("er flyttet til 24.11.2026 10:00 hos ", Choice("m", Remedy.NEW_TIME)),
        ],
    )
    def test_what_reception_tells_the_citizen(self, change: str, choice: Choice) -> None:
        handover: Any = Handover.__new__(Handover)
        handover._directory = lambda: DIRECTORY

        assert change == handover._changed(a_meeting(), choice)["change"]


class TestTaking:
    WISH = Wish(town.offer(before=5, after=10), Form.IN_PERSON, Interval.at(at(9), 45), "m")

    def test_a_refusal_says_what_was_asked(self) -> None:
        asked = {"offer": "talk", "start": "2026-11-24T09:00:00Z", "form": "in-person"}

        assert asked == about(a_meeting()) == _asked(self.WISH, ["anna", "bo"]) == _asked(self.WISH, [])
        assert asked | {"caseworker": "bo"} == _asked(self.WISH, ["bo"])

    def test_a_new_meeting_stands_nowhere_yet(self) -> None:
        made = new_meeting(DIRECTORY, self.WISH, Taken("anna", "r1", (), ("bo",)))

        assert (False, 0, 0) == (made.wanted, made.desired_generation, made.applied_generation)
        assert (5, 10, RoomState.PENDING, ("bo",)) == (made.before, made.after, made.room_state, made.partners)
        assert RoomState.NONE is new_meeting(DIRECTORY, self.WISH, Taken("anna", None, ())).room_state

    def test_a_moved_meeting_keeps_its_name_and_what_is_owed(self) -> None:
        before = a_meeting(rewrites_day=7, rewrites=2, owed_since=NOW, attention="This.", conflict=True)
        moved = moved_meeting(
            DIRECTORY, before, replace(self.WISH, interval=Interval.at(at(11), 45)), Taken("bo", None, ())
        )

        assert (before.uid, True, 2, 1) == (moved.uid, moved.wanted, moved.desired_generation, moved.applied_generation)
        assert (7, 2, NOW, None, False) == (
            moved.rewrites_day,
            moved.rewrites,
            moved.owed_since,
            moved.attention,
            moved.conflict,
        )

    def test_local_days_are_whole_and_all_that_are_touched(self) -> None:
        night = Interval(at(21), at(23) + 90 * MINUTE)

        assert Interval(at(23, day=23), at(23, day=25)) == local_days(night, town.ZONE)

    @pytest.mark.parametrize(("people", "partners"), [({"bo", "kai"}, (("bo",), ("bo", "kai"))), (set(), ())])
    def test_helpers_are_all_who_may_fill_a_role(self, people: set[str], partners: Any) -> None:
        assert people == replace(self.WISH, offer=town.offer(partners=partners)).helpers


class TestLooking:
    def node(self, alive: bool = True, elapsed: float = 0.0) -> Reconciler:
        made = Reconciler.__new__(Reconciler)
        made._node = type("Node", (), {"alive": lambda _s: alive, "elapsed": lambda _s: elapsed})()
        return made

    @pytest.mark.parametrize(
        ("may", "alive", "elapsed"), [(True, True, 9.9), (False, True, 10.0), (False, False, 0.0), (False, False, 11.0)]
    )
    def test_a_look_writes_while_its_lease_lasts_and_its_node_lives(
        self, may: bool, alive: bool, elapsed: float
    ) -> None:
        assert may is self.node(alive, elapsed)._may_write(Look("m", 1, 10.0))

    def test_who_looks_without_a_lease_may_write(self) -> None:
        assert self.node(alive=False)._may_write(None)

    def test_the_title_names_what_citizens_chose_to_talk_about(self) -> None:
        assert {"da": "Samtale: CV, Job"} == _about({"da": "Samtale"}, ("CV", "Job"))
        assert {"da": "Samtale"} == _about({"da": "Samtale"}, ())

    def test_facts_say_nothing_of_a_room_by_themselves(self) -> None:
        facts = Facts(a_meeting(), (), frozenset(), (), (), "", "i", stopped=False)

        assert (False, Told(announced=False, before=None, changing=False)) == (facts.behind, facts.told)
        assert Acted((), 0, {}).linkless is False
        assert not Decision(verdict=Withdrawn("anna")).complete


@pytest.mark.parametrize("category", ["", "Selvbooking"])
def test_a_talk_has_the_category_of_the_house_and_none_where_the_house_has_none(category: str) -> None:
    house = replace(DIRECTORY, category=category)
    written = draft(a_meeting(), BOXES["anna"], house, {"da": "Samtale"}, "here")

    assert ((category,) if category else ()) == written.categories
