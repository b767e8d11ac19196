"""One seeded schedule: clients, caseworkers, servers and crashes, in virtual time, over the production code.

Everything that happens follows from the seed. Nothing of the product is replaced: desk, publisher, decision, follow,
record, sync engine and database are the real ones; only time, chance and the calendar server are ours.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import event, select

from syncd.booking.sight import Limits
from syncd.errors import BookingError, StoreError
from syncd.model.booking import BookingState, Meeting
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store import Store
from syncd.store.tables import EntryRow
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.server import NONE, Faults, Server
from tests.simulation.town import NOW

PEOPLE, ROOMS = ("anna", "bo"), ("r1", "r2")
STEPS = 14
CALM_PASSES = 12
"""Most passes of quiet after which everything must agree."""


class Crash(BaseException):
    """The process died here; nothing of it may catch this."""


@dataclass
class Story:
    """What the world knows of one acknowledged booking.

    :param allowed: times it may have in the end: the last thing a client or a human decided, and what a human
        decided that the program had not yet seen when a client decided otherwise.
    :param must_end: True: it must be cancelled in the end; False: it must not; None: either is right.
    """

    booking: str
    meeting: str
    allowed: set[Interval]
    must_end: bool | None = False
    log: list[str] = field(default_factory=list)


@dataclass
class World:
    """One installation with its surroundings, and what was promised to whom."""

    seed: int
    database: Path
    faults: Faults = field(default_factory=Faults)
    steps: int = STEPS
    prepared: bool = True

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.now = NOW
        self.stories: dict[str, Story] = {}
        self.log: list[str] = []
        self.depth = 0
        self.foreign = 0
        self.server = Server(
            self.rng, lambda: self.now, once_by_uid=self.rng.random() < 0.5, faults=NONE, meanwhile=self._meanwhile
        )
        rules = town.rulebook(town.offer(PEOPLE, before=5, after=5, step=15, notice=0))
        self.read: dict[str, int] = {}
        self.office = Office(
            _hasty(Store(f"sqlite:///{self.database}")),
            town.directory(PEOPLE, ROOMS),
            rules,
            calendar=self.server.inner,
            port=self.server,
            limits=Limits(),
            passing=self._pass,
        )
        self.server.inner._history = "simulated"
        if not self.prepared:
            self.office.engine.prepare()
            self.office.sync(self.now)
        self.read = dict.fromkeys((*PEOPLE, *ROOMS), 0)
        self.server.faults = self.faults

    def run(self) -> None:
        """The schedule: a number of things happen, some time after one another."""
        actions: list[tuple[int, Callable[[], None]]] = [
            (6, self.client_books),
            (3, self.client_moves),
            (2, self.client_cancels),
            (5, self.human_drags),
            (2, self.human_deletes),
            (1, self.human_rewords),
            (1, self.human_takes_the_room),
            (2, self.stranger_books),
            (12, self.program_works),
            (1, self.server_is_backed_up),
        ]
        weights = [weight for weight, _ in actions]
        self._happen(self.client_books)
        self._happen(self.client_books)
        for _ in range(self.steps):
            (_, action) = self.rng.choices(actions, weights)[0]
            self._happen(action)
            self.now += timedelta(seconds=self.rng.choice([0, 1, 7, 20, 60, 61, 200]))
            self.server.arrive()

    def calm(self) -> None:
        """Faults end, late writes land, and the program gets the time it asks for."""
        self.server.faults = NONE
        self.server.arrive(everything=True)
        quiet = 0
        for number in range(CALM_PASSES):
            self.now += timedelta(minutes=16)
            before = self._picture()
            self._operator_decides()
            self._work()
            self.office.reconciler.sweep(self.now)
            self._work(sync=False)
            quiet = quiet + 1 if self._picture() == before and number > 1 else 0
            if quiet:
                return

    # What clients do

    def client_books(self) -> None:
        form = self.rng.choice([Form.IN_PERSON, Form.PHONE])
        held = self.office.hold(self._slot(), self.rng.choice([*PEOPLE, None]), form=form, now=self.now)
        if self.rng.random() < 0.1:
            return  # the citizen closes the page
        made = self.office.desk.book(CLIENT, held.booking.id, f"citizen {len(self.stories)}", self.now)
        story = Story(made.booking.id, made.meeting.id, {made.meeting.interval})
        self.stories[made.booking.id] = story
        self._note(story, f"booked {made.meeting.caseworker} {made.meeting.interval.start:%d %H:%M} {form}")

    def client_moves(self) -> None:
        story = self._some_story()
        before = self.office.meeting(story.meeting)
        person = self.rng.choice([None, None, *PEOPLE])
        made = self.office.desk.reschedule(CLIENT, story.booking, self._slot(), person, None, self.now)
        if made.meeting == before:
            return
        unseen = {time for time in story.allowed if time != before.interval}
        story.allowed = {made.meeting.interval} | unseen
        if story.must_end:
            story.must_end = None  # removed by a human, but nobody had seen it yet when the citizen chose
        self._note(story, f"moved by client to {made.meeting.caseworker} {made.meeting.interval.start:%d %H:%M}")

    def client_cancels(self) -> None:
        story = self._some_story()
        self.office.desk.cancel(CLIENT, story.booking, self.now)
        story.must_end = True
        self._note(story, "cancelled by client")

    # What people do in their calendars

    def human_drags(self) -> None:
        story, meeting, keys = self._some_standing()
        start = meeting.interval.start + timedelta(minutes=15 * self.rng.randint(-20, 60))
        target = Interval.at(max(start, self.now + timedelta(hours=2)), self.rng.choice([30, 45, 60]))
        if target == meeting.interval:
            return
        plain = self._plain(meeting, keys)
        self.server.inner.edit(meeting.caseworker, meeting.uid, interval=target)
        story.allowed = {target} if plain else {*story.allowed, target}
        self._note(story, f"dragged to {target.start:%d %H:%M} plain={plain}")

    def human_deletes(self) -> None:
        story, meeting, keys = self._some_standing()
        plain = self._plain(meeting, keys) and self._seen(meeting)
        self.server.inner.remove(meeting.caseworker, keys[0])
        if not story.must_end:
            story.must_end = True if plain else None
        self._note(story, f"deleted plain={plain}")

    def human_rewords(self) -> None:
        story, meeting, _keys = self._some_standing()
        self.server.inner.edit(meeting.caseworker, meeting.uid, summary="Husk journalen")
        self._note(story, "reworded")

    def human_takes_the_room(self) -> None:
        story = self._some_story()
        meeting = self.office.meeting(story.meeting)
        keys = self._keys(meeting.room, meeting.uid) if meeting.room else []
        if keys and meeting.room:
            self.server.inner.remove(meeting.room, keys[0])
            self._note(story, f"room entry deleted in {meeting.room}")

    def stranger_books(self) -> None:
        self.foreign += 1
        mailbox = self.rng.choice([*PEOPLE, *ROOMS])
        key = f"foreign-{self.foreign}"
        event = Occurrence(key, None, Interval.at(self._slot(), 30), BusyType.BUSY)
        self.server.inner.put(mailbox, key, [event])

    def server_is_backed_up(self) -> None:
        self.server.back_up()

    # What the program does

    def program_works(self) -> None:
        skew = self.rng.choice([timedelta(), timedelta(), timedelta(minutes=-10), timedelta(minutes=10)])
        self._work(skew=skew)

    def _work(self, *, sync: bool = True, skew: timedelta = timedelta()) -> None:
        """One pass of sync over some calendars and of reconcile over what is due; a crash ends it."""
        now = self.now + skew
        try:
            if sync:
                self._sync(now)
            self.office.reconciler.run_due(now, 30)
        except Crash:
            self.log.append(f"{self.now:%H:%M:%S} crashed")

    def _sync(self, now: datetime) -> None:
        """One pass over the calendars in which something changed, and now and then over another one."""
        for mailbox in (*PEOPLE, *ROOMS):
            newest = max(self.server.inner._calendar(mailbox).log.values(), default=0)
            if newest != self.read.get(mailbox) or self._missing(mailbox) or self.rng.random() < 0.1:
                outcome = self.office.engine.sync_mailbox(mailbox, now, force=True)
                self.read[mailbox] = newest if outcome.problem is None else -1

    def _missing(self, mailbox: str) -> bool:
        with self.office.store.read() as tx:
            question = select(EntryRow.meeting).where(EntryRow.mailbox == mailbox, EntryRow.missing_since.is_not(None))
            return tx.session.scalar(question.limit(1)) is not None

    def _pass(self, point: str) -> None:
        if self.server.faults is not NONE and self.rng.random() < 0.02:
            raise Crash(point)

    def _meanwhile(self) -> None:
        """While a write is on its way, something else happens: another worker, a client, a human."""
        if self.depth:
            return
        self._happen(
            self.rng.choice(
                [self.client_moves, self.client_cancels, self.human_drags, self.human_deletes, self.program_works]
            )
        )

    def _happen(self, action: Callable[[], None]) -> None:
        self.depth += 1
        with contextlib.suppress(BookingError, StoreError, Nothing):
            action()
        self.depth -= 1

    def _operator_decides(self) -> None:
        """A person looks at what was refused, finds it right, and lets it go on."""
        for mailbox in (*PEOPLE, *ROOMS):
            with self.office.store.read() as tx:
                status = tx.mailboxes.status(mailbox)
            if status is not None and status.refused:
                self.office.engine.sync_mailbox(mailbox, self.now, accept_loss=True)
        self.office.reconciler.release_brake("cli:operator", self.now)

    # What there is

    def _slot(self) -> datetime:
        """A time that may be on offer, on one of two days: crowded, so that people meet."""
        return town.at(8, day=self.rng.choice([24, 25])) + timedelta(minutes=15 * self.rng.randint(0, 20))

    def _some_story(self) -> Story:
        live = [story for story in self.stories.values() if not story.must_end]
        if not live:
            raise Nothing
        return self.rng.choice(live)

    def _some_standing(self) -> tuple[Story, Meeting, list[str]]:
        """A live meeting whose entry stands in its caseworker's calendar."""
        story = self._some_story()
        meeting = self.office.meeting(story.meeting)
        keys = self._keys(meeting.caseworker, meeting.uid)
        if not keys or not meeting.wanted:
            raise Nothing
        return story, meeting, keys

    def _keys(self, mailbox: str, uid: str) -> list[str]:
        things = self.server.inner._calendar(mailbox).things
        return [key for key, thing in things.items() if thing.draft and thing.draft.uid == uid]

    def _plain(self, meeting: Meeting, keys: list[str]) -> bool:
        """Whether what the human touches is the one entry that counts, with nothing on its way."""
        if len(keys) != 1 or self.depth > 1 or self.server.pending(meeting.caseworker, meeting.uid):
            return False
        thing = self.server.inner._calendar(meeting.caseworker).things[keys[0]]
        assert thing.draft is not None
        record = self._record(meeting)
        return thing.draft.stamp.generation >= record

    def _seen(self, meeting: Meeting) -> bool:
        return self._record(meeting) > 0

    def _record(self, meeting: Meeting) -> int:
        with self.office.store.read() as tx:
            known = {one.mailbox: one for one in tx.meetings.entries(meeting.id)}
        return known[meeting.caseworker].generation if meeting.caseworker in known else 0

    def _picture(self) -> object:
        with self.office.store.read() as tx:
            meetings = tuple(tx.meetings.get(story.meeting) for story in self.stories.values())
        return meetings, tuple(tuple(self.office.standing(mailbox)) for mailbox in (*PEOPLE, *ROOMS))

    def _note(self, story: Story, text: str) -> None:
        line = f"{self.now:%d %H:%M:%S} {story.booking}/{story.meeting} {text}"
        story.log.append(line)
        self.log.append(line)

    def state(self, story: Story) -> BookingState:
        """The booking's state in the database."""
        with self.office.store.read() as tx:
            booking = tx.bookings.get(story.booking, CLIENT)
        assert booking is not None
        return booking.state


def _hasty(store: Store) -> Store:
    """The store, not waiting for the disk: processes crash here, machines do not."""

    @event.listens_for(store._writer, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    return store


class Nothing(Exception):
    """There was nothing to do it to."""
