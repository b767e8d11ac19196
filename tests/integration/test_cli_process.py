"""`python -m syncd` as a process: what a shell and systemd see of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.integration.cli_office import Office, environment, process, spoken
from tests.servers.processes import DIE_WITH_PARENT

MEETING = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20261101T000000Z
DTSTART;TZID=Europe/Copenhagen:20261123T090000
DTEND;TZID=Europe/Copenhagen:20261123T100000
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.mark.broad
def test_help_names_every_exit_code() -> None:
    done = process("--help")

    assert 0 == done.code
    for code in ("0 done", "1 not done", "2 wrong usage", "70 a defect", "78 mistake", "130 interrupted"):
        assert code in " ".join(done.out.split())


def test_busy_prints_json_in_utc(tmp_path: Path) -> None:
    file = tmp_path / "one.ics"
    file.write_text(MEETING)
    done = process("busy", file, "--from", "2026-11-23", "--to", "2026-11-24", "--json")

    assert (0, "") == (done.code, done.err)
    assert [{"start": "2026-11-23T08:00:00Z", "end": "2026-11-23T09:00:00Z", "type": "busy"}] == done.json


def test_a_configuration_with_three_mistakes_is_told_whole_and_exits_78(tmp_path: Path) -> None:
    office = Office(tmp_path)
    text = office.config.read_text().replace('site = "torvet"', 'site = "havnen"', 1)
    office.config.write_text(text.replace("organisation", "organization").replace('"memory"', '"exchange"'))
    done = process("check", "--config", office.config)

    assert (78, "") == (done.code, done.out)
    assert "organization" in done.err
    assert "calendars.kalender.adapter" in done.err
    assert "havnen" in done.err
    assert not (tmp_path / "syncd.sqlite3").exists()


def test_a_failure_is_one_sentence_on_stderr_and_exits_1(tmp_path: Path) -> None:
    done = process("busy", tmp_path / "none.ics", "--from", "2026-11-23", "--to", "2026-11-24")

    assert (1, "") == (done.code, done.out)
    assert f"syncd: {tmp_path / 'none.ics'} cannot be read: No such file or directory.\n" == done.err


@pytest.mark.broad
def test_wrong_usage_exits_2() -> None:
    assert 2 == process("slots").code


@pytest.mark.broad
def test_ctrl_c_exits_130(tmp_path: Path) -> None:
    office = Office(tmp_path)
    line = [*DIE_WITH_PARENT, sys.executable, "-m", "syncd", "sync", "--repeat", "--config", str(office.config)]
    # A shell's background job ignores Ctrl-C and hands that down; a terminal's foreground does not.
    heeded = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=heeded,  # noqa: PLW1509 - the child only sets a signal before it becomes another program
    ) as child:
        assert child.stdout is not None
        assert b"mailbox" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)

    assert (130, b"") == (child.returncode, told)


def test_a_defect_is_told_as_one_and_exits_70(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr("syncd.daemon.files.busy_in", break_down)
    done = spoken("busy", "x.ics", "--from", "2026-11-23", "--to", "2026-11-24")

    assert (70, "") == (done.code, done.out)
    assert "A defect in syncd: RuntimeError: no such thing" in done.err
    assert "Traceback" not in done.err
