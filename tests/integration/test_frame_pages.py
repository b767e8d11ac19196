"""Rammer: a change is shown with its effect, put in force as a revision, and undone; nobody overwrites another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.model.interval import Interval
from syncd.model.policy import Mode
from syncd.model.role import Role
from syncd.model.zones import whole_days
from syncd.rulebook import edits, export, read
from syncd.store import Store
from syncd.web.app import build_app
from tests.integration.test_room_pages import Person
from tests.page_town import NOW, RULES, TODAY, ZONE, PageTown, Size

Shown = tuple[PageTown, Any]
TOMORROW = TODAY.replace(month=12, day=1)


@pytest.fixture
def shown(_sqlite_template: Path, tmp_path: Path) -> Iterator[Shown]:
    path = tmp_path / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = PageTown(store, Size(3, 4, 4, 1))
    yield town, build_app(town.deps())
    store.close()


def coordinator(shown: Shown, subject: str = "vera") -> Person:
    return Person(shown[1], shown[0].store, NOW, Role.COORDINATOR, subject=subject)


def number(shown: Shown) -> int:
    with shown[0].store.read() as tx:
        return tx.rules.number()


def times(town: PageTown, day: Interval) -> int:
    return len(town.publisher.answer("jobsamtale", day, NOW).slots)


def test_a_closing_day_is_previewed_put_in_force_and_undone(shown: Shown) -> None:
    town, person = shown[0], coordinator(shown)
    day = whole_days(TOMORROW, TOMORROW, ZONE)
    asked = {"what": "close", "seen": "1", "first": f"{TOMORROW}", "why": "Personaledag"}
    before = times(town, day)

    preview = person.send("/frames/change", person.get("/frames"), **asked)
    assert "Intet er ændret endnu" in preview.text
    assert "−" in preview.text
    assert (1, before) == (number(shown), times(town, day))

    done = person.send("/frames/change", preview, **asked, sure="1")
    assert "Revision 2 af reglerne gælder nu" in done.text
    assert "Personaledag" in done.text
    assert 0 == times(town, day)

    history = person.get("/frames/history/2")
    assert "vera (her på siderne)" in history.text
    undone = person.send("/frames/change", history, what="undo", seen="2", to="1", sure="1")
    assert "Revision 3" in undone.text
    assert before == times(town, day) > 0


def test_a_team_is_suspended_and_another_is_closed(shown: Shown) -> None:
    town, person = shown[0], coordinator(shown)
    page, day = person.get("/frames"), whole_days(TOMORROW, TOMORROW, ZONE)
    before = times(town, day)

    person.send("/frames/change", page, what="suspend", seen="1", first=f"{TOMORROW}", who="team:syge", sure="1")
    person.send("/frames/change", page, what="mode", seen="2", team="unge", mode="closed", sure="1")

    left = {slot.caseworker for slot in town.publisher.answer("jobsamtale", day, NOW).slots}
    teams = {team for one in left for team in town.directory.caseworkers[one].teams}
    assert 0 < times(town, day) < before
    assert not teams & {"syge", "unge"}


def test_two_coordinators_at_once_get_a_clear_sentence(shown: Shown) -> None:
    one, other = coordinator(shown), coordinator(shown, "bent")
    page, theirs = one.get("/frames"), other.get("/frames")
    asked = {"what": "topics", "seen": "1", "offer": "jobsamtale", "sure": "1"}

    one.send("/frames/change", page, **asked, topics="CV")
    second = other.send("/frames/change", theirs, **asked, topics="Uddannelse")

    assert 409 == second.status_code
    assert "En anden har ændret reglerne" in second.text
    assert 2 == number(shown)


def test_what_cannot_be_is_refused_with_what_was_written(shown: Shown) -> None:
    person = coordinator(shown)
    page = person.get("/frames")
    for fields in (
        {"what": "nonsense"},
        {"what": "close", "first": "2026-12-24", "last": "2026-12-01", "why": "Jul"},
        {"what": "close", "first": "24/12", "why": "Jul"},
        {"what": "suspend", "first": "2026-12-01", "who": "team:nobody"},
        {"what": "hours", "who": "everyone", "from": "09:00", "to": "15:00"},
        {"what": "drop", "listed": "hours", "place": "99"},
        {"what": "drop", "listed": "offers", "place": "0"},
        {"what": "serve", "offer": "nothing", "who": "everyone"},
        {"what": "serve", "offer": "jobsamtale"},
        {"what": "mode", "team": "unge", "mode": "wide-open"},
        {"what": "undo", "to": "77"},
        {"what": "text", "text": "offers = 7"},
    ):
        refused = person.send("/frames/change", page, **fields, seen="1", sure="1")
        assert 422 == refused.status_code, fields
        assert "Reglerne kan ikke være sådan" in refused.text
    assert "offers = 7" in refused.text
    assert 1 == number(shown)


def test_only_coordinators_change_and_auditors_look(shown: Shown) -> None:
    auditor = Person(shown[1], shown[0].store, NOW, Role.AUDITOR)
    page = auditor.get("/frames")
    assert 200 == page.status_code
    assert "Se virkningen" not in page.text
    assert 403 == auditor.send("/frames/change", page, what="drop", listed="hours", place="0", seen="1").status_code
    assert 403 == Person(shown[1], shown[0].store, NOW, Role.STAFF).get("/frames").status_code
    assert 404 == auditor.get("/frames/history/9").status_code


def test_each_edit_changes_what_it_says_and_nothing_else() -> None:
    plain = read(RULES)
    matched = read(edits.with_matching(RULES, "rehab", [(["1", "8"], []), ([], ["k"]), ([], [])]))
    hours = read(edits.with_hours(RULES, ["p001"], ["mon", "fri"], "10:00", "14:00", "12:00-12:30"))

    assert [({"1", "8"}, set()), (set(), {"k"})] == [
        (set(one.contact_groups), set(one.categories)) for one in matched.offers["rehab"].open_to
    ]
    assert export(plain) == edits.with_matching(export(matched), "rehab", [])
    assert export(plain) == edits.without(export(hours), "hours", 1)
    assert ("CV", "Job") == read(edits.with_topics(RULES, "rehab", ["CV", "Job"])).offers["rehab"].topics
    assert ("team:job",) == read(edits.with_who(RULES, "rehab", ["team:job"])).offers["rehab"].who
    assert Mode.LIVE is plain.everyone.mode
    assert not re.search("exceptions", export(plain))
