"""What every calendar adapter owes the core; a subclass only brings the fixtures."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from syncd.errors import CalendarNotFound, Rejected, TokenExpired, VersionConflict
from syncd.model.busy import BusyType, Stamp
from syncd.model.delta import Since
from syncd.model.directory import Mailbox
from syncd.model.entry import EntryDraft, Resource, same_text, same_time, stamped
from syncd.model.interval import Interval
from syncd.model.zones import whole_days
from syncd.ports import CalendarPort
from tests.contract.hands import ZONE, Hand, weeks_later
from tests.contract.mirror import Mirror

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
WINDOW = Interval(MONDAY, MONDAY + timedelta(days=28))
LATER = Interval(MONDAY + timedelta(days=7), MONDAY + timedelta(days=35))


def at(hour: float, day: int = 0, minutes: int = 60) -> Interval:
    """Some time after the Monday on which the window begins, in UTC."""
    return Interval.at(MONDAY + timedelta(days=day, hours=hour), minutes)


def draft(uid: str = "m1@syncd.test", interval: Interval | None = None, generation: int = 1, **more) -> EntryDraft:
    text = {"summary": "Samtale om job; møde, 45 min", "description": "Linje 1\nLinje 2", "location": "Lokale 2.04"}
    stamp = Stamp("inst-1", "meeting-1", generation, "")
    return stamped(EntryDraft(uid=uid, interval=interval or at(9), zone=ZONE, stamp=stamp, **(text | more)))


class CalendarContract:
    """Fixtures wanted: ``port``, ``mailbox`` (its calendar new and empty), ``hand`` and ``stranger``."""

    @pytest.fixture
    def mirror(self) -> Mirror:
        return Mirror()

    # Reading

    def test_an_empty_calendar_is_a_snapshot_of_nothing(self, port: CalendarPort, mailbox: Mailbox, mirror: Mirror):
        delta = mirror.follow(port, mailbox, WINDOW)

        assert delta.present == frozenset()
        assert delta.groups == ()
        assert delta.covers == WINDOW

    def test_an_event_is_read_as_an_interval_in_utc(self, port, mailbox, hand, mirror):
        hand.put("one", at(9))

        mirror.follow(port, mailbox, WINDOW)

        [occurrence] = mirror.busy(WINDOW)
        assert occurrence.interval == at(9)
        assert occurrence.busy is BusyType.BUSY
        assert (occurrence.all_day, occurrence.recurring, occurrence.stamp) == (False, False, None)

    def test_an_event_outside_the_window_is_known_but_not_expanded(self, port, mailbox, hand, mirror):
        hand.put("far", at(9, day=40))

        delta = mirror.follow(port, mailbox, WINDOW)

        assert len(delta.present) == 1
        assert mirror.busy(Interval(MONDAY, MONDAY + timedelta(days=400))) == []

    def test_what_lies_beyond_the_window_is_there_as_soon_as_a_window_reaches_it(self, port, mailbox, hand, mirror):
        hand.put("far", at(9, day=100))
        mirror.follow(port, mailbox, WINDOW)
        later = Interval(MONDAY + timedelta(days=90), MONDAY + timedelta(days=118))

        mirror.follow(port, mailbox, later)

        assert mirror.times(later) == [at(9, day=100)]

    def test_names_with_blanks_umlauts_and_signs_stay_one_object(self, port, mailbox, hand, mirror):
        hand.put("sag 4 æøå @ (50%)", at(9))
        mirror.follow(port, mailbox, WINDOW)
        hand.put("sag 4 æøå @ (50%)", at(11))
        mirror.follow(port, mailbox, WINDOW)

        assert mirror.times(WINDOW) == [at(11)]

        again = mirror.follow(port, mailbox, WINDOW, full=True)
        hand.remove("sag 4 æøå @ (50%)")
        mirror.follow(port, mailbox, WINDOW)
        assert len(again.present) == 1
        assert mirror.groups == {}

    def test_an_all_day_event_covers_the_days_of_the_mailboxs_zone(self, port, mailbox, hand, mirror):
        hand.put_days("leave", date(2026, 12, 7), date(2026, 12, 9))

        mirror.follow(port, mailbox, WINDOW)

        [occurrence] = mirror.busy(WINDOW)
        assert occurrence.interval == whole_days(date(2026, 12, 7), date(2026, 12, 9), ZONE)
        assert occurrence.all_day

    def test_a_series_comes_as_dated_instances_with_its_exceptions(self, port, mailbox, hand, mirror):
        hand.put_weekly("team", at(8), times=6, skip=1, moved=2, to=at(13, day=15))

        mirror.follow(port, mailbox, WINDOW)

        assert mirror.times(WINDOW) == [at(8), at(13, day=15), at(8, day=21)]
        assert [o.original_start for o in mirror.busy(WINDOW)] == [weeks_later(at(8), n).start for n in (0, 2, 3)]
        assert all(o.recurring for o in mirror.busy(WINDOW))

    def test_a_series_keeps_its_wall_clock_time_when_clocks_change(self, port, mailbox, hand, mirror):
        summer = Interval(datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
        first = Interval.at(datetime(2026, 10, 19, 7, tzinfo=UTC), 60)
        hand.put_weekly("team", first, times=9, skip=7, moved=8, to=at(9))

        mirror.follow(port, mailbox, summer)

        assert [span.start.hour for span in mirror.times(summer)] == [7, 8]

    def test_an_object_nobody_understands_does_not_hide_the_others(self, port, mailbox, hand, mirror):
        hand.put("good", at(9))
        hand.spoil("bad")
        hand.put("also-good", at(11))

        delta = mirror.follow(port, mailbox, WINDOW)

        assert mirror.times(WINDOW) == [at(9), at(11)]
        [bad] = delta.unreadable
        assert len(delta.present) == 3
        assert bad.key in delta.present
        assert len(bad.digest) == 64
        assert bad.reason

    def test_an_unreadable_object_is_not_reported_again_until_it_changes(self, port, mailbox, hand, mirror):
        hand.spoil("bad")
        mirror.follow(port, mailbox, WINDOW)

        again = mirror.follow(port, mailbox, WINDOW, full=True)
        hand.put("bad", at(9))
        mirror.follow(port, mailbox, WINDOW)

        assert again.unreadable == ()
        assert mirror.unreadable == {}
        assert mirror.times(WINDOW) == [at(9)]

    # Change

    def test_when_nothing_changed_nothing_is_said_and_little_asked(self, port, mailbox, hand, mirror):
        hand.put("one", at(9))
        mirror.follow(port, mailbox, WINDOW)
        before = dict(mirror.groups)

        delta = mirror.follow(port, mailbox, WINDOW)

        assert (delta.groups, delta.gone, delta.unreadable) == ((), (), ())
        assert mirror.groups == before
        assert delta.requests <= 2

    def test_only_what_changed_is_said(self, port, mailbox, hand, mirror):
        for n in range(5):
            hand.put(f"e{n}", at(8 + n))
        mirror.follow(port, mailbox, WINDOW)
        hand.put("e3", at(15))

        delta = mirror.follow(port, mailbox, WINDOW)

        assert [g.occurrences[0].interval for g in delta.groups] == [at(15)]
        assert mirror.times(WINDOW) == [at(8), at(9), at(10), at(12), at(15)]

    def test_what_is_removed_is_gone(self, port, mailbox, hand, mirror):
        hand.put("stays", at(9))
        hand.put("goes", at(10))
        mirror.follow(port, mailbox, WINDOW)
        hand.remove("goes")

        mirror.follow(port, mailbox, WINDOW)

        assert mirror.times(WINDOW) == [at(9)]

    def test_removed_and_stored_again_is_there(self, port, mailbox, hand, mirror):
        hand.put("one", at(9))
        mirror.follow(port, mailbox, WINDOW)
        hand.remove("one")
        hand.put("one", at(14))

        mirror.follow(port, mailbox, WINDOW)

        assert mirror.times(WINDOW) == [at(14)]

    def test_incremental_passes_end_where_a_full_one_ends(self, port, mailbox, hand, mirror):
        dice = random.Random(7)
        alive: set[str] = set()
        for _ in range(6):
            for _ in range(5):
                name = f"e{dice.randrange(8)}"
                if name in alive and dice.random() < 0.4:
                    hand.remove(name)
                    alive.discard(name)
                else:
                    hand.put(name, at(dice.randrange(7, 17), day=dice.randrange(25)))
                    alive.add(name)
            mirror.follow(port, mailbox, WINDOW)

        fresh = Mirror()
        fresh.follow(port, mailbox, WINDOW)
        assert mirror.busy(WINDOW) == fresh.busy(WINDOW)
        assert mirror.versions() == fresh.versions()
        assert len(fresh.groups) == len(alive)

    def test_an_unknown_token_ends_in_a_full_reading(self, port, mailbox, hand, mirror):
        hand.put("one", at(9))
        hand.put("two", at(10))
        mirror.follow(port, mailbox, WINDOW)
        hand.remove("one")
        hand.put("two", at(12))
        mirror.since = Since(hand.forget_history(), WINDOW)

        try:
            mirror.follow(port, mailbox, WINDOW)
        except TokenExpired:
            mirror.follow(port, mailbox, WINDOW, full=True)

        assert mirror.times(WINDOW) == [at(12)]
        assert len(mirror.groups) == 1

    def test_a_full_listing_finds_what_a_token_hid(self, port, mailbox, hand, mirror):
        hand.put("one", at(9))
        mirror.follow(port, mailbox, WINDOW)
        hand.remove("one")
        hand.put("two", at(10))
        lost = mirror.follow(port, mailbox, WINDOW)
        stale = Mirror()
        stale.groups = {"ghost": replace(next(iter(lost.groups)), key="ghost")}
        stale.since = Since(lost.token, WINDOW)

        delta = stale.follow(port, mailbox, WINDOW, full=True)

        assert delta.present is not None
        assert stale.times(WINDOW) == [at(10)]

    def test_a_listing_with_a_known_window_is_a_listing_too(self, port, mailbox, hand, mirror):
        hand.put("one", at(9))
        mirror.follow(port, mailbox, WINDOW)
        mirror.since = Since(None, WINDOW)

        delta = mirror.follow(port, mailbox, WINDOW)

        assert len(delta.present) == 1
        assert delta.groups == ()

    def test_a_window_that_moves_on_is_filled_from_memory(self, port, mailbox, hand, mirror):
        hand.put("early", at(9))
        hand.put("late", at(9, day=30))
        hand.put_weekly("team", at(8), times=20, skip=18, moved=19, to=at(9, day=100))
        mirror.follow(port, mailbox, WINDOW)

        delta = mirror.follow(port, mailbox, LATER)

        fresh = Mirror()
        fresh.follow(port, mailbox, LATER)
        assert delta.covers == LATER
        assert delta.requests <= 2
        assert mirror.busy(LATER) == fresh.busy(LATER)
        assert at(9, day=30) in mirror.times(LATER)

    def test_a_window_that_moves_while_something_changes_misses_neither(self, port, mailbox, hand, mirror):
        hand.put("late", at(9, day=30))
        hand.put("moves", at(10))
        mirror.follow(port, mailbox, WINDOW)
        hand.put("moves", at(10, day=31))
        hand.put("new", at(11, day=32))

        mirror.follow(port, mailbox, LATER)

        assert mirror.times(LATER) == [at(9, day=30), at(10, day=31), at(11, day=32)]

    def test_a_full_listing_for_another_window_fills_it_from_memory(self, port, mailbox, hand, mirror):
        hand.put("late", at(9, day=30))
        mirror.follow(port, mailbox, WINDOW)

        mirror.follow(port, mailbox, LATER, full=True)

        assert mirror.times(LATER) == [at(9, day=30)]

    def test_a_glance_tells_what_did_not_change_and_never_hides_what_did(self, port, mailbox, hand, mirror):
        hand.put("one", at(9))
        mirror.follow(port, mailbox, WINDOW)
        beside = replace(mailbox, id="beside", url=getattr(hand, "path", None))

        for n in range(3):
            quiet = port.glance([(mailbox, mirror.since), (beside, mirror.since)])
            hand.put("one", at(10 + n))
            busy = port.glance([(mailbox, mirror.since), (beside, mirror.since)])
            mirror.follow(port, mailbox, WINDOW)

            assert quiet.unchanged in (frozenset(), frozenset({mailbox.id}), frozenset({mailbox.id, "beside"}))
            assert mailbox.id not in busy.unchanged
            assert mirror.times(WINDOW) == [at(10 + n)]
        # The first look may not know a CTag yet; a look after a look must.
        port.glance([(mailbox, mirror.since), (beside, mirror.since)])
        mirror.follow(port, mailbox, WINDOW)
        assert mailbox.id in port.glance([(mailbox, mirror.since), (beside, mirror.since)]).unchanged

    # Writing

    def test_an_entry_is_read_back_as_it_was_meant(self, port, mailbox):
        wanted = draft(
            room=Resource("r204@syncd.test", "Lokale 2.04, 1. sal"), categories=("Selvbooking", "Ude af huset")
        )

        entry = port.create(mailbox, wanted)

        assert entry.interval == wanted.interval
        assert (entry.uid, entry.location, entry.stamp) == (wanted.uid, wanted.location, wanted.stamp)
        assert entry.digest == wanted.stamp.digest
        assert set(entry.categories) == {"Selvbooking", "Ude af huset"}
        assert entry.room_answer is not None
        assert not entry.cancelled
        assert port.find(mailbox, wanted.uid) == (entry,)

    def test_an_entry_is_busy_time_with_our_stamp(self, port, mailbox, mirror):
        mirror.follow(port, mailbox, WINDOW)
        wanted = draft()
        entry = port.create(mailbox, wanted)

        mirror.follow(port, mailbox, WINDOW)

        [occurrence] = mirror.busy(WINDOW)
        assert (occurrence.uid, occurrence.interval, occurrence.stamp) == (wanted.uid, wanted.interval, wanted.stamp)
        assert mirror.versions() == {entry.key: entry.version}

    def test_creating_twice_writes_once(self, port, mailbox, mirror):
        first = port.create(mailbox, draft())

        assert port.create(mailbox, draft()) == first
        mirror.follow(port, mailbox, WINDOW)
        assert len(mirror.groups) == 1

    def test_creating_over_something_else_of_the_same_uid_changes_nothing(self, port, mailbox):
        first = port.create(mailbox, draft())

        second = port.create(mailbox, draft(interval=at(14), generation=2))

        assert second == first
        assert port.find(mailbox, first.uid) == (first,)

    def test_many_who_create_the_same_entry_make_one(self, port, mailbox, mirror):
        with ThreadPoolExecutor(4) as pool:
            entries = list(pool.map(lambda _: _stubborn(lambda: port.create(mailbox, draft())), range(4)))

        mirror.follow(port, mailbox, WINDOW)
        assert {entry.interval for entry in entries} == {at(9)}
        assert len(mirror.groups) == 1

    def test_an_update_moves_the_entry(self, port, mailbox, mirror):
        entry = port.create(mailbox, draft())
        mirror.follow(port, mailbox, WINDOW)
        wanted = draft(interval=at(13, day=1), generation=2, location="Lokale 1.01")

        updated = port.update(mailbox, entry, wanted)

        assert (updated.interval, updated.location, updated.stamp) == (at(13, day=1), "Lokale 1.01", wanted.stamp)
        assert updated.version != entry.version
        mirror.follow(port, mailbox, WINDOW)
        assert mirror.times(WINDOW) == [at(13, day=1)]

    def test_an_update_of_an_old_version_is_refused(self, port, mailbox):
        entry = port.create(mailbox, draft())
        newer = port.update(mailbox, entry, draft(interval=at(10), generation=2))

        with pytest.raises(VersionConflict):
            port.update(mailbox, entry, draft(interval=at(11), generation=3))
        assert port.find(mailbox, entry.uid) == (newer,)

    def test_an_update_over_a_persons_change_is_refused(self, port, mailbox, hand):
        entry = port.create(mailbox, draft())
        hand.move(entry.uid, at(15))

        with pytest.raises(VersionConflict):
            port.update(mailbox, entry, draft(interval=at(11), generation=2))
        assert [e.interval for e in port.find(mailbox, entry.uid)] == [at(15)]

    def test_an_update_of_something_gone_is_refused(self, port, mailbox):
        entry = port.create(mailbox, draft())
        port.delete(mailbox, entry)

        with pytest.raises(VersionConflict):
            port.update(mailbox, entry, draft(generation=2))
        assert port.find(mailbox, entry.uid) == ()

    def test_deleting_twice_is_no_error(self, port, mailbox, mirror):
        entry = port.create(mailbox, draft())
        mirror.follow(port, mailbox, WINDOW)

        port.delete(mailbox, entry)
        port.delete(mailbox, entry)

        assert port.find(mailbox, entry.uid) == ()
        mirror.follow(port, mailbox, WINDOW)
        assert mirror.groups == {}

    def test_deleting_over_a_persons_change_is_refused(self, port, mailbox, hand):
        entry = port.create(mailbox, draft())
        hand.move(entry.uid, at(15))

        with pytest.raises(VersionConflict):
            port.delete(mailbox, entry)
        assert [e.interval for e in port.find(mailbox, entry.uid)] == [at(15)]

    def test_an_entry_can_be_created_anew_after_it_was_deleted(self, port, mailbox):
        entry = port.create(mailbox, draft())
        port.delete(mailbox, entry)

        again = port.create(mailbox, draft(interval=at(16), generation=2))

        assert again.interval == at(16)
        assert port.find(mailbox, entry.uid) == (again,)

    def test_what_was_never_written_is_not_found(self, port, mailbox, hand):
        hand.put("other", at(9))

        assert port.find(mailbox, "m1@syncd.test") == ()

    def test_a_persons_move_is_seen_and_told_from_our_own_writing(self, port, mailbox, hand):
        entry = port.create(mailbox, draft())
        hand.move(entry.uid, at(15, minutes=30))

        [moved] = port.find(mailbox, entry.uid)

        assert moved.interval == at(15, minutes=30)
        assert moved.stamp == entry.stamp
        assert moved.version != entry.version
        assert not same_time(moved.digest, entry.digest)
        assert same_text(moved.digest, entry.digest)

    def test_an_entry_stored_under_another_name_is_still_found_and_changed_there(self, port, mailbox, hand, mirror):
        entry = port.create(mailbox, draft())
        hand.rename(entry.uid, "5D1C7-from-a-phone")

        [found] = port.find(mailbox, entry.uid)
        assert found.key != entry.key
        assert port.create(mailbox, draft()) == found

        port.update(mailbox, found, draft(interval=at(16), generation=2))
        mirror.follow(port, mailbox, WINDOW)
        assert mirror.times(WINDOW) == [at(16)]

    def test_an_entry_in_the_night_of_the_clock_change_keeps_its_instant(self, port, mailbox):
        # 02:30 comes twice on that night; this is the second one.
        night = Interval.at(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 60)

        assert port.create(mailbox, draft(interval=night)).interval == night

    # Standing

    def test_check_says_how_it_stands(self, port, mailbox):
        result = port.check(mailbox)

        assert result.ok, result.says
        assert result.facts["changes"]

    def test_a_calendar_that_does_not_exist_is_an_error_everywhere(self, port, stranger, mirror):
        with pytest.raises(CalendarNotFound):
            mirror.follow(port, stranger, WINDOW)
        with pytest.raises(CalendarNotFound):
            port.find(stranger, "m1@syncd.test")
        with pytest.raises(Rejected):
            port.create(stranger, draft())
        assert not port.check(stranger).ok


def _stubborn(create):
    """Racing writers may be told to come again (423, 500); the reconcile loop does that."""
    from syncd.errors import Transient

    for _ in range(5):
        try:
            return create()
        except Transient:
            continue
    return create()


__all__ = ["CalendarContract", "Hand"]
