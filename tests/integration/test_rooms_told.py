"""What people hear of rooms, whose turn it is in a room, and what becomes of meetings whose room is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta

import pytest
from sqlalchemy import select

from syncd.booking.announce import Announcer
from syncd.booking.relocate import relocate
from syncd.booking.results import Appointment
from syncd.errors import NoRoom
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.roomalloc.allocate import Move
from syncd.store.prepared import Driver
from syncd.store.tables import AuditRow
from tests.integration.test_rooms_moves import FRIDAY, GROUP, book, keeper, reconciler, room_of, written
from tests.unit.publishing import RULES, Town, wall


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Town]:
    opened = Town.open(migrated_sqlite_url, RULES.replace("[[hours]]", GROUP + "\n[[hours]]"))
    yield opened
    opened.store.close()


def announcer(town: Town) -> Announcer:
    return Announcer(town.store, lambda: town.people, town.rules)


def heard(town: Town, made: Appointment) -> list[str]:
    with town.store.read() as tx:
        rows = select(AuditRow.action).where(AuditRow.meeting == made.meeting.id).order_by(AuditRow.id)
        return [action for action in tx.session.scalars(rows) if action.startswith("room.")]


def location(town: Town, made: Appointment) -> str:
    (entry,) = town.calendar.find(town.people.mailboxes[made.meeting.caseworker], made.meeting.uid)
    return entry.location


def later(town: Town, days: int) -> None:
    town.now += timedelta(days=days)
    town.sync()


def test_a_room_is_told_when_it_is_time_and_the_entry_says_so(town: Town) -> None:
    talk = book(town, "anna", "10:00", "talk")
    reconciler(town).run_due(town.now)
    assert (0, [], "lokale R1 (kan ændres)") == (
        announcer(town).announce(town.now),
        heard(town, talk),
        location(town, talk),
    )
    later(town, 2)
    assert 1 == announcer(town).announce(town.now)
    reconciler(town).run_due(town.now)

    assert (["room.announced"], "lokale R1") == (heard(town, talk), location(town, talk))
    assert 0 == announcer(town).announce(town.now)


def test_whoever_was_told_hears_of_another_room(town: Town) -> None:
    talk = book(town, "anna", "10:00", "talk")
    later(town, 2)
    announcer(town).announce(town.now)
    town.event("r1", "10:00", "11:00", day=FRIDAY)
    keeper(town).repair(town.now)
    announcer(town).announce(town.now)
    reconciler(town).run_due(town.now)

    assert ("r2", ["room.announced", "room.changed"]) == (room_of(town, talk), heard(town, talk))
    assert "lokale R2" == location(town, talk)


def test_rooms_exchanged_in_a_ring_are_given_back_before_they_are_taken(town: Town) -> None:
    one, two = book(town, "anna", "10:00", "talk"), book(town, "bo", "10:00", "talk")
    writing = reconciler(town)
    writing.run_due(town.now)
    town.sync()
    with town.store.begin() as tx:
        relocate(tx, town.people, [Move(one.meeting.id, "r1", "r2"), Move(two.meeting.id, "r2", "r1")], town.now)
    writing.meeting(one.meeting.id, town.now)

    assert ({"anna": 1}, "Lokalet skiftes") == (written(town, one), location(town, one))
    writing.meeting(two.meeting.id, town.now)
    assert {"bo": 1, "r1": 1} == written(town, two)
    writing.meeting(one.meeting.id, town.now)
    assert ({"anna": 1, "r2": 1}, "lokale R2 (kan ændres)") == (written(town, one), location(town, one))


def test_a_room_that_is_gone_or_closed_at_that_hour_is_exchanged(town: Town) -> None:
    gone, hours = book(town, "anna", "10:00", "talk"), book(town, "bo", "11:00", "talk")
    assert ("r1", "r1") == (room_of(town, gone), room_of(town, hours))
    keeping = keeper(town)
    keeping.repair(town.now)
    rooms = dict(town.people.rooms)
    rooms["r1"] = replace(rooms["r1"], hours=((4, time(9), time(11)),))
    town.people = replace(town.people, rooms=rooms)
    keeping.repair(town.now)
    assert ("r1", "r2") == (room_of(town, gone), room_of(town, hours))
    town.people = replace(town.people, rooms={"r2": rooms["r2"]})
    keeping.repair(town.now)

    assert "r2" == room_of(town, gone)


def test_a_meeting_without_a_room_is_a_task_with_its_options(town: Town) -> None:
    group = book(town, "anna", "10:00", "group")
    town.event("r2", "10:00", "11:00", day=FRIDAY)
    keeper(town).repair(town.now)
    with town.store.read() as tx:
        (task,) = tx.tasks.waiting(TaskKind.ROOM_NEEDED)
    assert f"meeting:{group.meeting.id}" == task.about
    assert "11:00" in str(task.facts["times"])
    assert "r1 (2 seats)" == task.facts["rooms"]
    town.desk.cancel("portal", group.booking.id, town.now)
    keeper(town).repair(town.now)

    with town.store.read() as tx:
        assert [] == tx.tasks.waiting(TaskKind.ROOM_NEEDED)


def test_a_meeting_of_an_offer_that_is_gone_has_options_too(town: Town) -> None:
    group = book(town, "anna", "10:00", "group")
    town.apply(RULES)
    for room in ("r1", "r2"):
        town.event(room, "10:00", "11:00", day=FRIDAY)
    keeper(town).repair(town.now)

    assert room_of(town, group) is None
    with town.store.read() as tx:
        (task,) = tx.tasks.waiting(TaskKind.ROOM_NEEDED)
    assert "11:00" in str(task.facts["times"])


def test_a_first_look_asks_no_more_about_many_meetings_than_about_few(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after every start: asking about each one, it took a house of two thousand ten seconds."""
    asked: list[str] = []
    send = Driver.send

    def listened(driver: Driver, said: str, given: object, returned: object = None) -> object:
        asked.append(said)
        return send(driver, said, given, returned)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(Driver, "send", listened)

    def look() -> int:
        asked.clear()
        keeper(town).repair(town.now)
        return len(asked)

    book(town, "anna", "09:00", "talk")
    few = look()
    for who, clock in (("bo", "09:00"), ("anna", "10:00"), ("bo", "10:00"), ("anna", "11:00"), ("bo", "11:00")):
        book(town, who, clock, "talk")

    assert few == look() > 0


def test_a_request_without_a_room_is_counted_and_nobody_named(town: Town) -> None:
    town.event("r1", "09:00", "12:00", day=FRIDAY)
    town.event("r2", "09:00", "12:00", day=FRIDAY)
    for _ in range(2):
        with pytest.raises(NoRoom):
            town.desk.hold("portal", "talk", wall("10:00", FRIDAY), "anna", Form.IN_PERSON, "citizen", town.now)

    with town.store.read() as tx:
        (found,) = tx.rooms.shortages(Interval(wall("00:00", FRIDAY), wall("23:00", FRIDAY)))
    assert ("hq", "talk", 2) == (found.site, found.offer, found.refused)
