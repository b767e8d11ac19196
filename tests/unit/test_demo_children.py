"""Whoever ends the demonstration ends what it started, too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
import signal, sys
from pathlib import Path
from syncd.demo.children import child, heed_goodbyes
heed_goodbyes()
try:
    with child("sleeper", ["sleep", "600"], Path(sys.argv[1])) as process:
        print(process.pid, flush=True)
        signal.pause()
except KeyboardInterrupt:
    print("closed", flush=True)
"""


@pytest.mark.parametrize(
    "number", [signal.SIGHUP, *(pytest.param(one, marks=pytest.mark.broad) for one in (signal.SIGINT, signal.SIGTERM))]
)
def test_its_programs_end_with_it_whichever_way_it_is_told_and_though_it_is_told_twice(
    number: signal.Signals, tmp_path: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", SHOW, tmp_path / "log"], stdout=subprocess.PIPE, text=True) as show:
        assert show.stdout is not None
        sleeper = int(show.stdout.readline())
        for again in (number, signal.SIGTERM):
            show.send_signal(again)
        told, _ = show.communicate(timeout=20)

    assert (0, "closed\n") == (show.returncode, told)
    with pytest.raises(ProcessLookupError):
        os.kill(sleeper, 0)
