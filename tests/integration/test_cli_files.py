"""Commands that need no database: busy, config, client."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import token_digest
from tests.integration.cli_office import Done, Office, beside_other_tests, spoken

EVENT = "BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20261101T000000Z\nDTSTART:{start}\nDTEND:{end}\n{more}END:VEVENT\n"


@pytest.fixture(scope="module", autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two meetings that touch, at floating times, and a tentative one."""
    events = [
        EVENT.format(uid="a", start="20261123T090000", end="20261123T100000", more=""),
        EVENT.format(uid="b", start="20261123T100000", end="20261123T110000", more=""),
        EVENT.format(uid="c", start="20261123T130000Z", end="20261123T140000Z", more="STATUS:TENTATIVE\n"),
        EVENT.format(uid="d", start="20261123T150000Z", end="20261123T160000Z", more="TRANSP:TRANSPARENT\n"),
    ]
    path = tmp_path_factory.mktemp("ics") / "day.ics"
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\n{''.join(events)}END:VCALENDAR\n"
    path.write_text(text.replace("\n", "\r\n"))
    return path


def busy(file: Path, *more: str, from_: str = "2026-11-23", to: str = "2026-11-24") -> Done:
    return spoken("busy", file, "--from", from_, "--to", to, *more)


def spans(done: Done) -> list[str]:
    return [f"{item['start'][11:16]}-{item['end'][11:16]} {item['type']}" for item in done.json]


def test_busy_lists_what_is_not_free_in_utc_with_z_and_nothing_else(calendar: Path) -> None:
    done = busy(calendar, "--json")

    assert 0 == done.code
    assert ["08:00-09:00 busy", "09:00-10:00 busy", "13:00-14:00 tentative"] == spans(done)
    assert all({"start", "end", "type"} == item.keys() for item in done.json)
    assert all(item[key].endswith("Z") for item in done.json for key in ("start", "end"))


def test_busy_joins_what_touches_when_asked(calendar: Path) -> None:
    assert ["08:00-10:00 busy", "13:00-14:00 tentative"] == spans(busy(calendar, "--merged", "--json"))


def test_busy_reads_floating_times_in_the_zone_that_is_named(calendar: Path) -> None:
    assert "14:00-15:00 busy" == spans(busy(calendar, "--json", "--zone", "America/New_York", to="2026-11-25"))[1]
    assert "not a time zone this machine knows" in busy(calendar, "--zone", "Mars/Olympus").err


def test_busy_prints_a_table_for_people(calendar: Path) -> None:
    done = busy(calendar)

    assert 0 == done.code
    assert "Mon 2026-11-23 09:00" in done.out
    assert "tentative" in done.out


def test_busy_says_that_a_file_cannot_be_understood(tmp_path: Path) -> None:
    file = tmp_path / "broken.ics"
    file.write_text("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n")
    done = busy(file, "--json")

    assert (1, "") == (done.code, done.out)
    assert "cannot be understood" in done.err


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ("0001-01-01", "9999-12-31", "'0001-01-01' is too far away; a time lies in the years 1970 to 2200."),
        ("2026-01-01", "9999-12-31T23:59:59-12:00", "too far away"),
        ("1970-01-01", "2200-12-31", "at most 100 years"),
        ("2026-11-24", "2026-11-23", "must be later than --from"),
        ("2026-11-23", "tomorrow", "'tomorrow' is not a time. Write 2026-11-23"),
        ("2026-13-23", "2026-11-23", "'2026-13-23' is not a time."),
    ],
)
def test_a_window_that_cannot_be_meant_is_told_precisely(calendar: Path, first: str, last: str, told: str) -> None:
    done = busy(calendar, from_=first, to=last)

    assert (1, "") == (done.code, done.out)
    assert told in done.err


def test_busy_takes_a_window_of_a_hundred_years(calendar: Path) -> None:
    assert 3 == len(busy(calendar, "--json", from_="1980-01-01", to="2079-12-31").json)


def test_the_example_configuration_loads(tmp_path: Path) -> None:
    done = spoken("config", "example")
    file = tmp_path / "syncd.toml"
    file.write_text(done.out)
    tables = tomllib.loads(done.out)
    for name in ("rules_file", "caseworkers_file", "rooms_file"):
        if name in tables:
            (tmp_path / tables[name]).write_text("")

    assert 0 == done.code
    assert {"organisation", "calendars", "sites"} <= tables.keys()
    assert 0 == spoken("config", "show", "--config", file).code


def test_the_schema_is_json() -> None:
    assert "organisation" in spoken("config", "schema").json["properties"]


def test_show_prints_the_file_with_its_defaults_and_without_secrets(tmp_path: Path) -> None:
    office = Office(
        tmp_path,
        calendars='[calendars.k]\nadapter = "caldav"\nurl = "https://k.example/"\n'
        'username = "u"\npassword = {env = "PASS"}\n',
    )
    told = office.syncd("config", "show", "--json").json

    assert (60, {"env": "PASS"}) == (told["sync"]["interval_seconds"], told["calendars"]["k"]["password"])
    assert "1 caseworker(s), 1 room(s)" in office.syncd("config", "show").out
    assert not (tmp_path / "syncd.sqlite3").exists()


def test_show_tells_three_mistakes_at_once(tmp_path: Path) -> None:
    office = Office(tmp_path)
    text = office.config.read_text().replace('site = "torvet"', 'site = "havnen"')
    office.config.write_text(text.replace("organisation", "organization") + "[sync]\ninterval_seconds = 0\n")
    done = office.syncd("config", "show")

    assert 78 == done.code
    for part in ("organization", "havnen", "sync.interval_seconds"):
        assert part in done.err


def test_a_new_client_is_valid_toml_and_its_token_fits() -> None:
    done = spoken("client", "new", "portal")
    token, _, lines = done.out.partition("\n")

    assert 0 == done.code
    assert token_digest(token) == tomllib.loads(lines)["clients"]["portal"]["token_sha256"]


@pytest.mark.parametrize("name", ["my portal", "a]b", "", "portal\n[x]"])
def test_a_client_whose_name_cannot_be_one_gets_no_token(name: str) -> None:
    done = spoken("client", "new", name)

    assert done.code in (1, 2, 78)
    assert "" == done.out
    assert "name" in done.err
