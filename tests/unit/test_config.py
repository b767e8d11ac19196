"""The configuration: read once, checked completely, never with a secret in it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from syncd.config import (
    Config,
    SecretRef,
    client_of,
    demand,
    load,
    new_client,
    reachable_problems,
    secret,
    token_digest,
)
from syncd.config.__main__ import TEXTS
from syncd.config.describe import example, rules_example, rules_schema, schema
from syncd.errors import ConfigError
from syncd.rulebook import parse
from tests.environment import ROOT

GOOD = """
organisation = "Town"
[calendars.main]
adapter = "caldav"
url = "https://dav.example.dk/"
username = "syncd"
password = {env = "DAV"}
[sites.hq]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "Anna@Example.dk"
site = "hq"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "syncd.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), {})
    return list(caught.value.problems)


def test_a_small_file_becomes_a_directory_with_defaults_filled_in(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD), {})
    anna = config.directory().caseworkers["anna"]

    assert ("127.0.0.1", 8080) == (config.http.host, config.http.port)
    assert ("main", "anna@example.dk", "Europe/Copenhagen") == (
        anna.mailbox.account,
        anna.mailbox.address,
        anna.mailbox.zone,
    )


def test_all_problems_come_at_once_each_with_its_path_and_a_hint(tmp_path: Path) -> None:
    text = GOOD.replace('site = "hq"', 'site = "nord"') + "[sync]\ninterval_second = 5\n[http]\nlisten = 'here'\n"

    assert [
        "http.listen: should be address:port, such as 127.0.0.1:8080 or [::1]:8080",
        "sync.interval_second: unknown key; did you mean 'interval_seconds'?",
        "caseworkers[0].site: no site called 'nord'; sites are: hq",
    ] == problems(tmp_path, text)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("[sites.hq]", "[sites.hq]\nzone = 'Europe/Kobenhavn'"), "sites.hq.zone: unknown time zone"),
        (
            ('adapter = "caldav"', 'adapter = "caldave"'),
            "calendars.main.adapter: should be 'caldav', 'ews', 'graph' or 'memory'",
        ),
        (('url = "https://dav.example.dk/"', ""), "calendars.main: a caldav account needs url"),
        (("https://dav", "https://me:pw@dav"), "calendars.main.url: must not contain a password"),
        (("organisation", "organization"), "organization: unknown key; did you mean 'organisation'?"),
        (('site = "hq"', 'site = "hq"\naccount = "man"'), "caseworkers[0].account: no calendar called 'man'"),
        (("[sites.hq]", "[calendars.two]\nadapter='memory'\n[sites.hq]"), "caseworkers[0].account: has no calendar"),
        (("Anna@Example.dk", "anna"), "caseworkers[0].address: should be a mail address"),
        (('id = "anna"', 'id = "an na"'), "caseworkers[0].id: should be a short name"),
        (('organisation = "Town"', 'organisation = "Town"\ndatabase = "mysql://x/y"'), "database: should begin with"),
        (
            ('organisation = "Town"', 'organisation = "Town"\nrules_file = "no.toml"'),
            "rules_file: there is no file 'no.toml'",
        ),
        (('organisation = "Town"', 'organisation = "Town"\nrooms_file = "no.csv"'), "rooms_file: cannot read 'no.csv'"),
        (
            ("[sites.hq]", "[clients.portal]\ntoken_sha256='abc'\n[sites.hq]"),
            "clients.portal.token_sha256[0]: should be 64",
        ),
        (
            ("[sites.hq]", "[sync]\nmax_age_seconds=30\n[sites.hq]"),
            "the file: sync.max_age_seconds must not be shorter",
        ),
    ],
)
def test_each_mistake_is_named_where_it_stands(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    told = problems(tmp_path, GOOD.replace(*change))

    assert any(line.startswith(problem) for line in told), told


def test_a_key_misspelt_in_a_list_gets_its_hint_and_a_missing_one_its_meaning(tmp_path: Path) -> None:
    assert [
        "caseworkers[0].name: is missing (Shown to staff only.)",
        "caseworkers[0].nam: unknown key; did you mean 'name'?",
    ] == problems(tmp_path, GOOD.replace('name = "Anna"', 'nam = "Anna"'))


def test_two_owners_of_one_id_address_or_calendar_are_refused(tmp_path: Path) -> None:
    room = "[[rooms]]\nid='{}'\nname='R'\naddress='{}'\nsite='hq'\nurl='{}'\n"
    text = GOOD + room.format("anna", "r@x.dk", "r/") + room.format("r2", "R@X.dk", "r")

    assert [
        "rooms[0].id: 'anna' is used already by caseworkers[0]",
        "rooms[1].address: 'R@X.dk' is used already by rooms[0]",
        "rooms[1].url: 'r' is used already by rooms[0]",
    ] == problems(tmp_path, text)


def test_rows_of_a_csv_file_are_named_by_their_line(tmp_path: Path) -> None:
    lines = "id;name;address;site;capacity;step_free\nr1;Lokale Æ;r1@x.dk;hq;4;ja\nr2;B;r1@x.dk;syd;0;måske\n"
    (tmp_path / "rooms.csv").write_bytes(lines.encode("cp1252"))

    assert [
        "rooms.csv line 3, capacity: should be greater than or equal to 1",
        "rooms.csv line 3, step_free: should be true or false (in a CSV file: yes or no)",
        "rooms.csv line 3, site: no site called 'syd'; sites are: hq",
        "rooms.csv line 3, address: 'r1@x.dk' is used already by rooms.csv line 2",
    ] == problems(tmp_path, 'rooms_file = "rooms.csv"\n' + GOOD)


@pytest.mark.parametrize(
    "heading", ["id,name,address,site,teams", "id;name;address;site;teams", "ID\tName\tAddress\tSite\tTeams"]
)
def test_a_spreadsheet_may_part_its_cells_as_it_likes(tmp_path: Path, heading: str) -> None:
    mark = re.search(r"[,;\t]", heading)
    assert mark is not None
    row = mark[0].join(("bo", "Bo Ø", "bo@x.dk", "hq", "job unge"))
    (tmp_path / "people.csv").write_text(f"\ufeff{heading}\r\n{row}\r\n\r\n", encoding="utf-8")
    config = load(written(tmp_path, 'caseworkers_file = "people.csv"\n' + GOOD), {})

    assert ("Bo Ø", ("job", "unge")) == (config.caseworkers[1].name, config.caseworkers[1].teams)


def test_a_secret_written_into_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, GOOD.replace('{env = "DAV"}', '"tophemmelig"')), {})

    assert "write where the secret is" in str(caught.value)
    assert "tophemmelig" not in str(caught.value)


def test_a_wrong_value_is_never_repeated_lest_it_be_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, GOOD.replace('{env = "DAV"}', '{envv = "tophemmelig"}')), {})

    assert "did you mean 'env'?" in str(caught.value)
    assert "tophemmelig" not in str(caught.value)


def test_secrets_come_from_a_file_the_environment_or_a_systemd_credential(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from file\n", encoding="utf-8")
    env = {"DAV": "from env", "CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert ["from file", "from env", "from file"] == [
        secret(SecretRef(file=tmp_path / "pw"), env),
        secret(SecretRef(env="DAV"), env),
        secret(SecretRef(credential="pw"), env),
    ]


@pytest.mark.parametrize("given", ["pw", "plain_pw", "sealed_pw"])
def test_a_credential_may_come_from_a_folder_of_the_unit(tmp_path: Path, given: str) -> None:
    (tmp_path / given).write_text("secret\n")

    assert "secret" == secret(SecretRef(credential="pw"), {"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize("ref", [SecretRef(env="NONE"), SecretRef(file=Path("/nowhere")), SecretRef(credential="none")])
def test_a_secret_that_is_not_there_is_named_by_its_place(ref: SecretRef) -> None:
    with pytest.raises(ConfigError, match=r"NONE|/nowhere|none"):
        secret(ref, {})


def test_the_database_is_kept_where_systemd_says_and_paths_belong_to_the_file(tmp_path: Path) -> None:
    default = load(written(tmp_path, GOOD), {"STATE_DIRECTORY": "/var/lib/syncd/east:/other"})
    relative = load(written(tmp_path, 'database = "sqlite:///own.db"\n' + GOOD), {})

    assert "sqlite:////var/lib/syncd/east/syncd.sqlite3" == default.database
    assert f"sqlite:///{tmp_path}/own.db" == relative.database


def test_the_database_password_is_put_in_only_when_it_is_asked_for(tmp_path: Path) -> None:
    text = 'database = "postgresql://syncd@db:5433/syncd"\ndatabase_password = {env = "PW"}\n' + GOOD
    config = load(written(tmp_path, text), {})

    assert "postgresql://syncd:a%2Fb@db:5433/syncd" == config.database_url({"PW": "a/b"})
    assert "a/b" not in repr(config)


def test_a_token_is_kept_as_its_hash_and_finds_its_client(tmp_path: Path) -> None:
    token, lines = new_client("portal")
    clients = load(written(tmp_path, GOOD + lines), {}).clients

    assert token not in lines
    assert "portal" == client_of(clients, token)
    assert client_of(clients, token + "x") is None


def test_two_tokens_are_good_while_one_replaces_the_other(tmp_path: Path) -> None:
    both = f"[clients.portal]\ntoken_sha256 = ['{token_digest('old')}', '{token_digest('new')}']\n"
    clients = load(written(tmp_path, GOOD + both), {}).clients

    assert ["portal", "portal", None] == [client_of(clients, token) for token in ("old", "new", "other")]


@pytest.mark.parametrize("text", ["organisation = ", "\x00", "organisation = 'a'\norganisation = 'b'"])
def test_what_is_not_toml_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)[0].startswith("is not TOML")


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory; name yours with --config"):
        load(tmp_path / "none.toml", {})


@pytest.mark.parametrize("path", sorted(TEXTS))
def test_generated_files_are_as_the_model_makes_them(path: str) -> None:
    assert TEXTS[path]() == (ROOT / path).read_text(encoding="utf-8"), "run: python -m syncd.config write"


def uncommented(text: str) -> str:
    """Every key that an example only shows, set."""
    return re.sub(r"(?m)^# (?=[a-z_]+ = |\[)", "", text)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A folder with all example files under their real names."""
    for name in ("offers.example.toml", "caseworkers.example.csv", "rooms.example.csv"):
        shutil.copy(ROOT / "config" / name, tmp_path / name.replace(".example", ""))
    return tmp_path


@pytest.mark.parametrize("every_key", [False, True])
def test_the_example_is_a_valid_configuration(etc: Path, every_key: bool) -> None:
    text = uncommented(example()) if every_key else example()
    single = text.replace('hybrid = "cloud"\n', "")  # the example has one server only
    config = load(written(etc, single), {})

    assert isinstance(config, Config)
    assert (3 if every_key else 1) == len(config.caseworkers)
    assert jsonschema_rs.is_valid(schema(), json.loads(json.dumps(tomllib.loads(text), default=str)))


@pytest.mark.parametrize("every_key", [False, True])
def test_the_example_rules_hold_for_the_example_people(etc: Path, every_key: bool) -> None:
    directory = load(written(etc, example()), {}).directory()
    text = uncommented(rules_example()) if every_key else rules_example()

    assert ("anna",) == parse(text, directory, 1).offers["jobsamtale"].caseworkers
    assert jsonschema_rs.is_valid(rules_schema(), json.loads(json.dumps(tomllib.loads(text), default=str)))


def test_the_schema_refuses_what_the_model_refuses() -> None:
    wrong = tomllib.loads(example()) | {"organization": "x"}

    assert not jsonschema_rs.is_valid(schema(), wrong)


POINTING = (
    'database = "postgresql://syncd@db/syncd"\ndatabase_password = {credential = "db"}\nrules_file = "offers.toml"\n'
    + GOOD.replace('password = {env = "DAV"}', 'password = {env = "DAV"}\nca_file = "ca.pem"')
    + '[calendars.other]\nadapter = "memory"\npassword = {file = "other.txt"}\n'
).replace('site = "hq"', 'site = "hq"\naccount = "main"')
RULES = """
[offers.talk]
title.da = "Samtale"
who = ["nobody"]
minutes = 30
forms = ["telephone"]
"""


def test_everything_the_file_points_to_is_looked_at_and_all_problems_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "offers.toml").write_text(RULES)
    config = load(written(tmp_path, POINTING), {})

    with pytest.raises(ConfigError) as caught:
        demand(config, {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    told = caught.value.problems
    starts = [
        "database_password: credential 'db' cannot be read",
        "calendars.main.password: environment variable DAV is empty",
        f"calendars.other.password: file {tmp_path}/other.txt cannot be read",
        f"calendars.main.ca_file: '{tmp_path}/ca.pem' cannot be read: No such file",
    ]
    assert starts == [problem[: len(start)] for problem, start in zip(told, starts, strict=False)]
    rules = told[len(starts) :]
    assert len(rules) >= 2
    assert all(problem.startswith(f"{tmp_path}/offers.toml: offers.talk.") for problem in rules)
    assert any(".who[0]" in problem for problem in rules)
    assert any(".forms" in problem for problem in rules)


def test_what_is_there_is_no_problem(tmp_path: Path) -> None:
    text = GOOD.replace("[calendars", 'rules_file = "offers.toml"\n[calendars') + 'teams = ["job"]'
    (tmp_path / "offers.toml").write_text(rules_example())

    assert [] == reachable_problems(load(written(tmp_path, text), {}), {"DAV": "secret"})


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"\xff", "is not UTF-8 text (byte 0)"), (b"[offers", "is not TOML"), (None, "No such file")],
)
def test_a_rules_file_that_cannot_be_understood_is_told_with_its_name(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "offers.toml"
    file.write_text("")
    config = load(written(tmp_path, GOOD.replace("[calendars", 'rules_file = "offers.toml"\n[calendars')), {})
    file.unlink() if content is None else file.write_bytes(content)

    (told,) = reachable_problems(config, {"DAV": "secret"})

    assert str(file) in told
    assert problem in told


def test_rules_that_are_in_force_already_are_not_judged_again(tmp_path: Path) -> None:
    (tmp_path / "offers.toml").write_text(RULES)
    config = load(written(tmp_path, GOOD.replace("[calendars", 'rules_file = "offers.toml"\n[calendars')), {})
    digest = hashlib.sha256(RULES.encode()).hexdigest()

    assert reachable_problems(config, {"DAV": "secret"}, "0" * 64)
    assert [] == reachable_problems(config, {"DAV": "secret"}, digest)


def test_a_ca_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("certificate?")
    text = GOOD.replace('password = {env = "DAV"}', 'ca_file = "ca.pem"')

    (told,) = reachable_problems(load(written(tmp_path, text), {}), {})

    assert f"calendars.main.ca_file: '{tmp_path}/ca.pem' holds no certificate in PEM form" == told


@pytest.mark.parametrize("name", ["", "a b", "x]\n[clients.y", "å", "-a"])
def test_the_name_of_a_client_is_checked_before_a_token_is_made(name: str) -> None:
    with pytest.raises(ConfigError, match="should be a short name"):
        new_client(name)


def test_the_lines_for_a_new_client_can_be_read_whatever_its_name(tmp_path: Path) -> None:
    token, lines = new_client("portal.test")

    assert "portal.test" == client_of(load(written(tmp_path, GOOD + lines), {}).clients, token)


def test_an_account_printed_for_the_pages_can_be_read_and_matches_its_password() -> None:
    from typer.testing import CliRunner

    from syncd.cli.commands import app_of
    from syncd.config import PagesSection
    from syncd.config.passwords import matches

    words = "tre små grise i skoven"
    printed = CliRunner().invoke(
        app_of(), ["pages", "account", "drift", "--role", "operator"], input=f"{words}\n{words}\n"
    )
    text = printed.stdout[printed.stdout.index("[[pages") :]
    (account,) = PagesSection.model_validate(tomllib.loads(text)["pages"]).accounts

    assert matches(words, account.password)
    assert not matches("en anden", account.password)


@pytest.mark.parametrize("issuer", ["http://login.example.dk", "https://x:y@login.example.dk", "login.example.dk"])
def test_a_provider_that_is_not_reached_safely_is_refused(issuer: str) -> None:
    from pydantic import ValidationError

    from syncd.config import OidcSection

    with pytest.raises(ValidationError):
        OidcSection.model_validate({"issuer": issuer, "client_id": "x", "client_secret": {"env": "X"}, "roles": {}})
