"""Fuzz the way of an .ics text: ``python -m tests.fuzz.fuzz_ics --seconds 600``.

Guided by coverage where atheris is installed; else by an own mutator, which keeps what took a branch not seen before.
Whatever the bytes, reading returns or refuses (`Unparsable`), soon, and its answer agrees with itself.
Exit code 0: nothing found. What breaks a promise is written to ``--crashes`` (a folder).
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import importlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

from syncd.adapters.caldav.ics import Unparsable, busy, open_hours, read_object, read_outside, recall_object
from syncd.model.interval import Interval

ROOT = Path(__file__).resolve().parents[2]
WINDOW = Interval(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
ZONE = "Europe/Copenhagen"
LONGEST = 20_000
SLOWEST = 10.0
"""Seconds of processor time for one text, which a busy machine does not lengthen."""
STUCK = 12
"""So many times as long by the wall clock is a hang, whatever it waits for."""
MEMORY_MB = 800

_WORDS = tuple(
    word.encode("latin-1")
    for word in [
        "RRULE:FREQ=YEARLY;BYWEEKNO=1,-1,53",
        "RRULE:FREQ=SECONDLY",
        ";COUNT=",
        ";UNTIL=",
        ";INTERVAL=",
        ";BYSETPOS=-1",
        "DTSTART:",
        "DTEND:",
        "DURATION:-P1W",
        "EXDATE;VALUE=DATE:",
        "RDATE;VALUE=PERIOD:",
        "/PT1H",
        "RECURRENCE-ID:",
        ";RANGE=THISANDFUTURE",
        ";TZID=",
        "Europe/Copenhagen",
        "00010101T000000",
        "99991231T235959Z",
        "20261025T023000",
        "BEGIN:VEVENT\n",
        "END:VEVENT\n",
        "BEGIN:VTIMEZONE\n",
        "END:VTIMEZONE\n",
        "BEGIN:VAVAILABILITY\n",
        "BEGIN:AVAILABLE\n",
        "END:AVAILABLE\n",
        "END:VAVAILABILITY\n",
        "FREEBUSY;FBTYPE=BUSY:",
        "\r\n ",
        "\n",
        "ÿþ",
        "\x00",
        '"',
    ]
)


def check(data: bytes) -> None:
    """Read *data* in every way there is.

    :raises AssertionError: an answer does not agree with itself.
    """
    read_outside(data, ZONE, WINDOW)
    try:
        read = read_object(data, ZONE, WINDOW, owner="ida@example.org", obeyed={"a"})
    except Unparsable:
        return
    assert read == recall_object(read.memory, ZONE, WINDOW), "memory says something else"
    for occurrence in read.occurrences:
        assert occurrence.interval.overlaps(WINDOW), "an occurrence lies outside the window"
        assert read.first <= occurrence.interval.start, "an occurrence begins before the first"
        assert read.last is None or occurrence.interval.end <= read.last, "an occurrence ends after the last"
    busy(data, ZONE, WINDOW, merged=True)
    open_hours(data, ZONE, WINDOW)


def mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One seed with a few of its bytes or lines changed, doubled, left out, or mixed with another's."""
    lines = rng.choice(seeds).splitlines(keepends=True) or [b""]
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        place = rng.randrange(len(lines))
        line = lines[place]
        match rng.randrange(8):
            case 0:
                lines[place : place + 1] = []
            case 1:
                lines.insert(place, rng.choice(rng.choice(seeds).splitlines(keepends=True) or [b""]))
            case 2:
                lines.insert(place, line)
            case 3 | 4:
                lines[place] = _with(rng, line, rng.choice(_WORDS))
            case 5:
                lines[place] = _with(rng, line, bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 5)))))
            case 6:
                lines[place] = _with(rng, line, b"%d" % rng.choice((0, 1, 9, 60, 99, 2026, 10**6, 10**10, -1)))
            case _:
                other = rng.randrange(len(lines))
                lines[place], lines[other] = lines[other], lines[place]
        lines = lines or [b""]
    return b"".join(lines)[:LONGEST]


def _with(rng: random.Random, line: bytes, piece: bytes) -> bytes:
    start = rng.randrange(len(line) + 1)
    return line[:start] + piece + line[start + rng.choice((0, 0, 1, len(piece))) :]


class Branches:
    """Remembers which lines of the package ran after which; the poor man's coverage."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int, int]] = set()
        self._fresh = False

    def new(self, data: bytes) -> bool:
        """Check *data*; whether it took a way that no text took before."""
        self._fresh = False
        sys.settrace(self._enter)
        try:
            check(data)
        finally:
            sys.settrace(None)
        return self._fresh

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        if "/caldav/ics/" not in name:
            return None
        last = 0

        def line(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal last
            step = name, last, frame.f_lineno
            last = frame.f_lineno
            if step not in self.seen:
                self.seen.add(step)
                self._fresh = True
            return line

        return line


def own_mutator(seconds: float, crashes: Path, seed: int = 1, most: int | None = None) -> int:
    """Mutate until the time is over; the number of promises broken."""
    rng = random.Random(seed)
    seeds = [path.read_bytes() for path in sorted((ROOT / "tests" / "corpus").glob("*.ics"))]
    branches, broken, done, begun = Branches(), 0, 0, time.monotonic()
    while time.monotonic() - begun < seconds and (most is None or done < most):
        data = mutated(rng, seeds)
        done += 1
        faulthandler.dump_traceback_later(SLOWEST * 10, exit=True)  # tracing makes all of it slower
        try:
            if branches.new(data):
                seeds.append(data)
        except Exception as error:  # noqa: BLE001  (any exception at all is what a fuzzer looks for)
            broken += 1
            path = crashes / f"ics-{hashlib.sha256(data).hexdigest()[:12]}.ics"
            path.write_bytes(data)
            print(f"{type(error).__name__}: {error}; see {path}")
    faulthandler.cancel_dump_traceback_later()
    print(f"{done} texts, {len(branches.seen)} ways, {broken} promises broken, without coverage guidance by atheris")
    return broken


def _functions(package: str) -> Iterator[FunctionType]:
    """Every function and method that a module of *package* defines."""
    for name in [name for name in sys.modules if name.startswith(package)]:
        own = [value for value in vars(sys.modules[name]).values() if getattr(value, "__module__", "") == name]
        for value in own:
            values = [value, *(vars(value).values() if isinstance(value, type) else ())]
            yield from (one for one in values if isinstance(one, FunctionType) and one.__module__ == name)


def _dictionary(folder: Path) -> Path:
    """The words that texts are made of, in libFuzzer's form."""
    path = folder / "words.dict"
    escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in _WORDS)
    path.write_text("".join(f'"{word}"\n' for word in escaped))
    return path


class TooSlow(Exception):
    """A text took more processor time than any may."""


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow(f"longer than {SLOWEST} s of processor time")


def _timed(data: bytes) -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, SLOWEST)
    try:
        check(data)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def with_atheris(seconds: int, crashes: Path) -> None:
    """Hand over to libFuzzer, which ends the process itself.

    A text that takes longer than `SLOWEST` or more memory than `MEMORY_MB` counts as a crash, too.
    """
    signal.signal(signal.SIGVTALRM, _too_slow)
    atheris = importlib.import_module("atheris")
    for function in _functions("syncd.adapters.caldav.ics."):
        atheris.instrument_func(function)
    with tempfile.TemporaryDirectory() as fresh:
        options = [
            f"-max_total_time={seconds}",
            f"-seed={os.environ.get('FUZZ_SEED', '0')}",  # 0: another way each time
            f"-timeout={int(SLOWEST * STUCK)}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={crashes}/ics-",
            f"-dict={_dictionary(Path(fresh))}",
            "-print_final_stats=1",
            "-verbosity=0",
        ]
        found = Path(fresh) / "found"
        found.mkdir()
        atheris.Setup([sys.argv[0], *options, str(found), str(ROOT / "tests" / "corpus")], _timed)
        atheris.Fuzz()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz for so many seconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.fuzz_ics", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--crashes", type=Path, default=ROOT / "var" / "fuzz")
    parser.add_argument("--own", action="store_true", help="the own mutator even where atheris is installed")
    options = parser.parse_args(arguments)
    options.crashes.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CPU, (options.seconds * 2 + 60, options.seconds * 2 + 60))
    try:
        if not options.own:
            with_atheris(options.seconds, options.crashes)
    except ImportError:
        print("atheris is not installed; the own mutator does what it can")
    return 1 if own_mutator(options.seconds, options.crashes) else 0


if __name__ == "__main__":
    sys.exit(main())
