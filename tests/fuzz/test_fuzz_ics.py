"""The fuzzer itself: a short run finds nothing, and a planted fault is found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.adapters.caldav.ics import ReadObject, reading
from tests.environment import ROOT
from tests.fuzz import fuzz_ics


def test_a_few_strange_texts_break_no_promise(tmp_path: Path) -> None:
    assert 0 == fuzz_ics.own_mutator(seconds=30, crashes=tmp_path, seed=7, most=120)


def test_a_planted_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(memory: bytes, zone: str, window: object) -> ReadObject:
        return ReadObject("", (), memory, reading.NEVER, reading.NEVER)

    monkeypatch.setattr(fuzz_ics, "recall_object", forgetful)

    assert fuzz_ics.own_mutator(seconds=30, crashes=tmp_path, most=30)
    assert [*tmp_path.glob("ics-*.ics")]


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
