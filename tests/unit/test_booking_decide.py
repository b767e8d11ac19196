"""The decision about one meeting, case by case: whose hand was it, and what must be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.booking import texts
from syncd.booking.decide import decide, seen
from syncd.booking.sight import (
    Decision,
    Limits,
    Moved,
    Newer,
    Remove,
    RoomTaken,
    Sighting,
    Withdrawn,
    Write,
    days_since_1970,
)
from syncd.model.booking import EntryRecord, Meeting, RoomState
from syncd.model.busy import Stamp
from syncd.model.directory import MailboxKind
from syncd.model.entry import Entry, EntryDraft, Resource, digest, stamped
from syncd.model.interval import Interval
from syncd.model.offer import Form

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NINE = Interval.at(datetime(2026, 11, 24, 9, 0, tzinfo=UTC), 45)
TEN = Interval.at(datetime(2026, 11, 24, 10, 0, tzinfo=UTC), 45)
NOON = Interval.at(datetime(2026, 11, 24, 12, 0, tzinfo=UTC), 45)
OURS = "installation-1"
LIMITS = Limits()


def a_meeting(generation: int = 1, applied: int = 1, at: Interval = NINE, wanted: bool = True) -> Meeting:
    return Meeting(
        id="m1",
        uid="m1@syncd",
        offer="talk",
        form=Form.IN_PERSON,
        caseworker="anna",
        room="r1",
        room_state=RoomState.PENDING,
        interval=at,
        zone="Europe/Copenhagen",
        before=0,
        after=0,
        wanted=wanted,
        desired_generation=generation,
        applied_generation=applied,
    )


def a_draft(meeting: Meeting, location: str = "lokale 2.14 (kan ændres)") -> EntryDraft:
    stamp = Stamp(OURS, meeting.id, meeting.desired_generation, "")
    return stamped(EntryDraft(meeting.uid, meeting.interval, meeting.zone, "Selvbooket samtale", "", location, stamp))


def as_it_stands(draft: EntryDraft, **changes: Any) -> Entry:
    """The entry on the server; *changes* are a human's: interval, summary, location."""
    standing = replace(draft, **changes)
    content = digest(standing.interval, standing.summary, standing.location)
    return Entry("k1", "v1", draft.uid, standing.interval, standing.location, draft.stamp, content)


def remembered(entry: Entry, wanted: bool = True) -> EntryRecord:
    assert entry.stamp is not None
    return EntryRecord("anna", wanted, entry.key, entry.version, entry.stamp.generation, entry.digest)


def decided(
    meeting: Meeting,
    record: EntryRecord,
    *entries: Entry,
    kind: MailboxKind = MailboxKind.PERSON,
    gone: bool = False,
    location: str = "lokale 2.14 (kan ændres)",
) -> Decision:
    draft = a_draft(meeting, location) if record.wanted else None
    return decide(meeting, [Sighting(record, kind, draft, entries, gone)], OURS, NOW, LIMITS)


NEVER_SEEN = EntryRecord("anna", wanted=True)
GONE = EntryRecord("anna", wanted=False)
HERS = EntryRecord("anna", wanted=False, missing_since=NOW)


def test_an_entry_that_stands_as_written_needs_nothing():
    entry = as_it_stands(a_draft(a_meeting()))

    decision = decided(a_meeting(), remembered(entry), entry)

    assert decision.complete
    assert (remembered(entry),) == decision.records


def test_an_entry_never_seen_is_written():
    decision = decided(a_meeting(applied=0), NEVER_SEEN)

    assert (Write("anna", a_draft(a_meeting()), None),) == decision.steps


def test_our_own_write_whose_answer_was_lost_is_found_and_not_repeated():
    decision = decided(a_meeting(applied=0), NEVER_SEEN, as_it_stands(a_draft(a_meeting())))

    assert decision.complete


def test_a_new_generation_changes_the_entry():
    entry = as_it_stands(a_draft(a_meeting()))
    later = a_meeting(generation=2, at=TEN)

    decision = decided(later, remembered(entry), entry)

    assert (Write("anna", a_draft(later), entry),) == decision.steps


def test_a_human_who_moves_the_entry_is_followed():
    draft = a_draft(a_meeting())
    moved = as_it_stands(draft, interval=TEN)

    decision = decided(a_meeting(), remembered(as_it_stands(draft)), moved)

    assert Moved("anna", TEN, moved) == decision.verdict
    assert () == decision.steps


def test_a_human_who_moves_before_we_recorded_our_write_is_followed():
    moved = as_it_stands(a_draft(a_meeting()), interval=TEN)

    decision = decided(a_meeting(applied=0), NEVER_SEEN, moved)

    assert Moved("anna", TEN, moved) == decision.verdict


def test_a_human_wins_over_a_change_that_has_not_reached_the_calendar():
    draft = a_draft(a_meeting())
    moved = as_it_stands(draft, interval=TEN)

    decision = decided(a_meeting(generation=2, at=NOON), remembered(as_it_stands(draft)), moved)

    assert Moved("anna", TEN, moved) == decision.verdict


def test_a_move_that_was_followed_is_not_followed_again_over_a_later_wish():
    moved = as_it_stands(a_draft(a_meeting()), interval=TEN)
    later = a_meeting(generation=3, at=NOON)

    decision = decided(later, remembered(moved), moved)

    assert (Write("anna", a_draft(later), moved),) == decision.steps


def test_a_followed_move_is_stamped_anew():
    moved = as_it_stands(a_draft(a_meeting()), interval=TEN)
    followed = a_meeting(generation=2, at=TEN)

    decision = decided(followed, remembered(moved), moved)

    assert (Write("anna", a_draft(followed), moved),) == decision.steps


def test_a_calendar_restored_from_before_a_followed_move_is_no_humans_hand():
    old = as_it_stands(a_draft(a_meeting()))
    followed = a_meeting(generation=2, applied=2, at=TEN)

    decision = decided(followed, remembered(as_it_stands(a_draft(followed))), old)

    assert (Write("anna", a_draft(followed), old, repair=True),) == decision.steps


def test_a_human_who_moves_it_back_to_where_it_was_is_followed_too():
    draft = a_draft(a_meeting())
    back = as_it_stands(draft)

    decision = decided(a_meeting(generation=2, at=TEN), remembered(as_it_stands(draft, interval=TEN)), back)

    assert Moved("anna", NINE, back) == decision.verdict


def test_a_reworded_entry_is_left_as_the_human_wrote_it():
    draft = a_draft(a_meeting())
    reworded = as_it_stands(draft, summary="Samtale - husk journal")

    decision = decided(a_meeting(), remembered(as_it_stands(draft)), reworded)

    assert decision.complete
    assert reworded.digest == decision.records[0].digest


def test_a_new_room_overrides_a_humans_wording():
    draft = a_draft(a_meeting())
    reworded = as_it_stands(draft, location="mit kontor")
    later = a_meeting(generation=2)

    decision = decided(later, remembered(as_it_stands(draft)), reworded, location="lokale 1.02 (kan ændres)")

    assert (Write("anna", a_draft(later, "lokale 1.02 (kan ændres)"), reworded),) == decision.steps


def test_an_older_stamp_is_a_late_write_of_ours_and_is_repaired():
    late = as_it_stands(a_draft(a_meeting(generation=1, at=NINE)))
    settled = a_meeting(generation=2, applied=2, at=TEN)

    decision = decided(settled, remembered(as_it_stands(a_draft(settled))), late)

    assert (Write("anna", a_draft(settled), late, repair=True),) == decision.steps


def test_an_older_stamp_moved_is_still_no_humans_hand():
    late = as_it_stands(a_draft(a_meeting(generation=1, at=NINE)), interval=NOON)
    settled = a_meeting(generation=2, applied=2, at=TEN)

    decision = decided(settled, remembered(as_it_stands(a_draft(settled))), late)

    assert (Write("anna", a_draft(settled), late, repair=True),) == decision.steps


def test_repairs_end_after_three_a_day():
    late = as_it_stands(a_draft(a_meeting(generation=1, at=NINE)))
    settled = replace(a_meeting(2, 2, TEN), rewrites=LIMITS.repairs, rewrites_day=days_since_1970(NOW))

    decision = decided(settled, remembered(as_it_stands(a_draft(settled))), late)

    assert () == decision.steps
    assert (texts.FOUGHT_OVER,) == decision.attention


def test_repairs_begin_anew_the_next_day():
    late = as_it_stands(a_draft(a_meeting(generation=1, at=NINE)))
    settled = replace(a_meeting(2, 2, TEN), rewrites=LIMITS.repairs, rewrites_day=days_since_1970(NOW) - 1)

    assert decided(settled, remembered(as_it_stands(a_draft(settled))), late).steps


def test_a_server_that_drops_stamps_is_not_fought():
    bare = replace(as_it_stands(a_draft(a_meeting())), stamp=None)
    spent = replace(a_meeting(), rewrites=LIMITS.repairs, rewrites_day=days_since_1970(NOW))

    decision = decided(spent, replace(NEVER_SEEN, generation=1, digest=bare.digest), bare)

    assert decision.complete


def test_a_dropped_stamp_is_written_again():
    bare = replace(as_it_stands(a_draft(a_meeting())), stamp=None)

    decision = decided(a_meeting(), replace(NEVER_SEEN, generation=1, digest=bare.digest), bare)

    assert (Write("anna", a_draft(a_meeting()), bare, repair=True),) == decision.steps


def test_an_entry_moved_by_a_program_that_drops_stamps_is_followed():
    draft = a_draft(a_meeting())
    bare = replace(as_it_stands(draft, interval=TEN), stamp=None)

    decision = decided(a_meeting(), remembered(as_it_stands(draft)), bare)

    assert Moved("anna", TEN, bare) == decision.verdict


def test_a_missing_entry_is_believed_on_the_second_look_only():
    was = remembered(as_it_stands(a_draft(a_meeting())))

    first = decided(a_meeting(), was)

    assert first.waiting
    assert first.verdict is None
    assert (replace(was, missing_since=NOW),) == first.records


@pytest.mark.parametrize("gone", [False, True])
def test_a_second_look_needs_time_and_the_mirrors_word(gone):
    was = replace(remembered(as_it_stands(a_draft(a_meeting()))), missing_since=NOW - timedelta(seconds=59))
    longer = replace(was, missing_since=NOW - LIMITS.second_look)

    assert decided(a_meeting(), was, gone=gone).verdict is None
    assert (Withdrawn("anna") if gone else None) == decided(a_meeting(), longer, gone=gone).verdict


@pytest.mark.parametrize("gone", [False, True])
def test_what_was_removed_before_we_ever_saw_it_is_believed_on_the_second_look_too(gone):
    told = EntryRecord("anna", wanted=True, missing_since=NOW - LIMITS.second_look)

    decision = decided(a_meeting(applied=0), told, gone=gone)

    assert (Withdrawn("anna") if gone else None) == decision.verdict
    assert () == decision.steps


def test_an_entry_that_comes_back_is_not_missed_any_more():
    entry = as_it_stands(a_draft(a_meeting()))
    was = replace(remembered(entry), missing_since=NOW - timedelta(hours=1))

    decision = decided(a_meeting(), was, entry, gone=True)

    assert decision.complete
    assert decision.records[0].missing_since is None


def test_an_entry_marked_as_cancelled_is_as_good_as_deleted():
    entry = replace(as_it_stands(a_draft(a_meeting())), cancelled=True)
    was = remembered(as_it_stands(a_draft(a_meeting())))

    assert decided(a_meeting(), was, entry).waiting
    missed = replace(was, missing_since=NOW - timedelta(hours=1))
    assert Withdrawn("anna") == decided(a_meeting(), missed, entry).verdict


def test_surplus_copies_go_and_the_newest_stays():
    old, new = a_meeting(1), a_meeting(2, 2, TEN)
    keeper = replace(as_it_stands(a_draft(new)), key="k2")
    surplus = replace(as_it_stands(a_draft(old)), key="k1")

    decision = decided(new, remembered(keeper), surplus, keeper)

    assert (Remove("anna", surplus),) == decision.steps
    assert "k2" == decision.records[0].key


def test_of_equal_copies_the_one_a_human_touched_stays():
    draft = a_draft(a_meeting())
    untouched, touched = as_it_stands(draft), replace(as_it_stands(draft, interval=TEN), key="k9")

    decision = decided(a_meeting(), remembered(untouched), untouched, touched)

    assert Moved("anna", TEN, touched) == decision.verdict


def test_a_copy_that_she_made_beside_the_entry_that_is_known_is_hers():
    draft = a_draft(a_meeting())
    ours, copy = as_it_stands(draft), replace(as_it_stands(draft, interval=TEN), key="k9", copy=True)

    decision = decided(a_meeting(), remembered(ours), ours, copy)

    assert decision.complete
    assert (remembered(ours),) == decision.records


def test_a_copy_whose_original_is_gone_is_the_meeting():
    draft = a_draft(a_meeting())
    ours, copy = as_it_stands(draft), replace(as_it_stands(draft, interval=TEN), key="k9", copy=True)

    assert Moved("anna", TEN, copy) == decided(a_meeting(), remembered(ours), copy).verdict


def test_a_copy_in_a_rooms_calendar_is_surplus():
    draft = a_draft(a_meeting())
    ours, copy = as_it_stands(draft), replace(as_it_stands(draft, interval=TEN), key="k9", copy=True)

    decision = decided(a_meeting(), replace(remembered(ours), mailbox="r1"), ours, copy, kind=MailboxKind.ROOM)

    assert RoomTaken("r1") == decision.verdict


@pytest.mark.parametrize("wanted", [True, False])
def test_a_series_made_of_our_entry_is_hers_and_a_person_is_told(wanted):
    entry = replace(as_it_stands(a_draft(a_meeting())), series=True)

    decision = decided(a_meeting(wanted=wanted), remembered(entry, wanted), entry)

    assert () == decision.steps
    assert (texts.SERIES if wanted else texts.SERIES_STAYS,) == decision.attention


def test_nobody_is_told_of_a_series_once_its_meeting_is_over():
    long_ago = Interval.at(NOW - timedelta(days=1), 60)
    entry = replace(as_it_stands(a_draft(a_meeting())), series=True)

    decision = decided(a_meeting(wanted=False, at=long_ago), remembered(entry, wanted=False), entry)

    assert decision.complete
    assert decision.records[0].hers


def test_what_she_brings_back_after_she_removed_it_stays_and_a_person_is_told():
    entry = as_it_stands(a_draft(a_meeting()))

    decision = decided(a_meeting(generation=2, wanted=False), HERS, entry)

    assert () == decision.steps
    assert (texts.BROUGHT_BACK,) == decision.attention
    assert (HERS,) == decision.records


@pytest.mark.parametrize("entry", ["copy", "cancelled", "none"])
def test_nothing_is_said_of_what_is_hers_and_no_second_life_of_the_meeting(entry):
    draft = a_draft(a_meeting())
    found = {
        "copy": [replace(as_it_stands(draft, interval=TEN), copy=True)],
        "cancelled": [replace(as_it_stands(draft), cancelled=True)],
        "none": [],
    }

    decision = decided(a_meeting(generation=2, wanted=False), HERS, *found[entry])

    assert decision.complete
    assert (HERS,) == decision.records


def test_a_cancelled_meeting_goes_and_the_copy_she_made_of_it_stays():
    draft = a_draft(a_meeting())
    ours, copy = as_it_stands(draft), replace(as_it_stands(draft, interval=TEN), key="k9", copy=True)

    decision = decided(a_meeting(generation=2, wanted=False), remembered(ours, wanted=False), ours, copy)

    assert (Remove("anna", ours, hers=NOW),) == decision.steps


def test_a_surplus_copy_does_not_look_like_a_human_who_moved_it_back():
    """Found by the simulation: two copies of one generation, one moved and followed, took turns for ever."""
    draft = a_draft(a_meeting())
    moved, surplus = as_it_stands(draft, interval=TEN), replace(as_it_stands(draft), key="k9")

    decision = decided(a_meeting(generation=2, at=TEN), remembered(moved), moved, surplus)

    assert decision.verdict is None
    assert Remove("anna", surplus) == decision.steps[0]


def test_a_cancelled_meeting_is_removed_even_where_a_human_moved_it():
    entry = as_it_stands(a_draft(a_meeting()), interval=TEN)

    decision = decided(a_meeting(generation=2, wanted=False), replace(GONE, generation=1), entry)

    assert (Remove("anna", entry),) == decision.steps


def test_a_clean_calendar_of_a_cancelled_meeting_is_done():
    decision = decided(a_meeting(generation=2, wanted=False), replace(GONE, generation=1))

    assert decision.complete
    assert (GONE,) == decision.records


def test_a_newer_generation_means_the_database_was_restored():
    entry = as_it_stands(a_draft(a_meeting(generation=3, at=TEN)))

    decision = decided(a_meeting(), NEVER_SEEN, entry)

    assert Newer("anna", 3, TEN, entry) == decision.verdict


@pytest.mark.parametrize("seen_there", [None, ()], ids=["not read", "missing once"])
def test_a_rooms_newer_generation_waits_for_the_calendar_that_knows_the_time(seen_there: tuple[Entry, ...] | None):
    meeting = a_meeting()
    entry = as_it_stands(a_draft(a_meeting(generation=2, at=TEN)))
    known = remembered(as_it_stands(a_draft(meeting)))
    sightings = [
        Sighting(known, MailboxKind.PERSON, a_draft(meeting), seen_there),
        Sighting(replace(known, mailbox="r1"), MailboxKind.ROOM, a_draft(meeting), (entry,)),
    ]

    decision = decide(meeting, sightings, OURS, NOW, LIMITS)

    assert (None, ()) == (decision.verdict, decision.steps)
    assert not decision.complete


def test_what_its_person_removed_is_believed_on_the_second_look_whatever_the_room_says():
    meeting = a_meeting()
    missed = replace(remembered(as_it_stands(a_draft(meeting))), missing_since=NOW - LIMITS.second_look)
    room = replace(missed, mailbox="r1", missing_since=None)
    entry = as_it_stands(a_draft(a_meeting(generation=2, at=TEN)))
    sightings = [
        Sighting(missed, MailboxKind.PERSON, a_draft(meeting), (), gone=True),
        Sighting(room, MailboxKind.ROOM, a_draft(meeting), (entry,)),
    ]

    assert Withdrawn("anna") == decide(meeting, sightings, OURS, NOW, LIMITS).verdict


def test_a_newer_generation_is_not_deleted_at_once_even_when_unwanted():
    entry = as_it_stands(a_draft(a_meeting(generation=3, at=TEN)))

    decision = decided(a_meeting(generation=2, wanted=False), GONE, entry)

    assert Newer("anna", 3, None, entry) == decision.verdict
    assert () == decision.steps


@pytest.mark.parametrize("stamp", [Stamp("installation-2", "m1", 1, "0"), Stamp(OURS, "m2", 1, "0")])
def test_somebody_elses_stamp_is_never_touched(stamp):
    foreign = replace(as_it_stands(a_draft(a_meeting())), stamp=stamp)

    assert (texts.FOREIGN,) == decided(a_meeting(), NEVER_SEEN, foreign).attention
    assert () == decided(a_meeting(), NEVER_SEEN, foreign).steps
    assert () == decided(a_meeting(generation=2, wanted=False), GONE, foreign).steps


def test_a_calendar_that_cannot_be_read_is_left_alone():
    sighting = Sighting(NEVER_SEEN, MailboxKind.PERSON, a_draft(a_meeting()), None)

    decision = decide(a_meeting(), [sighting], OURS, NOW, LIMITS)

    assert ("anna",) == decision.unread
    assert not decision.complete


def test_an_entry_without_a_usable_time_is_a_persons_matter():
    draft = a_draft(a_meeting())
    broken = replace(as_it_stands(draft), interval=None, digest=digest(None, draft.summary, draft.location))

    assert (texts.NO_TIME,) == decided(a_meeting(), remembered(as_it_stands(draft)), broken).attention


@pytest.mark.parametrize("how", ["moved", "deleted", "declined"])
def test_a_room_taken_away_in_its_own_calendar_leads_to_another_room(how):
    entry = as_it_stands(a_draft(a_meeting()))
    was = replace(remembered(entry), missing_since=NOW - timedelta(hours=1))
    entries = {
        "moved": [as_it_stands(a_draft(a_meeting()), interval=TEN)],
        "deleted": [],
        "declined": [replace(entry, room_answer="DECLINED")],
    }

    decision = decided(a_meeting(), was, *entries[how], kind=MailboxKind.ROOM, gone=True)

    assert RoomTaken("anna", declined=how == "declined") == decision.verdict


def test_rooms_are_given_back_before_anything_is_written():
    meeting = a_meeting(generation=2, at=TEN)
    old = replace(as_it_stands(a_draft(a_meeting())), key="old")
    sightings = [
        Sighting(replace(NEVER_SEEN, mailbox="r2"), MailboxKind.ROOM, a_draft(meeting), ()),
        Sighting(NEVER_SEEN, MailboxKind.PERSON, a_draft(meeting), ()),
        Sighting(replace(GONE, mailbox="r1", generation=1), MailboxKind.ROOM, None, (old,)),
    ]

    decision = decide(meeting, sightings, OURS, NOW, LIMITS)

    assert [(Remove, "r1"), (Write, "anna"), (Write, "r2")] == [(type(s), s.mailbox) for s in decision.steps]


def test_a_human_in_the_persons_calendar_weighs_more_than_the_room():
    draft = a_draft(a_meeting())
    moved = as_it_stands(draft, interval=TEN)
    room = replace(remembered(moved), mailbox="r1", missing_since=NOW - timedelta(hours=1))
    sightings = [
        Sighting(room, MailboxKind.ROOM, draft, (), gone=True),
        Sighting(remembered(as_it_stands(draft)), MailboxKind.PERSON, draft, (moved,)),
    ]

    assert Moved("anna", TEN, moved) == decide(a_meeting(), sightings, OURS, NOW, LIMITS).verdict


def test_one_unreadable_calendar_does_not_hold_up_the_others():
    meeting = a_meeting(applied=0)
    sightings = [
        Sighting(replace(NEVER_SEEN, mailbox="r1"), MailboxKind.ROOM, a_draft(meeting), None),
        Sighting(NEVER_SEEN, MailboxKind.PERSON, a_draft(meeting), ()),
    ]

    decision = decide(meeting, sightings, OURS, NOW, LIMITS)

    assert ["anna"] == [step.mailbox for step in decision.steps]
    assert ("r1",) == decision.unread


def test_a_rooms_entry_that_stands_as_written_needs_nothing():
    entry = as_it_stands(a_draft(a_meeting()))

    assert decided(a_meeting(), remembered(entry), entry, kind=MailboxKind.ROOM).complete


def test_a_rooms_no_to_what_still_stands_there_is_no_answer():
    entry = replace(as_it_stands(a_draft(a_meeting())), room_answer="DECLINED")
    sighting = Sighting(remembered(entry), MailboxKind.ROOM, a_draft(a_meeting()), (entry,), behind=True)

    assert Decision(behind=True) == decide(a_meeting(), [sighting], OURS, NOW, LIMITS)


def test_a_second_look_that_comes_too_early_waits_on():
    entry = as_it_stands(a_draft(a_meeting()))
    missed = replace(remembered(entry), missing_since=NOW - timedelta(seconds=1))

    decision = decided(a_meeting(), missed, gone=True)

    assert decision.waiting
    assert (missed,) == decision.records


def test_another_room_in_the_same_generation_is_written():
    entry = as_it_stands(a_draft(a_meeting()))

    decision = decided(a_meeting(), remembered(entry), entry, location="lokale 3")

    assert (Write("anna", a_draft(a_meeting(), "lokale 3"), entry, repair=True),) == decision.steps


def test_what_was_right_in_this_generation_is_repaired_though_the_meeting_is_not_settled():
    entry = as_it_stands(a_draft(a_meeting()))

    decision = decided(a_meeting(applied=0), remembered(entry), entry, location="lokale 3")

    assert [True] == [step.repair for step in decision.steps if isinstance(step, Write)]


@pytest.mark.parametrize(("behind", "invites", "writes"), [(True, True, 0), (True, False, 1), (False, True, 1)])
def test_nothing_is_rewritten_that_names_a_room_which_another_meeting_has_not_left(behind, invites, writes):
    old, later = as_it_stands(a_draft(a_meeting())), a_meeting(generation=2, at=TEN)
    room = Resource("r1@example.org", "2.14") if invites else None
    draft = replace(a_draft(later), room=room)
    sighting = Sighting(remembered(old), MailboxKind.PERSON, draft, (old,), behind=behind)

    decision = decide(later, [sighting], OURS, NOW, LIMITS)

    assert (writes, not writes) == (len(decision.steps), decision.behind)


def test_yesterdays_repairs_leave_todays_only_one():
    entry, one = as_it_stands(a_draft(a_meeting())), replace(LIMITS, repairs=1)
    yesterday = replace(a_meeting(), rewrites=1, rewrites_day=days_since_1970(NOW) - 1)
    sighting = Sighting(remembered(entry), MailboxKind.PERSON, a_draft(yesterday, "lokale 3"), (entry,))

    assert 1 == len(decide(yesterday, [sighting], OURS, NOW, one).steps)


def test_an_entry_without_stamp_and_with_the_wrong_room_is_fought_over_in_the_end():
    bare = replace(as_it_stands(a_draft(a_meeting())), stamp=None)
    spent = replace(a_meeting(), rewrites=LIMITS.repairs, rewrites_day=days_since_1970(NOW))

    assert (texts.FOUGHT_OVER,) == decided(spent, NEVER_SEEN, bare, location="lokale 3").attention


def test_an_entry_without_stamp_keeps_the_generation_that_is_known_of_it():
    bare = replace(as_it_stands(a_draft(a_meeting())), stamp=None)
    known = replace(NEVER_SEEN, generation=3)

    assert (3, 4) == (seen(known, bare).generation, seen(known, bare, written=4).generation)


@pytest.mark.parametrize(
    ("linkless", "online", "link"),
    [(True, True, ""), (False, True, "https://teams/1"), (False, True, None), (False, False, "")],
)
def test_a_link_is_missing_where_one_is_wanted_and_the_server_has_made_none(
    linkless: bool, online: bool, link: str | None
):
    draft = replace(a_draft(a_meeting()), online=online)
    entry = replace(as_it_stands(draft), link=link)
    sighting = Sighting(remembered(entry), MailboxKind.PERSON, draft, (entry,))

    decision = decide(a_meeting(), [sighting], OURS, NOW, LIMITS)

    assert (linkless, True) == (decision.linkless, decision.complete)


def test_nothing_is_first_written_into_a_room_that_another_meeting_has_not_left():
    sighting = Sighting(NEVER_SEEN, MailboxKind.ROOM, a_draft(a_meeting()), (), behind=True)

    assert Decision(behind=True) == decide(a_meeting(applied=0), [sighting], OURS, NOW, LIMITS)


THEIRS = a_draft(a_meeting())
LATER = as_it_stands(a_draft(a_meeting(generation=2, at=TEN)))


@pytest.mark.parametrize(
    "beside",
    [
        Sighting(remembered(as_it_stands(THEIRS)), MailboxKind.PERSON, THEIRS, (as_it_stands(THEIRS),)),
        Sighting(NEVER_SEEN, MailboxKind.PERSON, THEIRS, ()),
        Sighting(GONE, MailboxKind.PERSON, None, None),
        Sighting(replace(remembered(as_it_stands(THEIRS)), mailbox="r2"), MailboxKind.ROOM, THEIRS, ()),
    ],
    ids=["stands", "never seen", "given away, not read", "a room misses it"],
)
def test_a_newer_generation_is_believed_where_no_persons_calendar_may_hide_it(beside: Sighting):
    room = replace(remembered(LATER), mailbox="r1", generation=1)
    sightings = [beside, Sighting(room, MailboxKind.ROOM, THEIRS, (LATER,))]

    assert Newer("r1", 2, None, LATER) == decide(a_meeting(), sightings, OURS, NOW, LIMITS).verdict


@pytest.mark.parametrize(("believed", "second"), [(True, LIMITS.second_look), (False, timedelta(0))])
def test_what_cannot_be_read_is_told_unless_the_meeting_is_called_off(believed: bool, second: timedelta):
    missed = replace(remembered(as_it_stands(THEIRS)), missing_since=NOW - second)
    sightings = [
        Sighting(missed, MailboxKind.PERSON, THEIRS, (), gone=True),
        Sighting(replace(missed, mailbox="r1", missing_since=None), MailboxKind.ROOM, THEIRS, (LATER,)),
        Sighting(replace(NEVER_SEEN, mailbox="r2"), MailboxKind.ROOM, THEIRS, None),
    ]

    decision = decide(a_meeting(), sightings, OURS, NOW, LIMITS)

    said = (Withdrawn("anna"), (), False) if believed else (None, ("r2",), True)
    assert said == (decision.verdict, decision.unread, decision.waiting)


@pytest.mark.parametrize("seconds", [59, 60])
def test_a_second_look_comes_a_whole_minute_later(seconds: int):
    missed = replace(remembered(as_it_stands(THEIRS)), missing_since=NOW - timedelta(seconds=seconds))

    assert (Withdrawn("anna") if seconds == 60 else None) == decided(a_meeting(), missed, gone=True).verdict


class TestLimits:
    def test_what_is_promised_of_patience_is_what_the_limits_say(self):
        """Architecture, decision 4 (ten in ten minutes), docs/reference/states.md (told after 15 minutes)."""
        second, minute = timedelta(seconds=1), timedelta(minutes=1)
        promised = Limits(
            second_look=minute,
            repairs=3,
            outward=10,
            outward_window=10 * minute,
            soon=timedelta(seconds=5),
            first_pause=timedelta(seconds=5),
            longest_pause=15 * minute,
            tell_after=15 * minute,
            link_after=3 * minute,
            max_age=15 * minute,
        )

        assert promised == Limits()
        assert [0, 1] == [days_since_1970(datetime(1970, 1, 2, tzinfo=UTC) - early) for early in (second, 0 * second)]
        assert 20_787 == days_since_1970(datetime(2026, 11, 30, tzinfo=UTC)), "repairs are counted by the day in UTC"

    def test_a_sighting_and_a_decision_claim_nothing_that_was_not_said(self):
        sighting = Sighting(NEVER_SEEN, MailboxKind.PERSON, None, ())

        assert (False, False, "anna") == (sighting.gone, sighting.behind, sighting.mailbox)
        assert (False, False, False) == (Decision().waiting, Decision().behind, Decision().linkless)
        assert Decision().complete

    @pytest.mark.parametrize(
        "left",
        [
            Decision(verdict=Withdrawn("anna")),
            Decision(steps=(Write("anna", THEIRS, None),)),
            Decision(unread=("anna",)),
            Decision(waiting=True),
            Decision(behind=True),
            Decision(attention=("Look.",)),
        ],
    )
    def test_a_decision_is_complete_only_when_nothing_is_left(self, left: Decision):
        assert not left.complete
