"""The town stands in the simulated Microsoft 365 as it stands on CalDAV, and staff can work with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import icalendar
import pytest
import recurring_ical_events

from syncd.config import load
from syncd.demo import files, graph, town
from syncd.demo.children import ChildFailed
from syncd.demo.hands import Plug
from syncd.demo.people import DOMAIN, ZONE
from syncd.model.interval import Interval
from tests.environment import shared
from tests.servers.graph import GraphServer
from tests.servers.graph.town import fill

TODAY = date(2026, 11, 18)
SPAN = Interval(datetime(2026, 10, 11, 22, tzinfo=UTC), datetime(2026, 12, 13, 23, tzinfo=UTC))
DAYS = (date(2026, 10, 12), date(2026, 12, 14))
PASSWORDS = dict.fromkeys(("syncd", "anna", "bo", "lokale-0-02"), "hemmelig")


@pytest.fixture(scope="module")
def server() -> Iterator[GraphServer]:
    with GraphServer(shared("reference/graph-metadata/cleanMetadata.xml")) as running:
        fill(running, graph.town(town.entries(TODAY), PASSWORDS))
        yield running
        assert running.validator is not None
        assert "\n".join(running.validator.violations) == ""


@pytest.mark.parametrize("owner", ["anna", "bo", "emma", "farid", "hans", "lars", "lokale-0-02", "lokale-1-12"])
def test_every_entry_stands_at_the_times_that_icalendar_libraries_compute(server: GraphServer, owner: str) -> None:
    objects = [icalendar.Calendar.from_ical(text) for text in town.calendars(TODAY)[owner].values()]
    events = [one for calendar in objects for one in recurring_ical_events.of(calendar).between(*DAYS)]

    box = server.world.boxes[f"{owner}@{DOMAIN}"]
    seen = [one for event in box.events.values() for one in event.instances(SPAN.start, SPAN.end)]

    expected = sorted((_instant(one.start), _instant(one.end), str(one["SUMMARY"])) for one in events)
    assert sorted((*one.span(), one.values["subject"]) for one in seen) == expected
    assert len(expected) > 10


def _instant(moment: date) -> datetime:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, datetime.min.time(), ZoneInfo(ZONE)).astimezone(UTC)


def _house(url: str, passwords: Mapping[str, str]) -> graph.GraphHouse:
    return graph.GraphHouse(url, passwords, Plug(url))


def test_staff_add_and_drag_entries(server: GraphServer) -> None:
    desk = _house(f"{server.base}/", PASSWORDS).desk("anna")
    span = Interval.at(datetime(2026, 11, 29, 6, tzinfo=UTC), 30)
    later = Interval.at(span.start + timedelta(hours=2), 30)

    desk.add(span, "Tandlæge & co", ZONE)
    [added] = desk.items(span)
    desk.move(added, later, ZONE)
    [moved] = desk.items(later)
    desk.close()

    assert (added.summary, added.start, moved.start, moved.uid) == ("Tandlæge & co", span.start, later.start, added.uid)


def test_the_operators_files_name_the_tenant(tmp_path: Path) -> None:
    house = _house("http://127.0.0.1:5234/", files.passwords(tmp_path))

    config = load(files.write(tmp_path, house, 8080))

    assert config.calendars["cloud"].graph.roots == ("http://127.0.0.1:5234", "http://127.0.0.1:5234")
    assert config.directory().mailboxes["anna"].url is None


def test_outside_a_checkout_it_says_what_to_leave_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "_CHECKOUT", tmp_path)

    with pytest.raises(ChildFailed, match="leave --graph out"), graph.serve(tmp_path, {}):
        pass


def test_a_visitor_is_told_how_to_play_outlook(server: GraphServer) -> None:
    span = Interval(datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    told = _house(f"{server.base}/", PASSWORDS).invitation("anna", span)
    look, book, move = re.findall(r"curl (\S+) -d '(.*)'", told)

    seen = httpx2.post(look[0], content=look[1].encode()).json()
    uid = httpx2.post(book[0], content=book[1].encode()).json()
    moved = httpx2.post(move[0], content=move[1].replace("…", uid).encode())

    assert {"Frokost"} < {one["subject"] for one in seen}
    assert moved.status_code == 200
    [entry] = [one for one in httpx2.post(look[0], content=look[1].encode()).json() if one["uid"] == uid]
    assert entry["start"] == "2026-11-23T11:00:00+00:00"
