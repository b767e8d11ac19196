"""Random worlds through the whole publisher: nothing taken is offered, everything else is, and why agrees."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.errors import SlotGone
from syncd.model.busy import BusyType
from syncd.model.directory import Directory
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.model.verdict import Reason
from syncd.publish import Publisher, PublishSettings
from syncd.roomalloc import rank
from syncd.slots.table import SlotTable
from tests.unit.publishing import NOW, RULES, TODAY, Town, directory, wall

RICH = RULES.replace("step = 30\nhorizon_days = 14", "step = 15\nbefore = 5\nafter = 10\nhorizon_days = 14", 1)
TALK = 'who = ["team:job"]'
VARIANTS = (
    RICH,
    RICH.replace(TALK, TALK + '\npartners = [["bo", "cara"]]', 1),
    RICH.replace(TALK, TALK + '\nreserve = {hours = ["09:20-10:40"], release_hours = 1}', 1),
    RICH + "[[openings]]\ndays = 'mon-fri'\nhours = ['09:15-10:30', '10:30-11:45']\n",
    RICH + "[teams.job]\nmode = 'live'\nminutes_per_day = 100\n",
)
DAY = Interval(wall("00:00"), wall("00:00", TODAY + timedelta(days=1)))

clocks = st.integers(8 * 12, 13 * 12).map(lambda n: f"{n // 12:02d}:{n % 12 * 5:02d}")
events = st.tuples(st.sampled_from(["anna", "bo", "r1", "r2"]), clocks, st.integers(1, 90), st.sampled_from(BusyType))
bookings = st.tuples(
    st.sampled_from(["anna", "bo", None]), clocks, st.sampled_from([Form.PHONE, Form.IN_PERSON]), st.booleans()
)
worlds = st.tuples(st.lists(events, max_size=6), st.lists(bookings, max_size=4), st.integers(0, 4))
slow = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def populated(template: Path, world: tuple[list, list, int]) -> Iterator[Town]:
    """A town in which that much happened, in a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(template, Path(folder, "town.db"))
        happened, wishes, turnover = world
        town = Town.open(f"sqlite:///{folder}/town.db", RICH, resting(turnover * 5))
        for who, start, minutes, busy in happened:
            end = wall(start) + timedelta(minutes=minutes)
            town.event(who, start, f"{(end + timedelta(hours=1)):%H:%M}", busy, sync=False)
        town.sync()
        for who, start, form, kept in wishes:
            try:
                (town.book if kept else town.hold)(start, who, form)
            except SlotGone:
                continue
        yield town
        town.store.close()


def resting(turnover: int) -> Directory:
    """Everybody, with a room that rests so many minutes after each meeting, and one with opening hours."""
    people = directory()
    rooms = dict(people.rooms)
    rooms["r1"] = replace(rooms["r1"], turnover=turnover)
    rooms["r2"] = replace(rooms["r2"], opens=time(9, 30), closes=time(11, 45))
    return Directory.of(people.organisation, people.sites, people.caseworkers, rooms)


def taken(town: Town, who: str) -> list[Interval]:
    """What blocks a person, by the raw rows, closed hours left out."""
    with town.store.read() as tx:
        busy = tx.meetings.busy([who], DAY, town.now)[who]
    return busy + [span for span in foreign(town, who) if span not in shut(town, who)]


def shut(town: Town, who: str) -> list[Interval]:
    """When a person's own calendar is closed, which buffers may reach into."""
    with town.store.read() as tx:
        found = tx.mailboxes.occurrences([who], DAY)[who]
    return [one.interval for one in found if one.busy is BusyType.UNAVAILABLE]


def foreign(town: Town, who: str) -> list[Interval]:
    """The events in a calendar that are not shown as free."""
    with town.store.read() as tx:
        return [one.interval for one in tx.mailboxes.occurrences([who], DAY)[who] if one.busy is not BusyType.FREE]


@slow
@given(world=worlds)
def test_no_slot_with_its_buffers_overlaps_anything_taken(
    migrated_sqlite_url: str, world: tuple[list, list, int]
) -> None:
    with populated(Path(migrated_sqlite_url.removeprefix("sqlite:///")), world) as town:
        for who in ("anna", "bo"):
            for slot in town.answer(caseworker=who, form=Form.IN_PERSON).slots:
                padded = slot.interval.padded(timedelta(minutes=5), timedelta(minutes=10))
                assert not any(padded.overlaps(span) for span in taken(town, who))
                assert not any(slot.interval.overlaps(span) for span in shut(town, who))
                assert wall("09:00") <= slot.interval.start
                assert slot.interval.end <= wall("12:00")


@slow
@given(world=worlds, text=st.sampled_from(VARIANTS))
def test_a_time_is_offered_exactly_when_it_can_be_taken_and_why_agrees(
    migrated_sqlite_url: str, world: tuple[list, list, int], text: str
) -> None:
    with populated(Path(migrated_sqlite_url.removeprefix("sqlite:///")), world) as town:
        town.apply(text)
        offer = town.rules().offers["talk"]
        for form in (Form.PHONE, Form.IN_PERSON):
            offered = {slot.interval.start for slot in town.answer(caseworker="anna", form=form).slots}
            for quarter in range(8 * 4, 13 * 4, 2 if form is Form.PHONE else 1):
                start = wall("00:00") + timedelta(minutes=15 * quarter)
                slot = Slot(Interval.at(start, offer.minutes[form]), "anna", form)
                assert (
                    (start in offered)
                    is takeable(town, slot)
                    is town.publisher.why("talk", "anna", start, NOW, form).offered
                )


def takeable(town: Town, slot: Slot) -> bool:
    """Whether the desk could have this slot now."""
    with town.store.begin() as tx:
        try:
            proof = town.publisher.still_free(tx, town.rules().offers["talk"], slot, town.now)
        except SlotGone:
            return False
        assert (proof is not None) is (slot.form is Form.IN_PERSON)
        return True


@slow
@given(world=worlds)
def test_rooms_are_found_exactly_where_the_allocator_finds_one(
    migrated_sqlite_url: str, world: tuple[list, list, int]
) -> None:
    with populated(Path(migrated_sqlite_url.removeprefix("sqlite:///")), world) as town:
        rooms, offer = town.people.rooms, town.rules().offers["talk"]
        busy = {name: [rank.claim(room, span) for span in foreign(town, name)] for name, room in rooms.items()}
        with town.store.read() as tx:
            for name, spans in tx.meetings.busy(list(rooms), DAY, town.now).items():
                busy[name] += spans
        for quarter in range(9 * 4, 12 * 4):
            start = wall("00:00") + timedelta(minutes=15 * quarter)
            verdict = town.publisher.why("talk", "bo", start, town.now, Form.IN_PERSON)
            found = rank.choose(rooms.values(), offer.room, Interval.at(start, 60), busy, site=town.people.sites["hq"])
            if verdict.reason in (Reason.OFFERED, Reason.NO_ROOM):
                assert bool(found) is verdict.offered


@slow
@given(world=worlds, more=st.lists(events, min_size=1, max_size=3))
def test_an_answer_after_changes_is_the_same_as_from_the_beginning(
    migrated_sqlite_url: str, world: tuple[list, list, int], more: list
) -> None:
    with populated(Path(migrated_sqlite_url.removeprefix("sqlite:///")), world) as town:
        for who, start, minutes, busy in more:
            town.answer()
            end = wall(start) + timedelta(minutes=minutes)
            town.event(who, start, f"{(end + timedelta(hours=1)):%H:%M}", busy)
            fresh = Publisher(town.store, lambda: town.people, PublishSettings()).answer("talk", DAY, town.now)
            assert tuple(fresh.slots) == tuple(town.answer().slots)


@slow
@given(world=worlds, text=st.sampled_from(VARIANTS))
def test_a_pools_answer_is_the_union_of_its_members_whatever_their_order(
    migrated_sqlite_url: str, world: tuple[list, list, int], text: str
) -> None:
    with populated(Path(migrated_sqlite_url.removeprefix("sqlite:///")), world) as town:
        town.apply(text)
        singles = sorted(slot for one in ("anna", "bo") for slot in town.answer(caseworker=one).slots)
        turned = town.apply(text.replace('["team:job"]', '["bo", "anna"]'))

        assert turned > 1
        slots = town.answer().slots
        assert isinstance(slots, SlotTable)
        assert singles == sorted(slots)
        assert len(singles) == sum(time.number for time in slots.times())
