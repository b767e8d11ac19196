"""Mailboxes move between two servers while citizens book: one meeting each, and nothing free that is busy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from syncd import points
from syncd.adapters.hybrid import HybridCalendar
from syncd.adapters.memory import MemoryCalendar
from syncd.model.booking import BookingState, Meeting
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store import Store
from tests.simulation.office import Office
from tests.simulation.town import NOW, at

MINUTE = timedelta(minutes=1)
WINDOW = Interval(at(0, day=24), at(0, day=29))


class Crash(BaseException):
    """The process died here."""


class Town(Office):
    """An office whose mailboxes live on one of two servers."""

    house: MemoryCalendar
    cloud: MemoryCalendar
    now: datetime

    @classmethod
    def on(cls, url: str, house: MemoryCalendar, cloud: MemoryCalendar, now: datetime = NOW) -> Town:
        town = cls(Store(url), port=HybridCalendar("house", house, "cloud", cloud))
        town.house, town.cloud, town.now = house, cloud, now
        return town

    def restarted(self) -> Town:
        """The same installation in a new process."""
        self.store.close()
        return type(self).on(self.store.url.render_as_string(hide_password=False), self.house, self.cloud, self.now)

    def pass_time(self, passes: int = 1) -> None:
        """Everybody looks; and at no time is anything free that is busy."""
        for _ in range(passes):
            self.now += MINUTE
            self.sync(self.now)
            self.judge_unknown_is_not_free()
            self.reconciler.run_due(self.now)
            self.judge_unknown_is_not_free()

    def truth(self, mailbox: str) -> list[Interval]:
        """What stands in the calendar, wherever it is; nothing twice."""
        servers = [one for one in (self.house, self.cloud) if one._calendars.get(mailbox)]
        things = [thing for one in servers for thing in one._calendars[mailbox].things.values()]
        return sorted(o.interval for thing in things for o in thing.occurrences)

    def judge_unknown_is_not_free(self) -> None:
        answer = self.publisher.answer("talk", WINDOW, self.now, form=Form.PHONE)
        for slot in answer.slots:
            assert not any(slot.interval.overlaps(busy) for busy in self.truth(slot.caseworker)), slot

    def entries_of(self, meeting: Meeting) -> list[str]:
        """Where it stands, once for each copy."""
        boxes = self.directory.mailboxes.values()
        return sorted(
            box.id
            for box in boxes
            for server in (self.house, self.cloud)
            if server._calendars.get(box.id)
            for thing in server._calendars[box.id].things.values()
            if thing.draft and thing.draft.uid == meeting.uid
        )


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Town]:
    house, cloud = MemoryCalendar({"anna", "bo", "r1", "r2"}), MemoryCalendar(())
    town = Town.on(migrated_sqlite_url, house, cloud)
    for number, start in enumerate(at(hour, day=day) for day in range(24, 29) for hour in (8, 11)):
        house.put("anna", f"e{number}", [Occurrence(f"e{number}", None, Interval.at(start, 60), BusyType.BUSY)])
    town.sync(NOW)
    yield town
    town.store.close()


def booked(town: Town, start: datetime) -> Meeting:
    made = town.book(start, now=town.now)
    town.pass_time(2)
    assert BookingState.CONFIRMED is town.see(made.booking.id, town.now).booking.state
    return town.meeting(made.meeting.id)


@pytest.mark.parametrize("point", ["", *points.POINTS[2:]])
def test_a_move_with_a_crash_anywhere_leaves_one_meeting_in_each_calendar(town: Town, point: str) -> None:
    meeting = booked(town, at(9))
    late = town.book(at(13), now=town.now)  # still to be written when everything moves

    for mailbox, source, target in (
        ("anna", town.house, town.cloud),
        (str(meeting.room), town.house, town.cloud),
        ("anna", town.cloud, town.house),
    ):
        source.move_to(target, mailbox)
        try:
            with points.watched(dying_at(point)):
                town.pass_time()
        except Crash:
            town = town.restarted()
        town.pass_time(3)

    assert [] == problems(town)
    for one in (meeting, town.meeting(late.meeting.id)):
        assert sorted(["anna", str(one.room)]) == town.entries_of(one)
    assert BookingState.CONFIRMED is town.see(late.booking.id, town.now).booking.state


def dying_at(point: str):
    def die(here: str) -> None:
        if here == point:
            raise Crash

    return die


def problems(town: Town) -> list[str]:
    """What the database says is wrong with a calendar or a meeting."""
    with town.store.read() as tx:
        said = [status.problem for status in tx.mailboxes.statuses().values() if status.problem]
        return said + [task.en for task in tx.tasks.waiting()]


def test_what_the_move_lost_of_ours_is_written_again_and_what_was_dragged_meanwhile_is_followed(town: Town) -> None:
    lost, dragged = booked(town, at(9)), booked(town, at(13))
    town.house.remove("anna", lost.uid)
    town.house.edit("anna", dragged.uid, interval=Interval.at(at(14, day=25), 45))

    town.house.move_to(town.cloud, "anna")
    town.pass_time(4)

    assert ["anna", str(lost.room)] == town.entries_of(town.meeting(lost.id))
    assert Interval.at(at(14, day=25), 45) == town.meeting(dragged.id).interval


def test_a_mailbox_that_arrives_without_its_events_waits_for_a_person(town: Town) -> None:
    meeting = booked(town, at(9))
    town.house.move_to(MemoryCalendar(), "anna")
    town.cloud.move_to(town.cloud, "anna")  # a new, empty one

    town.sync(town.now + MINUTE)

    with town.store.read() as tx:
        status = tx.mailboxes.status("anna")
    assert status is not None
    assert "11 of 11 items vanished at once" in str(status.refused)
    town.now += MINUTE
    assert "anna" in town.publisher.answer("talk", WINDOW, town.now, form=Form.PHONE).closed
    town.reconciler.run_due(town.now)
    assert town.meeting(meeting.id).wanted


def test_while_a_mailbox_is_on_neither_server_its_bookings_wait(town: Town) -> None:
    limbo = MemoryCalendar()
    town.house.move_to(limbo, "anna")
    made = town.book(at(13), now=town.now)
    town.pass_time(3)
    assert BookingState.PENDING is town.see(made.booking.id, town.now).booking.state

    limbo.move_to(town.cloud, "anna")
    town.now += timedelta(minutes=20)
    town.pass_time(3)

    assert BookingState.CONFIRMED is town.see(made.booking.id, town.now).booking.state
    assert ["anna", str(made.meeting.room)] == town.entries_of(town.meeting(made.meeting.id))
