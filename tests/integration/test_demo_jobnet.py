"""The demonstration town with Jobnet beside it: a citizen's deadline, down to the caseworker's calendar and room."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_tour_of_a_deadline_on_jobnet_is_seen_to_happen() -> None:
    command = [sys.executable, "-m", "syncd", "demo", "--once", "--jobnet"]
    tour = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)

    assert 0 == tour.returncode, tour.stdout + tour.stderr
    assert 9 == tour.stdout.count(" ✓ ")
    assert "Everything was seen to happen." in tour.stdout
