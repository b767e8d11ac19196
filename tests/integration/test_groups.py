"""Caseworkers from a distribution group: who joins is offered, who leaves is seen through, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.adapters.memory import MemoryCalendar
from syncd.clock import FixedClock
from syncd.config import load
from syncd.daemon.parts import Parts, assemble, open_store, put_in_force, rebuilt
from syncd.daemon.people import follow_groups, outdated
from syncd.errors import ConfigError, Transient
from syncd.model.enrolment import enrol, id_of
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.task import TaskKind

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
TEAM = "jobteam@example.dk"
RULES = """
[offers.call]
title = {da = "Opkald"}
minutes = {phone = 60}
who = ["team:job"]
step = 60
notice = 0
[[hours]]
who = ["everyone"]
days = ["mon-fri"]
from = "08:00"
to = "16:00"
[teams.job]
mode = "live"
"""
CONFIG = """
organisation = "Town"
database = "sqlite:///syncd.sqlite3"
rules_file = "offers.toml"
[calendars.main]
adapter = "memory"
[sites.hq]
name = "Torvet 1"
[[groups]]
address = "JobTeam@example.dk"
site = "hq"
teams = ["job"]
floor = 2
"""


class Office:
    """One configuration whose people come from a group in memory."""

    def __init__(self, folder: Path) -> None:
        (folder / "syncd.toml").write_text(CONFIG)
        (folder / "offers.toml").write_text(RULES)
        self.clock = FixedClock(NOW)
        self.config = load(folder / "syncd.toml")
        self.calendar = MemoryCalendar()
        self.parts = self.opened(assemble(self.config, open_store(self.config), self.clock))
        put_in_force(self.parts, self.clock)

    def opened(self, parts: Parts) -> Parts:
        """The parts over the same calendar in memory."""
        parts.ports["main"] = self.calendar  # type: ignore[index]  # assembled, read-only
        return parts

    def holds(self, *people: str) -> list[str | None]:
        """The group holds these people now; one look, and a rebuild if it is called for. Returns what was wrong."""
        self.calendar.groups[TEAM] = {f"{one}@example.dk": one.title() for one in people}
        return self.look()

    def look(self, *, accept_loss: bool = False) -> list[str | None]:
        done = follow_groups(self.parts, self.clock.now(), accept_loss=accept_loss)
        if outdated(self.parts, self.clock.now()):
            self.parts = self.opened(rebuilt(self.parts, self.config, self.clock))
        for box in self.parts.directory.mailboxes:
            self.parts.engine.sync_mailbox(box, self.clock.now(), force=True)
        return [one.problem for one in done]

    def offered(self) -> set[str]:
        """Whose time can be booked this week."""
        week = Interval(NOW, NOW + timedelta(days=5))
        answer = self.parts.publisher.answer("call", week, self.clock.now(), form=Form.PHONE)
        return {slot.caseworker for slot in answer.slots}

    def tasks(self) -> list[tuple[TaskKind, str]]:
        with self.parts.store.read() as tx:
            return [(task.kind, task.about) for task in tx.tasks.waiting()]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    one = Office(tmp_path)
    yield one
    one.parts.close()


def test_rules_may_name_the_team_of_a_group_that_is_empty_yet(office: Office) -> None:
    assert set() == office.offered()
    assert [None] == office.holds("anna", "bo")

    assert {"anna", "bo"} == office.offered()
    anna = office.parts.directory.caseworkers["anna"]
    assert ("Anna", ("job",), 2, "hq") == (anna.name, anna.teams, anna.floor, anna.site)
    assert not outdated(office.parts, office.clock.now())


def test_a_joiner_is_offered_and_a_leaver_without_meetings_is_gone(office: Office) -> None:
    office.holds("anna", "bo")
    office.holds("anna", "carl")

    assert {"anna", "carl"} == office.offered() == set(office.parts.directory.caseworkers)
    assert [] == office.tasks()


def test_a_leaver_with_meetings_is_offered_no_more_and_a_person_is_asked(office: Office) -> None:
    office.holds("anna", "bo")
    start = NOW.replace(hour=9, minute=0)
    held = office.parts.desk.hold("portal", "call", start, "bo", Form.PHONE, None, NOW)
    booked = office.parts.desk.book("portal", held.booking.id, "citizen", NOW)
    office.holds("anna")

    assert {"anna"} == office.offered()
    assert office.parts.directory.caseworkers["bo"].leaving
    assert [(TaskKind.CASEWORKER_LEFT, "mailbox:bo")] == office.tasks()
    office.parts.reconciler.run_due(NOW)
    assert office.calendar.find(office.parts.directory.mailboxes["bo"], booked.meeting.uid)

    office.clock.at = start + timedelta(hours=2)
    office.look()
    assert {"anna"} == set(office.parts.directory.caseworkers)
    assert [] == office.tasks()


def test_who_comes_back_is_the_same_person_as_before(office: Office) -> None:
    office.holds("anna", "bo")
    office.holds("anna")
    office.holds("anna", "bo")

    assert {"anna", "bo"} == office.offered()


def test_a_group_that_cannot_be_asked_makes_leavers_of_nobody(office: Office) -> None:
    office.holds("anna", "bo")
    office.calendar.fail("expand_group", Transient("The server does not answer."))

    assert ["The server does not answer."] == office.look()
    assert {"anna", "bo"} == office.offered()
    assert [(TaskKind.GROUP_UNREADABLE, f"group:{TEAM}")] == office.tasks()
    office.look()
    assert [] == office.tasks()


def test_a_group_that_shrinks_beyond_belief_waits_for_a_person(office: Office) -> None:
    office.holds("anna", "bo", "carl")
    problems = office.holds()

    assert "3 of 3 people vanished from jobteam@example.dk at once; nothing was changed." in str(problems[0])
    assert {"anna", "bo", "carl"} == office.offered()
    assert [(TaskKind.GROUP_SHRANK, f"group:{TEAM}")] == office.tasks()
    assert [None] == office.look(accept_loss=True)
    assert (set(), []) == (office.offered(), office.tasks())


def test_ids_stay_and_two_people_never_share_one() -> None:
    first = enrol("a", [], [("Anna.Holm@x.dk", "Anna"), ("bo@x.dk", "Bo")], {"bo"}, NOW)
    assert {"anna.holm@x.dk": "anna.holm"}.items() <= {one.address: one.id for one in first.rows}.items()
    ids = {one.address: one.id for one in first.rows}
    assert ids["bo@x.dk"].startswith("bo-")

    again = enrol("b", first.rows, [("anna.holm@x.dk", "Anna"), ("anna.holm@y.dk", "Anna")], {"bo"}, NOW)
    assert "anna.holm" == next(one.id for one in again.rows if one.address == "anna.holm@x.dk")
    assert "anna.holm" != next(one.id for one in again.rows if one.address == "anna.holm@y.dk")
    assert "person" == id_of("æ@x.dk", ())


def test_a_server_that_knows_no_groups_is_said_so_and_a_file_helps(tmp_path: Path) -> None:
    account = 'adapter = "caldav"\nurl = "http://127.0.0.1:9/"'
    (tmp_path / "syncd.toml").write_text(CONFIG.replace('adapter = "memory"', account))
    (tmp_path / "offers.toml").write_text(RULES)
    clock = FixedClock(NOW)

    def problems() -> list[str | None]:
        config = load(tmp_path / "syncd.toml")
        parts = assemble(config, open_store(config), clock)
        try:
            return [one.problem for one in follow_groups(parts, NOW)]
        finally:
            parts.close()

    assert "Give the group a file of addresses" in str(problems()[0])
    text = (
        (tmp_path / "syncd.toml").read_text().replace("floor = 2", 'floor = 2\nfile = "team.csv"\nurl = "{user}/cal/"')
    )
    (tmp_path / "syncd.toml").write_text(text)
    (tmp_path / "team.csv").write_text("address,name\nanna@example.dk,Anna\n")
    assert [None] == problems()
    config = load(tmp_path / "syncd.toml")
    parts = assemble(config, open_store(config), clock)
    assert "anna/cal/" == parts.directory.mailboxes["anna"].url
    parts.close()


def test_a_group_at_an_unknown_site_is_a_mistake_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "syncd.toml").write_text(CONFIG.replace('site = "hq"\nteams', 'site = "hg"\nteams'))
    (tmp_path / "offers.toml").write_text(RULES)

    with pytest.raises(ConfigError, match=r"groups\[0\]\.site"):
        load(tmp_path / "syncd.toml")
