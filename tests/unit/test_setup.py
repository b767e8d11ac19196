"""The set-up scripts say what to do where they may not do it themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.environment import ROOT


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """Programs that come first in PATH; here everybody is an ordinary user."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    _stub(folder / "id", "echo 1000")
    return folder


def _stub(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def _run(script: Path, stubs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}"}
    command = ["bash", str(script), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_an_ordinary_user_is_told_the_one_command_that_installs_what_tests_need(stubs: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    (tmp_path / "setup" / "debian-packages.txt").write_text(
        "# why\nnice-one /no/such/*\nother /no/such/too\nsh /bin/sh\n"
    )

    result = _run(tmp_path / "setup" / "packages", stubs)

    assert 0 == result.returncode
    assert "run as root: apt-get install --no-install-recommends nice-one other\n" in result.stderr


def test_nothing_is_said_when_nothing_is_missing(stubs: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    (tmp_path / "setup" / "debian-packages.txt").write_text("sh /bin/sh\n")

    result = _run(tmp_path / "setup" / "packages", stubs)

    assert (0, "", "") == (result.returncode, result.stdout, result.stderr)


def test_a_missing_venv_module_is_answered_with_the_command_that_brings_it(stubs: Path, tmp_path: Path) -> None:
    _stub(stubs / "python-bare", 'case "$2" in *ensurepip*) exit 1 ;; esac')

    result = _run(ROOT / "setup" / "environment", stubs, "python-bare", str(tmp_path / "venv"), str(tmp_path / "stamp"))

    assert 1 == result.returncode
    assert "run as root: apt-get install python3-venv" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_an_unsupported_python_is_refused_with_what_to_do(stubs: Path, tmp_path: Path) -> None:
    _stub(stubs / "python-old", 'case "$1" in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac')

    result = _run(ROOT / "setup" / "environment", stubs, "python-old", str(tmp_path / "venv"), str(tmp_path / "stamp"))

    assert 1 == result.returncode
    assert "3.11 to 3.13, but python-old is Python 3.9.2" in result.stderr


def test_every_proof_of_a_debian_package_is_a_path_below_root() -> None:
    lines = (ROOT / "setup" / "debian-packages.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split() for line in lines if line and not line.startswith("#")]

    assert entries
    assert [] == [entry for entry in entries if len(entry) != 2 or not entry[1].startswith("/")]


def test_without_node_an_ordinary_user_is_told_the_one_command_that_brings_it(stubs: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    for name in ("bash", "dirname"):
        (stubs / name).symlink_to(str(shutil.which(name)))
    command = [str(shutil.which("bash")), str(tmp_path / "setup" / "node-clients")]

    result = subprocess.run(command, env={"PATH": str(stubs)}, capture_output=True, text=True, check=False, timeout=60)

    assert 0 == result.returncode
    assert "run as root: apt-get install --no-install-recommends nodejs npm\n" in result.stderr
