"""Whatever is sent, the answer is one the OpenAPI document knows, and never a defect of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.environment import ROOT
from tests.integration.web_town import TOKENS, Served

DOCUMENT = ROOT / "docs" / "reference" / "openapi.json"
"""Another test holds it to what the application says of itself."""
EXAMPLES, MANY = 6, 100
"""Per path; besides them schemathesis tries every boundary of every parameter once."""


@pytest.mark.broad
@pytest.mark.timeout(600)
def test_no_request_gets_an_answer_that_is_not_documented(served: Served) -> None:
    judged(served, EXAMPLES)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_none_of_many_requests_gets_an_answer_that_is_not_documented(served: Served) -> None:
    judged(served, MANY)


def judged(served: Served, examples: int) -> None:
    """The portal's requests."""
    tried(DOCUMENT, served.base, {"Authorization": f"Bearer {TOKENS['portal']}"}, examples)


def tried(document: Path, base: str, headers: Mapping[str, str], examples: int) -> None:
    """Let a process of its own send requests and judge the answers: reading the document costs ten seconds."""
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", base, "--no-color"),
                *(word for name, value in headers.items() for word in ("--header", f"{name}: {value}")),
                *("--phases", "examples,coverage,fuzzing", "--max-examples", str(examples)),
                "--generation-deterministic",
                # A well-formed request may still name what does not exist, or a range that ends before it begins.
                *("--exclude-checks", "positive_data_acceptance", "--suppress-health-check", "all"),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    assert 0 == done.returncode, done.stdout[-20_000:] + done.stderr
    assert "Tested: " in done.stdout, done.stdout
