"""How long the guided tour takes, everything started and ended included."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.bench.figure import Figure
from tests.environment import ROOT

NAME = "tour"


def run() -> list[Figure]:
    """One tour, as `make demo ONCE=1` starts it after set-up."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "syncd", "demo", "--once"], check=True, cwd=ROOT, stdout=sys.stderr)
    return [Figure("make demo ONCE=1 after set-up", round(time.monotonic() - began, 1), "s", target=60)]
