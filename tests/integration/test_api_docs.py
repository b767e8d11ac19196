"""The commands and the program in `docs/howto/portal.md` do what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.environment import ROOT, program
from tests.integration.web_town import TOKENS

PAGE = (ROOT / "docs" / "howto" / "portal.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def environment(base: str) -> dict[str, str]:
    """Where the page's programs find syncd, in the town's days."""
    window = {"FROM": "2026-12-01T00:00:00Z", "TO": "2026-12-03T00:00:00Z"}
    return os.environ | window | {"SYNCD_URL": base, "SYNCD_TOKEN": TOKENS["portal"], "no_proxy": "127.0.0.1"}


def run(command: list[str], base: str, folder: Path) -> list[str]:
    """Run a program of the page to its end; its lines."""
    done = subprocess.run(
        command, cwd=folder, env=environment(base), capture_output=True, text=True, timeout=60, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout.splitlines()


def test_the_curl_commands_go_the_whole_way(base: str, tmp_path: Path) -> None:
    shell = program("bash", "bash")
    for name in ("curl", "jq"):
        program(name, name)
    script = "set -euo pipefail\n" + "\n".join(blocks("sh"))

    lines = run([str(shell), "-c", script], base, tmp_path)

    values = _values("\n".join(lines))
    assert ["jobsamtale", "opfoelgning"] == [one["name"] for one in values if isinstance(one, dict) and "name" in one]
    states = [one["state"] for one in values if isinstance(one, dict) and "state" in one]
    assert ["pending", "pending", "cancelled"] == states
    assert [1] == [one["moves"] for one in values if isinstance(one, dict) and "moves" in one]
    assert all(None not in one.values() for one in values if isinstance(one, dict))
    assert 1 in values
    assert {"/problems/slot-gone"} == {one["type"] for one in values if isinstance(one, dict) and "type" in one}


def test_the_python_program_books_and_cancels(base: str, tmp_path: Path) -> None:
    (source,) = blocks("python")

    booked, ended = run([sys.executable, "-c", source], base, tmp_path)

    assert re.fullmatch(r"booked [0-9A-Z]{4}-[0-9A-Z]{4} 2026-12-01T08:00:00Z pending", booked)
    assert "was pending is cancelled" == ended


def _values(text: str) -> list[object]:
    """The JSON values that jq printed one after the other."""
    found, decoder, at = [], json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found
