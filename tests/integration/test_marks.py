"""Caseworkers ask for rooms, and note no-shows, by categories in their own calendars; over calendars in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from syncd.booking.announce import Announcer
from syncd.booking.obey import MarkKeeper, Obeyed
from syncd.model.booking import BookingState, Meeting, RoomState
from syncd.model.busy import BusyType, Occurrence
from syncd.model.entry import EntryDraft
from syncd.model.interval import Interval
from syncd.model.marks import Marks
from syncd.model.offer import Form
from syncd.store import Store
from syncd.store.tables import AuditRow
from tests.simulation.office import Office
from tests.simulation.town import NOW, at

MINUTE = timedelta(minutes=1)
TEN = at(10)


@dataclass
class Desk:
    """One installation, and the hands of Anna in her calendar."""

    office: Office
    now: datetime = NOW

    def __post_init__(self) -> None:
        office = self.office
        self.keeper = MarkKeeper(office.store, lambda: office.directory, lambda: office.rulebook, Marks())

    def puts(self, category: str | tuple[str, ...], start: datetime = TEN, minutes: int = 60, **more: Any) -> None:
        """An appointment of hers with categories."""
        uid = str(more.pop("uid", "hers"))
        categories = (category,) if isinstance(category, str) else category
        one = Occurrence(uid, None, Interval.at(start, minutes), BusyType.BUSY, categories=categories)
        self.office.calendar.put("anna", uid, [replace(one, **more)])

    def passes(self, times: int = 2) -> Obeyed:
        """Read, obey and write, a minute apart each time; what the first look did."""
        done = []
        for _ in range(times):
            self.office.sync(self.now)
            done.append(self.keeper.obey(self.now))
            self.office.reconciler.run_due(self.now)
            self.now += MINUTE
        return done[0]

    def rows(self) -> list[Meeting]:
        """What stands beside events."""
        with self.office.store.read() as tx:
            return tx.marks.beside(NOW)

    def room(self) -> str | None:
        """The room of her only wish."""
        (row,) = self.rows()
        return row.room if row.wanted else None

    def notes(self) -> list[EntryDraft]:
        """What syncd wrote into her calendar."""
        things = self.office.calendar._calendar("anna").things.values()
        return [thing.draft for thing in things if thing.draft is not None]

    def taken(self) -> list[Interval]:
        """When any room's calendar says that it is taken."""
        return sorted(span for room in self.office.directory.rooms for span in self.office.standing(room))


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    office = Office.open(migrated_url)
    yield Desk(office)
    office.store.close()


def test_a_marked_appointment_gets_a_room_and_says_nothing_about_itself(desk: Desk) -> None:
    desk.puts("Lokale")
    assert Obeyed(begun=1) == desk.passes()

    (row,), (note,) = desk.rows(), desk.notes()
    assert (RoomState.ACCEPTED, True) == (row.room_state, row.settled)
    assert [Interval.at(at(10), 60)] == desk.taken()
    assert ("Lokale 2.r1", "2.r1") == (note.summary, note.location)
    assert (BusyType.FREE, True, Interval.at(at(10), 60)) == (note.busy, note.private, note.interval)
    room = desk.office.calendar.find(desk.office.directory.mailboxes[row.room or ""], row.uid)[0]
    assert ("", ()) == (room.location, room.categories)
    assert not desk.passes().any


def test_a_room_can_change_until_it_is_announced_and_the_note_says_so(desk: Desk) -> None:
    desk.puts("Lokale", at(10, day=30))
    desk.passes()
    assert ["2.r1 (kan ændres)"] == [note.location for note in desk.notes()]

    office = desk.office
    announcer = Announcer(office.store, lambda: office.directory, lambda: office.rulebook)
    desk.now = at(7, day=28)
    assert 1 == announcer.announce(desk.now)
    desk.passes()
    assert ["2.r1"] == [note.location for note in desk.notes()]
    assert 0 == announcer.announce(desk.now)


def test_her_own_time_is_taken_by_her_event_alone(desk: Desk) -> None:
    desk.puts("Lokale")
    desk.passes()
    answer = desk.office.publisher.answer("talk", Interval.at(at(9), 180), desk.now, caseworker="anna", form=Form.PHONE)

    starts = {slot.interval.start for slot in answer.slots}
    assert at(9, 30) in starts
    assert at(11) in starts
    assert not {at(10), at(10, 30)} & starts
    assert 0 == desk.office.reconciler.sweep(desk.now)
    assert not desk.rows()[0].conflict


def test_the_room_follows_when_she_moves_and_goes_when_she_removes(desk: Desk) -> None:
    desk.puts("Lokale")
    desk.passes()
    desk.puts("Lokale", at(13), 90)
    desk.passes()

    assert [Interval.at(at(13), 90)] == desk.taken() == [note.interval for note in desk.notes()]
    desk.office.calendar.remove("anna", "hers")
    assert Obeyed(ended=1) == desk.passes()
    assert ([], []) == (desk.taken(), desk.notes())


def test_a_mark_taken_off_gives_the_room_back_and_set_anew_gets_one_again(desk: Desk) -> None:
    desk.puts("Lokale")
    desk.passes()
    desk.puts(())
    assert Obeyed(ended=1) == desk.passes()
    assert [] == desk.taken()

    desk.puts("Lokale")
    assert Obeyed(begun=1) == desk.passes()
    assert 1 == len(desk.taken())


def test_throwing_the_note_away_gives_the_room_up_until_something_changes(desk: Desk) -> None:
    desk.puts("Lokale")
    desk.passes(3)
    desk.office.calendar.remove("anna", desk.rows()[0].uid)
    desk.passes(4)

    assert ([], [], None) == (desk.taken(), desk.notes(), desk.room())
    desk.puts("Lokale", at(12))
    desk.passes()
    assert [Interval.at(at(12), 60)] == desk.taken()


def test_a_note_that_was_dragged_away_comes_back_beside_her_event(desk: Desk) -> None:
    desk.puts("Lokale")
    desk.passes()
    desk.office.calendar.edit("anna", desk.rows()[0].uid, interval=Interval.at(at(15), 60))
    desk.passes(3)

    assert [Interval.at(at(10), 60)] == [note.interval for note in desk.notes()] == desk.taken()


def test_two_notes_thrown_away_at_once_close_no_calendar(desk: Desk) -> None:
    desk.puts("Lokale", at(9), uid="one")
    desk.puts("Lokale", at(11), uid="two")
    desk.puts("Selvbook: hokus", at(13), uid="three")
    desk.passes(3)
    for row in desk.rows():
        desk.office.calendar.remove("anna", row.uid)
    desk.passes(4)

    with desk.office.store.read() as tx:
        status = tx.mailboxes.status("anna")
    assert status is not None
    assert status.refused is None
    assert [] == desk.taken()


def test_more_seats_and_features_are_asked_for_in_the_same_words(desk: Desk) -> None:
    rooms = desk.office.directory.rooms
    big = replace(rooms["r2"], capacity=8, features=frozenset({"screen"}))
    desk.office.directory = replace(desk.office.directory, rooms={**rooms, "r2": big})
    desk.puts(("Lokale: 6", "Lokale: skærm"))
    desk.passes()

    assert "r2" == desk.room()


def test_no_room_free_is_said_once_with_what_comes_nearest(desk: Desk) -> None:
    for room in ("r1", "r2"):
        desk.office.event(room, at(10), 60)
    desk.puts("Lokale")
    done = desk.passes()

    (note,) = desk.notes()
    assert Obeyed(begun=1, told=1) == done
    assert "Intet lokale" == note.summary
    assert "Intet passende lokale er ledigt (2 pladser)." in note.description
    # Two hours on the same day lie nearest: 9 to 10 and 11 to 12 UTC, an hour later on the wall.
    assert "Nærmeste tider med lokale: tirsdag 24.11. kl. 12.00 (2.r1), tirsdag 24.11. kl. 10.00 (2.r1)" in (
        note.description
    )
    assert [True, True] == [room not in note.description for room in ("r1 (kan", "Optaget")]
    assert not desk.passes().any


def test_smaller_rooms_at_the_same_time_are_named(desk: Desk) -> None:
    desk.puts("Lokale: 12, skærm")
    desk.passes()
    rooms = desk.office.directory.rooms
    desk.office.directory = replace(
        desk.office.directory, rooms={**rooms, "r1": replace(rooms["r1"], features=frozenset({"screen"}))}
    )
    desk.puts("Lokale: 12, skærm", at(11))
    desk.passes()

    (note,) = desk.notes()
    assert "Ledigt på samme tid: 2.r1 (4 pladser), 2.r2 (4 pladser, uden screen)." in note.description
    assert "Der er heller intet ledigt på nærliggende tider." in note.description


def test_a_room_that_comes_free_is_given_and_the_note_says_so(desk: Desk) -> None:
    for room in ("r1", "r2"):
        desk.office.event(room, at(10), 60)
    desk.puts("Lokale")
    desk.passes()
    desk.office.calendar.remove("r2", "other")
    desk.now += timedelta(minutes=16)
    desk.passes(3)

    (note,) = desk.notes()
    assert ("r2", "Lokale 2.r2") == (desk.room(), note.summary)
    assert desk.rows()[0].note is None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"recurring": True}, "en aftale, der gentager sig"),
        ({"guest": True}, "Det er en andens møde"),
        ({"all_day": True}, "Aftalen varer hele dagen"),
        ({"minutes": 13 * 60}, "højst 12 timer"),
        ({"category": "Lokale: kaffe"}, "syncd forstår ikke »kaffe«"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(desk: Desk, more: dict[str, Any], says: str) -> None:
    desk.puts(**({"category": "Lokale"} | more))
    desk.passes()

    (note,) = desk.notes()
    assert says in note.description
    assert [] == desk.taken()
    desk.office.calendar.remove("anna", note.uid)
    desk.passes(4)
    assert [] == desk.notes()


def test_a_series_is_answered_once_and_not_for_each_instance(desk: Desk) -> None:
    days = [at(10, day=day) for day in (24, 25, 26)]
    series = [
        Occurrence("s", day, Interval.at(day, 60), BusyType.BUSY, recurring=True, categories=("Lokale",))
        for day in days
    ]
    desk.office.calendar.put("anna", "s", series)
    desk.passes()
    assert [days[0]] == [note.interval.start for note in desk.notes()]

    desk.now = at(12)
    desk.passes(3)
    assert [days[0]] == [note.interval.start for note in desk.notes()]


def test_an_unknown_offer_is_answered_once_and_its_time_never_blocks(desk: Desk) -> None:
    desk.puts("Selvbook: jobsamtal")
    desk.passes()

    (note,) = desk.notes()
    assert "Selvbook: ikke åbnet" == note.summary
    assert "»jobsamtal« er ikke noget, borgerne kan booke hos dig" in note.description
    assert "Skriv »Selvbook« alene, eller »Selvbook:« og et af: Jobsamtale." in note.description
    answer = desk.office.publisher.answer("talk", Interval.at(at(10), 60), desk.now, caseworker="anna")
    assert answer.slots
    desk.puts("Selvbook: Jobsamtale")
    desk.passes()
    assert [] == desk.notes()


def test_english_is_written_where_the_organisation_speaks_it(desk: Desk) -> None:
    desk.office.directory = replace(desk.office.directory, language="en")
    desk.puts("Selvbook: hokus")
    desk.passes()

    assert "Citizens cannot book 'hokus' with you" in desk.notes()[0].description


def test_a_database_that_forgot_takes_the_same_entries_up_again(desk: Desk) -> None:
    desk.puts("Lokale")
    desk.passes()
    before = desk.rows()[0]
    with desk.office.store.begin() as tx:
        for table in ("entries", "claims", "meetings"):
            tx.session.connection().exec_driver_sql(f"DELETE FROM {table}")
    desk.passes(4)

    after = desk.rows()[0]
    assert (before.id, before.room, True) == (after.id, after.room, after.settled)
    assert [Interval.at(at(10), 60)] == desk.taken() == [note.interval for note in desk.notes()]


def test_a_note_of_a_forgotten_event_is_cleaned_away(desk: Desk) -> None:
    desk.puts("Lokale")
    desk.passes()
    desk.office.calendar.remove("anna", "hers")
    with desk.office.store.begin() as tx:
        for table in ("entries", "claims", "meetings"):
            tx.session.connection().exec_driver_sql(f"DELETE FROM {table}")
    desk.passes(1)
    desk.office.reconciler.sweep(desk.now)
    desk.passes(2)

    assert ([], []) == (desk.taken(), desk.notes())
    with desk.office.store.read() as tx:
        assert "meeting.adopted" not in set(tx.session.scalars(select(AuditRow.action)))


def test_a_citizen_who_did_not_come_is_noted_and_the_room_is_free(desk: Desk) -> None:
    booked = desk.office.book(at(10))
    desk.passes()
    desk.office.calendar.edit("anna", booked.meeting.uid, categories=("Rød kategori", "Udeblevet"))
    desk.passes()
    assert BookingState.CONFIRMED is desk.office.see(booked.booking.id, desk.now).booking.state  # it has not begun

    desk.now = at(10, 10)
    assert Obeyed(missed=1) == desk.passes()
    assert BookingState.NO_SHOW is desk.office.see(booked.booking.id, desk.now).booking.state
    assert [] == desk.taken()
    entry = desk.office.entries("anna", booked.meeting)[0]
    assert ("Rød kategori", "Udeblevet") == entry.categories
    with desk.office.store.read() as tx:
        rows = tx.session.execute(select(AuditRow.actor, AuditRow.action).where(AuditRow.booking == booked.booking.id))
        assert ("calendar:anna", "booking.no-show") in {tuple(row) for row in rows}
    assert not desk.passes().any


def test_a_no_show_taken_back_has_a_room_again_while_it_lasts(desk: Desk) -> None:
    booked = desk.office.book(at(10))
    desk.passes()
    desk.now = at(10, 5)
    desk.office.calendar.edit("anna", booked.meeting.uid, categories=("Udeblevet",))
    desk.passes()
    desk.office.calendar.edit("anna", booked.meeting.uid, categories=())
    desk.passes(3)

    seen = desk.office.see(booked.booking.id, desk.now)
    assert (BookingState.CONFIRMED, RoomState.ACCEPTED) == (seen.booking.state, seen.meeting.room_state)
    assert [booked.meeting.interval] == desk.taken()


def test_a_no_show_can_be_noted_when_the_meeting_is_over(desk: Desk) -> None:
    booked = desk.office.book(at(10))
    desk.passes()
    desk.now = at(15)
    desk.passes()
    desk.office.calendar.edit("anna", booked.meeting.uid, categories=("Udeblevet",))
    desk.passes()
    assert BookingState.NO_SHOW is desk.office.see(booked.booking.id, desk.now).booking.state

    desk.office.calendar.edit("anna", booked.meeting.uid, categories=())
    desk.passes()
    assert BookingState.CONFIRMED is desk.office.see(booked.booking.id, desk.now).booking.state


def test_a_booked_meeting_moved_where_no_room_is_free_says_what_comes_nearest(desk: Desk) -> None:
    booked = desk.office.book(at(10))
    desk.passes()
    for room in ("r1", "r2"):
        desk.office.event(room, at(13), 60)
    desk.office.sync(desk.now)
    desk.office.calendar.edit("anna", booked.meeting.uid, interval=Interval.at(at(13), 45))
    desk.passes(4)

    (note,) = desk.notes()
    assert Interval.at(at(13), 45) == note.interval
    assert "Nærmeste tider med lokale: tirsdag 24.11. kl. 13.15 (" in note.description


def test_a_closed_room_is_replaced_for_a_marked_appointment_too(desk: Desk) -> None:
    from syncd.booking.keep_rooms import RoomKeeper

    desk.puts("Lokale")
    desk.passes()
    first = desk.room()
    rooms = RoomKeeper(desk.office.store, lambda: desk.office.directory, lambda: desk.office.rulebook)
    rooms.block(str(first), Interval.at(at(8), 600), "leak", "mette", desk.now)
    desk.passes()

    assert {first, desk.room()} == {"r1", "r2"}
    assert [Interval.at(at(10), 60)] == desk.taken()
    assert {desk.notes()[0].summary} == {f"Lokale 2.{desk.room()}"}


def test_marks_are_found_among_very_many_entries_and_meetings_without_walking_them(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'many.sqlite3'}")
    store.upgrade()
    asked: list[tuple[str, Any]] = []
    with store.read() as tx:
        connection = tx.session.connection()
        event.listen(connection, "before_cursor_execute", lambda _c, _u, sql, values, *_: asked.append((sql, values)))
        for question in (tx.marks.seen, tx.marks.beside, tx.marks.lacking, tx.marks.missed, tx.marks.attended):
            question(NOW)
        plans = [
            row[-1]
            for sql, values in list(asked)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    store.close()

    assert [] == [plan for plan in plans if plan.startswith("SCAN") and "ix_occurrences_marked" not in plan]
    assert {"marked", "beside", "lacking"} == set(re.findall(r"ix_(?:occurrences|meetings)_(\w+)", " ".join(plans)))
