"""The judge of room assignment looks at what the allocator decides."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from syncd.errors import ConfigError
from syncd.roomalloc.instance import parse
from syncd.roomalloc.replay import Options, replay
from tests.rooms_judge import FAIR, MOVES, SEEDS, days, instance, judge, run


@pytest.mark.parametrize(
    "preset", [preset if "small" in preset else pytest.param(preset, marks=pytest.mark.broad) for preset in FAIR]
)
def test_no_violation_on_any_public_preset_and_seed(preset: str) -> None:
    for seed in SEEDS:
        found = run(instance(preset, seed, days=2 if "large" in preset else 5)).found

        assert (True, []) == (found["valid"], found["errors"])
        assert found["accepted"] > 100


@pytest.mark.broad
@pytest.mark.parametrize("options", [Options(rebuild=True), Options(shape=True)], ids=["rebuild", "shape"])
def test_no_violation_with_nightly_rebuilds_or_shaped_days(options: Options) -> None:
    judged = run(instance("choice-small", 7, days=8, announce_lead=2880), options)

    assert [] == judged.found["errors"]
    assert judged.found["announced_moves_per_100"] <= 2.5
    assert options.rebuild == bool(judged.log.nightly)


def test_no_violation_with_two_sites_odd_buffers_and_late_requests() -> None:
    found = run(instance("small-roomy", 9, days=6, sites=2, grid=5, buffer=7, late=0.4, external=0.15)).found

    assert [] == found["errors"]


@pytest.mark.broad
@pytest.mark.parametrize("preset", ["small-tight", "choice-small"])
def test_nearly_as_many_are_held_as_by_unlimited_replanning(preset: str) -> None:
    found = run(instance(preset, 1)).found

    assert [] == found["errors"]
    assert found["held"] >= 0.99 * FAIR[preset][0]
    assert found["moves_per_100"] <= MOVES[preset]


def test_the_same_instance_is_always_decided_alike() -> None:
    text = instance("choice-small", 3, days=4)

    assert run(text).log.decisions == run(text).log.decisions


def test_the_judge_itself_would_notice() -> None:
    """A log that gives one room twice, as counting would, is refused: the zero above means something."""
    text = instance("small-tight", 1, days=2)
    log = replay(parse(text), time.perf_counter)
    accepted = [id for id, decision in log.decisions.items() if decision and "room" in decision]
    for id in accepted:
        log.decisions[id]["room"] = "R01"

    assert not run(text, policy=lambda _: log).found["valid"]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("preset", FAIR)
def test_every_figure_of_the_table_is_met(preset: str) -> None:
    shares, moves, told = [], [], []
    for seed, fair in enumerate(FAIR[preset], 1):
        found = run(instance(preset, seed, days=days(preset))).found
        assert [] == found["errors"]
        shares.append(found["held"] / fair)
        moves.append(found["moves_per_100"])
        late = run(instance(preset, seed, days=days(preset), announce_lead=2880)).found
        assert [] == late["errors"]
        told.append(late["announced_moves_per_100"])

    assert mean(shares) >= 0.995
    assert min(shares) >= 0.99
    assert mean(moves) <= MOVES[preset]
    assert mean(told) <= 2.5


# Bad instances


def spoiled(change: Any) -> list[str]:
    raw = json.loads(instance("small-tight", 1, days=1))
    change(raw)
    with pytest.raises(ConfigError) as caught:
        parse(json.dumps(raw), "bad.json")
    return list(caught.value.problems)


def test_unknown_ids_and_overlaps_are_named_all_at_once() -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["rooms"][0]["blocked"] = [[0, 540, 600], [0, 570, 630]]
        request = next(e for e in raw["events"] if e["type"] == "request")
        request["caseworker"], request["site"] = "c999", "Z"
        next(e for e in raw["events"] if e["type"] == "external")["room"] = "R99"
        next(e for e in raw["events"] if e["type"] == "cancel")["id"] = "q9999"

    problems = spoiled(change)
    assert "rooms[0].blocked: day 0: 570..630 overlaps 540..600 in R01" in problems
    for end in ("unknown caseworker c999", "no room is at site Z", "unknown room R99", "unknown request q9999"):
        assert any(problem.startswith("events[") and problem.endswith(end) for problem in problems)


def test_impossible_rooms_and_times_are_named() -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["rooms"][0] |= {"capacity": 0, "site": "", "buffer": 481}
        raw["rooms"][1]["id"] = raw["rooms"][2]["id"]
        raw["rooms"][3]["open"] = [960, 480]
        raw["freeze_lead"], raw["announce_lead"] = 720, 60
        request = next(e for e in raw["events"] if e["type"] == "request")
        request["options"], request["day"] = [1439], 4

    problems = " | ".join(spoiled(change))
    for said in (
        "rooms[0].capacity: must be at least 1, not 0",
        "rooms[0].site: room R01 is in no site",
        "rooms[0].buffer: 481 minutes are longer than the room is open",
        "R03 is there twice",
        "rooms[3].open: 960..480 is no time of a day",
        "instance.announce_lead: must be at least 720, not 60",
        "1439 is no start of a meeting",
        "4 is none of the 1 days",
    ):
        assert said in problems


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "'rooms-bench/1' is needed, not 'list'"),
        ('{"format": "rooms-static/1"}', "'rooms-bench/1' is needed, not 'rooms-static/1'"),
        ('{"format": "rooms-bench/1", "grid": 15, "days": 1}', "the key 'rooms' is missing somewhere"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match="1 problem") as caught:
        parse(text, "other.json")

    assert says in str(caught.value)


@pytest.mark.broad
def test_replay_is_a_command(tmp_path: Path) -> None:
    source, log = tmp_path / "instance.json", tmp_path / "log.json"
    source.write_text(instance("small-tight", 6, days=2), encoding="utf-8")
    command = [sys.executable, "-m", "syncd", "rooms", "replay"]
    done = subprocess.run([*command, str(source), "-o", str(log)], capture_output=True, text=True, check=True)

    assert "requests have a room" in done.stdout
    assert judge("replay", str(source), str(log), "--no-bound")["valid"]
    source.write_text("[]", encoding="utf-8")
    refused = subprocess.run([*command, str(source), "-o", str(log)], capture_output=True, text=True, check=False)
    assert 78 == refused.returncode
    assert "'rooms-bench/1' is needed" in refused.stderr


def test_events_out_of_order_are_refused() -> None:
    assert any("events must be sorted by time" in problem for problem in spoiled(lambda raw: raw["events"].reverse()))


def test_the_judge_accepts_its_own_presets() -> None:
    assert set(FAIR) == set(judge("presets")["public"])
