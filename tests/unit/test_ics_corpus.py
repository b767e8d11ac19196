"""Small calendars written after real ones, each named by what it taught, with the busy times it means.

A shape is two files in tests/corpus: NAME.ics, and NAME.txt with a sentence, ``zone``, ``window``, sometimes ``owner``,
and one line for each expected span (type, begin, end), or ``unparsable`` and a part of the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.adapters.caldav.ics import Unparsable, busy, read_object, recall_object
from syncd.model.interval import Interval
from tests.environment import ROOT

CORPUS = ROOT / "tests" / "corpus"
SHAPES = sorted(CORPUS.glob("*.ics"))
READABLE = [shape for shape in SHAPES if not shape.stem.startswith("refused-")]


@dataclass(slots=True)
class Expectation:
    """What NAME.txt says."""

    zone: str = ""
    window: Interval | None = None
    owner: str = ""
    spans: list[str] = field(default_factory=list)
    refusal: str = ""


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _expected(shape: Path) -> Expectation:
    said = Expectation()
    for line in shape.with_suffix(".txt").read_text(encoding="utf-8").splitlines()[1:]:
        word, _, rest = line.partition(" ")
        if word == "window":
            said.window = Interval(*map(_moment, rest.split()))
        elif word in ("zone", "owner"):
            setattr(said, word, rest)
        elif word == "unparsable":
            said.refusal = rest
        else:
            said.spans.append(line)
    return said


@pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.stem)
def test_shape_means_the_busy_times_it_is_said_to_mean(shape: Path) -> None:
    said, data = _expected(shape), shape.read_bytes()
    assert said.window is not None

    if said.refusal:
        with pytest.raises(Unparsable, match=said.refusal):
            busy(data, said.zone, said.window, owner=said.owner)
        return
    found = busy(data, said.zone, said.window, owner=said.owner)

    assert said.spans == [f"{kind} {span.start:%Y%m%dT%H%M%SZ} {span.end:%Y%m%dT%H%M%SZ}" for span, kind in found]


@pytest.mark.parametrize("shape", READABLE, ids=lambda path: path.stem)
def test_shape_means_the_same_from_memory(shape: Path) -> None:
    said, data = _expected(shape), shape.read_bytes()
    assert said.window is not None
    read = read_object(data, said.zone, said.window, owner=said.owner)

    assert read == recall_object(read.memory, said.zone, said.window)


def test_there_are_enough_shapes() -> None:
    assert 60 <= len(SHAPES)


def test_the_reference_page_names_every_shape() -> None:
    page = (ROOT / "docs" / "reference" / "busy-rules.md").read_text(encoding="utf-8")

    assert [] == [shape.stem for shape in SHAPES if f"`{shape.stem}`" not in page]
