"""Rooms that are invited and answer for themselves (RFC 6638), on Cyrus, which delivers invitations and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.booking import texts
from syncd.booking.desire import desire
from syncd.booking.results import Appointment
from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force
from syncd.model.booking import BookingState, RoomState
from syncd.model.offer import Form
from tests.servers.cyrus import as_user, cyrus
from tests.servers.dav import DavServer

NOW = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
AT = (NOW + timedelta(days=2)).replace(hour=10)
SOON = timedelta(minutes=1)
ROOMS = ("r1", "r2")
HERS = "/dav/calendars/user/anna/Default/"
RULES = """
[offers.talk]
title = {da = "Samtale"}
minutes = {in-person = 60}
who = ["anna"]
step = 60
notice = 0

[[hours]]
who = ["anna"]
days = "mon-sun"
from = "07:00"
to = "17:00"

# Cyrus goes by the real clock, so the days are real ones; none of them may be a holiday.
[holidays]
public = false
constitution_day = false
christmas_eve = false
new_years_eve = false
"""
ACCOUNT = """
[calendars.{user}]
adapter = "caldav"
url = "{url}"
username = "{user}"
password = {{file = "password"}}
rooms = "{rooms}"
"""
HEAD = """
organisation = "Town"
database = "sqlite:///syncd.sqlite3"
rules_file = "offers.toml"
"""
REST = """
[sites.hq]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "anna@syncd.test"
site = "hq"
account = "anna"
url = "/dav/calendars/user/anna/Default/"
"""
ROOM = """
[[rooms]]
id = "{0}"
name = "Lokale {0}"
address = "{0}@syncd.test"
site = "hq"
account = "{0}"
url = "/dav/calendars/user/{0}/Default/"
capacity = 4
"""


class Town:
    """Anna, and two rooms with calendars of their own and somebody who answers for them."""

    def __init__(self, server: DavServer, folder: Path) -> None:
        self.server, self.folder, self.now = server, folder, NOW
        for user in ("anna", *ROOMS):
            assert as_user(server, user).request("PROPFIND", f"/dav/calendars/user/{user}/").status_code == 207
        (folder / "password").write_text(server.password)
        (folder / "offers.toml").write_text(RULES)
        accounts = [ACCOUNT.format(user=user, url=server.url, rooms="invite") for user in ("anna", *ROOMS)]
        text = HEAD + "".join(accounts) + REST + "".join(ROOM.format(room) for room in ROOMS)
        (folder / "syncd.toml").write_text(text)
        config = load(folder / "syncd.toml")
        self.parts: Parts = assemble(config, open_store(config), FixedClock(NOW))
        put_in_force(self.parts, FixedClock(NOW))
        self.sync()

    def sync(self) -> None:
        for mailbox in ("anna", *ROOMS):
            assert self.parts.engine.sync_mailbox(mailbox, self.now, force=True).problem is None

    def book(self) -> Appointment:
        held = self.parts.desk.hold("portal", "talk", AT, "anna", Form.IN_PERSON, "citizen", self.now)
        return self.parts.desk.book("portal", held.booking.id, "citizen", self.now)

    def go_on(self) -> None:
        """A minute later everything is read, and what is due is done."""
        self.now += SOON
        self.sync()
        self.parts.reconciler.run_due(self.now)

    def copy(self, room: str, uid: str) -> str | None:
        """The invitation as it stands in a room's calendar."""
        return as_user(self.server, room).get(f"/dav/calendars/user/{room}/Default/{uid}.ics")

    def answer(self, room: str, uid: str, answer: str) -> None:
        """Let whoever answers for the room do so."""
        text = re.sub("PARTSTAT=[A-Z-]+", f"PARTSTAT={answer}", self.copy(room, uid) or "")
        as_user(self.server, room).put(f"/dav/calendars/user/{room}/Default/{uid}.ics", text)

    def stands(self, made: Appointment) -> tuple[BookingState, RoomState, str | None]:
        seen = self.parts.desk.booking("portal", made.booking.id, self.now)
        return seen.booking.state, seen.meeting.room_state, seen.meeting.room


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with cyrus("anna", *ROOMS) as server:
        opened = Town(server, tmp_path)
        yield opened
        opened.parts.close()


def test_a_room_is_invited_had_when_it_accepts_and_given_back_with_the_meeting(town: Town) -> None:
    assert "invited" in town.parts.ports["r1"].check(town.parts.directory.mailboxes["r1"]).says
    made = town.book()
    first, uid = made.meeting.room or "", made.meeting.uid
    town.parts.reconciler.run_due(town.now)

    assert "PARTSTAT=NEEDS-ACTION" in (town.copy(first, uid) or "")
    assert (BookingState.PENDING, RoomState.PENDING, first) == town.stands(made)

    town.answer(first, uid, "ACCEPTED")
    town.go_on()

    assert (BookingState.CONFIRMED, RoomState.ACCEPTED, first) == town.stands(made)
    assert 0 == town.parts.reconciler.sweep(town.now)
    # told again for another reason, the room keeps its answer: the server would not ask it a second time
    with town.parts.store.begin() as tx:
        meeting = tx.meetings.get(made.meeting.id, lock=True)
        assert meeting is not None
        generation = desire(tx, meeting, town.now).desired_generation
    town.go_on()
    hers = as_user(town.server, "anna").get(f"{HERS}{uid}.ics") or ""
    assert f";{generation};" in hers
    assert "PARTSTAT=ACCEPTED" in hers
    assert (BookingState.CONFIRMED, RoomState.ACCEPTED, first) == town.stands(made)

    town.parts.desk.cancel("portal", made.booking.id, town.now)
    town.go_on()

    assert "STATUS:CANCELLED" in (town.copy(first, uid) or "")
    answer = town.parts.publisher.answer("talk", made.meeting.interval, town.now)
    assert [AT] == [slot.interval.start for slot in answer.slots]


def test_a_room_that_declines_leads_to_another_and_is_not_asked_again(town: Town) -> None:
    made = town.book()
    uid, first = made.meeting.uid, made.meeting.room or ""
    [second] = set(ROOMS) - {first}
    town.parts.reconciler.run_due(town.now)

    town.answer(first, uid, "DECLINED")
    town.go_on()

    assert (BookingState.PENDING, RoomState.PENDING, second) == town.stands(made)
    assert "PARTSTAT=NEEDS-ACTION" in (town.copy(second, uid) or "")
    assert "STATUS:CANCELLED" in (town.copy(first, uid) or "")

    town.answer(second, uid, "DECLINED")
    for _ in range(3):
        town.go_on()

    assert (RoomState.MISSING, None) == town.stands(made)[1:]
    with town.parts.store.read() as tx:
        meeting = tx.meetings.get(made.meeting.id)
    assert meeting is not None
    assert texts.ROOM_MISSING in (meeting.attention or "")


def test_a_room_that_declines_later_is_replaced_as_soon_as_its_calendar_shows_it(town: Town) -> None:
    made = town.book()
    uid, first = made.meeting.uid, made.meeting.room or ""
    [second] = set(ROOMS) - {first}
    town.parts.reconciler.run_due(town.now)
    town.answer(first, uid, "ACCEPTED")
    town.go_on()
    assert BookingState.CONFIRMED is town.stands(made)[0]

    town.answer(first, uid, "DECLINED")
    town.go_on()
    town.answer(second, uid, "ACCEPTED")
    town.go_on()

    assert (BookingState.CONFIRMED, RoomState.ACCEPTED, second) == town.stands(made)


@pytest.mark.long
def test_a_room_that_never_answers_is_told_to_a_person(town: Town) -> None:
    made = town.book()
    town.parts.reconciler.run_due(town.now)
    for _ in range(3):
        town.now += timedelta(minutes=9)
        town.go_on()

    with town.parts.store.read() as tx:
        meeting = tx.meetings.get(made.meeting.id)
    assert meeting is not None
    assert "has not answered yet" in (meeting.attention or "")
