"""The desk against a model that a child could check: whatever clients do, nothing ever overlaps."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule
from sqlalchemy import select

from syncd.errors import BookingError, HoldExpired, SlotGone
from syncd.model.booking import BookingState
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store import Store
from syncd.store.instants import span
from syncd.store.tables import ClaimRow
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at

PEOPLE, ROOMS = ("anna", "bo", "cara"), ("r1", "r2")
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=10)
OFFER = {"before": 15, "after": 10, "step": 15}
STARTS = st.integers(0, 9).map(lambda n: at(8) + n * timedelta(minutes=15))
FORMS = st.sampled_from([Form.IN_PERSON, Form.PHONE])


@dataclass
class Kept:
    """What the model remembers of a booking."""

    person: str
    form: Form
    interval: Interval
    expires: datetime | None
    live: bool = True

    def alive(self, now: datetime) -> bool:
        return self.live and (self.expires is None or self.expires > now)


class Clients(RuleBasedStateMachine):
    """Hold, book, move, cancel, wait; after each step the database agrees with the model."""

    bookings = Bundle("bookings")
    template: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="syncd-model-"))
        rules = town.rulebook(town.offer(PEOPLE, **OFFER))
        self.office = Office(Store(self._database()), town.directory(PEOPLE, ROOMS), rules)
        self.office.engine.prepare()
        self.office.sync(NOW)
        self.now = NOW
        self.kept: dict[str, Kept] = {}

    def _database(self) -> str:
        """A copy of an empty database, made once."""
        if Clients.template is None:
            Clients.template = Path(tempfile.mkdtemp(prefix="syncd-model-")) / "empty.db"
            store = Store(f"sqlite:///{Clients.template}")
            store.upgrade()
            store.close()
        shutil.copyfile(Clients.template, self.folder / "syncd.db")
        return f"sqlite:///{self.folder / 'syncd.db'}"

    def teardown(self) -> None:
        self.office.store.close()
        shutil.rmtree(self.folder)

    @rule(target=bookings, start=STARTS, person=st.sampled_from([*PEOPLE, None]), form=FORMS)
    def hold(self, start, person, form):
        interval = Interval.at(start, 45 if form is Form.IN_PERSON else 30)
        able = [one for one in ([person] if person else PEOPLE) if self._free(one, form, interval)]
        try:
            made = self.office.hold(start, person, form=form, now=self.now)
        except SlotGone:
            assert not able, f"{able} were free at {start}"
            return multiple()
        assert made.meeting.caseworker in able
        expires = self.now + timedelta(minutes=10)
        self.kept[made.booking.id] = Kept(made.meeting.caseworker, form, interval, expires)
        return made.booking.id

    @rule(booking=bookings)
    def book(self, booking):
        kept = self.kept[booking]
        try:
            self.office.desk.book(CLIENT, booking, f"citizen of {booking}", self.now)
        except HoldExpired:
            assert not kept.alive(self.now)
        else:
            assert kept.alive(self.now)
            kept.expires = None

    @rule(booking=bookings, start=STARTS, person=st.sampled_from([*PEOPLE, None]), form=FORMS)
    def move(self, booking, start, person, form):
        kept = self.kept[booking]
        target = person or kept.person
        interval = Interval.at(start, 45 if form is Form.IN_PERSON else 30)
        stays = (kept.person, kept.form, kept.interval) == (target, form, interval)
        booked = kept.alive(self.now) and kept.expires is None
        able = booked and (stays or self._free(target, form, interval, ignoring=booking))
        try:
            self.office.desk.reschedule(CLIENT, booking, start, person, form, self.now)
        except BookingError:
            assert not able
        else:
            assert able
            kept.person, kept.form, kept.interval = target, form, interval

    @rule(booking=bookings)
    def cancel(self, booking):
        self.office.desk.cancel(CLIENT, booking, self.now)
        self.kept[booking].live = False

    @precondition(lambda self: self.now < NOW + timedelta(hours=2))
    @rule(minutes=st.integers(1, 11))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @invariant()
    def nothing_overlaps_and_nothing_is_lost(self):
        with self.office.store.read() as tx:
            rows = tx.session.execute(select(ClaimRow.mailbox, ClaimRow.start, ClaimRow.end)).all()
            live = tx.meetings.busy([*PEOPLE, *ROOMS], town.COVERED, self.now)
        for mailbox in (*PEOPLE, *ROOMS):
            spans = sorted(span(start, end) for name, start, end in rows if name == mailbox)
            assert not any(one.overlaps(other) for one, other in pairwise(spans))
        expected = [self._padded(kept) for kept in self.kept.values() if kept.alive(self.now)]
        assert sorted(expected) == sorted(interval for person in PEOPLE for interval in live[person])
        in_person = [kept for kept in self.kept.values() if kept.alive(self.now) and kept.form is Form.IN_PERSON]
        assert len(in_person) == sum(len(live[room]) for room in ROOMS)

    def _padded(self, kept: Kept) -> Interval:
        return kept.interval.padded(BEFORE, AFTER)

    def _free(self, person: str, form: Form, interval: Interval, ignoring: str | None = None) -> bool:
        """Whether the model finds the person, and a room where one is needed, free."""
        others = [kept for name, kept in self.kept.items() if name != ignoring and kept.alive(self.now)]
        padded = interval.padded(BEFORE, AFTER)
        if any(kept.person == person and self._padded(kept).overlaps(padded) for kept in others):
            return False
        return form is Form.PHONE or self._room_free(others, interval, ignoring)

    def _room_free(self, others: list[Kept], interval: Interval, ignoring: str | None) -> bool:
        """Some room has nothing in it; which meeting sits in which is the desk's to choose, so ask the database."""
        with self.office.store.read() as tx:
            meeting = self.office.see(ignoring, self.now).meeting.id if ignoring else None
            taken = tx.meetings.busy(ROOMS, interval, self.now, meeting)
        assert sum(len(spans) for spans in taken.values()) <= sum(kept.form is Form.IN_PERSON for kept in others)
        return any(not spans for spans in taken.values())


Clients.TestCase.settings = settings(max_examples=settings().max_examples // 5, stateful_step_count=25)
TestClients = Clients.TestCase


def test_the_states_a_booking_ends_in_are_final():
    from syncd.model.booking import TRANSITIONS

    final = {state for state, ways in TRANSITIONS.items() if not ways}

    assert {BookingState.CANCELLED, BookingState.EXPIRED} == final
    assert set(TRANSITIONS) == set(BookingState)
