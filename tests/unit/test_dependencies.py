"""The one known conflict among our dependencies stays cured: urllib3 is urllib3 (docs/adr/0001)."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

import caldav.davclient
import exchangelib.protocol
import pytest
import requests.adapters
import urllib3

from tests.environment import ROOT

IMPOSTORS = {"niquests", "urllib3-future"}


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _locked() -> dict[str, str]:
    pins = re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    return {_name(name): version for name, version in pins}


def _unconditional(requirements: list[str]) -> set[str]:
    return {_name(requirement) for requirement in requirements if "extra ==" not in requirement}


def test_exchangelib_speaks_through_the_urllib3_that_is_installed_under_that_name() -> None:
    speaks: str = vars(urllib3)["__version__"]

    assert issubclass(exchangelib.protocol.BaseProtocol.HTTP_ADAPTER_CLS, requests.adapters.HTTPAdapter)
    assert requests.adapters.PoolManager is urllib3.PoolManager
    assert _locked()["urllib3"] == metadata.version("urllib3") == speaks
    assert int(speaks.split(".")[2]) < 900, "urllib3-future numbers its releases from 2.0.900 on"


def test_the_files_of_urllib3_are_its_own() -> None:
    files = {str(file) for file in metadata.files("urllib3") or []}

    assert "urllib3/__init__.py" in files
    assert Path(urllib3.__file__).samefile(str(metadata.distribution("urllib3").locate_file("urllib3/__init__.py")))


@pytest.mark.parametrize("impostor", sorted(IMPOSTORS))
def test_no_impostor_is_installed(impostor: str) -> None:
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.distribution(impostor)


def test_no_installed_distribution_requires_an_impostor() -> None:
    wanting = {d.name for d in metadata.distributions() if IMPOSTORS & _unconditional(d.requires or [])}

    assert set() == wanting


def test_the_lock_names_no_impostor_and_the_pinned_caldav() -> None:
    assert not IMPOSTORS & _locked().keys()
    assert "3.6.0a1" == _locked()["caldav"]


def test_the_lock_names_no_host_and_no_path() -> None:
    assert not re.search(r"https?://|file:|(^|\s)/\w", (ROOT / "requirements.lock").read_text())


def test_caldav_speaks_through_requests() -> None:
    client = caldav.davclient.DAVClient("http://127.0.0.1:9/")

    assert isinstance(client.session, requests.Session)
    client.session.close()


def test_the_wheel_pins_caldav_and_asks_for_no_impostor(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        requires = HeaderParser().parsestr(archive.read(path).decode()).get_all("Requires-Dist")

    assert "caldav==3.6.0a1" in (requires or [])
    assert "requests" in _unconditional(requires or [])
    assert not IMPOSTORS & _unconditional(requires or [])
