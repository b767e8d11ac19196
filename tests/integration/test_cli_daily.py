"""The commands of daily life: first configuration, lists taken over, maintenance, log level, the doctor's report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from syncd.config import Config, load
from syncd.config.intake import compare, rows_of, written
from syncd.daemon import loudness
from syncd.daemon.checking import NO_RULES, Checked, Kept, next_steps
from syncd.model.directory import Directory
from syncd.ports import CheckResult
from syncd.store import Store
from tests.environment import ROOT
from tests.integration.cli_office import Office, beside_other_tests, spoken

ANSWERS = (
    *("--organisation", "Prøveby Kommune", "--username", "svc-syncd", "--site", "Torvet 1"),
    *("--person", "Anna.Holm@example.dk", "--room", "lokale-1@example.dk"),
)


@pytest.fixture(autouse=True)
def _beside() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A caseworker and a room in memory."""
    made = Office(tmp_path)
    assert 0 == made.syncd("offers", "apply", made.rules).code
    return made


@pytest.mark.parametrize(
    ("adapter", "more"),
    [
        ("caldav", ("--url", "https://kalender.example.dk/")),
        ("ews", ("--url", "https://mail.example.dk/EWS/Exchange.asmx")),
        ("graph", ("--tenant", "contoso.example")),
    ],
)
def test_init_writes_a_configuration_that_loads_and_is_never_overwritten(
    tmp_path: Path, adapter: str, more: tuple[str, ...]
) -> None:
    line: tuple[str | Path, ...] = (
        "init",
        "--folder",
        tmp_path,
        "--template",
        "jobcenter",
        "--adapter",
        adapter,
        *more,
        *ANSWERS,
    )
    made = spoken(*line)
    again = spoken(*line)

    assert (0, 1) == (made.code, again.code), made.err
    config = load(tmp_path / "syncd.toml")
    assert ["anna.holm"] == [one.id for one in config.caseworkers]
    assert {"jobsamtale", "cv-samtale"} <= set(rows(tmp_path / "offers.toml"))
    assert "syncd check" in made.out
    assert "nothing was written" in again.err


def test_every_command_that_init_and_check_tell_means_the_same_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "our town"
    server = ("--adapter", "caldav", "--url", "https://kalender.example.dk/")
    made = spoken("init", "--folder", folder, *server, *ANSWERS)
    told = [line.strip() for line in made.out.splitlines() if line.strip().startswith(("syncd ", "install "))]

    assert f"{folder}/secrets/kalender" == shlex.split(told[0])[-1]
    assert ["people", "check", "client", "run"] == [line.split()[1] for line in told[1:]]
    assert all(f" --config '{folder}/syncd.toml'" in line for line in told[1:] if "client new" not in line)


@pytest.mark.parametrize("offers", [True, False])
def test_the_next_steps_and_notes_of_check_name_its_configuration(tmp_path: Path, offers: bool) -> None:
    office = Office(tmp_path)
    if offers:
        office.config.write_text(f'rules_file = "{office.rules}"\n' + office.config.read_text())
    told = office.syncd("check", "--json").json
    commands = [f"syncd {one}" for text in [*told["next"], *told["warnings"]] for one in text.split("syncd ")[1:]]

    assert {"offers"} <= {one.split()[1] for one in commands}
    assert [] == [one for one in commands if f"--config {office.config}" not in one and "client new" not in one]


def test_check_asks_for_people_and_for_what_fails_by_its_own_configuration() -> None:
    empty = Directory.of("Town", {}, {}, {})
    found = Checked(cast("Config", None), empty, {}, Kept(()), NO_RULES)
    steps = next_steps(found, {"anna": CheckResult(False, "gone", {})}, " --config x.toml")

    assert "There are no caseworkers yet: syncd people import FILE.csv --config x.toml (or --group ADDRESS)" == steps[0]
    assert steps[1].endswith("then: syncd check anna --config x.toml")


def rows(rules: Path) -> list[str]:
    """The offers of a rules file."""
    import tomllib

    return list(tomllib.loads(rules.read_text(encoding="utf-8"))["offers"])


def test_init_asks_for_what_was_not_given_and_leaves_nothing_behind_when_an_answer_is_wrong(tmp_path: Path) -> None:
    asked = spoken("init", "--folder", tmp_path / "a", *ANSWERS, answer="caldav\nhttps://kalender.example.dk/\n")
    wrong = spoken("init", "--folder", tmp_path / "b", *ANSWERS, answer="caldav\nkalender.example.dk\n")

    assert (0, 1) == (asked.code, wrong.code), asked.err
    assert "should begin with https://" in wrong.err
    assert not (tmp_path / "b").exists()


def test_a_list_is_compared_by_address_whatever_else_changed() -> None:
    before = [{"id": "anna", "name": "Anna", "address": "anna@x.dk", "site": "torvet"}]
    before += [{"id": "bo", "name": "Bo", "address": "bo@x.dk", "site": "torvet"}]
    text = "Name;Address;RID\nAnna Holm;ANNA@x.dk;1\nCecilie;cecilie@x.dk;2\nCecilie igen;c2@x.dk;2\nuden;;3\n"

    found = compare(before, rows_of(text), "torvet", {"lokale-1", "lokale-1@x.dk"})

    assert ["cecilie"] == [row["id"] for row in found.joiners]
    assert ("anna",) == found.changed
    assert ["bo"] == [row["id"] for row in found.leavers]
    assert ("line 4: rid 2 is in line 3 already",) == found.twice
    assert ("line 5: has no mail address (column address)",) == found.problems
    assert {"anna": "1", "cecilie": "2"} == found.foreign
    assert rows_of(written(found.joiners, ("id",)))[0][1]["address"] == "cecilie@x.dk"


@pytest.mark.parametrize("template", ["people-import.example.csv", "rooms-import.example.csv"])
def test_the_shipped_templates_can_be_taken_over_as_they_are(template: str) -> None:
    found = compare([], rows_of((ROOT / "config" / template).read_text(encoding="utf-8")), "", ())

    assert (2, (), ()) == (len(found.joiners), found.twice, found.problems)
    assert found.foreign, "a template shows where RID or GUID go"


def test_import_rehearses_writes_once_and_keeps_leavers_until_told(office: Office, tmp_path: Path) -> None:
    office.config.write_text('caseworkers_file = "people.csv"\n' + office.config.read_text())
    (tmp_path / "people.csv").write_text("id;name;address;site\nbo;Bo;bo@example.dk;torvet\n")
    listed = tmp_path / "list.csv"
    listed.write_text("address\ndorte@example.dk\nanna@example.dk\n")

    rehearsed = office.syncd("people", "import", listed, "--dry-run", "--json")
    kept = (tmp_path / "people.csv").read_text()
    done = office.syncd("people", "import", listed)
    removed = office.syncd("people", "import", listed, "--remove-leavers", "--json")

    assert ["joins", "leaves", "problem"] == [row["what"] for row in rehearsed.json["rows"]]
    assert "bo@" in kept
    assert "dorte" not in kept
    assert "up to date" in done.out
    assert "taken out" in str(removed.json)
    assert ["id;name;address;site;floor;teams", "dorte;Dorte;dorte@example.dk;torvet;;"] == (
        (tmp_path / "people.csv").read_text().splitlines()
    )


def test_check_says_what_comes_next(office: Office) -> None:
    done = office.syncd("check", "--json")

    assert 0 == done.code
    assert ["No program may book yet: syncd client new portal"] == done.json["next"]


def test_maintenance_closes_offers_with_the_reason_and_opens_them_again(office: Office) -> None:
    office.syncd("sync")
    begun = office.syncd("maintenance", "on", "--reason", "Vi flytter.", "--reason-en", "We are moving.")
    closed = office.syncd("slots", "samtale", "--json")
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}T10:00"
    why = office.syncd("why", "samtale", "anna", tomorrow)
    status = office.syncd("maintenance", "status", "--json").json
    ended = office.syncd("maintenance", "off")

    assert (0, 0) == (begun.code, ended.code)
    assert [] == closed.json["slots"]
    assert "Vi flytter." in why.out + why.err or "We are moving." in why.out
    assert {"da": "Vi flytter.", "en": "We are moving."} == status["say"]
    assert office.syncd("slots", "samtale", "--json").json["slots"]
    assert [("cli:drift", None, None)] == office.audit("maintenance.begun") == office.audit("maintenance.ended")


def test_the_log_level_changes_while_the_service_runs_and_goes_back_by_itself(office: Office) -> None:
    now = datetime.now(UTC)
    assert 0 == office.syncd("log", "level", "debug", "--minutes", "5").code
    store, section = Store(f"sqlite:///{office.folder / 'syncd.sqlite3'}"), load(office.config).log

    with store.read() as tx:
        assert "debug" == loudness.wanted(tx, section, now + timedelta(minutes=4))
        assert "info" == loudness.wanted(tx, section, now + timedelta(minutes=6))
    assert 1 == office.syncd("log", "level", "loud").code
    assert 0 == office.syncd("log", "level", "configured").code
    with store.read() as tx:
        assert "info" == loudness.wanted(tx, section, now)


def test_the_doctor_sets_up_no_database_where_it_finds_none(tmp_path: Path) -> None:
    config = tmp_path / "syncd.toml"
    server = ("--adapter", "caldav", "--url", "https://kalender.example.dk/")
    assert 0 == spoken("init", "--folder", tmp_path, *server, *ANSWERS).code
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "kalender").write_text("x\n")

    told = spoken("doctor", "anna.holm", "--config", config)

    assert (1, True) == (told.code, "holds nothing yet" in told.err)
    assert "is not set up yet" in spoken("check", "anna.holm", "--config", config).out


def test_the_doctor_tells_all_and_names_nobody(office: Office) -> None:
    office.syncd("sync")
    person, room = office.syncd("doctor", "anna"), office.syncd("doctor", "lokale-1", "--json")

    assert (0, 0) == (person.code, room.code), person.err
    assert "lokale-1" == room.json["mailbox"]["mailbox"]
    assert room.json["mailbox"]["trusted"] is True
    assert "mailbox: caseworker-" in person.out
    for personal in ("anna", "Anna", "Holm", "@"):
        assert personal not in person.out
    assert 1 == office.syncd("doctor", "nobody").code
