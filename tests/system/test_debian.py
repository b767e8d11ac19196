"""The Debian package in a clean Debian that systemd itself has booted: installed, run, upgraded, removed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config.first import TEMPLATES
from tests.environment import ROOT, not_covered, program

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
INSIDE = "systemd,systemd-sysv,dbus,python3,tzdata,adduser"
LAYOUTS = "syncd/store/migrations/versions"
CONFIG = """
organisation = "Prøveby Kommune"
rules_file = "offers.toml"
[monitor]
listen = "127.0.0.1:8081"
[calendars.kalender]
adapter = "memory"
password = {credential = "plain-one"}
[clients.portal]
token_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
webhook = {url = "http://127.0.0.1:9/x", secret = {credential = "sealed-one"}}
[sites.torvet]
name = "Torvet 1"
[[caseworkers]]
id = "anna"
name = "Anna Holm"
address = "anna@example.dk"
site = "torvet"
"""


def _run(*command: str | Path, seconds: float = 1800, before: Path | None = None) -> subprocess.CompletedProcess[str]:
    """:param before: a folder whose programs are taken rather than the machine's."""
    path = {"PATH": f"{before}:{os.environ['PATH']}"} if before else {}
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=seconds, check=False, env=os.environ | path
    )


@pytest.fixture
def clean(tmp_path: Path) -> Iterator[Path]:
    """A Debian with nothing in it."""
    if os.geteuid() != 0:
        not_covered("a clean Debian can be made by root only", "run as root")
    debootstrap = program("debootstrap", "debootstrap", [Path("/usr/sbin")])
    program("systemd-nspawn", "systemd-container")
    root = tmp_path / "root"
    made = _run(debootstrap, "--variant=minbase", f"--include={INSIDE}", "bookworm", root)
    if made.returncode:
        not_covered("no Debian could be fetched", "see debootstrap's own words: " + made.stdout[-200:])
    yield root
    shutil.rmtree(root, ignore_errors=True)


def _package(checkout: Path, version: str, unasked: Path | None = None) -> Path:
    """:param unasked: a folder with a lintian that says nothing: an earlier version was judged in its own day."""
    tools = os.path.relpath(ROOT / ".venv" / "bin", checkout)
    built = _run("bash", checkout / "setup" / "deb", tools, version, before=unasked)
    assert 0 == built.returncode, built.stdout[-3000:] + built.stderr[-1000:]
    return next((checkout / "dist").glob(f"syncd_{version}_*.deb"))


def _layouts(commit: str) -> list[str]:
    """The migrations there were at *commit*, in their order."""
    listed = _run("git", "-C", ROOT, "ls-tree", "--name-only", commit, f"{LAYOUTS}/").stdout.split()
    return [name for name in listed if "/r0" in name]


def _before(folder: Path) -> Path:
    """A checkout of the newest commit whose database has an older layout than today's."""
    today = _layouts("HEAD")
    touched = _run("git", "-C", ROOT, "log", "--format=%H", "--", LAYOUTS).stdout.split()
    found = next((one for one in touched if (then := _layouts(one)) != today and then == today[: len(then)]), "")
    if not found:
        not_covered("there is no earlier version to upgrade from", "fetch the whole history")
    for arguments in (("clone", "--shared", "--no-checkout", ROOT, folder), ("-C", folder, "checkout", found)):
        assert 0 == _run("git", *arguments).returncode
    return folder


def test_the_package_lives_through_install_upgrade_way_back_reload_mistakes_kills_and_removal(
    clean: Path, tmp_path: Path
) -> None:
    live = clean / "live"
    live.mkdir()
    shutil.copy(ROOT / "tests" / "system" / "debian" / "live.sh", live)
    unasked = tmp_path / "unasked"
    unasked.mkdir()
    (unasked / "lintian").symlink_to("/bin/true")
    shutil.copy(_package(_before(tmp_path / "before"), "0.0.9", unasked), live / "before.deb")
    shutil.copy(_package(ROOT, "0.1.0"), live / "syncd.deb")
    template = ROOT / "syncd" / "config" / "templates" / f"offers-{TEMPLATES[0]}.toml"
    shutil.copy(template, live / "offers.toml")
    (live / "syncd.toml").write_text(CONFIG, encoding="utf-8")
    (live / "secret").write_text("whsec_+TZgv/3aofYJMT2aXtClLc7mUMC+5Sxj4oW9sIqvyxk=\n", encoding="utf-8")
    unit = "[Unit]\nAfter=multi-user.target\n[Service]\nExecStart=/bin/sh /live/live.sh\n"
    (clean / "etc" / "systemd" / "system" / "prove.service").write_text(unit, encoding="utf-8")
    wants = clean / "etc" / "systemd" / "system" / "multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "prove.service").symlink_to("/etc/systemd/system/prove.service")

    installed = _run("chroot", clean, "dpkg", "-i", "/live/before.deb")
    # A network of its own: whatever listens on this machine's ports is none of it.
    boot = ("--boot", "--private-network", "--register=no", "--keep-unit", "--machine=syncd-test")
    _run("systemd-nspawn", "-D", clean, *boot, seconds=3000)

    assert 0 == installed.returncode, installed.stderr
    told = (clean / "live.log").read_text(encoding="utf-8")
    assert told.rstrip().endswith("end"), told
    assert "NOT: " not in told, told
    assert told.count("ok: ") >= 42
