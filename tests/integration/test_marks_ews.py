"""Marks on an Exchange server, from the caseworker's hand in Outlook to the rooms' calendars and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force
from syncd.errors import SlotGone
from syncd.model.booking import BookingState
from syncd.model.offer import Form
from tests.environment import shared
from tests.integration.test_marks_caldav import CONFIG, NOW, RULES, SECRET
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.model import Sight

ANNA, SMALL, LARGE = (f"{name}@example.dk" for name in ("anna", "small", "large"))


@dataclass
class Office:
    """One configuration over an Exchange server, and the hand of Anna in Outlook."""

    server: ExchangeServer
    parts: Parts
    clock: FixedClock

    def passes(self, times: int = 3) -> None:
        """Read, obey and write; a minute goes by each time."""
        for _ in range(times):
            now = self.clock.now()
            for box in self.parts.directory.mailboxes:
                self.parts.engine.sync_mailbox(box, now, force=True)
            self.parts.marks.obey(now)
            self.parts.reconciler.run_due(now)
            self.clock.at = now + timedelta(minutes=1)

    def puts(self, start: datetime, *categories: str, **more: Any) -> str:
        """An appointment of hers, shown as busy as Outlook makes them."""
        end = start + timedelta(hours=1)
        return self.server.outlook.book(ANNA, start, end, Subject=SECRET, Categories=categories, **more)

    def seen(self, box: str) -> list[Sight]:
        """The day in a calendar."""
        return self.server.outlook.calendar(box, NOW.replace(hour=0, minute=0), NOW.replace(hour=23))

    def hours(self, box: str) -> list[int]:
        """When the entries of the day begin (UTC)."""
        return [one.start.astimezone(UTC).hour for one in self.seen(box)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = FixedClock(NOW)
    with ExchangeServer(shared("reference/ews-xsd"), clock=lambda: clock.at) as server:
        server.account("svc", "geheim", impersonates=True)
        server.mailbox(ANNA, "Anna")
        server.room(SMALL, "1.07")
        server.room(LARGE, "2.14")
        config = CONFIG.format(url=server.url, user="DOM\\\\svc").replace('"caldav"', '"ews"')
        (tmp_path / "syncd.toml").write_text(config)
        (tmp_path / "password").write_text("geheim")
        (tmp_path / "offers.toml").write_text(RULES)
        loaded = load(tmp_path / "syncd.toml")
        parts = assemble(loaded, open_store(loaded), clock)
        put_in_force(parts, clock)
        yield Office(server, parts, clock)
        parts.close()
        assert "\n".join(server.violations) == ""


def test_a_room_comes_follows_and_goes_with_her_own_appointment(office: Office) -> None:
    hers = office.puts(NOW.replace(hour=10, minute=0), "Privat", "MØDELOKALE: skærm", Location="Hos mig")
    office.passes()

    assert [10] == office.hours(LARGE)
    assert SECRET not in str([one.values for one in office.seen(LARGE)])
    (note,) = [one for one in office.seen(ANNA) if one.values["Subject"] != SECRET]
    assert ("Lokale 2.14", "2.14") == (note.values["Subject"], str(note.values["Location"]).partition(" (")[0])
    (own,) = [one for one in office.seen(ANNA) if one.values["Subject"] == SECRET]
    assert "Hos mig" == own.values["Location"]

    office.server.outlook.move(ANNA, hers, NOW.replace(hour=12, minute=0))
    office.passes(4)
    assert [12] == office.hours(LARGE)

    office.server.outlook.delete(ANNA, hers)
    office.passes(4)
    assert [[], [], []] == [office.hours(box) for box in (SMALL, LARGE, ANNA)]


def test_a_no_show_frees_the_room_and_keeps_her_categories(office: Office) -> None:
    office.passes(1)
    now = office.clock.now()
    start = NOW.replace(hour=8, minute=0)
    held = office.parts.desk.hold("portal", "jobsamtale", start, "anna", Form.IN_PERSON, None, now)
    booked = office.parts.desk.book("portal", held.booking.id, "citizen", now)
    office.passes()
    assert [8] == office.hours(SMALL)

    office.clock.at = NOW + timedelta(minutes=95)
    (entry,) = office.seen(ANNA)
    office.server.outlook.categorize(ANNA, str(entry.values["UID"]), "Gul", "Udeblevet")
    office.passes(4)

    found = office.parts.desk.booking("portal", booked.booking.id, office.clock.now())
    assert BookingState.NO_SHOW is found.booking.state
    assert [] == office.hours(SMALL)
    assert ("Gul", "Udeblevet") == tuple(office.seen(ANNA)[0].values["Categories"])


def test_time_marked_for_self_booking_is_open_though_shown_as_busy(office: Office) -> None:
    open_hour, closed_hour = NOW.replace(hour=10, minute=0), NOW.replace(hour=12, minute=0)
    office.puts(open_hour, " SELVBOOK ", LegacyFreeBusyStatus="Busy")
    office.puts(closed_hour, "Privat", LegacyFreeBusyStatus="Busy")
    office.passes(1)

    now = office.clock.now()
    held = office.parts.desk.hold("portal", "jobsamtale", open_hour, "anna", Form.IN_PERSON, None, now)
    booked = office.parts.desk.book("portal", held.booking.id, "citizen", now)
    with pytest.raises(SlotGone):
        office.parts.desk.hold("portal", "jobsamtale", closed_hour, "anna", Form.IN_PERSON, None, now)
    office.passes()

    assert BookingState.CONFIRMED is office.parts.desk.booking("portal", booked.booking.id, now).booking.state
    assert [10, 10, 12] == office.hours(ANNA)
    assert [10] == office.hours(SMALL)
