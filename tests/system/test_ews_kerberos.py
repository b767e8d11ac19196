"""Kerberos to Exchange, against a real key distribution centre; gssapi is built in an environment of its own."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ROOT, not_covered
from tests.servers.kerberos import realm

# gssapi is compiled once, for some minutes on a busy machine; uv keeps it.
pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """A Python with this one's packages, and gssapi."""
    uv, home = Path(sys.executable).parent / "uv", tmp_path / "with-gssapi"
    subprocess.run([str(uv), "venv", "--quiet", "--python", sys.executable, str(home)], check=True, timeout=60)
    python = home / "bin" / "python"
    ours = next(path for path in site.getsitepackages() if (Path(path) / "exchangelib").is_dir())
    install = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--no-deps",
        "gssapi",
        "requests-gssapi",
        "decorator",
    ]
    done = subprocess.run([*map(str, install)], check=False, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        not_covered("gssapi cannot be built", "apt-get install gcc libkrb5-dev")
    found = next((home / "lib").glob("python3*")) / "site-packages" / "zz-project.pth"
    found.write_text(f"{ours}\n")
    return python


def test_a_ticket_lets_us_in_bound_to_its_channel_and_a_missing_one_is_told(tmp_path, interpreter):
    folder = tmp_path / "realm"
    folder.mkdir()
    with realm(folder, "svc-syncd", "HTTP/127.0.0.1") as kerberos:
        kerberos.ticket("svc-syncd")
        ran = subprocess.run(
            [str(interpreter), "-m", "tests.system.kerberos_inside", str(folder)],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **kerberos.environment},
            timeout=120,
        )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])

    assert said["plain"] == said["tls"] == {"found": True, "heard": True}
    assert said["no ticket"]["error"].startswith("AccessDenied: 127.0.0.1:")
    assert "klist" in said["no ticket"]["error"]
    assert said["unbound"]["error"].startswith("AccessDenied"), "a server with Extended Protection wants the binding"
    assert "svc-syncd@BYHAVN.TEST" not in ran.stderr
