"""Marks over real CalDAV servers, from the caseworker's hand to the rooms' calendars and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force
from syncd.model.booking import BookingState
from syncd.model.offer import Form
from tests.servers.dav import DavServer
from tests.servers.radicale import radicale
from tests.servers.sabredav import sabredav
from tests.servers.xandikos import xandikos

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
SECRET = "Sygesamtale med Knud"
RULES = """
[offers.jobsamtale]
title = {da = "Jobsamtale"}
minutes = {in-person = 60}
who = ["anna"]
step = 60
notice = 0
[[hours]]
who = ["anna"]
days = ["mon-fri"]
from = "08:00"
to = "16:00"
"""
CONFIG = """
organisation = "Town"
database = "sqlite:///syncd.sqlite3"
rules_file = "offers.toml"
[marks]
room = "Mødelokale"
[calendars.main]
adapter = "caldav"
url = "{url}"
username = "{user}"
password = {{file = "password"}}
[sites.hq]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "anna@example.dk"
site = "hq"
[[rooms]]
id = "small"
name = "1.07"
address = "small@example.dk"
site = "hq"
[[rooms]]
id = "large"
name = "2.14"
address = "large@example.dk"
site = "hq"
capacity = 8
features = ["screen"]
"""
SERVERS: dict[str, Callable[[Path], AbstractContextManager[DavServer]]] = {
    "radicale": radicale,
    "xandikos": xandikos,
    "sabredav": sabredav,
}


@dataclass
class Office:
    """One configuration over a server, and the hand of Anna on it."""

    server: DavServer
    parts: Parts
    clock: FixedClock
    homes: dict[str, str] = field(default_factory=dict)

    def passes(self, times: int = 2) -> None:
        """Read, obey and write; a minute goes by each time."""
        for _ in range(times):
            now = self.clock.now()
            for box in self.parts.directory.mailboxes:
                self.parts.engine.sync_mailbox(box, now, force=True)
            self.parts.marks.obey(now)
            self.parts.reconciler.run_due(now)
            self.clock.at = now + timedelta(minutes=1)

    def puts(self, name: str, start: datetime, *lines: str, minutes: int = 60) -> None:
        """An appointment of hers."""
        end = start + timedelta(minutes=minutes)
        text = (
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", "BEGIN:VEVENT", f"UID:{name}",
            f"DTSTAMP:{NOW:%Y%m%dT%H%M%SZ}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{SECRET}", *lines, "END:VEVENT", "END:VCALENDAR", "",
        )  # fmt: skip
        self.server.put(f"{self.homes['anna']}{name}.ics", "\r\n".join(text))

    def paths(self, box: str) -> list[str]:
        """The objects of a calendar."""
        body = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        listing = self.server.request("PROPFIND", self.homes[box], body, Depth="1").text
        return [href for href in re.findall(r"<(?:\w+:)?href>([^<]+)</", listing) if href.endswith(".ics")]

    def events(self, box: str) -> list[icalendar.Component]:
        """What stands in a calendar."""
        texts = (self.server.get(path) for path in self.paths(box))
        found = [event for text in texts for event in icalendar.Calendar.from_ical(text or "").walk("VEVENT")]
        return sorted(found, key=lambda event: str(event.get("UID")))

    def notes(self) -> list[icalendar.Component]:
        """What syncd wrote into Anna's calendar."""
        return [event for event in self.events("anna") if str(event.get("UID")).endswith("@syncd")]


@pytest.fixture(params=[pytest.param(one, marks=[pytest.mark.broad] * (one != "radicale")) for one in sorted(SERVERS)])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    folder = tmp_path / "dav"
    folder.mkdir()
    with SERVERS[str(request.param)](folder) as server:
        homes = {name: server.make_calendar(name) for name in ("anna", "small", "large")}
        config = CONFIG.format(url=server.url, user=server.username or "nobody")
        for name, home in homes.items():
            config = config.replace(f'address = "{name}@', f'url = "{home}"\naddress = "{name}@')
        (tmp_path / "syncd.toml").write_text(config)
        (tmp_path / "password").write_text(server.password or "none")
        (tmp_path / "offers.toml").write_text(RULES)
        clock = FixedClock(NOW)
        loaded = load(tmp_path / "syncd.toml")
        parts = assemble(loaded, open_store(loaded), clock)
        put_in_force(parts, clock)
        yield Office(server, parts, clock, homes)
        parts.close()


def hour(event: icalendar.Component) -> int:
    """When it begins (UTC)."""
    start: datetime = event.decoded("DTSTART")
    return start.astimezone(UTC).hour


def test_a_room_comes_follows_and_goes_with_her_own_appointment(office: Office) -> None:
    office.puts("hers", NOW.replace(hour=10, minute=0), "CATEGORIES:Privat,MØDELOKALE: skærm", "LOCATION:Hos mig")
    office.passes()

    (taken,), (note,) = office.events("large"), office.notes()
    assert ("Optaget", 10) == (str(taken["SUMMARY"]), hour(taken))
    assert ("Lokale 2.14", "2.14", "TRANSPARENT", "PRIVATE") == tuple(
        str(note[name]) for name in ("SUMMARY", "LOCATION", "TRANSP", "CLASS")
    )
    assert ["Hos mig"] == [str(event["LOCATION"]) for event in office.events("anna") if str(event["UID"]) == "hers"]
    assert SECRET not in "".join(event.to_ical().decode() for event in (taken, note))

    office.puts("hers", NOW.replace(hour=12, minute=0), "CATEGORIES:Mødelokale")
    office.passes(3)
    assert [12] == [hour(event) for event in office.events("large")]  # the room she has is kept

    office.server.delete(f"{office.homes['anna']}hers.ics")
    office.passes(3)
    assert [[], [], []] == [office.events(box) for box in ("small", "large", "anna")]


def test_a_series_and_somebody_elses_meeting_are_answered_with_what_is_possible(office: Office) -> None:
    office.puts("weekly", NOW.replace(hour=10), "RRULE:FREQ=WEEKLY;COUNT=4", "CATEGORIES:Mødelokale")
    office.puts("theirs", NOW.replace(hour=13), "ORGANIZER:mailto:bo@example.dk", "CATEGORIES:Mødelokale")
    office.puts("open", NOW.replace(hour=15), "CATEGORIES:Selvbook: hokus")
    office.passes()

    told = sorted(str(note["DESCRIPTION"]) for note in office.notes())
    assert 3 == len(told)
    assert "Det er en andens møde" in told[0]
    assert "kategorien Mødelokale" in told[0]
    assert "en aftale, der gentager sig" in told[1]
    assert "»hokus« er ikke noget, borgerne kan booke hos dig" in told[2]
    assert [[], []] == [office.events("small"), office.events("large")]


def test_a_no_show_frees_the_room_and_keeps_her_categories(office: Office) -> None:
    office.passes(1)
    now = office.clock.now()
    held = office.parts.desk.hold(
        "portal", "jobsamtale", NOW.replace(hour=8, minute=0), "anna", Form.IN_PERSON, None, now
    )
    booked = office.parts.desk.book("portal", held.booking.id, "citizen", now)
    office.passes()
    assert 1 == len(office.events("small"))

    office.clock.at = NOW + timedelta(minutes=95)
    (path,) = office.paths("anna")
    text = office.server.get(path) or ""
    office.server.put(path, text.replace("END:VEVENT", "CATEGORIES:Gul,Udeblevet\r\nEND:VEVENT"))
    office.passes(3)

    found = office.parts.desk.booking("portal", booked.booking.id, office.clock.now())
    assert BookingState.NO_SHOW is found.booking.state
    assert [] == office.events("small")
    assert "Gul,Udeblevet" in office.notes()[0].to_ical().decode()
