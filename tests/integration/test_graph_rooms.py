"""Meetings and their rooms in Microsoft 365 as the booking parts really make and follow them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.model.booking import BookingState, RoomState
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.publish import Publisher, PublishSettings
from syncd.store import Store
from tests.environment import shared
from tests.integration.test_ews_rooms import with_invited_rooms
from tests.servers.graph import GraphServer
from tests.simulation.office import Office
from tests.simulation.town import NOW, at, directory

ANNA, R1, R2 = (f"{name}@example.org" for name in ("anna", "r1", "r2"))


class Hall(Office):
    """An office whose calendars are in Microsoft 365."""

    graph: GraphServer
    clock: list[datetime]

    @classmethod
    def on(cls, url: str, graph: GraphServer, clock: list[datetime]) -> Hall:
        account = GraphAccount("server", "t", "app", (Credential(secret="s"),), graph.base, graph.base)
        hall = cls(Store(url), directory=with_invited_rooms(), port=GraphCalendar(account))
        hall.graph, hall.clock = graph, clock
        return hall

    def elsewhere(self) -> Hall:
        """The same installation in another process, which remembers nothing of this one."""
        url = self.store.url.render_as_string(hide_password=False)
        self.close()
        return type(self).on(url, self.graph, self.clock)

    def close(self) -> None:
        self.store.close()
        assert isinstance(self.port, GraphCalendar)
        self.port.close()

    def later(self, minutes: int = 1, passes: int = 1) -> None:
        """Time passes, and everybody looks."""
        for _ in range(passes):
            self.clock[0] += timedelta(minutes=minutes)
            self.sync(self.clock[0])
            self.reconciler.run_due(self.clock[0])

    def times(self, address: str) -> list[Interval]:
        """What stands in a calendar, whoever sees it."""
        self.graph.world.settle()
        return sorted(Interval(*one.whole().span()) for one in self.graph.world.box(address).events.values())

    def offered(self, form: Form) -> set[str]:
        """Who is offered to citizens on the day after tomorrow."""
        day = Interval(at(0, day=25), at(0, day=26))
        return {slot.caseworker for slot in self.publisher.answer("talk", day, self.clock[0], form=form).slots}

    def shown(self, booking: str) -> tuple[BookingState, str | None, RoomState]:
        """The booking's state, its room, and how that stands."""
        seen = self.see(booking, self.clock[0])
        return seen.booking.state, seen.meeting.room, seen.meeting.room_state


@pytest.fixture
def halls(migrated_sqlite_url: str) -> Iterator[list[Hall]]:
    clock = [NOW]
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml"), clock=lambda: clock[0]) as graph:
        graph.door.application("app", "s")
        for box in directory().mailboxes.values():
            (graph.room if box.id.startswith("r") else graph.mailbox)(box.address, box.id.title())
        halls = [Hall.on(migrated_sqlite_url, graph, clock)]
        halls[0].sync(NOW)
        yield halls
        halls[-1].close()
        assert graph.validator is not None
        assert graph.validator.violations == []


@pytest.fixture
def hall(halls: list[Hall]) -> Hall:
    return halls[0]


def test_a_room_that_accepts_confirms_the_booking(hall: Hall):
    made = hall.book(at(9))
    hall.reconciler.run_due(NOW)

    hall.later(passes=2)

    assert (BookingState.CONFIRMED, "r1", RoomState.ACCEPTED) == hall.shown(made.booking.id)
    assert [made.meeting.interval] == hall.times(R1) == hall.times(ANNA)
    assert {ANNA} == {one.mailbox for one in hall.graph.seen if one.operation in ("create", "update")}


@pytest.mark.parametrize("another", [False, True])
def test_a_room_that_the_last_look_shows_taken_is_followed_by_the_next_one(halls: list[Hall], another: bool):
    halls[0].graph.outlook.book(R1, at(9), at(10))  # not yet in the mirror
    made = halls[0].book(at(9))
    assert made.meeting.room == "r1"
    halls[0].reconciler.run_due(NOW)
    assert halls[0].graph.world.posted == []

    if another:
        halls.append(halls[0].elsewhere())
    halls[-1].later(passes=4)

    assert (BookingState.CONFIRMED, "r2", RoomState.ACCEPTED) == halls[-1].shown(made.booking.id)
    assert [made.meeting.interval] == halls[-1].times(R2) == halls[-1].times(ANNA)


def test_a_create_that_another_save_got_in_the_way_of_is_no_deletion_by_hand(hall: Hall):
    hall.graph.faults.add("error", "create", times=3, status=409, code="ConcurrentItemSave")
    made = hall.book(at(9))
    hall.reconciler.run_due(NOW)

    hall.later(passes=6)

    assert (BookingState.CONFIRMED, "r1", RoomState.ACCEPTED) == hall.shown(made.booking.id)
    assert [made.meeting.interval] == hall.times(R1) == hall.times(ANNA)


def test_a_room_that_takes_its_word_back_later_is_followed_by_the_next_one(hall: Hall):
    made = hall.book(at(9))
    hall.later(passes=3)
    [event] = hall.graph.world.box(ANNA).events.values()
    [asked] = event.values["attendees"]
    [copy] = hall.graph.world.box(R1).events.values()

    hall.graph.outlook.delete(R1, copy)  # the house needs the room
    hall.graph.outlook.change(event, attendees=[{**asked, "status": {**asked["status"], "response": "declined"}}])
    hall.later(passes=4)

    assert (BookingState.CONFIRMED, "r2", RoomState.ACCEPTED) == hall.shown(made.booking.id)
    assert [] == hall.times(R1)


def test_a_meeting_that_its_caseworker_moves_has_its_room_only_when_that_said_yes_to_the_new_time(hall: Hall):
    made = hall.book(at(9))
    hall.later(passes=3)
    [event] = hall.graph.world.box(ANNA).events.values()
    hall.graph.outlook.book(R1, at(13), at(14))

    hall.graph.outlook.change(event, start=at(13), end=at(13, 45))
    hall.later(passes=5)

    seen = hall.see(made.booking.id, hall.clock[0])
    assert (BookingState.CONFIRMED, "r2", at(13)) == (
        seen.booking.state,
        seen.meeting.room,
        seen.meeting.interval.start,
    )
    assert [Interval(at(13), at(14))] == hall.times(R1)
    assert [seen.meeting.interval] == hall.times(R2)


@pytest.mark.parametrize("hers", [[], ["Rød"]])
def test_a_booked_talk_has_the_category_of_the_house_until_its_caseworker_gives_it_another(hall: Hall, hers: list[str]):
    hall.directory = replace(hall.directory, category="Selvbooking")
    made = hall.book(at(9))
    hall.later(passes=3)
    [event] = hall.graph.world.box(ANNA).events.values()
    assert (["Selvbooking"], "private", "busy") == tuple(
        event.values[one] for one in ("categories", "sensitivity", "showAs")
    )

    hall.graph.outlook.change(event, categories=hers, start=at(13), end=at(13, 45))
    hall.later(passes=4)

    assert at(13) == hall.see(made.booking.id, hall.clock[0]).meeting.interval.start
    assert hall.meeting(made.meeting.id).settled
    assert hers == event.values["categories"]


@pytest.mark.parametrize("trouble", ["unavailable", "throttle", "drop"])
def test_nobody_and_no_room_is_offered_whose_calendar_could_not_be_read(hall: Hall, trouble: str):
    more: dict[str, float] = {} if trouble == "drop" else {"retry_after": 0}
    hall.publisher = Publisher(hall.store, lambda: hall.directory, PublishSettings(), rules=hall)
    assert {"anna", "bo"} == hall.offered(Form.PHONE) == hall.offered(Form.IN_PERSON)
    hall.graph.faults.add(trouble, "*", ANNA, **more)
    hall.later(minutes=8, passes=2)
    assert ({"bo"}, {"bo"}) == (hall.offered(Form.PHONE), hall.offered(Form.IN_PERSON))

    for room in (R1, R2):
        hall.graph.faults.add(trouble, "*", room, **more)
    hall.later(minutes=8, passes=2)
    assert ({"bo"}, set()) == (hall.offered(Form.PHONE), hall.offered(Form.IN_PERSON))

    hall.graph.faults.clear()
    hall.later()
    assert {"anna", "bo"} == hall.offered(Form.PHONE) == hall.offered(Form.IN_PERSON)
