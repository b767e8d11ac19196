"""What staff book and link on the pages reaches DFDG, and never as self-booked (reference keys in [])."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from syncd.booking.obey import MarkKeeper
from syncd.cpr import Cpr
from syncd.dfdg.figures import LeftOut
from syncd.dfdg.reporting import Reporting
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.jobnet import Origin
from syncd.model.marks import Marks
from syncd.model.role import Role
from syncd.web.app import build_app
from syncd.web.deps import Deps
from syncd.web.health import Health
from tests.integration.dfdg_office import ANNE, BENT, CARL, Agency, agency, tomorrow
from tests.integration.test_room_pages import Person
from tests.servers.dfdg import names
from tests.simulation.town import NOW

JOB_TALK = str(names.JOB_TALK)


@dataclass
class Counter:
    """Staff at a screen, in an office that reports to DFDG."""

    dfdg: Agency

    def __post_init__(self) -> None:
        office, parts = self.dfdg.office, (self.dfdg.reporter, self.dfdg.inbox)
        self.reporting = Reporting(self.dfdg.ledger, self.dfdg.linker, ("1", "8"), *parts, summonses=True)
        deps = Deps(
            store=office.store,
            publisher=office.publisher,
            desk=office.desk,
            clock=self.dfdg.clock,
            clients=dict,
            directory=lambda: office.directory,
            rulebook=lambda: office.rulebook,
            health=lambda: Health(()),
            freshen=lambda *_: None,
            metrics=None,
            reporting=self.reporting,
        )
        self.staff = Person(build_app(deps), office.store, NOW, Role.STAFF)

    def books(self, cpr: str, ground: str) -> Any:
        """The first time of tomorrow for a citizen; the page it ends on."""
        chosen = {"offer": "talk", "form": "in-person", "day": "2026-11-24"}
        page = self.staff.http.get("/bookings/new", params=chosen)
        time = re.findall(r'name="time" value="([^"]+)"', page.text)[0]
        return self.staff.send("/bookings/new", page, **chosen, time=time, cpr=cpr, ground=ground)

    def marks(self, uid: str, hour: int) -> str:
        """Anna asks for a room for an appointment of her own; the meeting beside it."""
        office, span = self.dfdg.office, Interval.at(tomorrow(hour), 60)
        own = Occurrence(uid, None, span, BusyType.BUSY, categories=("Lokale",))
        office.calendar.put("anna", uid, [own])
        self.obeyed()
        with office.store.read() as tx:
            (row,) = tx.marks.beside(NOW)
        return row.id

    def obeyed(self) -> None:
        """Calendars are read, marks obeyed, DFDG told."""
        office = self.dfdg.office
        keeper = MarkKeeper(office.store, lambda: office.directory, lambda: office.rulebook, Marks())
        for _ in range(2):
            self.dfdg.clock.at += timedelta(minutes=1)
            office.sync(self.dfdg.clock.now())
            keeper.obey(self.dfdg.clock.now())
            office.reconciler.run_due(self.dfdg.clock.now())
        self.dfdg.report()
        self.dfdg.listen()


@pytest.fixture
def counter(migrated_sqlite_url: str) -> Iterator[Counter]:
    with agency(migrated_sqlite_url) as made:
        yield Counter(made)


@pytest.mark.parametrize(("ground", "left_out"), [("exempt", 1), ("deprived", 1), ("agreed", 0)])
def test_what_staff_book_is_reported_in_the_citizens_name_and_not_as_self_booked(counter, ground, left_out):
    """[META, IND24] staff's booking is never flagged self-booked; [seed 001] figures leave exempted citizens out."""
    dfdg = counter.dfdg
    dfdg.dfdg.world.citizen(ANNE, group=5)
    with dfdg.office.store.begin() as tx:  # the citizen is not new: figures leave first talks out anyway
        citizen = dfdg.key.reference(Cpr(ANNE))
        tx.dfdg.save(_former(citizen), alive=False)
    page = counter.books(ANNE, ground)
    dfdg.settle()

    (held,) = dfdg.dfdg.world.records.values()
    assert (ANNE, names.JOB_TALK, False) == (held.cpr, held.type, held.selfbooked)
    assert held.system != names.JOBNET
    assert (["create"], {}) == ([name for name, _ in dfdg.dfdg.seen if name in ("create", "update")], dfdg.tasks())
    told = dfdg.dfdg.calls("create")[0].headers
    assert ("3", "syncd") == (told[names.USER_TYPE], told[names.USER])
    assert "det tæller ikke som selvbooket" in page.text
    assert ANNE not in page.text
    with dfdg.office.store.read() as tx:
        link = tx.jobnet.linked(held.id)
        found = counter.reporting.figures(tx, Interval(NOW, NOW + timedelta(days=5)))
    assert (Origin.STAFF, False) == (link.origin, link.self_booked)
    assert (0, 1 - left_out, left_out) == (
        sum(one.self_booked for one in found),
        sum(one.summoned for one in found),
        sum(one.left_out[LeftOut.BARRED] for one in found),
    )


def test_the_meeting_staff_booked_is_followed_like_any_other(counter):
    """[IND24] UpdateIndkaldelse and DeleteIndkaldelse of what the planner created itself."""
    dfdg = counter.dfdg
    counter.books(ANNE, "exempt")
    dfdg.settle()
    (held,) = dfdg.dfdg.world.records.values()
    meeting = dfdg.office.meeting(dfdg.meeting_of(held.id))
    span = Interval(tomorrow(13), tomorrow(13) + meeting.interval.duration)
    dfdg.office.calendar.edit(meeting.caseworker, meeting.uid, interval=span)
    dfdg.settle()

    assert tomorrow(13) == dfdg.dfdg.world.records[held.id].start
    assert ["create", "update"] == [name for name, _ in dfdg.dfdg.seen if name in ("create", "update", "delete")]


def test_a_caseworkers_own_meeting_is_reported_once_staff_linked_its_citizen_on_the_page(counter):
    """[IND1] a meeting made in Outlook gets a room; DFDG hears of it when staff say whose it is, and of its moves."""
    dfdg = counter.dfdg
    meeting = counter.marks("hers", 9)
    assert [] == dfdg.dfdg.calls("create")
    page = counter.staff.get(f"/bookings/{meeting}")
    wrong = counter.staff.send(f"/bookings/{meeting}/link", page, cpr="3201901234", kind=JOB_TALK, purpose="case")
    no_kind = counter.staff.send(f"/bookings/{meeting}/link", page, cpr=BENT, kind="", purpose="case")
    done = counter.staff.send(f"/bookings/{meeting}/link", page, cpr=BENT, kind=JOB_TALK, purpose="case")
    other = counter.staff.send(f"/bookings/{meeting}/link", page, cpr=CARL, kind=JOB_TALK, purpose="case")
    counter.obeyed()

    assert [422, 422, 200, 409] == [one.status_code for one in (wrong, no_kind, done, other)]
    (held,) = dfdg.dfdg.world.records.values()
    assert (BENT, tomorrow(9), False) == (held.cpr, held.start, held.selfbooked)
    assert BENT not in wrong.text + done.text + other.text
    own = Occurrence("hers", None, Interval.at(tomorrow(11), 60), BusyType.BUSY, categories=("Lokale",))
    dfdg.office.calendar.put("anna", "hers", [own])
    counter.obeyed()
    assert (tomorrow(11), {}) == (dfdg.dfdg.world.records[held.id].start, dfdg.tasks())


def _former(citizen: str) -> Any:
    from syncd.model.dfdg import About, Record, Said

    said = Said(NOW - timedelta(days=30), NOW - timedelta(days=30, minutes=-30), "RID-ANNA", 1)
    return Record("former", About(7, True, "5"), said, NOW - timedelta(days=40), citizen=citizen)
