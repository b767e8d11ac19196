"""The plan: what a delta does to the mirror, and which losses are not believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.errors import SuspiciousDelta
from syncd.model.busy import Occurrence, Stamp
from syncd.model.delta import Delta, Group, Since, Unreadable
from syncd.model.interval import Interval
from syncd.sync.plan import Held, Limits, OwnEntry, Plan, gone, plan, touched_keys
from syncd.sync.quiet import says_nothing
from tests.rough_server import NOW, busy

WINDOW = Interval(NOW - timedelta(days=1), NOW + timedelta(days=60))
OURS = "installation-a"
LIMITS = Limits()


def group(key: str, *occurrences: Occurrence, version: str = "2") -> Group:
    return Group(key, version, occurrences, b"", NOW, None)


def delta(
    *groups: Group,
    gone: tuple[str, ...] = (),
    present: frozenset[str] | None = None,
    unreadable: tuple[Unreadable, ...] = (),
) -> Delta:
    return Delta(groups, gone, present, WINDOW, "t", unreadable)


def at(hours: int, meeting: str | None = None, installation: str = OURS) -> Occurrence:
    stamp = Stamp(installation, meeting, 1, "d") if meeting else None
    return busy(NOW + timedelta(hours=hours), stamp=stamp)


def decide(held: Held, said: Delta, limits: Limits | None = LIMITS) -> Plan:
    return plan(held, said, limits, NOW)


def own(meeting: str, key: str | None, hours: int = 1, *, wanted: bool = True) -> OwnEntry:
    return OwnEntry(meeting, key, at(hours).interval, wanted)


def test_a_moved_item_makes_its_old_and_its_new_place_dirty() -> None:
    decided = decide(Held({"a": (at(1),)}, total=1), delta(group("a", at(5))))

    assert (at(1).interval, at(5).interval) == decided.dirty
    assert ("a",) == decided.changed


def test_an_item_that_only_changed_its_version_makes_nothing_dirty_but_is_written() -> None:
    decided = decide(Held({"a": (at(1),)}, total=1), delta(group("a", at(1), version="3")))

    assert decided.same
    assert () == decided.dirty
    assert ["3"] == [one.version for one in decided.replaced]


def test_a_listing_removes_what_is_not_in_it() -> None:
    decided = decide(Held({"a": (at(1),)}, total=9), delta(present=frozenset({"b"})))

    assert ("a",) == decided.removed
    assert (at(1).interval,) == decided.dirty


def test_a_tombstone_of_something_we_never_held_is_nothing() -> None:
    assert decide(Held({}), delta(gone=("a",))).same


def test_an_item_that_arrives_with_content_is_there_whatever_the_lists_say() -> None:
    assert frozenset() == gone({"a"}, delta(group("a", at(1)), gone=("a",)))
    assert frozenset() == gone({"a"}, delta(group("a", at(1)), present=frozenset()))


def test_only_what_a_delta_speaks_of_needs_to_be_known() -> None:
    assert {"a", "b"} == touched_keys({"b", "c"}, delta(group("a"), gone=("b",)))
    assert {"a", "c"} == touched_keys({"b", "c"}, delta(group("a"), present=frozenset({"b"})))


def test_an_object_that_became_unreadable_takes_the_place_of_its_group_and_is_no_loss() -> None:
    broken = Unreadable("a", "2", "d", "why")
    held = Held({"a": (at(1, "m"),)}, total=1, installation=OURS, own=(own("m", "a"),))

    decided = decide(held, delta(unreadable=(broken,)), Limits(least=1, own=1))

    assert (broken,) == decided.unreadable
    assert ("m",) == decided.touched
    assert {} == decided.loss.groups


@pytest.mark.parametrize(
    ("held", "lost", "refused"),
    [(20, 4, False), (20, 5, True), (24, 5, True), (25, 5, False), (26, 6, True), (4, 4, False), (5, 5, True)],
)
def test_more_than_a_fifth_and_at_least_five_gone_at_once_is_refused(held: int, lost: int, refused: bool) -> None:
    keys = [f"k{n}" for n in range(held)]
    mirror = Held({key: (at(1),) for key in keys}, total=held)
    said = delta(present=frozenset(keys[lost:]))

    if refused:
        with pytest.raises(SuspiciousDelta) as caught:
            decide(mirror, said)
        assert tuple(sorted(keys[:lost])) == caught.value.lost
        assert f"{lost} of {held} items" in str(caught.value)
    else:
        assert lost == len(decide(mirror, said).removed)


def test_items_that_come_back_without_any_time_count_as_lost() -> None:
    keys = [f"k{n}" for n in range(5)]
    with pytest.raises(SuspiciousDelta):
        decide(Held({key: (at(1),) for key in keys}, total=5), delta(*(group(key) for key in keys)))


def test_a_person_may_accept_any_loss() -> None:
    keys = [f"k{n}" for n in range(9)]
    decided = decide(Held({key: (at(1),) for key in keys}, total=9), delta(present=frozenset()), None)

    assert tuple(keys) == decided.removed
    assert set(keys) == set(decided.loss.groups)


def test_what_is_over_is_no_loss() -> None:
    past = busy(NOW - timedelta(hours=2))
    decided = decide(Held({f"k{n}": (past,) for n in range(9)}, total=0), delta(present=frozenset()))

    assert 9 == len(decided.removed)
    assert {} == decided.loss.groups


def test_what_lies_beyond_a_shrunken_window_is_no_loss() -> None:
    far = at(24 * 90)
    decided = decide(Held({f"k{n}": (far,) for n in range(9)}, total=9), delta(*(group(f"k{n}") for n in range(9))))

    assert {} == decided.loss.groups


def test_two_of_our_own_future_meetings_gone_are_refused_and_named() -> None:
    held = Held(
        {"a": (at(1, "m1"),), "b": (at(2, "m2"),)},
        total=50,
        installation=OURS,
        own=(own("m1", "a", 1), own("m2", "b", 2)),
    )
    with pytest.raises(SuspiciousDelta) as caught:
        decide(held, delta(gone=("a", "b")))

    assert ("m1", "m2") == caught.value.bookings


def test_as_many_notes_as_she_likes_are_thrown_away_at_once() -> None:
    notes = tuple(OwnEntry(f"n{n}", f"k{n}", at(n).interval, wanted=True, note=True) for n in (1, 2))
    held = Held({f"k{n}": (at(n, f"n{n}"),) for n in (1, 2)}, total=50, installation=OURS, own=notes)
    decided = decide(held, delta(gone=("k1", "k2")))

    assert ((), ("n1", "n2")) == (decided.loss.meetings, decided.touched)


def test_one_of_our_own_meetings_gone_is_believed_and_looked_at() -> None:
    held = Held({"a": (at(1, "m1"),)}, total=50, installation=OURS, own=(own("m1", "a"),))

    assert ("m1",) == decide(held, delta(gone=("a",))).touched


def test_our_own_meeting_without_its_stamp_is_known_by_its_key() -> None:
    mirror = {"a": (at(1),), "b": (at(2),)}
    held = Held(mirror, total=50, installation=OURS, own=(own("m1", "a"), own("m2", "b")))
    with pytest.raises(SuspiciousDelta):
        decide(held, delta(gone=("a", "b")))


@pytest.mark.parametrize("rows", ["kept", "cleaned"])
def test_our_own_cancellations_are_no_loss_even_when_their_rows_are_gone_already(rows: str) -> None:
    keys = [f"k{n}" for n in range(9)]
    entries = tuple(own(f"m-{key}", key, wanted=False) for key in keys) if rows == "kept" else ()
    mirror = {key: (at(1, f"m-{key}"),) for key in keys}

    decided = decide(Held(mirror, total=9, installation=OURS, own=entries), delta(gone=tuple(keys)))

    assert {} == decided.loss.groups
    assert tuple(f"m-{key}" for key in keys) == decided.touched


def test_surplus_copies_of_our_meetings_may_go() -> None:
    mirror = {f"copy{n}": (at(1, f"m{n}"),) for n in range(6)}
    held = Held(mirror, total=6, installation=OURS, own=tuple(own(f"m{n}", f"real{n}") for n in range(6)))

    assert {} == decide(held, delta(gone=tuple(mirror))).loss.groups


def test_a_meeting_that_comes_back_under_another_key_is_not_lost() -> None:
    mirror = {"a": (at(1, "m1"),), "b": (at(2, "m2"),)}
    held = Held(mirror, total=50, installation=OURS, own=(own("m1", "a"), own("m2", "b")))

    decided = decide(held, delta(group("c", at(3, "m1")), group("d", at(4, "m2")), gone=("a", "b")))

    assert () == decided.loss.meetings
    assert ("m1", "m2") == decided.touched


def test_the_stamp_of_another_installation_is_ordinary_busy_time() -> None:
    mirror = {"a": (at(1, "m1", "other"),), "b": (at(2, "m2", "other"),)}
    decided = decide(Held(mirror, total=50, installation=OURS), delta(gone=("a", "b")))

    assert () == decided.touched
    assert 2 == len(decided.loss.groups)


def test_an_event_on_top_of_our_meeting_lets_somebody_look_at_the_meeting() -> None:
    held = Held({}, total=1, installation=OURS, own=(own("m1", "ours", 1), own("m2", "ours2", 9)))

    assert ("m1",) == decide(held, delta(group("new", at(1)))).touched


@pytest.mark.parametrize(
    "more",
    [
        {"groups": (group("a", at(1)),)},
        {"gone": ("a",)},
        {"unreadable": (Unreadable("a", "1", "digest", "It is no iCalendar."),)},
        {"present": frozenset()},
        {"token": "t2"},
        {"covers": Interval(WINDOW.start, WINDOW.end + timedelta(days=1))},
    ],
)
def test_a_calendar_passes_for_unchanged_only_when_the_server_says_nothing_at_all(more: dict[str, Any]) -> None:
    since = Since("t", WINDOW)

    assert says_nothing(delta(), since)
    assert not says_nothing(delta(), None)
    assert not says_nothing(replace(delta(), **more), since)
