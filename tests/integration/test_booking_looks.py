"""How looks at meetings are begun, counted and ended, and what counts as lying on a meeting's time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from syncd.booking import brake, reconcile
from syncd.booking.collide import colliding, collision
from syncd.booking.reconcile import Look, Result
from syncd.booking.sight import Decision, Withdrawn
from syncd.model.booking import Meeting
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store.tables import AuditRow, MeetingRow
from tests.simulation import town
from tests.simulation.office import Office
from tests.simulation.town import NOW, at

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PEOPLE = ("anna", "bo", "cara")


@pytest.fixture
def office(migrated_sqlite_url: str) -> Iterator[Office]:
    rules = town.rulebook(town.offer(PEOPLE))
    opened = Office.open(migrated_sqlite_url, directory=town.directory(PEOPLE), rulebook=rules)
    yield opened
    opened.store.close()


class Slow:
    """A node whose clock tells these seconds, one after another, and then the last one for ever."""

    name = "slow"

    def __init__(self, *seconds: float, alive: bool = True) -> None:
        self._seconds, self._alive = list(seconds), alive

    def elapsed(self) -> float:
        return self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]

    def alive(self) -> bool:
        return self._alive


def due(office: Office, meeting: str) -> datetime | None:
    with office.store.read() as tx:
        found = tx.session.scalar(select(MeetingRow.due).where(MeetingRow.id == meeting))
    return None if found is None else datetime.fromtimestamp(found, NOW.tzinfo)


class TestBeginning:
    def looks(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> list[Look]:
        """The looks that are begun from now on; nothing comes of them."""
        begun: list[Look] = []
        monkeypatch.setattr(office.reconciler, "meeting", lambda _id, _now, look: begun.append(look))
        return begun

    def test_so_many_looks_are_begun_and_no_more(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        for hour in (9, 10, 11, 12):
            office.book(at(hour), form=Form.PHONE)
        begun = self.looks(office, monkeypatch)

        assert (2, 2) == (office.reconciler.run_due(NOW, limit=2), len(begun))
        assert (1, 3) == (office.reconciler.run_due(NOW, stopping=lambda: len(begun) == 3), len(begun))
        assert (1, 4) == (office.reconciler.run_due(NOW), len(begun))
        assert 4 == len({look.meeting for look in begun})
        assert 0 == office.reconciler.run_due(NOW)

    def test_a_look_is_leased_for_ninety_seconds_from_when_it_begins_and_writes_two_less(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = office.book(at(9)).meeting
        monkeypatch.setattr(office.reconciler, "_node", Slow(1000.0, 1030.9, 1031.0))
        begun = self.looks(office, monkeypatch)

        assert 1 == office.reconciler.run_due(NOW, limit=1)

        assert NOW + 30 * SECOND + 90 * SECOND == due(office, made.id)
        assert [1031.0 + 90 - 2] == [look.until for look in begun]

    def test_whoever_may_be_taken_for_dead_and_whoever_is_stopped_begins_none(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = office.book(at(9))
        assert office.reconciler.brake() is None
        with monkeypatch.context() as patch:
            patch.setattr(office.reconciler, "_node", Slow(0.0, alive=False))
            assert 0 == office.reconciler.run_due(NOW)
        with office.store.begin() as tx:
            tx.settings.put(brake.STOPPED, "Too many.")

        assert 0 == office.reconciler.run_due(NOW)
        assert "Too many." == office.reconciler.brake()
        assert Result.STOPPED is office.reconciler.meeting(made.meeting.id, NOW)
        assert [True, False] == [office.reconciler.release_brake("cli:olga", NOW) for _ in range(2)]
        assert 1 == office.reconciler.run_due(NOW)


class TestEnding:
    def test_nobody_knows_what_is_not_there(self, office: Office) -> None:
        assert Result.UNKNOWN is office.reconciler.meeting("nobody", NOW)

    def test_what_stands_is_settled_and_what_is_over_too(self, office: Office) -> None:
        made = office.book(at(9)).meeting

        assert Result.SETTLED is office.reconciler.meeting(made.id, made.interval.end)
        assert [] == office.standing("anna"), "history is left as it is"
        assert Result.SETTLED is office.reconciler.meeting(made.id, made.interval.end - SECOND)
        assert [made.interval] == office.standing("anna")

    def test_a_meeting_that_changes_at_each_of_four_looks_waits_a_minute(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = office.book(at(9)).meeting
        told: list[Any] = []
        monkeypatch.setattr(reconcile, "decide", lambda *_: Decision(verdict=Withdrawn("anna")))
        monkeypatch.setattr(office.reconciler, "_follow", lambda *said: told.append(said))

        assert Result.OWED is office.reconciler.meeting(made.id, NOW)
        assert (4, NOW + MINUTE) == (len(told), due(office, made.id))

    def test_answers_grow_old_only_when_a_hold_was_freed(self, office: Office) -> None:
        for hour in (9, 11):
            office.hold(at(hour))
        before = office.store.generation()

        assert 0 == office.reconciler.free_expired_holds(NOW)
        assert before == office.store.generation()
        assert [1, 1, 0] == [office.reconciler.free_expired_holds(NOW + 11 * MINUTE, limit=1) for _ in range(3)]
        assert before < office.store.generation()

    def test_who_had_a_calendar_written_again_is_told(self, office: Office) -> None:
        made = [office.book(at(hour), "anna").meeting for hour in (9, 11)]
        office.settle(NOW, passes=1)

        assert 2 == office.reconciler.write_again("anna", "cli:olga", NOW)
        with office.store.read() as tx:
            rows = tx.session.execute(select(AuditRow.action, AuditRow.detail).where(AuditRow.actor == "cli:olga"))
            assert [("calendar.written-again", "anna")] == [tuple(row) for row in rows]
        again = [office.meeting(one.id).desired_generation for one in made]
        assert [one.desired_generation + 1 for one in made] == again


class TestInTheWay:
    """Who of bo and cara could hold anna's meeting, with what lies where."""

    def able(self, office: Office, meeting: Meeting, *, away: bool = True) -> set[str]:
        with office.store.read() as tx:
            out = colliding(tx, office.rulebook, office.directory, meeting, ["bo", "cara"], away=away)
        return {"bo", "cara"} - out

    @pytest.mark.parametrize(
        ("able", "mailbox", "start", "busy"),
        [
            ({"cara"}, "bo", at(9), BusyType.BUSY),
            ({"cara"}, "bo", at(9, 50), BusyType.BUSY),
            ({"bo", "cara"}, "bo", at(9, 55), BusyType.BUSY),
            ({"cara"}, "bo", at(9, 30), BusyType.UNAVAILABLE),
            ({"bo", "cara"}, "bo", at(9, 45), BusyType.UNAVAILABLE),
            ({"bo", "cara"}, "bo", at(9), BusyType.FREE),
            ({"bo", "cara"}, "anna", at(9), BusyType.BUSY),
            (set(), "r1", at(9), BusyType.BUSY),
            (set(), "r1", at(9), BusyType.TENTATIVE),
            ({"bo", "cara"}, "r1", at(9), BusyType.FREE),
            ({"bo", "cara"}, "r2", at(9), BusyType.BUSY),
        ],
    )
    def test_an_event(self, office: Office, able: set[str], mailbox: str, start: datetime, busy: BusyType) -> None:
        meeting = replace(office.book(at(9)).meeting, after=10)
        office.calendar.put(mailbox, "x", [Occurrence("x", None, Interval.at(start, 15), busy)])
        office.sync(NOW)

        assert able == self.able(office, meeting)

    def test_an_event_on_a_partner_stands_in_everybodys_way(self, office: Office) -> None:
        meeting = office.book(at(9), form=Form.PHONE).meeting
        office.event("anna", at(9))
        office.sync(NOW)

        assert {"bo", "cara"} == self.able(office, meeting)
        assert set() == self.able(office, replace(meeting, partners=("anna",)))

    def test_another_meeting_of_ours_and_an_absence(self, office: Office) -> None:
        meeting = office.book(at(9), form=Form.PHONE).meeting
        office.book(at(9), "bo", form=Form.PHONE)
        with office.store.begin() as tx:
            tx.absences.add("cara", Interval.at(at(8), 120), reachable=False, actor="cli:olga", now=NOW)

        assert set() == self.able(office, meeting)
        assert {"cara"} == self.able(office, meeting, away=False)

    def test_its_own_entry_is_not_in_its_way_and_a_copy_of_it_is(self, office: Office) -> None:
        meeting = office.book(at(9)).meeting
        office.settle(NOW)

        def collides(away: bool = True) -> bool:
            with office.store.read() as tx:
                return collision(tx, office.rulebook, office.directory, meeting, away=away)

        assert collides() is False
        thing = office.calendar._calendar("anna").things[meeting.uid]
        office.calendar.put("anna", "copy", [replace(thing.occurrences[0], uid="copy")])
        office.sync(NOW)
        assert collides() is True
