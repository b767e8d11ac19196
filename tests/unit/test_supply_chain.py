"""What syncd needs to run is known by name, hash and licence."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ROOT

BIN = Path(sys.executable).parent


def test_every_licence_of_what_runs_is_allowed() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "setup" / "licences", "--json"], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert {"fastapi", "lxml", "httpx2"} <= {one["name"] for one in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("GPL-3.0-or-later OR Apache-2.0", True),
        ("Apache-2.0 AND BSD-2-Clause", True),
        ("Apache Software License; BSD License", True),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0-only AND MIT", False),
        ("UNKNOWN", False),
    ],
)
def test_a_licence_is_allowed_by_name_only(licence: str, may: bool) -> None:
    assert runpy.run_path(str(ROOT / "setup" / "licences"))["allowed"](licence) is may


@pytest.mark.broad
def test_the_bill_of_materials_has_a_hash_for_each_part(tmp_path: Path) -> None:
    for name in ("setup", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).symlink_to(ROOT / name)
    subprocess.run(["bash", "setup/sbom", BIN], cwd=tmp_path, check=True, capture_output=True)
    bill = json.loads((tmp_path / "dist" / "syncd.cdx.json").read_text())

    names = {one["name"] for one in bill["components"]}
    assert {"fastapi", "pydantic", "cryptography"} <= names
    assert not {"pytest", "ruff"} & names
    for one in bill["components"]:
        told = one.get("hashes") or [h for ref in one.get("externalReferences", ()) for h in ref.get("hashes", ())]
        assert told, one["name"]


@pytest.mark.parametrize("page", ["asvs.md", "threat-model.md", "gdpr.md"])
def test_every_proof_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / "docs" / "compliance" / page).read_text()
    named = {name.removeprefix("tests/") for name in re.findall(r"`([a-z/_*.]*/?test_[a-z_*]+\.py)`", text)}

    assert len(named) > 5
    assert [] == [name for name in sorted(named) if not [*(ROOT / "tests").rglob(name)]]
