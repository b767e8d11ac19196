"""The wheel, installed by pip and by pipx where no compiler can be found, and used by its command alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ROOT, not_covered, program

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
ANSWERS = (
    "--organisation", "Prøveby Kommune", "--adapter", "caldav", "--url", "http://127.0.0.1:9/", "--username", "syncd",
    "--site", "Torvet", "--person", "anna@example.dk", "--room", "",
)  # fmt: skip
ROAD = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE")
"""How this machine reaches its package index."""
TOOLS = ("cc", "gcc", "c99", "c++", "g++", "clang", "rustc", "cargo", "make", "ld")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that has Python and a shell's own tools, and neither compiler nor linker."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("env", "sh", "uname", "cat", "rm", "mkdir", "git"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(sys.executable)
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(ROAD) or name.lower().endswith("_proxy")
    }
    return kept | {"PATH": str(folder), "HOME": str(folder), "LANG": "C.UTF-8", "COLUMNS": "200"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, bare: dict[str, str]) -> Path:
    """What `make wheel` builds, by the same line, without a compiler."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    built = run(bare, *pip, "-w", folder, ROOT)
    assert 0 == built.returncode, built.stderr
    return next(folder.glob("syncd-*-py3-none-any.whl"))


def run(environment: dict[str, str], *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run *command* in *environment* alone."""
    words = list(map(str, command))
    return subprocess.run(words, capture_output=True, text=True, timeout=1700, check=False, env=environment)


def installed(done: subprocess.CompletedProcess[str]) -> None:
    """It went well; a machine without a package index covers nothing."""
    if "Could not find a version" in done.stderr or "ConnectionError" in done.stderr:
        not_covered("the libraries could not be fetched", "let pip reach a package index")
    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-3000:]


def first_steps(environment: dict[str, str], syncd: Path, folder: Path) -> None:
    """Version, a first configuration, and a check that contacts a calendar server that is not there."""
    version = run(environment, syncd, "--version")
    begun = run(environment, syncd, "init", "--folder", folder, "--template", "jobcenter", *ANSWERS)
    (folder / "secrets").mkdir(parents=True)
    (folder / "secrets" / "kalender").write_text("x\n")
    checked = run(environment, syncd, "check", "--config", folder / "syncd.toml")

    assert (0, "0.1.0") == (version.returncode, version.stdout.split()[-1]), version
    assert 0 == begun.returncode, begun.stderr
    assert 0 != checked.returncode
    assert "127.0.0.1:9" in checked.stdout + checked.stderr
    assert "Traceback" not in checked.stdout + checked.stderr


def test_pip_installs_it_without_a_compiler(wheel: Path, bare: dict[str, str], tmp_path: Path) -> None:
    assert [] == [tool for tool in TOOLS if shutil.which(tool, path=bare["PATH"])]
    made = run(bare, sys.executable, "-m", "venv", tmp_path / "venv")
    assert 0 == made.returncode, made.stderr
    pip: list[str | Path] = [tmp_path / "venv" / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
    installed(run(bare, *pip, wheel))

    first_steps(bare, tmp_path / "venv" / "bin" / "syncd", tmp_path / "town")


def test_pipx_installs_it_without_a_compiler(wheel: Path, bare: dict[str, str], tmp_path: Path) -> None:
    pipx = program("pipx", "pipx")
    homes = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    installed(run(bare | homes, pipx, "install", "--python", sys.executable, wheel))

    first_steps(bare, tmp_path / "bin" / "syncd", tmp_path / "town")
