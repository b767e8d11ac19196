"""What changes here is told to DFDG, once, until it is confirmed (reference/jobnet-planner-contract.md; keys in [])."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import select, text

from syncd.booking.announce import Announcer
from syncd.booking.handover import Choice
from syncd.booking.proposals import Remedy
from syncd.cpr import Cpr
from syncd.dfdg.linking import Wish
from syncd.errors import BadRequest, NotAllowed, UnknownBooking
from syncd.model.dfdg import Deadline
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store.tables import AuditRow
from tests.integration.dfdg_office import ANNE, BENT, CARL, Agency, agency, tomorrow
from tests.servers.dfdg import names
from tests.simulation.town import at

ACTOR = "cli:olga"


@pytest.fixture
def dfdg(migrated_sqlite_url: str) -> Iterator[Agency]:
    with agency(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """The log, as it is before anything is blanked."""
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as found:
        yield found


def drag(dfdg: Agency, record: str, hour: int, minute: int = 0) -> None:
    """The caseworker drags the meeting in Outlook."""
    meeting = dfdg.office.meeting(dfdg.meeting_of(record))
    span = Interval(tomorrow(hour, minute), tomorrow(hour, minute) + meeting.interval.duration)
    dfdg.office.calendar.edit(meeting.caseworker, meeting.uid, interval=span)


def writes(dfdg: Agency) -> list[str]:
    return [name for name, _ in dfdg.dfdg.seen if name in ("create", "update", "delete")]


def test_a_booking_made_on_jobnet_is_never_reported_but_known(dfdg):
    """[PLN] DFDG writes a self-booked meeting itself; [WSBI] the echo of it changes nothing."""
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.settle()

    assert [] == writes(dfdg)
    assert (0, {}) == (dfdg.owed(), dfdg.tasks())
    assert tomorrow(9) == dfdg.dfdg.world.records[record.id].start


def test_a_meeting_dragged_in_outlook_is_reported_once_under_dfdgs_id(dfdg):
    """[IND24, IND2] UpdateIndkaldelse with x-requestId; one receipt for the citizen."""
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.settle()
    drag(dfdg, record.id, 11)
    dfdg.settle()
    dfdg.settle()

    assert ["update"] == writes(dfdg)
    held = dfdg.dfdg.world.records[record.id]
    assert (tomorrow(11), "RID-ANNA", True) == (held.start, held.caseworker, held.selfbooked)
    assert [(record.id, "planner")] == [one for one in dfdg.dfdg.world.receipts if one[1] == "planner"]
    assert len(dfdg.dfdg.calls("update")[0].headers[names.REQUEST]) <= 46


def test_a_colleague_and_a_talk_by_telephone_are_reported(dfdg):
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
    dfdg.report()
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now(), by_phone=True)
    dfdg.report()

    held = dfdg.dfdg.world.records[record.id]
    assert (["update", "update"], "RID-BO", names.PHONE) == (writes(dfdg), held.caseworker, held.form)


def test_only_a_room_that_people_were_told_is_reported(dfdg):
    """[IND24] each update mails the citizen, so a room that may still change is not told."""
    record = dfdg.book(ANNE, at(9, day=30))
    meeting = dfdg.office.meeting(dfdg.meeting_of(record.id))
    with dfdg.office.store.begin() as tx:
        tx.rooms.pin(meeting.id, "r2", ACTOR, dfdg.clock.now())
    dfdg.office.keeper.repair(dfdg.clock.now())
    dfdg.settle()
    untold = writes(dfdg)
    announcer = Announcer(dfdg.office.store, lambda: dfdg.office.directory, lambda: dfdg.office.rulebook)
    announcer.announce(at(8, day=29))
    dfdg.settle()

    room = dfdg.office.directory.rooms[dfdg.office.meeting(meeting.id).room or ""]
    assert ([], ["update"]) == (untold, writes(dfdg))
    assert f"{room.name}, Jobcenter" == dfdg.dfdg.world.records[record.id].place


def test_a_cancellation_of_ours_is_reported_and_asks_to_move_the_deadline(dfdg):
    """[IND24] DeleteIndkaldelse; staff move the deadline, for only the case system can [FRI]."""
    record = dfdg.book(ANNE, tomorrow(9))
    choice = Choice(dfdg.meeting_of(record.id), Remedy.CANCEL)
    assert dfdg.office.handover.carry_out([choice], ACTOR, dfdg.clock.now())[0].refused is None
    dfdg.settle()

    assert (["delete"], False) == (writes(dfdg), dfdg.dfdg.world.records[record.id].active)
    assert "flyt fristen i fagsystemet" in dfdg.tasks()["deadline-to-move"]


@pytest.mark.parametrize(("latest", "asked"), [(date(2026, 11, 24), False), (date(2026, 11, 23), True)])
def test_a_move_past_the_last_day_asks_to_move_the_deadline(dfdg, latest, asked):
    """[JK] SidsteAfholdelsesdato."""
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.settle()
    with dfdg.office.store.begin() as tx:
        citizen = dfdg.key.reference(Cpr(ANNE))
        tx.dfdg.keep_deadline(Deadline("frist-1", citizen, 7, latest, latest), dfdg.clock.now())
    drag(dfdg, record.id, 12)
    dfdg.settle()

    assert asked == ("deadline-to-move" in dfdg.tasks())
    assert ["update"] == writes(dfdg)


def test_what_the_citizen_does_on_jobnet_is_not_reported_back(dfdg):
    record = dfdg.book(ANNE, tomorrow(9))
    with dfdg.office.store.begin() as tx:
        link = tx.jobnet.linked(record.id)
        dfdg.office.desk.reschedule("jobnet", link.booking, tomorrow(10), None, None, dfdg.clock.now(), tx=tx)
        dfdg.ledger.agreed(tx, record.id, dfdg.clock.now())
    times = {"start": tomorrow(10), "end": tomorrow(10, 45)}
    dfdg.dfdg.world.save(replace(dfdg.dfdg.world.records[record.id], **times), names.UPDATED, "jobnet")
    dfdg.settle()
    with dfdg.office.store.begin() as tx:
        dfdg.office.desk.cancel("jobnet", link.booking, dfdg.clock.now(), tx=tx)
        dfdg.ledger.agreed(tx, record.id, dfdg.clock.now())
    dfdg.dfdg.world.annul(record.id, "jobnet", names.JOBNET)
    dfdg.settle()

    assert ([], {}) == (writes(dfdg), dfdg.tasks())


@pytest.mark.parametrize("fault", ["lose", "drop", "half", "hang", "unavailable", "throttle", "garbage"])
def test_whatever_becomes_of_an_answer_the_change_arrives_exactly_once(dfdg, fault):
    """[IND2] 412 on a repeated id is understood as done, unless nothing was done by the first."""
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.dfdg.faults.add(fault, "update", times=2)
    dfdg.dfdg.hang_seconds = 6.0 if fault == "hang" else 0.0
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
    for _ in range(6):
        dfdg.clock.at += timedelta(minutes=3)
        dfdg.report()

    assert ("RID-BO", 0) == (dfdg.dfdg.world.records[record.id].caseworker, dfdg.owed())
    changes = [change for why, change, one in dfdg.dfdg.world.history if why == "planner"]
    assert [str(names.UPDATED)] == changes
    ids = {request.headers[names.REQUEST] for request in dfdg.dfdg.calls("update")}
    assert (3 if fault == "half" else 1) >= len(ids)


def test_a_report_survives_a_crash_under_the_same_id(dfdg):
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
    dfdg.reporter.weigh_changed(dfdg.clock.now())
    died = dfdg.office.store.run(lambda tx: dfdg.reporter._leased(tx, dfdg.clock.now()))
    assert died is not None
    dfdg.reporter._sent(died)  # it was sent, and nobody lived to see the answer
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "cara", ACTOR, dfdg.clock.now())
    assert 0 == dfdg.report()
    dfdg.clock.at += timedelta(minutes=3)
    dfdg.report()

    ids = [request.headers[names.REQUEST] for request in dfdg.dfdg.calls("update")]
    assert ("cara", died.request, died.request) == (dfdg.dfdg.world.records[record.id].caseworker, *ids[:2])
    assert (0, 3) == (dfdg.owed(), len(ids))


def test_a_refused_report_is_a_task_and_can_be_tried_again(dfdg):
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.dfdg.faults.add("refuse", "update", code=4005)
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
    dfdg.settle()
    asked = dfdg.tasks()["report-refused"]
    tried = len(dfdg.dfdg.calls("update"))
    dfdg.dfdg.faults.clear()

    assert ("fejlkode 4005" in asked, 1) == (True, tried)
    assert not dfdg.reporter.retry("unknown", ACTOR, dfdg.clock.now())
    assert dfdg.reporter.retry(record.id, ACTOR, dfdg.clock.now())
    dfdg.report()
    assert ("RID-BO", {}) == (dfdg.dfdg.world.records[record.id].caseworker, dfdg.tasks())


def test_a_person_hears_when_dfdg_does_not_answer_for_an_hour(dfdg):
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.dfdg.faults.add("unavailable")
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
    seen = []
    for _ in range(6):
        dfdg.report()
        seen.append("report-late" in dfdg.tasks())
        dfdg.clock.at += timedelta(minutes=20)
    dfdg.dfdg.faults.clear()
    dfdg.report()

    assert (False, True, {}) == (seen[1], seen[-1], dfdg.tasks())


def test_a_meeting_of_a_caseworkers_own_is_reported_only_once_staff_linked_a_citizen(dfdg):
    """[IND24, IND1, META] CreateIndkaldelse under an id of ours; what staff made is never flagged self-booked."""
    made = dfdg.office.book(tomorrow(9), citizen="opaque")
    dfdg.settle()
    unlinked = writes(dfdg)
    wish = Wish(made.meeting.id, Cpr(BENT), None, "telefonisk aftale")
    link = dfdg.linker.link(wish, ACTOR, dfdg.clock.now())
    assert link == dfdg.linker.link(wish, ACTOR, dfdg.clock.now())
    dfdg.settle()
    dfdg.office.handover.hand_over(made.meeting.id, "bo", ACTOR, dfdg.clock.now())
    dfdg.settle()

    assert ([], ["create", "update"]) == (unlinked, writes(dfdg))
    held = dfdg.dfdg.world.records[link.indkaldelse]
    assert (BENT, False, "RID-BO", 7) == (held.cpr, held.selfbooked, held.caseworker, held.type)
    with dfdg.office.store.read() as tx:
        rows = tx.session.execute(select(AuditRow.actor, AuditRow.purpose).where(AuditRow.action == "citizen.linked"))
        assert [(ACTOR, "telefonisk aftale")] == [tuple(row) for row in rows]


def test_linking_refuses_what_cannot_be_right(dfdg):
    made = dfdg.office.book(tomorrow(9), citizen="opaque")
    dfdg.linker.link(Wish(made.meeting.id, Cpr(BENT), 7, "x"), ACTOR, dfdg.clock.now())
    for wish, error in [
        (Wish(made.meeting.id, Cpr(CARL), 7, "x"), NotAllowed),
        (Wish("nothing", Cpr(CARL), 7, "x"), UnknownBooking),
    ]:
        with pytest.raises(error):
            dfdg.linker.link(wish, ACTOR, dfdg.clock.now())
    dfdg.words = replace(dfdg.words, offers={})
    other = dfdg.office.book(tomorrow(11), citizen="somebody")
    with pytest.raises(BadRequest):
        dfdg.linker.link(Wish(other.meeting.id, Cpr(CARL), None, "x"), ACTOR, dfdg.clock.now())


def test_a_booking_that_dfdg_never_wrote_is_told_or_reported(dfdg):
    """[IND24] GetIndkaldelse; what is self-booked is reported in the citizen's name [META]."""
    for create, kind in ((False, "record-missing"), (True, None)):
        record = dfdg.book(ANNE if create else BENT, tomorrow(9 if create else 11))
        del dfdg.dfdg.world.records[record.id]
        dfdg.dfdg.world.queue.clear()
        patience = timedelta(minutes=15)
        assert 0 == dfdg.reporter.look_for_unseen(dfdg.clock.now(), patience, create=create)
        dfdg.clock.at += timedelta(minutes=20)
        assert 1 == dfdg.reporter.look_for_unseen(dfdg.clock.now(), patience, create=create)
        dfdg.report()
        assert (create, kind is None or kind in dfdg.tasks()) == (record.id in dfdg.dfdg.world.records, True)
    told = dfdg.dfdg.calls("create")[0].headers
    assert ("1", ANNE) == (told[names.USER_TYPE], told[names.USER])  # [META] in the citizen's name


def test_every_call_says_for_whom_who_and_why_and_the_log_too(dfdg, lines):
    """[SEC, META] organisation and acting user go with reads and writes alike."""
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
    dfdg.settle()

    expected = ("2", "10101", "3", "syncd", True)
    for _, call in dfdg.dfdg.seen:
        told = [call.headers[one] for one in (names.ORGANISATION_TYPE, names.ORGANISATION_CODE, names.USER_TYPE)]
        assert expected == (*told, call.headers[names.USER], bool(call.headers[names.PURPOSE]))
    told = [line for line in lines if line["event"] == "dfdg.called"]
    assert len(dfdg.dfdg.seen) == len(told)
    assert {("2:10101", "syncd", True)} == {(one["authority"], one["user"], bool(one["purpose"])) for one in told}


def test_nobodys_number_stands_in_clear_anywhere_on_our_side(dfdg, lines):
    record = dfdg.book(ANNE, tomorrow(9))
    dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
    dfdg.settle()
    with dfdg.office.store.read() as tx:
        tables = [row[0] for row in tx.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        content = [str(tx.session.execute(text(f'SELECT * FROM "{one}"')).all()) for one in tables]

    assert "jobnet_links" in tables
    assert [] == [one for one in (*content, str(lines)) if ANNE in one]
    paths = [request.path for _, request in dfdg.dfdg.seen]
    assert [] == [path for path in paths if ANNE in path]


def test_two_offices_on_postgresql_send_a_report_once(migrated_postgres_url):
    with agency(migrated_postgres_url) as dfdg:
        record = dfdg.book(ANNE, tomorrow(9), form=Form.PHONE)
        dfdg.office.handover.hand_over(dfdg.meeting_of(record.id), "bo", ACTOR, dfdg.clock.now())
        dfdg.reporter.weigh_changed(dfdg.clock.now())
        first = dfdg.office.store.run(lambda tx: dfdg.reporter._leased(tx, dfdg.clock.now()))

        assert first is not None
        assert 0 == dfdg.reporter.send_due(dfdg.clock.now)
        dfdg.clock.at += timedelta(minutes=3)
        assert 1 == dfdg.reporter.send_due(dfdg.clock.now)
        dfdg.listen()
        assert (["update"], 0) == (writes(dfdg), dfdg.owed())
