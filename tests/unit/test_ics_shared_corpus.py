"""Calendars and rules made by others, with their authors' busy times (../shared/corpus, see its README)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.adapters.caldav.ics import busy
from syncd.adapters.caldav.ics.budget import Budget
from syncd.adapters.caldav.ics.expand import starts
from syncd.adapters.caldav.ics.rules import parse
from syncd.adapters.caldav.ics.values import END
from syncd.model.interval import Interval, merge
from tests.environment import shared

FOLDER = shared("corpus")

# Where we differ with reason: what the file has, and what the paragraph makes of it (docs/reference/busy-rules.md).
DIFFERENT = {
    # RFC 5545 3.8.5.3: a length given by DTEND is the same *exact* one for every instance, 24 hours also in the night
    # of 28 October 2007; the engines keep the wall clock.
    "c076": ("20071027T110000Z/20071028T120000Z", "20071027T110000Z/20071028T110000Z"),
}
CLASSES = {"tentative": "tentative", "unavailable": "unavailable"}


def _cases(*names: str) -> list[Any]:
    cases = [case for name in names for case in json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))]
    return [pytest.param(case, id=case["id"]) for case in cases]


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _written(spans: Iterable[Interval]) -> list[str]:
    return [f"{span.start:%Y%m%dT%H%M%SZ}/{span.end:%Y%m%dT%H%M%SZ}" for span in merge(spans)]


def _zone(case: dict[str, Any], item: dict[str, Any]) -> str:
    """One case has two calendars, the second of them with a zone of its own (its note says so)."""
    if case["id"] == "ccs-floating-3" and int(item["file"].rpartition("/")[2].partition(".")[0]) >= 9:
        return "US/Eastern"
    return str(case["tz"])


def _busy(case: dict[str, Any]) -> dict[str, list[str]]:
    """Merged spans per class, the calendar's items and its availability in one text per zone, as one file has them."""
    window = Interval(_moment(case["start"]), _moment(case["end"]))
    texts: dict[str, list[str]] = defaultdict(list)
    for item in case["items"]:
        texts[_zone(case, item)].append(item["ics"])
    if case.get("vavailability"):
        texts[case["tz"]].append(case["vavailability"])
    found: dict[str, list[Interval]] = defaultdict(list)
    for zone, parts in texts.items():
        for span, kind in busy("\n".join(parts).encode(), zone, window):
            if kind != "free":
                found[CLASSES.get(kind, "busy")].append(span)
    return {name: _written(spans) for name, spans in found.items()}


@pytest.mark.parametrize("case", _cases("freebusy-sabre", "freebusy-ccs", "busy-consensus", "busy-edge-copenhagen"))
def test_calendar_has_the_busy_times_its_authors_say(case: dict[str, Any]) -> None:
    expected = case["expect_norm"]
    if case["id"] in DIFFERENT:
        theirs, ours = DIFFERENT[case["id"]]
        expected["busy"] = [ours if span == theirs else span for span in expected["busy"]]

    found = _busy(case)

    assert expected == {name: found.get(name, []) for name in expected}


@pytest.mark.parametrize("case", _cases("recur-rules"))
def test_rule_has_the_instances_its_authors_say(case: dict[str, Any]) -> None:
    text, dates = case["dtstart"].rstrip("Z"), len(case["dtstart"]) == 8
    form = "%Y%m%d" if dates else "%Y%m%dT%H%M%S"
    rule, first = parse(case["rrule"]), datetime.strptime(text, form)
    last = rule.until.wall if rule.until else END
    expected = [instance.rstrip("Z") for instance in case["instances"]]

    found = [moment.strftime(form) for moment in starts(rule, first, first, last, Budget(), dates)]

    assert expected == found
    assert not rule.endless


def test_hardly_any_case_differs() -> None:
    names = ("freebusy-sabre", "freebusy-ccs", "busy-consensus", "busy-edge-copenhagen", "recur-rules")

    assert len(DIFFERENT) <= 0.01 * sum(len(_cases(name)) for name in names)
