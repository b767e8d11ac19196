"""Feeds over HTTP, read by a calendar library that wrote none of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from vobject.base import readOne

from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.publish.feeds import AHEAD
from syncd.store.feeds import FeedKind
from tests.integration.web_town import NOW, Client, Town

TUESDAY_EIGHT = datetime(2026, 12, 1, 8, tzinfo=UTC)


def feed(town: Town, kind: FeedKind = FeedKind.CASEWORKER, subject: str = "anna") -> str:
    with town.store.begin() as tx:
        return tx.feeds.add(kind, subject, "test", town.clock.now())


def read(base: str, secret: str, ending: str) -> Any:
    answer = httpx2.get(f"{base}/feeds/{secret}.{ending}", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return readOne(answer.text)


def test_free_slots_are_those_on_offer_and_block_nothing(town: Town, base: str, portal: Client) -> None:
    events = read(base, feed(town), "ics").vevent_list
    offered = portal.slots(caseworker="anna")
    starts = {event.dtstart.value for event in events if event.summary.value.startswith("Ledig: Jobsamtale")}
    assert {start for start in starts if start.date() == TUESDAY_EIGHT.date()} == {
        datetime.fromisoformat(one) for one in offered
    }
    assert {event.transp.value for event in events} == {"TRANSPARENT"}
    assert "Ledig: Jobsamtale (fremmøde, telefon)" in {event.summary.value for event in events}


def test_busy_time_is_told_by_kind_and_never_by_subject(town: Town, base: str) -> None:
    town.busy("anna", TUESDAY_EIGHT, 60)
    away = Interval.at(TUESDAY_EIGHT + timedelta(days=1), 480)
    town.calendars.put("anna", "away", [Occurrence("away", None, away, BusyType.OUT_OF_OFFICE)])
    town.sync()
    found = read(base, feed(town), "ifb").vfreebusy
    kinds = {(part.params["FBTYPE"][0], period[0]) for part in found.freebusy_list for period in part.value}
    assert ("BUSY", TUESDAY_EIGHT) in kinds
    assert ("BUSY-UNAVAILABLE", away.start) in kinds
    assert found.organizer.value == "mailto:anna@example.dk"


def test_a_booking_that_no_calendar_holds_yet_is_busy(town: Town, base: str, portal: Client) -> None:
    portal.booking(caseworker="anna")
    found = read(base, feed(town), "ifb").vfreebusy
    assert TUESDAY_EIGHT in {period[0] for part in found.freebusy_list for period in part.value}


def test_a_calendar_that_cannot_be_trusted_is_never_free(town: Town, base: str) -> None:
    secret = feed(town)
    town.clock.at += timedelta(hours=1)
    assert not hasattr(read(base, secret, "ics"), "vevent")
    found = read(base, secret, "ifb").vfreebusy
    (part,) = found.freebusy_list
    ((start, end),) = part.value
    assert part.params["FBTYPE"] == ["BUSY-UNAVAILABLE"]
    assert (start, end) == (found.dtstart.value, found.dtend.value)


def test_beyond_what_was_read_nothing_is_free(town: Town, base: str) -> None:
    found = read(base, feed(town), "ifb").vfreebusy
    last = max(
        period[1]
        for part in found.freebusy_list
        if part.params["FBTYPE"] == ["BUSY-UNAVAILABLE"]
        for period in part.value
    )
    assert last == found.dtend.value


def test_a_team_is_everybody_in_it(town: Town, base: str) -> None:
    from dataclasses import replace

    people = {name: replace(one, teams=("job",)) for name, one in town.directory.caseworkers.items()}
    town.directory = town.directory.of(
        "Eksempel Kommune", town.directory.sites, people, town.directory.rooms, town.directory.support
    )
    found = read(base, feed(town, FeedKind.TEAM, "job"), "ifb")
    assert len(found.vfreebusy_list) == 2


@pytest.mark.parametrize("kind", ["ics", "ifb"])
def test_what_did_not_change_is_not_sent_again(town: Town, base: str, kind: str) -> None:
    url = f"{base}/feeds/{feed(town)}.{kind}"
    town.clock.at += timedelta(seconds=20)
    first = httpx2.get(url, trust_env=False)
    town.clock.at += timedelta(seconds=50)
    again = httpx2.get(url, headers={"If-None-Match": first.headers["etag"]}, trust_env=False)
    assert again.status_code == 304
    town.busy("anna", TUESDAY_EIGHT, 60)
    town.sync()
    assert httpx2.get(url, headers={"If-None-Match": first.headers["etag"]}, trust_env=False).status_code == 200


def test_a_feed_is_taken_back_by_the_whole_of_its_name_only(town: Town) -> None:
    feed(town)
    feed(town, subject="bo")
    with town.store.begin() as tx:
        names = [one.name for one in tx.feeds.all()]
        revoked = [[one.name for one in tx.feeds.revoke(name, NOW)] for name in ("", names[0][:7], names[0])]

    assert [[], [], names[:1]] == revoked


def test_a_room_whose_calendar_cannot_be_trusted_is_taken_all_the_time(town: Town, base: str) -> None:
    secret = feed(town, FeedKind.ROOM, "lokale-1")
    town.busy("lokale-1", TUESDAY_EIGHT, 60)
    town.sync()
    known = [(one.dtstart.value, one.dtend.value) for one in read(base, secret, "ics").vevent_list]
    town.clock.at += timedelta(hours=1)
    unknown = [(one.dtstart.value, one.dtend.value) for one in read(base, secret, "ics").vevent_list]

    assert (TUESDAY_EIGHT, TUESDAY_EIGHT + timedelta(hours=1)) == known[0]
    assert [(town.clock.at, town.clock.at + AHEAD)] == unknown


def test_an_address_is_a_secret_that_can_be_taken_back(town: Town, base: str) -> None:
    secret, other = feed(town), feed(town, subject="bo")
    assert httpx2.get(f"{base}/feeds/{secret[:-1]}x.ics", trust_env=False).status_code == 404
    with town.store.begin() as tx:
        assert secret not in repr(tx.session.connection().exec_driver_sql("select * from feeds").all())
        assert [one.subject for one in tx.feeds.revoke("anna", NOW)] == ["anna"]
        assert tx.feeds.revoke("anna", NOW) == []
    assert httpx2.get(f"{base}/feeds/{secret}.ics", trust_env=False).status_code == 404
    assert httpx2.get(f"{base}/feeds/{secret}.ifb", trust_env=False).status_code == 404
    assert httpx2.get(f"{base}/feeds/{other}.ics", trust_env=False).status_code == 200
