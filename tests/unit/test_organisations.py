"""One table of organisations becomes configurations that load, and units of a size that fits."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from syncd.cli.commands import app_of
from syncd.config import load
from syncd.config.organisations import instances
from tests.integration.cli_office import beside_other_tests

TABLE = """name;organisation;adapter;url;username;site;mailboxes;tenant;database
aarup;Aarup Kommune;ews;https://mail.aarup.dk/EWS/Exchange.asmx;svc-syncd;Torvet 1;40;;
bredby;Bredby Kommune;graph;;app-id;Rådhuset;1200;tenant-1;postgresql://syncd@/bredby
"""


def made(folder: Path, table: str, *more: str) -> tuple[int, str]:
    (folder / "table.csv").write_text(table, encoding="utf-8")
    places = ["--folder", str(folder / "etc"), "--units", str(folder / "units")]
    done = CliRunner().invoke(app_of(), ["organisations", "make", str(folder / "table.csv"), *places, *more])
    return done.exit_code, done.output


def test_each_row_becomes_a_configuration_that_loads_and_ports_of_its_own(tmp_path: Path) -> None:
    code, said = made(tmp_path, TABLE)

    assert 0 == code, said
    first, second = (load(tmp_path / "etc" / f"{name}.toml") for name in ("aarup", "bredby"))
    assert ["127.0.0.1:8100", "127.0.0.1:8102"] == [first.http.listen, second.http.listen]
    assert ["127.0.0.1:8101", "127.0.0.1:8103"] == [first.monitor.listen, second.monitor.listen]
    assert tmp_path / "etc" / "aarup" / "offers.toml" == first.rules_file
    assert "postgresql://syncd@/bredby" == second.database
    assert "MemoryMax=320M" in (tmp_path / "units" / "syncd@aarup.service.d" / "size.conf").read_text()
    assert "MemoryMax=512M" in (tmp_path / "units" / "syncd@bredby.service.d" / "size.conf").read_text()


def test_a_second_time_makes_what_is_new_and_leaves_what_people_changed(tmp_path: Path) -> None:
    made(tmp_path, TABLE)
    changed = tmp_path / "etc" / "aarup.toml"
    changed.write_text(changed.read_text().replace("Aarup Kommune", "Aarup By"))

    code, said = made(tmp_path, TABLE + "cityby;Cityby;caldav;https://dav.cityby.dk/;syncd;Torvet;10;;\n")

    assert 0 == code, said
    assert "Aarup By" == load(changed).organisation
    assert "127.0.0.1:8104" == load(tmp_path / "etc" / "cityby.toml").http.listen


def test_whoever_leaves_the_table_others_keep_their_ports_and_a_new_one_gets_none_of_theirs(tmp_path: Path) -> None:
    first, second = TABLE.splitlines()[1:]
    header, new = TABLE.splitlines()[0], "cityby;Cityby;caldav;https://dav.cityby.dk/;syncd;Torvet;10;;"
    made(tmp_path, TABLE)

    code, said = made(tmp_path, f"{header}\n{second}\n{new}")

    assert (0, 1, 1) == (code, said.count("8102"), said.count("8104")), said
    listens = {
        name: load(tmp_path / "etc" / f"{name}.toml").http.listen.rpartition(":")[2]
        for name in ("aarup", "bredby", "cityby")
    }
    assert {"aarup": "8100", "bredby": "8102", "cityby": "8104"} == listens
    assert first.startswith("aarup")  # its unit may still run


def test_a_command_in_a_shell_finds_the_database_of_the_instance(tmp_path: Path) -> None:
    made(tmp_path, TABLE)

    assert "sqlite:////var/lib/syncd-aarup/syncd.sqlite3" == load(tmp_path / "etc" / "aarup.toml").database


def test_what_is_told_to_check_an_instance_works_in_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = made(tmp_path, TABLE)
    told = " ".join(said.split())
    assert f"CREDENTIALS_DIRECTORY={tmp_path}/etc/credentials/NAME syncd check" in told
    secrets = tmp_path / "etc" / "credentials" / "aarup"
    (secrets / "kalender").write_text("hemmelig")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secrets))

    with beside_other_tests():
        done = CliRunner().invoke(app_of(), ["check", "--config", str(tmp_path / "etc" / "aarup.toml")])

    assert "aarup.toml: correct" in " ".join(done.output.split()), done.output


def test_a_table_with_mistakes_makes_nothing_and_says_them_all(tmp_path: Path) -> None:
    bad = (
        TABLE
        + "aarup;Anden;ews;https://x/;u;S;10;;\nBig Town;T;ews;https://x/;u;S;10;;\nc;C;fax;https://x/;u;S;many;;\n;;;;;;;;\n"
    )
    code, said = made(tmp_path, bad)

    assert 1 == code
    for sentence in (
        "row 4: name 'aarup' is another row's",
        "row 5: name 'Big Town'",
        "row 6: adapter 'fax'",
        "row 6: mailboxes 'many'",
        "row 7: organisation is missing",
    ):
        assert sentence in said.replace("\n", " "), said
    assert not (tmp_path / "etc").exists()


def test_a_rehearsal_writes_nothing(tmp_path: Path) -> None:
    code, said = made(tmp_path, TABLE, "--dry-run")

    assert (0, True) == (code, "Nothing was written" in said)
    assert not (tmp_path / "etc").exists()


def test_three_hundred_organisations_have_three_hundred_different_ports() -> None:
    row = {"organisation": "O", "adapter": "ews", "url": "https://x/", "username": "u", "site": "S", "mailboxes": "50"}
    found, problems = instances({**row, "name": f"town-{number}"} for number in range(300))

    assert [] == problems
    assert 600 == len({port for one in found for port in (one.port, one.port + 1)})


def test_what_is_written_can_be_read_by_the_group_of_the_folder_whatever_the_umask(tmp_path: Path) -> None:
    """By the service's user, that is: the package gives /etc/syncd to its group."""
    (tmp_path / "etc").mkdir()
    group = 12345 if os.geteuid() == 0 else os.getegid()
    os.chown(tmp_path / "etc", -1, group)
    before = os.umask(0o077)
    try:
        code, _ = made(tmp_path, TABLE)
    finally:
        os.umask(before)
    written = [path.stat() for path in (tmp_path / "etc").rglob("*") if "credentials" not in str(path)]

    assert 0 == code
    assert {(0o640, group), (0o750, group)} == {(stat.S_IMODE(one.st_mode), one.st_gid) for one in written}
    assert {0o644} == {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "units").rglob("*.conf")}


def test_each_instance_has_folders_for_its_secrets_that_nobody_else_can_read(tmp_path: Path) -> None:
    """systemd does not start a unit whose credentials come from a folder that is not there."""
    made(tmp_path, TABLE)
    folders = [
        tmp_path / "etc" / kind / name for kind in ("credentials", "credentials.sealed") for name in ("aarup", "bredby")
    ]

    assert {0o700} == {stat.S_IMODE(folder.stat().st_mode) for folder in folders}
