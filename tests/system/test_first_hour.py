"""The short way of `docs/quickstart.md`, command by command as it stands there, on each kind of calendar server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ROOT
from tests.system.calendars import KINDS, SERVICE, Calendars, Graph

pytestmark = [pytest.mark.broad, pytest.mark.timeout(600)]
PAGE = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
SHORT = re.search(r"^## Short way.*?^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """What a reader types, without the prompt and the remark behind it."""
    assert SHORT
    lines = [line.removeprefix("$ ").partition(" #")[0].strip() for line in SHORT[1].splitlines()]
    return [line for line in lines if "--group" not in line]  # which needs a group on the server


def answers(server: Calendars) -> str:
    """What a reader answers to the questions of `syncd init`."""
    first = {"Dav": ("caldav", server.url, getattr(getattr(server, "dav", None), "username", "") or "syncd")}
    kind = {"Exchange": ("ews", server.url, SERVICE), "Graph": ("graph", "tenant-1", SERVICE), **first}
    given = ("Eksempel Kommune", *kind[type(server).__name__], "Jobcentret", "anna@example.dk", "lokale-1@example.dk")
    return "".join(f"{one}\n" for one in given)


def to_the_simulator(server: Calendars, config: Path) -> None:
    """The only step that no reader takes: Microsoft 365 is simulated here, and asked there."""
    root = server.url.rstrip("/")
    text = config.read_text(encoding="utf-8")
    config.write_text(
        re.sub(r"^(client_id = .*)$", rf'\1\ngraph_url = "{root}"\nlogin_url = "{root}"', text, flags=re.MULTILINE)
    )


@pytest.mark.parametrize("kind", ["radicale", "exchange", "graph"])
def test_a_reader_who_types_what_stands_there_sees_times_at_its_end(kind: str, tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "200", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    (tmp_path / "list.csv").write_text("address\nbo@example.dk\n", encoding="utf-8")
    told = ""
    with KINDS[kind](tmp_path) as server:
        for owner in ("anna", "bo", "lokale-1"):
            server.make_calendar(owner)
        for command in commands():
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                environment[name] = value
                continue
            asked = f"{server.password or 'x'}\n" if "/dev/stdin" in command else answers(server)
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=environment, input=asked, capture_output=True, text=True,
                timeout=300, check=False,
            )  # fmt: skip
            assert 0 == done.returncode, f"{command}\n{done.stdout}{done.stderr}"
            if isinstance(server, Graph) and command.startswith("syncd init"):
                to_the_simulator(server, tmp_path / "town" / "syncd.toml")
            told = done.stdout

    assert re.search(r"jobsamtale: [1-9]\d* times", told), told
    assert "anna" in told
