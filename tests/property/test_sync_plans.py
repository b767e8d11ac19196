"""What is true of every plan, whatever the server says."""

from __future__ import annotations

import itertools
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from syncd.errors import SuspiciousDelta
from syncd.model.busy import Occurrence, Stamp
from syncd.model.delta import Delta, Group, Unreadable
from syncd.model.interval import Interval
from syncd.sync.plan import Held, Limits, OwnEntry, plan
from tests.rough_server import NOW, busy

KEYS = [f"k{n}" for n in range(8)]
WINDOW = Interval(NOW - timedelta(days=1), NOW + timedelta(days=30))
OURS = "ours"

stamps = st.none() | st.builds(
    Stamp, st.sampled_from([OURS, "other"]), st.sampled_from(["m1", "m2", "m3"]), st.just(1), st.just("d")
)
occurrences = st.builds(
    lambda hour, minutes, stamp: busy(NOW + timedelta(hours=hour), minutes, stamp=stamp),
    st.integers(-23, 24 * 20),
    st.sampled_from([15, 60]),
    stamps,
)
several = st.lists(occurrences, max_size=3, unique=True).map(tuple)
keys = st.sampled_from(KEYS)
own = st.builds(
    OwnEntry,
    st.sampled_from(["m1", "m2", "m3"]),
    st.none() | keys,
    st.integers(1, 400).map(lambda hour: Interval.at(NOW + timedelta(hours=hour), 60)),
    st.booleans(),
)


@st.composite
def helds(draw: st.DrawFn) -> Held:
    groups = draw(st.dictionaries(keys, several))
    unreadable = draw(st.frozensets(keys)) - groups.keys()
    ahead = sum(any(o.interval.end > NOW for o in some) for some in groups.values())
    entries = draw(st.lists(own, max_size=3, unique_by=lambda entry: entry.meeting))
    return Held(groups, unreadable, ahead + draw(st.integers(0, 20)), OURS, tuple(entries))


@st.composite
def deltas(draw: st.DrawFn) -> Delta:
    arriving = draw(st.dictionaries(keys, several | st.none()))
    groups = tuple(Group(k, "2", some, b"", NOW, None) for k, some in arriving.items() if some is not None)
    broken = tuple(Unreadable(k, "2", "d", "why") for k, some in arriving.items() if some is None)
    listing = draw(st.none() | st.frozensets(keys))
    gone = () if listing is not None else tuple(draw(st.lists(keys, unique=True)))
    return Delta(groups, gone, listing, WINDOW, "t", broken)


def server(held: Held, delta: Delta) -> dict[str, frozenset[Occurrence]]:
    """What a mirror must hold afterwards, said in another way than the plan does."""
    after: dict[str, frozenset[Occurrence]] = {}
    for key in KEYS:
        there = key in delta.present if delta.present is not None else key not in delta.gone
        if there and key in held.groups:
            after[key] = frozenset(held.groups[key])
    for item in delta.unreadable:
        after.pop(item.key, None)
    return after | {group.key: frozenset(group.occurrences) for group in delta.groups}


@given(helds(), deltas())
def test_a_plan_turns_what_we_hold_into_what_the_server_has(held: Held, delta: Delta) -> None:
    decided = plan(held, delta, None, NOW)
    after = {key: frozenset(some) for key, some in held.groups.items() if key not in decided.removed}
    for item in decided.unreadable:
        after.pop(item.key, None)
    after |= {group.key: frozenset(group.occurrences) for group in decided.replaced}

    assert server(held, delta) == after


@given(helds(), deltas())
def test_the_dirty_spans_are_the_time_that_differs_and_no_more(held: Held, delta: Delta) -> None:
    dirty = plan(held, delta, None, NOW).dirty
    before = {(key, o) for key, some in held.groups.items() for o in some}
    after = {(key, o) for key, some in server(held, delta).items() for o in some}
    differing = [o.interval for _, o in before ^ after]

    assert all(any(span.contains(one) for span in dirty) for one in differing)
    assert all(any(span.overlaps(one) for one in differing) for span in dirty)
    assert all(one.end < other.start for one, other in itertools.pairwise(dirty))


@given(helds(), deltas(), st.integers(1, 6), st.integers(1, 3))
def test_a_plan_is_refused_exactly_when_its_loss_is(held: Held, delta: Delta, least: int, ours: int) -> None:
    limits = Limits(share=0.2, least=least, own=ours)
    loss = plan(held, delta, None, NOW).loss
    if loss.refused_by(limits):
        with pytest.raises(SuspiciousDelta) as caught:
            plan(held, delta, limits, NOW)
        assert (tuple(sorted(loss.groups)), loss.meetings) == (caught.value.lost, caught.value.bookings)
    else:
        assert plan(held, delta, None, NOW) == plan(held, delta, limits, NOW)


@given(helds(), deltas())
def test_only_time_ahead_that_is_gone_is_a_loss_and_only_wanted_meetings_of_ours_count(
    held: Held, delta: Delta
) -> None:
    loss = plan(held, delta, None, NOW).loss
    after = server(held, delta)
    wanted = {entry.meeting for entry in held.own if entry.wanted}

    for key, some in loss.groups.items():
        assert some
        assert all(o.interval.end > NOW for o in some)
        assert not after.get(key)
    assert set(loss.meetings) <= wanted


@given(helds(), deltas())
def test_every_change_of_an_entry_of_ours_lets_somebody_look(held: Held, delta: Delta) -> None:
    touched = set(plan(held, delta, None, NOW).touched)
    before = {(key, o) for key, some in held.groups.items() for o in some}
    after = {(key, o) for key, some in server(held, delta).items() for o in some}
    ours = {o.stamp.meeting for _, o in before ^ after if o.stamp and o.stamp.installation == OURS}

    assert ours <= touched
    assert touched <= {"m1", "m2", "m3"}


@given(helds(), deltas())
def test_the_same_delta_again_changes_nothing(held: Held, delta: Delta) -> None:
    after = {key: tuple(some) for key, some in server(held, delta).items()}
    broken = frozenset(item.key for item in delta.unreadable)
    again = plan(Held(after, broken, len(after), OURS), delta, Limits(), NOW)

    assert () == again.changed
    assert () == again.removed
    assert () == again.dirty
