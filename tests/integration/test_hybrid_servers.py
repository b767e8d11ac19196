"""Exchange and Microsoft 365 together: mailboxes move with their bookings, and rooms are met across."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from syncd import points
from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.calendar import GraphCalendar
from syncd.adapters.hybrid import HybridCalendar
from syncd.model.booking import BookingState, Meeting, RoomState
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store import Store
from tests.environment import shared
from tests.integration.test_ews_rooms import with_invited_rooms
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.recurrence import Recurrence
from tests.servers.graph import GraphServer
from tests.servers.hybrid import Organisation
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at, directory

MINUTE = timedelta(minutes=1)
WINDOW = Interval(at(0, day=24), at(0, day=29))
ANNA, R1 = "anna@example.org", "r1@example.org"


class Crash(BaseException):
    """The process died here."""


class Town(Office):
    """An office whose mailboxes are in the house, in the cloud, or on their way."""

    organisation: Organisation
    clock: list[datetime]
    url: str

    @classmethod
    def on(cls, url: str, organisation: Organisation, clock: list[datetime]) -> Town:
        exchange, graph = organisation.exchange, organisation.graph
        house = EwsCalendar(EwsAccount("house", exchange.url, "basic", "svc", "geheim"))
        account = GraphAccount("cloud", "t", "app", (Credential(secret="s"),), graph.base, graph.base)
        port = HybridCalendar("house", house, "cloud", GraphCalendar(account))
        town = cls(Store(url), directory=with_invited_rooms(), port=port)
        town.organisation, town.clock, town.url = organisation, clock, url
        return town

    def restarted(self) -> Town:
        """The same installation in a new process."""
        self.close()
        return type(self).on(self.url, self.organisation, self.clock)

    def close(self) -> None:
        self.store.close()
        assert isinstance(self.port, HybridCalendar)
        self.port.close()

    def later(self, passes: int = 1) -> None:
        """Time passes, mail is carried, everybody looks; nothing is ever free that is busy."""
        for _ in range(passes):
            self.clock[0] += MINUTE
            self.organisation.carry()
            self.sync(self.clock[0])
            self.reconciler.run_due(self.clock[0])
            for slot in self.publisher.answer("talk", WINDOW, self.clock[0], form=Form.PHONE).slots:
                busy = self.organisation.times(f"{slot.caseworker}@example.org")
                assert not any(slot.interval.overlaps(Interval(*span)) for span in busy), slot

    def standing(self, mailbox: str) -> list[Interval]:
        return [Interval(*span) for span in self.organisation.times(f"{mailbox}@example.org")]

    def copies(self, mailbox: str, meeting: Meeting) -> int:
        """How often a meeting stands in a calendar."""
        return self.standing(mailbox).count(meeting.interval)

    def known(self, mailbox: str, meeting: Meeting) -> list[str]:
        """Whose the mirror takes the entries at a meeting's time to be."""
        with self.store.read() as tx:
            found = tx.mailboxes.occurrences([mailbox], meeting.interval)[mailbox]
        return [one.stamp.meeting if one.stamp else "somebody's" for one in found]


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[list[Town]]:
    clock = [NOW]
    schemas, metadata = shared("reference/ews-xsd"), shared("reference/graph-metadata/cleanMetadata.xml")
    with (
        ExchangeServer(schemas, clock=lambda: clock[0]) as exchange,
        GraphServer(metadata, clock=lambda: clock[0]) as graph,
    ):
        exchange.account("svc", "geheim", impersonates=True)
        graph.door.application("app", "s")
        organisation = Organisation(exchange, graph)
        for box in directory().mailboxes.values():
            organisation.open(box.address, box.id.title(), room=box.id.startswith("r"))
        for day in range(24, 28):
            exchange.outlook.book(ANNA, at(7, day=day), at(8, day=day), Subject="Andet")
        weekly = Recurrence("Weekly", at(11).date(), days=("Tuesday",), times=6)
        exchange.outlook.book(ANNA, at(11), at(12), recurrence=weekly, Subject="Team")
        town = [Town.on(migrated_sqlite_url, organisation, clock)]
        town[0].sync(NOW)
        yield town
        town[0].close()
        assert "\n".join(exchange.violations) == ""
        assert graph.validator is not None
        assert graph.validator.violations == []


def booked(town: Town, start: datetime) -> Meeting:
    made = town.book(start, now=town.clock[0])
    town.later(4)
    seen = town.see(made.booking.id, town.clock[0])
    assert (BookingState.CONFIRMED, RoomState.ACCEPTED) == (seen.booking.state, seen.meeting.room_state)
    return town.meeting(made.meeting.id)


def dying_at(point: str):
    def die(here: str) -> None:
        if here == point:
            raise Crash

    return die


@pytest.mark.parametrize(("point", "translating"), [("", True), ("sync.read", False), ("reconcile.acted", True)])
def test_a_caseworker_moves_to_the_cloud_and_back_with_her_bookings(town: list[Town], point: str, translating: bool):
    organisation = town[0].organisation
    organisation.translating = translating
    first = booked(town[0], at(9))
    late = town[0].book(at(13), now=town[0].clock[0])  # owed when everything moves

    for move in (organisation.to_cloud, organisation.to_house):
        move(ANNA)
        try:
            with points.watched(dying_at(point)):
                town[0].later()
        except Crash:
            town[0] = town[0].restarted()
        town[0].later(4)
        second = town[0].meeting(late.meeting.id)
        for one in (first, second):
            assert (1, 1) == (town[0].copies("anna", one), town[0].copies(str(one.room), one))
            assert ([one.id], [one.id]) == (town[0].known("anna", one), town[0].known(str(one.room), one))
            assert (False, None) == (one.conflict, one.attention)
        with town[0].store.read() as tx:
            assert [] == [task.en for task in tx.tasks.waiting()]
            assert {None} == {status.problem for status in tx.mailboxes.statuses().values()}

    seen = town[0].see(late.booking.id, town[0].clock[0])
    assert (BookingState.CONFIRMED, RoomState.ACCEPTED) == (seen.booking.state, seen.meeting.room_state)


@pytest.mark.parametrize("who", [ANNA, R1])
def test_a_caseworker_on_one_side_meets_in_a_room_on_the_other(town: list[Town], who: str):
    town[0].organisation.to_cloud(who)
    town[0].later()

    meeting = booked(town[0], at(9))
    assert ("r1", 1, 1) == (meeting.room, town[0].copies("anna", meeting), town[0].copies("r1", meeting))
    town[0].later(3)
    settled = town[0].meeting(meeting.id)
    assert (meeting.room, False) == (settled.room, settled.conflict)
    assert ([meeting.id], [meeting.id]) == (town[0].known("anna", meeting), town[0].known("r1", meeting))

    with town[0].store.read() as tx:
        [booking] = tx.bookings.of(meeting.id)
    town[0].desk.cancel(CLIENT, booking.id, town[0].clock[0])
    town[0].later(3)
    assert (0, 0) == (town[0].copies("anna", meeting), town[0].copies("r1", meeting))


def test_a_room_that_declines_across_is_followed_by_the_next_one(town: list[Town]):
    organisation = town[0].organisation
    organisation.to_cloud(R1)
    town[0].later()
    organisation.graph.outlook.book(R1, at(9), at(10))  # not yet in the mirror

    made = town[0].book(at(9), now=town[0].clock[0])
    assert "r1" == made.meeting.room
    town[0].reconciler.run_due(town[0].clock[0])
    town[0].later(5)

    seen = town[0].see(made.booking.id, town[0].clock[0])
    assert (BookingState.CONFIRMED, "r2") == (seen.booking.state, seen.meeting.room)
    assert 1 == town[0].copies("r2", seen.meeting)
