"""Talks by video in Microsoft 365: the link to meet by is waited for, told to the citizen, and missed by a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.booking import texts
from syncd.booking.results import Appointment
from syncd.booking.watch import Watch
from syncd.model.booking import BookingState
from syncd.model.event import EventKind
from syncd.model.offer import Form
from syncd.model.task import TaskKind
from syncd.store import Store
from syncd.web.appointments import booking_content
from tests.environment import shared
from tests.servers.graph import GraphServer
from tests.simulation.office import Office
from tests.simulation.town import NOW, at, directory, offer, rulebook

ANNA = "anna@example.org"
VIDEO = rulebook(offer(minutes={Form.VIDEO: 30}, room=None))


class Town(Office):
    """An office whose calendars are in Microsoft 365."""

    graph: GraphServer
    clock: list[datetime]

    def wait(self, seconds: int = 0) -> None:
        """Time goes by, and what is due is looked at."""
        self.clock[0] += timedelta(seconds=seconds)
        self.reconciler.run_due(self.clock[0])

    def asked(self) -> Appointment:
        """A talk by video that a citizen booked."""
        return self.book(at(9), form=Form.VIDEO, now=self.clock[0])

    def shown(self, booking: str) -> tuple[BookingState, str | None]:
        """What the citizen is told."""
        found = self.see(booking, self.clock[0])
        content = booking_content(found, self.directory, self.clock[0])
        return found.booking.state, content["video"]

    def tasks(self) -> list[str]:
        """What people are asked to look at."""
        Watch(self.store, lambda: self.directory).look(self.clock[0])
        with self.store.read() as tx:
            return [str(one.facts["says"]) for one in tx.tasks.waiting(TaskKind.LOOK_AT_MEETING)]

    @property
    def link(self) -> str:
        """The join link as it stands in Anna's calendar."""
        [event] = self.graph.world.box(ANNA).events.values()
        return str(event.values["onlineMeeting"]["joinUrl"])


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Town]:
    clock = [NOW]
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml"), clock=lambda: clock[0]) as graph:
        graph.door.application("app", "s")
        for box in directory().mailboxes.values():
            graph.mailbox(box.address)
        port = GraphCalendar(
            GraphAccount("server", "t", "app", (Credential(secret="s"),), graph.base, graph.base, teams=True)
        )
        made = Town(Store(migrated_sqlite_url), rulebook=VIDEO, port=port)
        made.graph, made.clock = graph, clock
        made.sync(NOW)
        yield made
        port.close()
        made.store.close()


def test_the_citizen_is_told_the_link_that_microsoft_made(town: Town):
    booking = town.asked().booking.id

    town.wait()

    assert (BookingState.CONFIRMED, town.link) == town.shown(booking)
    assert [] == town.tasks()


def test_a_link_that_comes_late_is_read_again_until_it_is_there_and_then_the_booking_is_confirmed(town: Town):
    town.graph.world.box(ANNA).teams_delay = 45
    booking = town.asked().booking.id

    town.wait()
    assert (BookingState.PENDING, None) == town.shown(booking)
    for _ in range(5):
        town.wait(20)

    assert (BookingState.CONFIRMED, town.link) == town.shown(booking)
    assert [] == town.tasks()
    assert 1 == town.graph.count("create")
    assert 0 == town.graph.count("update")


def test_a_person_is_asked_when_no_link_comes_and_a_later_one_is_told_all_the_same(town: Town):
    box = town.graph.world.box(ANNA)
    box.teams_delay = 3600
    booking = town.asked().booking.id
    for _ in range(12):
        town.wait(20)

    assert (BookingState.CONFIRMED, None) == town.shown(booking)
    assert [texts.NO_LINK] == town.tasks()
    told = changed(town)
    for _ in range(6):
        town.wait(900)

    assert (BookingState.CONFIRMED, town.link) == town.shown(booking)
    assert [] == town.tasks()
    assert told + 1 == changed(town)


def test_a_link_stays_when_the_talk_is_moved(town: Town):
    booking = town.asked().booking.id
    town.wait()
    link = town.link

    [event] = town.graph.world.box(ANNA).events.values()
    town.graph.outlook.change(event, start=at(13), end=at(13, 30))
    town.sync(town.clock[0])
    town.wait(10)

    assert at(13) == town.see(booking, town.clock[0]).meeting.interval.start
    assert (BookingState.CONFIRMED, link) == town.shown(booking)
    assert link == town.link


def changed(town: Town) -> int:
    """How often clients are told that something about a booking is another."""
    with town.store.read() as tx:
        return sum(one.kind is EventKind.BOOKING_CHANGED for one in tx.events.waiting(100))
