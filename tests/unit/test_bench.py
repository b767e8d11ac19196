"""The benchmark runner's own promises: the shape of its JSON, and honest ratios."""

from __future__ import annotations

import json

import pytest

from tests.bench import __main__ as bench
from tests.bench.figure import Figure


@pytest.mark.parametrize(
    ("figure", "ratio", "met"),
    [
        (Figure("answer", 5, "ms", target=10, rival=20), 4.0, True),
        (Figure("answer", 40, "ms", target=10, rival=20), 0.5, False),
        (Figure("events", 40, "per s", target=10, rival=20, more_is_better=True), 2.0, True),
        (Figure("memory", 40, "MB"), None, None),
    ],
)
def test_a_figure_knows_its_ratio_and_whether_it_met_its_target(
    figure: Figure, ratio: float | None, met: bool | None
) -> None:
    assert (ratio, met) == (figure.ratio, figure.met)


def test_json_is_one_object_with_the_agreed_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "benchmarks", lambda: {"answers": lambda: [Figure("p50", 5, "ms", 10, 20)]})

    assert 0 == bench.main(["answers", "--json", "--plot"])

    printed = json.loads(capsys.readouterr().out)
    assert ["name", "machine", "figures"] == list(printed)
    assert "answers" == printed["name"]
    assert [
        {"figure": "p50", "value": 5, "unit": "ms", "target": 10, "rival": 20, "ratio": 4.0, "met": True}
    ] == printed["figures"]


def test_an_unknown_benchmark_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "benchmarks", lambda: {"answers": list})

    with pytest.raises(SystemExit, match="2"):
        bench.main(["anwsers"])
    assert "no benchmark 'anwsers'; there is: answers" in capsys.readouterr().err


def test_every_benchmark_of_the_folder_can_be_loaded() -> None:
    assert all(callable(run) for run in bench.benchmarks().values())
