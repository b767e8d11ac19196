"""Short stories too rare for chance; each ends in an assertion, and guards against a buggy twin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete

from syncd.booking import texts
from syncd.errors import OutcomeUnknown
from syncd.model.entry import stamped
from syncd.model.interval import Interval
from syncd.store.tables import EntryRow
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at


def older_copy(office: Office) -> None:
    """The first write arrives after the second look has decided to write anew."""
    made = office.book(at(9))
    office.calendar.fail("create", OutcomeUnknown("Lost."), done=True, times=2)
    office.reconciler.run_due(NOW)
    office.desk.reschedule(CLIENT, made.booking.id, at(14), None, None, NOW)
    right = office.calendar.find
    office.calendar.find = lambda *_a: ()  # type: ignore[method-assign]  # a look that finds nothing
    office.reconciler.run_due(NOW)
    office.calendar.find = right  # type: ignore[method-assign]  # as it was

    assert not office.meeting(made.meeting.id).settled
    office.settle(NOW + timedelta(minutes=1))
    assert [Interval.at(at(14), 45)] == office.standing("anna") == office.standing(made.meeting.room or "")


def restored_database(office: Office) -> None:
    """The database knows the first generation of a meeting, its calendar the fourth: the calendar is right."""
    made = office.book(at(9))
    office.settle(NOW, passes=1)
    entry = office.entries("anna", made.meeting)[0]
    draft = office.calendar._calendar("anna").things[entry.key].draft
    assert draft is not None
    newer = replace(draft, interval=Interval.at(at(14), 45), stamp=replace(draft.stamp, generation=4))
    office.calendar.update(office.directory.mailboxes["anna"], entry, stamped(newer))

    office.settle(NOW)

    meeting = office.meeting(made.meeting.id)
    assert Interval.at(at(14), 45) == meeting.interval
    assert meeting.wanted
    assert meeting.desired_generation > 4
    assert texts.RESTORED in (meeting.attention or "")
    assert [meeting.interval] == office.standing("anna") == office.standing(meeting.room or "")


def forgotten_room(office: Office) -> None:
    """The database forgot in which room's calendar a cancelled meeting stands; the mirror of that calendar tells."""
    made = office.book(at(9))
    office.settle(NOW)
    office.desk.cancel(CLIENT, made.booking.id, NOW)
    with office.store.begin() as tx:
        tx.session.execute(delete(EntryRow).where(EntryRow.mailbox == made.meeting.room))
    office.settle(NOW + timedelta(minutes=5))

    office.reconciler.sweep(NOW + timedelta(minutes=8))
    office.settle(NOW + timedelta(minutes=9))

    assert [] == office.standing("anna") == office.standing(made.meeting.room or "")
