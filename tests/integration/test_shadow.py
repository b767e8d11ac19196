"""What a team in shadow would have done, beside the planner it still has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncd.errors import SlotGone
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.publish.shadow import ShadowReport, report, told
from tests.integration.web_town import NOW, RULES, Town

WINDOW = Interval(NOW, NOW + timedelta(days=7))
SHADOW = RULES + '\n[teams.ny]\nmode = "shadow"\npublish = "rules"\n'


def at(hour: int, minute: int = 0) -> datetime:
    """On Tuesday, in UTC; the office opens at eight."""
    return datetime(2026, 12, 1, hour, minute, tzinfo=UTC)


@pytest.fixture
def shadowed(town: Town) -> Town:
    kept = town.directory
    people = {name: replace(one, teams=("ny",) if name == "anna" else ()) for name, one in kept.caseworkers.items()}
    town.directory = kept.of("Eksempel Kommune", kept.sites, people, kept.rooms, kept.support)
    with town.store.begin() as tx:
        tx.rules.add(SHADOW, "test", NOW)
    return town


def look(town: Town) -> ShadowReport:
    town.sync()
    return report(town.store, town.publisher, town.directory, WINDOW, town.clock.now())


def test_what_would_be_offered_is_counted_and_nothing_can_be_booked(shadowed: Town) -> None:
    found = look(shadowed)
    assert found.people == ("anna",)
    assert found.offered["jobsamtale"] > 0
    with pytest.raises(SlotGone):
        shadowed.desk.hold("portal", "jobsamtale", at(9), "anna", Form.PHONE, None, NOW)
    with shadowed.store.read() as tx:
        assert tx.session.connection().exec_driver_sql("select count(*) from meetings").scalar() == 0


def test_the_other_planners_meetings_are_told_as_booked_or_refused_with_the_rule(shadowed: Town) -> None:
    shadowed.busy("anna", at(9), 30)
    shadowed.busy("anna", at(16), 30)
    shadowed.busy("anna", at(9, 40), 45)
    shadowed.busy("bo", at(16), 30)
    found = look(shadowed)
    assert [one.interval.start for one in found.booked] == [at(9)]
    (refused,) = found.refused
    assert refused.interval.start == at(16)
    assert refused.says is not None
    assert "09:00–12:00" in refused.says["da"] or "arbejdstid" in refused.says["da"]


def test_double_bookings_of_people_and_rooms_are_seen(shadowed: Town) -> None:
    shadowed.busy("anna", at(9), 60)
    shadowed.busy("anna", at(9, 15), 15)
    shadowed.busy("anna", at(9, 45), 30)
    shadowed.busy("anna", at(10, 15), 30)
    shadowed.busy("lokale-1", at(9), 60)
    shadowed.busy("lokale-1", at(9, 30), 60)
    free = Interval.at(at(9), 60)
    shadowed.calendars.put("anna", "free", [Occurrence("free", None, free, BusyType.FREE)])
    found = look(shadowed)
    assert [(one.mailbox, one.interval.start, one.interval.end) for one in found.collisions] == [
        ("anna", at(9, 15), at(9, 30)),
        ("anna", at(9, 45), at(10)),
        ("lokale-1", at(9, 30), at(10)),
    ]


def test_of_a_calendar_that_cannot_be_read_nothing_is_said(shadowed: Town) -> None:
    shadowed.busy("anna", at(9), 30)
    shadowed.sync()
    shadowed.clock.at += timedelta(hours=1)
    found = report(shadowed.store, shadowed.publisher, shadowed.directory, WINDOW, shadowed.clock.now())
    assert set(found.unread) == {"anna"}
    assert found.met == ()
    assert found.offered["jobsamtale"] == 0
    assert told(found)["unread"] == dict(found.unread)


def test_without_a_team_in_shadow_there_is_nothing_to_tell(town: Town) -> None:
    assert look(town).people == ()
