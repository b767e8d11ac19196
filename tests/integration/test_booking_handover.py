"""Meetings change hands: proposals by the rules, decisions by people, calendars follow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from syncd.booking.away import Away
from syncd.booking.handover import Choice, Handover, accepted
from syncd.booking.proposals import Remedy
from syncd.booking.watch import Watch, Why
from syncd.errors import CalendarUnknown, NotAllowed, SlotGone, UnknownBooking, UnknownCaseworker
from syncd.model.booking import BookingState, RoomState
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store.instants import epoch
from syncd.store.tables import AuditRow, MailboxRow
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at
from tests.unit.publishing import Town

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


@pytest.fixture
def away(office: Office) -> Away:
    return Away(office.store, office.publisher, lambda: office.directory)


def tasks(office: Office) -> dict[str, str]:
    with office.store.read() as tx:
        return {task.kind.value: task.da for task in tx.tasks.waiting()}


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


@pytest.fixture
def towns(migrated_url: str) -> Iterator[Town]:
    """A town whose calendars are old after 15 minutes."""
    opened = Town.open(migrated_url)
    yield opened
    opened.store.close()


def lose(town: Town, who: str, how: str, span: Interval) -> None:
    """A calendar is not known any more for the whole of *span*, in one of the ways there are."""
    if how == "old":
        town.now += timedelta(minutes=15)
        town.sync(*(one for one in town.people.mailboxes if one != who))
    elif how == "ends":
        short = update(MailboxRow).where(MailboxRow.id == who).values(covered_end=epoch(span.end) - 1)
        with town.store.begin() as tx:
            tx.session.execute(short)
    else:
        {"never": town.forget, "refused": town.refuse, "odd": town.unreadable}[how](who)


@pytest.mark.parametrize("by_phone", [False, True])
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("never", "has not been read yet"),
        ("refused", "a person must decide"),
        ("odd", "cannot be understood"),
        ("old", "was last read at 2026-11-23 06:30:00 UTC"),
        ("ends", "is not read that far"),
    ],
)
def test_nobody_whose_calendar_is_unknown_gets_a_meeting(towns, how, reason, by_phone):
    made = towns.book("10:00", offer="call") if how == "ends" else towns.book("10:00", form=Form.IN_PERSON)
    handover = Handover(towns.store, towns.publisher, lambda: towns.people)
    taken = made.meeting.interval.padded(timedelta(minutes=made.meeting.before), timedelta(minutes=made.meeting.after))
    lose(towns, "bo", how, taken)

    def seen() -> object:
        with towns.store.read() as tx:
            audited = tx.session.scalars(select(AuditRow.action)).all()
            return tx.meetings.get(made.meeting.id), tx.meetings.claims(made.meeting.id), audited

    before = seen()
    with pytest.raises(CalendarUnknown) as refused:
        handover.hand_over(made.meeting.id, "bo", ACTOR, towns.now, by_phone=by_phone)

    assert before == seen()
    for told in (reason, "Nothing was changed", "try again when", "another colleague", "by telephone", "or cancel"):
        assert told in str(refused.value)
    if how in ("never", "old", "ends"):
        towns.sync("bo")
        assert "bo" == handover.hand_over(made.meeting.id, "bo", ACTOR, towns.now, by_phone=by_phone).caseworker


def test_whoever_has_a_meeting_may_keep_it_by_telephone_while_the_calendar_is_unknown(towns):
    made = towns.book("10:00", form=Form.IN_PERSON)
    towns.refuse("anna")

    handed = Handover(towns.store, towns.publisher, lambda: towns.people).hand_over(
        made.meeting.id, "anna", ACTOR, towns.now, by_phone=True
    )

    assert ("anna", Form.PHONE) == (handed.caseworker, handed.form)


def test_one_unknown_calendar_does_not_stop_the_other_meetings_of_an_absence(towns):
    first, second, third = (towns.book(clock) for clock in ("09:00", "10:00", "11:00"))
    towns.refuse("bo")
    choices = [
        Choice(first.meeting.id, Remedy.COLLEAGUE, "bo"),
        Choice(second.meeting.id, Remedy.COLLEAGUE, "cara"),
        Choice(third.meeting.id, Remedy.CANCEL),
    ]

    done = Handover(towns.store, towns.publisher, lambda: towns.people).carry_out(choices, ACTOR, towns.now)

    assert [True, False, False] == [isinstance(one.error, CalendarUnknown) for one in done]
    assert [False, True, True] == [one.call for one in done]
    with towns.store.read() as tx:
        now = [tx.meetings.get(one.meeting.id) for one in (first, second, third)]
    assert [("anna", True), ("cara", True), ("anna", False)] == [(one.caseworker, one.wanted) for one in now if one]


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


def test_an_absence_gets_a_proposal_for_each_meeting(office, away):
    first, second = office.book(at(9)), office.book(at(12), form=Form.PHONE)
    office.book(at(9, day=25))
    office.event("cara", at(12))
    office.sync(NOW)

    proposals = away.proposals("anna", TUESDAY, NOW)

    assert [first.meeting.id, second.meeting.id] == [one.meeting.id for one in proposals]
    assert ("bo", "cara") == proposals[0].affected.colleagues
    assert ("bo",) == proposals[1].affected.colleagues
    assert [(Remedy.COLLEAGUE, "bo")] * 2 == [(one.remedy, one.to) for one in proposals]
    assert [("bo", "cara"), ()] == [one.affected.by_phone for one in proposals]
    assert not any(one.call for one in proposals)
    assert all(one.call for one in away.proposals("anna", TUESDAY, NOW + timedelta(hours=8)))


def test_nobody_is_proposed_for_two_meetings_at_once(office, away):
    office.rulebook = town.rulebook(town.offer(PEOPLE, step=15))
    made = office.book(at(9), form=Form.PHONE)
    second = office.book(at(9, 30), form=Form.PHONE)
    office.settle(NOW, passes=1)
    office.calendar.edit("anna", second.meeting.uid, interval=Interval.at(at(9, 15), 30))
    office.settle(NOW)

    proposals = away.proposals("anna", TUESDAY, NOW + timedelta(minutes=5))

    assert {made.meeting.id, second.meeting.id} == {one.meeting.id for one in proposals}
    assert 2 == len({one.to for one in proposals})


def test_a_meeting_that_begins_within_the_notice_for_citizens_can_still_be_given_to_a_colleague(office, away):
    office.rulebook = town.rulebook(town.offer(PEOPLE, notice=24 * 60))
    made = office.book(at(9, day=25))

    [proposal] = away.proposals("anna", Interval.at(at(0, day=25), 24 * 60), at(8, day=25))

    assert (made.meeting.id, Remedy.COLLEAGUE) == (proposal.meeting.id, proposal.remedy)


def test_when_nobody_is_free_another_time_is_proposed(office, away):
    made = office.book(at(9))
    for colleague in ("bo", "cara"):
        office.event(colleague, at(8), 8 * 60)
    office.sync(NOW)

    [proposal] = away.proposals("anna", TUESDAY, NOW)
    done = Handover(office.store, office.publisher, lambda: office.directory).carry_out(
        [accepted(proposal)], ACTOR, NOW
    )

    assert (Remedy.NEW_TIME, None) == (proposal.remedy, done[0].refused)
    moved = office.see(made.booking.id)
    assert proposal.start == moved.meeting.interval.start != made.meeting.interval.start
    assert not moved.meeting.interval.overlaps(TUESDAY) or moved.meeting.caseworker != "anna"
    assert (BookingState.PENDING, 0) == (moved.booking.state, moved.booking.moves)


def test_somebody_who_can_be_reached_holds_the_talk_by_telephone_when_nobody_else_can(office, away):
    office.book(at(9))
    office.book(at(12), form=Form.PHONE)
    for colleague in ("bo", "cara"):
        office.event(colleague, at(8), 8 * 60)
    office.sync(NOW)

    [proposal] = away.proposals("anna", TUESDAY, NOW, reachable=True)

    assert (Remedy.PHONE, "anna") == (proposal.remedy, proposal.to)


def test_one_confirmation_carries_all_out_says_what_it_could_not_and_can_be_repeated(office, handover):
    first, second, third = office.book(at(9)), office.book(at(11)), office.book(at(13))
    office.settle(NOW, passes=1)
    choices = [
        Choice(first.meeting.id, Remedy.COLLEAGUE, "bo"),
        Choice(second.meeting.id, Remedy.CANCEL),
        Choice(third.meeting.id, Remedy.PHONE, "cara"),
        Choice("nothing", Remedy.COLLEAGUE, "bo"),
        Choice(first.meeting.id, Remedy.NEW_TIME, "bo"),
    ]

    done = handover.carry_out(choices, ACTOR, NOW)
    assert [one.refused for one in done] == [one.refused for one in handover.carry_out(choices, ACTOR, NOW)]
    office.settle(NOW)

    assert [None, None, None] == [one.refused for one in done[:3]]
    assert "no meeting" in (done[3].refused or "")
    assert "needs its start" in (done[4].refused or "")
    assert [] == office.standing("anna")
    assert [first.meeting.interval] == office.standing("bo")
    assert [third.meeting.interval] == office.standing("cara")
    assert BookingState.CANCELLED is office.see(second.booking.id).booking.state
    assert {} == tasks(office)


def test_changes_within_a_day_ask_reception_to_call(office, handover):
    office.book(at(9))
    made = office.book(at(11))
    office.settle(NOW, passes=1)

    done = handover.carry_out([Choice(made.meeting.id, Remedy.COLLEAGUE, "bo")], ACTOR, at(8))

    assert [True] == [one.call for one in done]
    assert "Ring til borgeren" in tasks(office)["call-citizen"]
    assert "12:00" in tasks(office)["call-citizen"]  # the site's clocks
    Watch(office.store, lambda: office.directory).look(at(11) + timedelta(days=8))
    assert {} == tasks(office)


def test_an_absence_closes_its_time_until_it_is_ended(office):
    held = office.hold(at(10))
    with office.store.begin() as tx:
        absence = tx.absences.add("anna", TUESDAY, reachable=False, actor=ACTOR, now=NOW)

    with pytest.raises(SlotGone):
        office.hold(at(9))
    with pytest.raises(SlotGone):
        office.desk.book(CLIENT, held.booking.id, "late", NOW)
    assert "fraværende" in office.publisher.why("talk", "anna", at(9), NOW, Form.PHONE).says["da"]
    assert office.hold(at(9), "bo")
    with office.store.begin() as tx:
        assert (True, False) == (tx.absences.end(absence.id), tx.absences.end(absence.id))
    assert office.hold(at(9))


def test_a_given_absence_asks_until_each_meeting_has_somebody(office, handover):
    made = office.book(at(9))
    watch = Watch(office.store, lambda: office.directory)
    with office.store.begin() as tx:
        tx.absences.add("anna", TUESDAY, reachable=False, actor=ACTOR, now=NOW)

    assert 1 == watch.look(NOW)
    assert "1 møde har endnu ingen løsning" in tasks(office)["absence-open"]
    handover.hand_over(made.meeting.id, "bo", ACTOR, NOW)
    assert 0 == watch.look(NOW)
    assert {} == tasks(office)


def test_an_out_of_office_entry_that_covers_meetings_suggests_an_absence(office):
    office.book(at(9))
    office.settle(NOW, passes=1)
    watch = Watch(office.store, lambda: office.directory)
    for day in (24, 26):
        gone = Occurrence(f"ooo{day}", None, Interval.at(at(6, day=day), 10 * 60), BusyType.OUT_OF_OFFICE)
        office.calendar.put("anna", f"ooo{day}", [gone])
    office.settle(NOW)

    with office.store.read() as tx:
        [suggested] = watch.suggested(tx, NOW)
    watch.look(NOW)

    assert ("anna", Interval.at(at(6), 600), Why.OUT_OF_OFFICE, 1) == (
        suggested.caseworker,
        suggested.interval,
        suggested.why,
        suggested.meetings,
    )
    assert "fraværende" in tasks(office)["absence-suggested"]
    with office.store.begin() as tx:
        tx.absences.add("anna", suggested.interval, reachable=False, actor=ACTOR, now=NOW)
        assert [] == watch.suggested(tx, NOW)


@pytest.mark.parametrize("how", ["unread", "unconfigured"])
def test_a_calendar_that_vanished_suggests_an_absence_until_the_last_meeting(office, away, how):
    made = office.book(at(9, day=25))
    watch = Watch(office.store, lambda: office.directory)
    if how == "unread":
        with office.store.begin() as tx:
            tx.mailboxes.failed("anna", "There is no calendar at this address.", NOW, NOW)
    else:
        office.directory = town.directory(PEOPLE[1:])
    later = NOW + timedelta(hours=25)
    with office.store.read() as tx:
        [suggested] = watch.suggested(tx, later)
    watch.look(later)

    assert (Why.VANISHED, made.meeting.interval.end, 1) == (suggested.why, suggested.interval.end, suggested.meetings)
    assert "kunnet læses" in tasks(office)["calendar-gone"]
    [proposal] = away.proposals("anna", suggested.interval, later)
    assert (Remedy.COLLEAGUE, "bo") == (proposal.remedy, proposal.to)


def test_a_meeting_that_needs_a_person_becomes_a_task_until_it_does_not(office):
    made = office.book(at(9))
    office.settle(NOW, passes=1)
    watch = Watch(office.store, lambda: office.directory)
    office.event("anna", at(9))
    office.settle(NOW)
    office.reconciler.sweep(NOW)
    office.settle(NOW)

    watch.look(NOW)
    assert "overlapper" in tasks(office)["look-at-meeting"]
    office.calendar.remove("anna", "other")
    office.settle(NOW + timedelta(minutes=20))
    watch.look(NOW)

    assert {} == tasks(office)
    assert not office.meeting(made.meeting.id).conflict
