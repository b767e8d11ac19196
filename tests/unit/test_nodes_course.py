"""The play that tells how many nodes a city needs: its extremes, and the table of the guide."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.bench.bench_nodes import CITY, LATENCY, UNREAD
from tests.bench.nodes_course import Plan, nodes_needed, played
from tests.environment import ROOT

GUIDE = (ROOT / "docs" / "howto" / "many-organisations.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| (\d+), .*\| (\d+) nodes \| (\d+) nodes \|$", GUIDE, re.MULTILINE)
SMALL = Plan(160, 2, workers=4, interval=60, latency=0.1, cost=0.001)


def test_who_has_time_reads_each_calendar_once_in_each_round() -> None:
    course = played(SMALL)

    assert 60 <= course.oldest < 62
    assert course.busy < 0.1


def test_nodes_that_are_gone_work_for_nobody() -> None:
    assert played(replace(SMALL, nodes=4, gone=3)) == played(replace(SMALL, nodes=1))


def test_whoever_is_given_more_than_he_can_do_falls_behind_for_good() -> None:
    assert float("inf") == played(replace(SMALL, calendars=20_000, nodes=1)).oldest


def test_one_node_fewer_would_not_be_enough() -> None:
    wanted = Plan(CITY, 1, 16, 60, LATENCY, 0.0078)
    needed = nodes_needed(wanted, UNREAD)
    fewer = played(replace(wanted, nodes=needed - 1, gone=1))

    assert fewer.oldest > UNREAD or fewer.busy > 0.9


@pytest.mark.parametrize(("workers", "dear", "cheap"), [tuple(map(int, row)) for row in TABLE])
def test_the_guide_says_what_is_played(workers: int, dear: int, cheap: int) -> None:
    needed = [nodes_needed(Plan(CITY, 1, workers, 60, LATENCY, cost), UNREAD) for cost in (0.0078, 0.0026)]

    assert [dear, cheap] == needed


def test_the_guide_has_both_rows() -> None:
    assert ["4", "16"] == [row[0] for row in TABLE]
