"""Who changed what, how the authority counts, and what deadlines ask for; all of it arithmetic."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config.dfdg_names import DfdgNames
from syncd.dfdg.compare import Agreed, Followed, Owed, compare
from syncd.dfdg.deadlines import demands, per_day
from syncd.dfdg.figures import COLUMNS, Coverage, Figure, LeftOut, Rule, figures, harmless, left_out, row
from syncd.model.dfdg import About, Class, Deadline, Record, Said, Words
from syncd.model.interval import Interval
from syncd.model.offer import Form

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
START = datetime(2026, 12, 1, 9, tzinfo=UTC)
BASE = Said(START, START + timedelta(minutes=30), "RID-A", 1)
MOVED = replace(BASE, start=START + timedelta(hours=1), end=START + timedelta(hours=2))
GIVEN = replace(BASE, caseworker="RID-B")
GONE = replace(BASE, gone=True)
PERIOD = Interval(NOW, NOW + timedelta(days=30))
COVERED = Coverage(True, NOW, NOW)


@pytest.mark.parametrize(
    ("known", "sent", "ours", "theirs", "verdict"),
    [
        (BASE, None, BASE, BASE, Agreed(BASE)),
        (BASE, None, MOVED, BASE, Owed(BASE)),
        (BASE, MOVED, MOVED, BASE, Owed(BASE)),
        (BASE, MOVED, GIVEN, MOVED, Owed(MOVED)),
        (BASE, None, BASE, MOVED, Followed(MOVED, MOVED)),
        (BASE, None, GIVEN, MOVED, Followed(MOVED, replace(MOVED, caseworker="RID-B"))),
        (BASE, None, MOVED, replace(MOVED, start=START + timedelta(minutes=5)), None),
        (BASE, None, MOVED, GONE, Followed(GONE, replace(MOVED, gone=True))),
        (BASE, None, GONE, MOVED, Owed(MOVED)),
        (GONE, None, GONE, GONE, Agreed(GONE)),
        (BASE, None, BASE, replace(BASE, place="Torvet 1"), Agreed(BASE)),
    ],
)
def test_who_changed_what_is_told_from_three_states(known, sent, ours, theirs, verdict):
    found = compare(known, sent, ours, theirs)

    if verdict is None:
        assert isinstance(found, Followed)
        assert (ours, True) == (found.merged, found.clash)
    else:
        assert verdict == found


SAID = st.builds(
    Said,
    start=st.sampled_from([START, START + timedelta(hours=1), START + timedelta(hours=2)]),
    end=st.just(START + timedelta(hours=3)),
    caseworker=st.sampled_from(["A", "B", "C"]),
    form=st.sampled_from([1, 2]),
    gone=st.booleans(),
)


@given(SAID, st.none() | SAID, SAID, SAID)
def test_after_any_verdict_both_sides_say_the_same_once_it_is_carried_out(known, sent, ours, theirs):
    """However both sides changed a record: following and reporting what is owed ends in agreement at once."""
    verdict = compare(known, sent, ours, theirs)
    here = verdict.merged if isinstance(verdict, Followed) else ours

    assert isinstance(compare(here, None, here, here), Agreed)
    assert not (isinstance(verdict, Agreed) and theirs != ours and not (theirs.gone and ours.gone))
    assert here.gone == (theirs.gone or ours.gone)


def record(group: str = "1", kind: int = 7, **more: Any) -> Record:
    values: dict[str, Any] = {
        "id": "x",
        "about": About(kind, bool(more.pop("booked", True)), group),
        "known": BASE,
        "registered": NOW,
        "class_": Class.OPEN,
    }
    return Record(**(values | more))


@pytest.mark.parametrize(
    ("talk", "by_2016", "by_2020"),
    [
        (record(), None, None),
        (record(first=True), None, LeftOut.FIRST),
        (record(class_=Class.BARRED), None, LeftOut.BARRED),
        (record(class_=Class.UNKNOWN), None, None),
        (record(kind=17), LeftOut.JOINT, LeftOut.JOINT),
        (record(registered=START), LeftOut.WALK_IN, LeftOut.WALK_IN),
    ],
)
def test_what_is_left_out_depends_on_the_rule(talk, by_2016, by_2020):
    """[S31, S32, seed 001 of reference/domain.md]"""
    assert (by_2016, by_2020) == (left_out(talk, Rule.OF_2016), left_out(talk, Rule.OF_2020))


def test_the_share_is_self_booked_of_self_booked_and_summoned_by_group():
    talks = [record(booked=True)] * 3 + [record(booked=False)] + [record("5", booked=False, first=True)] * 2
    benefit, other = figures(talks, PERIOD, ("1", "8"), COVERED)

    assert ("1", 75.0, Rule.OF_2016) == (benefit.group, benefit.share, benefit.rule)
    assert ("5", None, 2) == (other.group, other.share, other.left_out[LeftOut.FIRST])


def test_a_figure_says_when_the_case_systems_summonses_are_not_seen():
    assert "NOT seen" in Coverage(False, NOW, None).says
    assert "No record is known" in Coverage(True, None, NOW).says


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_of_the_export_is_a_formula(cell):
    assert f"'{cell}" == harmless(cell)
    out = StringIO()
    csv.writer(out).writerow(row(Figure(cell, Rule.OF_2020, PERIOD, 1, 0, COVERED)))
    (read,) = csv.reader(StringIO(out.getvalue()))
    assert (f"'{cell}", len(COLUMNS)) == (read[0], len(read))


TODAY = date(2026, 11, 23)
WORDS = Words(forms={Form.PHONE: 2}, offers={7: ("jobsamtale", "kort"), 4: ("opfoelgning",)})


def deadline(day: int, kind: int = 7, *, is_open: bool = True) -> Deadline:
    until = TODAY + timedelta(days=day)
    return Deadline(f"f{day}{kind}", "c", kind, until, until + timedelta(days=1), open=is_open)


def test_deadlines_add_up_over_the_days_by_which_talks_must_be_held():
    """[FRI, JK] whoever must have her talk by Tuesday can use no later time."""
    found = demands([deadline(1), deadline(1), deadline(3), deadline(2, 4), deadline(5, is_open=False)], WORDS, TODAY)

    assert [("jobsamtale", 2, 2), ("jobsamtale", 4, 3), ("opfoelgning", 3, 1)] == [
        (one.offer, (one.until - TODAY).days, one.number) for one in found
    ]


def test_far_deadlines_are_looked_at_as_one():
    found = demands([deadline(day) for day in (1, 20, 30, 40)], WORDS, TODAY)
    assert [(2, 1), (41, 4)] == [((one.until - TODAY).days, one.number) for one in found]


def test_open_deadlines_are_counted_by_the_day_they_end_on():
    found = per_day([deadline(1), deadline(1, 4), deadline(1), deadline(2, is_open=False)])
    assert [(TODAY + timedelta(days=1), {4: 1, 7: 2})] == [(one.day, dict(one.open)) for one in found]


def test_every_name_that_nobody_confirmed_is_a_guess():
    guesses = dict(DfdgNames().guesses())
    assert ("/v2/Indkaldelse/{id}", False) == (guesses["paths.update"], "headers.request" in guesses)
