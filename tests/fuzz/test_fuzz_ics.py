"""The fuzzer itself: a short run finds nothing, and a planted fault is found."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from syncd.adapters.caldav.ics import ReadObject, reading
from tests.environment import ROOT, not_covered
from tests.fuzz import fuzz_ics


def test_a_few_strange_texts_break_no_promise(tmp_path: Path) -> None:
    assert 0 == fuzz_ics.own_mutator(seconds=30, crashes=tmp_path, seed=7, most=120)


def test_a_planted_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(memory: bytes, zone: str, window: object) -> ReadObject:
        return ReadObject("", (), memory, reading.NEVER, reading.NEVER)

    monkeypatch.setattr(fuzz_ics, "recall_object", forgetful)

    assert fuzz_ics.own_mutator(seconds=30, crashes=tmp_path, most=30)
    assert [*tmp_path.glob("ics-*.ics")]


FAULTS = {
    "crash": "def bad(data): assert b'VEVENT' not in data, 'planted'",
    "hang": "def bad(data):\n    while b'VEVENT' in data: pass",
    # Stays in the text that did it: libFuzzer looks at the memory once a second, and between two texts it blames none.
    "oom": (
        "def bad(data):\n    if b'VEVENT' in data:\n"
        "        kept.extend(b'x' * 40_000_000 for _ in range(15)); time.sleep(120)"
    ),
}


@pytest.mark.broad
@pytest.mark.timeout(600)  # importing and instrumenting takes seconds of CPU, and minutes on a busy machine
@pytest.mark.parametrize("kind", FAULTS)
def test_guided_by_coverage_a_planted_fault_ends_the_run_with_the_text_that_did_it(kind: str, tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        not_covered("atheris is not installed", "make env, with a Python that it has wheels for")
    script = (
        "import time; from pathlib import Path; from tests.fuzz import fuzz_ics; kept = []\n"
        f"{FAULTS[kind]}\n"
        f"fuzz_ics.check, fuzz_ics.SLOWEST = bad, {0.5 if kind == 'hang' else 10}\n"
        "fuzz_ics.STUCK, fuzz_ics.MEMORY_MB = 600, 400\n"
        f"fuzz_ics.with_atheris(20, Path({str(tmp_path)!r}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=540, check=False
    )

    assert 0 != done.returncode, done.stdout[-2000:] + done.stderr[-2000:]
    kept = [*tmp_path.glob("ics-oom-*" if kind == "oom" else "ics-crash-*")]
    assert kept, f"{[*tmp_path.iterdir()]} {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert ("TooSlow" in done.stdout + done.stderr) is (kind == "hang")


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_ten_minutes_of_strange_texts_break_no_promise(tmp_path: Path) -> None:
    seconds = os.environ.get("FUZZ_SECONDS", "600")
    command = [sys.executable, "-m", "tests.fuzz.fuzz_ics", "--seconds", seconds, "--crashes", str(tmp_path)]

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=int(seconds) * 2 + 120, check=False
    )

    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-2000:]
    assert [] == [*tmp_path.iterdir()]
