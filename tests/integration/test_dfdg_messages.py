"""What DFDG tells, in whatever order, is done here (reference/jobnet-planner-contract.md; keys in [])."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from syncd.adapters.dfdg import wire
from syncd.config.dfdg_names import DfdgNames
from syncd.cpr import Cpr
from syncd.dfdg.figures import counted
from syncd.errors import Rejected, SlotGone
from syncd.model.booking import BookingState, RoomState
from syncd.model.interval import Interval
from syncd.model.jobnet import Origin
from syncd.store.tables import AuditRow
from tests.integration.dfdg_office import ANNE, BENT, CARL, Agency, agency, tomorrow
from tests.servers.dfdg import control, names
from tests.simulation.town import NOW


@pytest.fixture
def dfdg(migrated_sqlite_url: str) -> Iterator[Agency]:
    with agency(migrated_sqlite_url) as made:
        yield made


def summon(dfdg: Agency, cpr: str, hour: int, whom: str = "RID-ANNA", kind: int = names.FOLLOW_UP) -> str:
    start = tomorrow(hour)
    return control.summoned(dfdg.dfdg, cpr, kind, start, start + timedelta(minutes=45), caseworker=whom).id


def test_a_summons_becomes_a_meeting_with_a_room_that_blocks_time(dfdg):
    """[WSBI, PLN] 90000 create: it lies in the caseworker's calendar and the citizen cannot move it."""
    record = summon(dfdg, BENT, 9)
    dfdg.settle()
    meeting = dfdg.office.meeting(dfdg.meeting_of(record))

    assert ("anna", tomorrow(9), RoomState.ACCEPTED) == (meeting.caseworker, meeting.interval.start, meeting.room_state)
    assert [meeting.interval] == dfdg.office.standing("anna") == dfdg.office.standing(meeting.room or "")
    with pytest.raises(SlotGone, match="no longer on offer"):
        dfdg.office.hold(tomorrow(9), "anna", now=dfdg.clock.now())
    with dfdg.office.store.read() as tx:
        link = tx.jobnet.linked(record)
        assert link is not None
        assert (Origin.SUMMONS, False) == (link.origin, link.self_booked)
        rows = tx.session.scalars(select(AuditRow.purpose).where(AuditRow.action == "summons.taken-over"))
        assert ["indkaldelse"] == list(rows)
    assert [] == [name for name, _ in dfdg.dfdg.seen if name in ("create", "update", "delete")]


def test_a_summons_stands_even_where_something_of_ours_lies_already(dfdg):
    dfdg.book(ANNE, tomorrow(9))
    record = summon(dfdg, BENT, 9)
    dfdg.settle()
    meeting = dfdg.office.meeting(dfdg.meeting_of(record))

    assert (True, True) == (meeting.conflict, meeting.wanted)
    assert 2 == len(dfdg.office.standing("anna"))


@pytest.mark.parametrize("disorder", ["none", "shuffle", "duplicate", "late"])
def test_changes_made_elsewhere_are_followed_in_whatever_order_messages_come(dfdg, disorder):
    record = summon(dfdg, BENT, 9)
    dfdg.settle()
    if disorder != "none":
        dfdg.dfdg.faults.add(disorder, "queue", times=3)
    for hour in (10, 11, 12):
        times = {"start": tomorrow(hour), "end": tomorrow(hour, 45)}
        control.changed(dfdg.dfdg, record, **times, caseworker="RID-BO" if hour == 12 else "RID-ANNA")
    for _ in range(3):
        dfdg.settle()
    meeting = dfdg.office.meeting(dfdg.meeting_of(record))

    assert ("bo", tomorrow(12)) == (meeting.caseworker, meeting.interval.start)
    assert ([], [meeting.interval]) == (dfdg.office.standing("anna"), dfdg.office.standing("bo"))
    assert (0, []) == (dfdg.owed(), dfdg.dfdg.world.queue)


def test_an_annulment_elsewhere_cancels_here_and_is_not_reported_back(dfdg):
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.settle()
    dfdg.dfdg.world.annul(record.id, "kss", names.CASE_SYSTEM)
    dfdg.settle()

    assert [] == dfdg.office.standing("anna")
    with dfdg.office.store.read() as tx:
        states = [one.state for one in tx.bookings.of(dfdg.meeting_of(record.id))]
    assert ([BookingState.CANCELLED], {}) == (states, dfdg.tasks())
    assert [] == dfdg.dfdg.calls("delete")


def test_a_talk_given_to_somebody_we_do_not_know_leaves_our_calendars(dfdg):
    record = summon(dfdg, BENT, 9)
    dfdg.settle()
    control.changed(dfdg.dfdg, record, caseworker="RID-SOMEBODY-ELSE")
    dfdg.settle()

    assert ([], True) == (dfdg.office.standing("anna"), dfdg.dfdg.world.records[record].active)
    assert [] == [name for name, _ in dfdg.dfdg.seen if name in ("update", "delete")]


def test_where_both_changed_the_time_the_calendar_stands_and_a_person_is_told(dfdg):
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.settle()
    control.changed(dfdg.dfdg, record.id, start=tomorrow(13), end=tomorrow(13, 45))
    meeting = dfdg.office.meeting(dfdg.meeting_of(record.id))
    span = Interval(tomorrow(11), tomorrow(11, 45))
    dfdg.office.calendar.edit("anna", meeting.uid, interval=span)
    dfdg.office.settle(dfdg.clock.now())
    dfdg.listen()
    dfdg.settle()

    assert tomorrow(11) == dfdg.dfdg.world.records[record.id].start
    assert [span] == dfdg.office.standing("anna")
    assert ["record-clash"] == list(dfdg.tasks())


def test_a_message_that_dfdg_cannot_explain_yet_waits(dfdg):
    dfdg.dfdg.faults.add("unavailable", "get", times=1)
    record = summon(dfdg, BENT, 9)
    assert 0 == dfdg.listen()
    dfdg.settle()

    assert tomorrow(9) == dfdg.office.meeting(dfdg.meeting_of(record)).interval.start


def test_a_self_booked_record_that_never_arrived_here_is_taken_over_in_the_end(dfdg):
    """The planner's answer was lost and its booking given up, or a database was restored."""
    end = tomorrow(9) + timedelta(minutes=45)
    facts = {"form": 1, "caseworker": "RID-ANNA", "selfbooked": True}
    record = control.summoned(dfdg.dfdg, CARL, 7, tomorrow(9), end, **facts)
    dfdg.listen()
    with dfdg.office.store.read() as tx:
        assert tx.jobnet.linked(record.id) is None
    dfdg.clock.at += timedelta(minutes=10)
    for _ in range(3):
        dfdg.settle()

    assert [Interval(tomorrow(9), end)] == dfdg.office.standing("anna")


def test_another_cpr_number_moves_everything_of_the_citizen(dfdg):
    """[FRI] data move from the old to the current number."""
    new, record = "0101905678", dfdg.book(ANNE, tomorrow(9))
    dfdg.dfdg.world.deadline(ANNE, names.FOLLOW_UP, date(2026, 12, 10), date(2026, 12, 20))
    dfdg.settle()
    dfdg.dfdg.world.change_cpr(ANNE, new)
    dfdg.settle()
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", "cli:olga", dfdg.clock.now())
    dfdg.settle()

    old, now = (dfdg.key.reference(Cpr(one)) for one in (ANNE, new))
    assert new == dfdg.dfdg.calls("update")[0].headers[names.CITIZEN]
    with dfdg.office.store.read() as tx:
        assert ([], 1) == (tx.jobnet.links_of(old), len(tx.jobnet.links_of(now)))
        assert {now} == {one.citizen for one in tx.dfdg.deadlines(since=NOW.date())}


def test_deadlines_are_kept_as_they_are_read(dfdg):
    """[WSBF] 90001 has no body: the deadline itself is read; [JK] its last day for the talk."""
    dfdg.dfdg.world.deadline(ANNE, names.JOB_TALK, date(2026, 12, 10), date(2026, 12, 20), immediate=True)
    dfdg.dfdg.world.deadline(BENT, names.JOB_TALK, date(2026, 12, 10), date(2026, 12, 20))
    dfdg.settle()
    with dfdg.office.store.read() as tx:
        found = tx.dfdg.deadlines(since=NOW.date())
    assert [(7, date(2026, 12, 10), date(2026, 12, 20), True)] * 2 == [
        (one.kind, one.until, one.latest, one.open) for one in found
    ]
    dfdg.book(ANNE, tomorrow(9))
    dfdg.settle()
    with dfdg.office.store.read() as tx:
        assert [dfdg.key.reference(Cpr(BENT))] == [one.citizen for one in tx.dfdg.deadlines(since=NOW.date())]


def test_the_figures_count_what_both_sides_made(dfdg):
    """[S31, S32 of reference/domain.md] the case system's summonses are seen by messages."""
    summon(dfdg, BENT, 9)
    summon(dfdg, CARL, 10, whom="RID-ELSEWHERE")
    dfdg.book(ANNE, tomorrow(11))
    dfdg.settle()
    with dfdg.office.store.read() as tx:
        (figure,) = counted(tx, Interval(NOW, NOW + timedelta(days=30)), ("1",), summonses=True)

    assert ("1", 1, 2, 33.3, True) == (
        figure.group,
        figure.self_booked,
        figure.summoned,
        figure.share,
        figure.coverage.summonses,
    )


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        "x",
        {"beskedIdentifier": "1", "entitetIdentifier": "90000", "aendringType": 1, "identifier": "x"},
        {"beskedIdentifier": "1", "entitetIdentifier": 90000, "aendringType": 9, "identifier": "x"},
        {"beskedIdentifier": "1" * 101, "entitetIdentifier": 90000, "aendringType": 1, "identifier": "x"},
        {
            "beskedIdentifier": "1",
            "entitetIdentifier": 90000,
            "aendringType": 1,
            "identifier": "x",
            "identifikationType": 1,
            "identifikation": "3201901234",
        },
    ],
)
def test_what_is_no_message_is_refused(told):
    with pytest.raises(Rejected):
        wire.heard(DfdgNames(), told)


def test_a_message_about_something_else_is_nothing_to_us():
    told = {"beskedIdentifier": "1", "entitetIdentifier": 42, "aendringType": 1, "identifier": "x"}
    assert wire.heard(DfdgNames(), told) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"<html>", b"\xff", b'{"samtaleType": true}'])
def test_an_answer_that_breaks_the_contract_changes_nothing(content):
    for reading in (wire.read, wire.deadline, wire.messages):
        with pytest.raises(Rejected):
            reading(DfdgNames(), content)
