"""Whatever happens, the publisher that remembers answers like one that never saw anything."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from syncd.errors import BookingError
from syncd.model.busy import BusyType
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.publish import Publisher, PublishSettings
from syncd.publish.reserve import open_reserve
from syncd.store import Store
from syncd.store.bookings import LIVE
from tests.unit.publishing import RULES, TODAY, Town, wall

WEEK = Interval(wall("00:00"), wall("00:00", TODAY + timedelta(days=2)))
TALK = RULES.replace("{", "{{").replace("}", "}}").replace('who = ["team:job"]', 'who = ["team:job"]\n{}', 1)
REVISIONS = (
    RULES,
    RULES.replace('to = "12:00"', 'to = "11:00"'),
    RULES + "[teams.job]\nmode = 'live'\nper_day = 2\n",
    RULES + "[teams.job]\nmode = 'live'\npublish = 'both'\nblocks = {tentative = 'none'}\n",
    RULES + "[teams.job]\nmode = 'shadow'\n",
    RULES + "[[exceptions]]\nwho = ['anna']\nfirst = 2026-11-23\nhours = ['10:00-13:00']\n",
    TALK.format("seats = 2") + "[[openings]]\ndays = 'mon-fri'\nhours = ['09:00-11:00']\n",
    TALK.format('partners = [["bo", "cara"]]') + "[teams.job]\nmode = 'live'\nminutes_per_day = 90\n",
    TALK.format('reserve = {{hours = ["09:30-11:00"], release_hours = 2}}'.replace("{{", "{").replace("}}", "}")),
)
people = st.sampled_from(["anna", "bo"])
boxes = st.sampled_from(["anna", "bo", "r1", "r2"])
clocks = st.sampled_from(["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"])
forms = st.sampled_from([Form.PHONE, Form.IN_PERSON])
_template: list[Path] = []


def template() -> Path:
    """An empty database with the newest layout, made once."""
    if not _template:
        folder = Path(tempfile.mkdtemp(prefix="syncd-test-"))
        store = Store(f"sqlite:///{folder}/town.db")
        store.upgrade()
        store.close()
        _template.append(folder / "town.db")
    return _template[0]


class Jobcentre(RuleBasedStateMachine):
    """Events come and go, citizens hold, book, move and cancel, rules change, time passes, calendars fail."""

    @initialize()
    def opens(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        shutil.copy(template(), Path(self.folder.name, "town.db"))
        self.town = Town.open(f"sqlite:///{self.folder.name}/town.db")
        self.keys: list[tuple[str, str]] = []
        self.booked: list[str] = []

    @rule(
        who=boxes,
        start=clocks,
        minutes=st.sampled_from([15, 30, 95]),
        busy=st.sampled_from(BusyType),
        mark=st.booleans(),
    )
    def an_event_appears(self, who: str, start: str, minutes: int, busy: BusyType, mark: bool) -> None:
        end = wall(start) + timedelta(hours=1, minutes=minutes)
        categories = ("Selvbook",) if mark else ()
        self.keys.append((who, self.town.event(who, start, f"{end:%H:%M}", busy, categories=categories)))

    @rule()
    def an_event_goes(self) -> None:
        if self.keys:
            who, key = self.keys.pop()
            self.town.calendar.remove(who, key)
            self.town.sync(who)

    @rule(who=people, start=clocks, form=forms, kept=st.booleans())
    def a_citizen_chooses(self, who: str, start: str, form: Form, kept: bool) -> None:
        try:
            made = (self.town.book if kept else self.town.hold)(start, who, form)
        except BookingError:
            return
        if kept:
            self.booked.append(made.booking.id)

    @rule(start=clocks)
    def a_citizen_moves(self, start: str) -> None:
        if self.booked:
            try:
                self.town.desk.reschedule("portal", self.booked[-1], wall(start), None, None, self.town.now)
            except BookingError:
                return

    @rule()
    def a_citizen_cancels(self) -> None:
        if self.booked:
            try:
                self.town.desk.cancel("portal", self.booked.pop(), self.town.now)
            except BookingError:
                return

    @rule(text=st.sampled_from(REVISIONS))
    def the_rules_change(self, text: str) -> None:
        self.town.apply(text)

    @rule(minutes=st.sampled_from([1, 5, 11, 40]))
    def time_passes(self, minutes: int) -> None:
        self.town.now += timedelta(minutes=minutes)

    @rule()
    def all_calendars_are_read(self) -> None:
        self.town.sync()

    @rule(wanted=st.booleans())
    def the_reserve_opens_or_closes(self, wanted: bool) -> None:
        with self.town.store.begin() as tx:
            open_reserve(tx, "talk", wanted=wanted)

    @rule(who=boxes)
    def a_calendar_is_refused(self, who: str) -> None:
        self.town.refuse(who)

    @rule(who=boxes)
    def a_room_or_person_is_read_from_the_beginning(self, who: str) -> None:
        self.town.forget(who)

    @invariant()
    def nobody_is_twice_at_once_and_no_group_overflows(self) -> None:
        if not hasattr(self, "town"):
            return
        with self.town.store.read() as tx:
            for who, spans in tx.meetings.busy(["anna", "bo", "cara"], WEEK, self.town.now).items():
                assert all(one.end <= other.start for one, other in pairwise(spans)), who
            for who in ("anna", "bo"):
                for meeting in tx.meetings.of_caseworker(who, WEEK, self.town.now):
                    assert len([one for one in tx.bookings.of(meeting.id) if one.state in LIVE]) <= 2

    @invariant()
    def memory_changes_nothing(self) -> None:
        if not hasattr(self, "town"):
            return
        fresh = Publisher(self.town.store, lambda: self.town.people, PublishSettings(timedelta(minutes=15)))
        for offer in ("talk", "call"):
            remembered = self.town.publisher.answer(offer, WEEK, self.town.now)
            exact = fresh.answer(offer, WEEK, self.town.now)
            assert tuple(exact.slots) == tuple(remembered.slots)
            assert exact.slots.times() == remembered.slots.times()  # type: ignore[attr-defined]  # a SlotTable, both
            assert (exact.closed, exact.counts) == (remembered.closed, remembered.counts)

    def teardown(self) -> None:
        if hasattr(self, "town"):
            self.town.store.close()
            self.folder.cleanup()


TestJobcentre = Jobcentre.TestCase
TestJobcentre.settings = settings(max_examples=6, stateful_step_count=12)
