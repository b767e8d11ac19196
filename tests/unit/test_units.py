"""The systemd units promise what the documentation says, and are judged the way CI judges them."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tests.environment import ROOT, program

UNITS = ROOT / "systemd"


def _unit(name: str) -> RawConfigParser:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    unit.read(UNITS / name)
    return unit


@pytest.mark.parametrize("name", ["syncd.service", "syncd@.service"])
def test_the_service_is_ready_when_it_says_so_watched_and_not_restarted_for_a_mistake(name: str) -> None:
    service = _unit(name)["Service"]

    assert ("notify", "60", "78", "always") == tuple(
        service[key] for key in ("Type", "WatchdogSec", "RestartPreventExitStatus", "Restart")
    )
    assert "kill -HUP $MAINPID" in service["ExecReload"]
    assert service["StateDirectory"].startswith("syncd")


@pytest.mark.parametrize("name", ["syncd.service", "syncd-backup.service"])
def test_the_unit_of_one_of_several_organisations_differs_in_names_only(name: str) -> None:
    one = (UNITS / name).read_text(encoding="utf-8")
    many = (UNITS / name.replace(".", "@.")).read_text(encoding="utf-8")

    def common(text: str) -> list[str]:
        plain = re.sub(r"\s*\(%i\)|[-/]%i|@(?=\.)", "", text.replace("%i.toml", "syncd.toml"))
        return [line for line in plain.splitlines() if not line.startswith("#")]

    assert common(one) == common(many)


def test_the_backup_is_kept_as_tightly_as_the_service() -> None:
    service, backup = _unit("syncd.service")["Service"], _unit("syncd-backup.service")["Service"]
    tight = [
        key for key in service if re.match(r"Protect|Private|Restrict|SystemCall|Capability|NoNew|Memory|Lock", key)
    ]

    assert len(tight) > 20
    assert [] == [key for key in tight if key != "MemoryMax" and service[key] != backup.get(key)]


def test_the_units_pass_the_gate_and_one_that_runs_as_root_with_everything_does_not(tmp_path: Path) -> None:
    program("systemd-analyze", "systemd")
    shutil.copytree(UNITS, tmp_path / "units")

    good = _judged(tmp_path / "units")
    weak = (UNITS / "syncd.service").read_text(encoding="utf-8").replace("CapabilityBoundingSet=\n", "")
    (tmp_path / "units" / "syncd.service").write_text(weak.replace("User=syncd\n", ""), encoding="utf-8")
    bad = _judged(tmp_path / "units")

    assert 0 == good.returncode, good.stdout + good.stderr
    assert 1 == bad.returncode


def _judged(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / "setup" / "units"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
