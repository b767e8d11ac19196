"""One seeded schedule: clients, caseworkers, servers and crashes, in virtual time, over the production code.

Everything that happens follows from the seed. Nothing of the product is replaced: desk, publisher, decision, follow,
record, sync engine and database are the real ones; only time, chance and the calendar server are ours.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, ClassVar

from sqlalchemy import bindparam, event, select

from syncd.booking.allowed import BOOKED
from syncd.booking.sight import Limits
from syncd.errors import BookingError, HoldExpired, StoreError, UnknownHold
from syncd.model.booking import BookingState, Meeting
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store import Store
from syncd.store.tables import EntryRow, MeetingRow
from tests.simulation import staff, town
from tests.simulation.lean import recalled, remembered
from tests.simulation.nothing import Nothing
from tests.simulation.office import CLIENT, Office
from tests.simulation.server import NONE, Faults, Server
from tests.simulation.town import NOW

PEOPLE, ROOMS = ("anna", "bo"), ("r1", "r2")
STEPS = 14
CALM_PASSES = 12
"""Most passes of quiet after which everything must agree."""

_LAGGING = select(MeetingRow.id).where(MeetingRow.applied_generation != MeetingRow.desired_generation)
_FORGOTTEN = _LAGGING.where(MeetingRow.end > bindparam("now"), MeetingRow.due.is_(None))
_MISSING = select(EntryRow.mailbox).where(EntryRow.missing_since.is_not(None))
_PICTURE = select(
    MeetingRow.id,
    MeetingRow.desired_generation,
    MeetingRow.applied_generation,
    MeetingRow.room_state,
    MeetingRow.attempts,
).order_by(MeetingRow.id)


class Crash(BaseException):
    """The process died here; nothing of it may catch this."""


@dataclass
class Story:
    """What the world knows of one acknowledged booking.

    :param allowed: times it may have in the end: the last thing a client or a human decided, and what a human
        decided that the program had not yet seen when a client decided otherwise.
    :param restored: its booking was lost with the database; only the meeting can be taken up again.
    :param must_end: True: it must be cancelled in the end; False: it must not; None: either is right.
    """

    booking: str
    meeting: str
    allowed: set[Interval]
    must_end: bool | None = False
    restored: bool = False
    log: list[str] = field(default_factory=list)


@dataclass
class World:
    """One installation with its surroundings, and what was promised to whom."""

    flag: ClassVar[str] = ""
    """What `python -m tests.simulation` must be told to play this kind of world."""
    seed: int
    store: Store
    faults: Faults = field(default_factory=Faults)
    steps: int = STEPS
    prepared: bool = True

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.fate = Random(f"crashes of {self.seed}")  # of its own: a new point must not change every schedule
        self.now = NOW
        self.stories: dict[str, Story] = {}
        self.log: list[str] = []
        self.depth = 0
        self.broken: list[str] = []
        self.about: list[Story] = []
        self.creating = False
        self.held: dict[str, datetime] = {}
        self.disturbed = False
        self.restored: set[str] = set()
        self.snapshot: Any = None
        self.foreign = 0
        self.fastest = NOW
        self.closed: list[tuple[str, Interval]] = []
        self.server = Server(
            self.rng,
            lambda: self.now,
            once_by_uid=self.rng.random() < 0.5,
            tells=Random(f"memory of {self.seed}").random() < 0.5,  # of its own, like fate
            faults=NONE,
            meanwhile=self._meanwhile,
        )
        self.numbers = count(1)
        rules = town.rulebook(town.offer(PEOPLE, before=5, after=5, step=15, notice=0))
        self.read: dict[str, int] = {}
        self.rules = rules
        self.office = self._office()
        self.server.inner._history = "simulated"
        if not self.prepared:
            self.office.engine.prepare()
            self.office.sync(self.now)
        self.read = dict.fromkeys((*PEOPLE, *ROOMS), 0)
        self.server.faults = self.faults

    def _office(self) -> Office:
        """The program, started on its database."""
        return Office(
            self.store,
            town.directory(PEOPLE, ROOMS),
            self.rules,
            calendar=self.server.inner,
            port=self.server,
            limits=Limits(),
            numbers=self.numbers,
        )

    def run(self) -> None:
        """The schedule: a number of things happen, some time after one another."""
        actions: list[tuple[int, Callable[[], None]]] = [
            (5, self.client_books),
            (3, self.client_holds),
            (4, self.client_books_a_hold),
            (5, self.client_moves),
            (2, self.client_cancels),
            (5, self.human_drags),
            (2, self.human_deletes),
            (1, self.human_rewords),
            (1, self.human_takes_the_room),
            (2, self.stranger_books),
            (2, self.server_is_backed_up),
            (2, self.server_is_restored),
            (6, self.database_is_backed_up),
            (6, self.database_is_restored),
            (2, lambda: staff.hands_over(self)),
            (1, lambda: staff.closes_a_room(self)),
            (1, lambda: staff.pins_a_room(self)),
            (1, lambda: staff.rearranges(self)),
            (1, lambda: staff.declines(self)),
            (1, lambda: staff.network_breaks(self)),
            (0, self.program_works),
        ]
        # Each schedule likes some things and leaves others out: so rare ones meet, too.
        weights = [weight * self.rng.choice([0, 1, 1, 1, 4]) for weight, _ in actions[:-1]]
        weights += [max(1, sum(weights) // 3)]  # the program works in every third step
        self._happen(self.client_holds)
        self._happen(self.client_books)
        self._happen(self.client_books)
        for _ in range(self.steps):
            (_, action) = self.rng.choices(actions, weights)[0]
            self._happen(action)
            self.now += timedelta(seconds=self.rng.choice([0, 1, 7, 20, 60, 61, 200]))
            self.server.arrive()

    def calm(self) -> None:
        """Faults end, late writes land, and the program gets the time it asks for."""
        self.server.faults, self.server.cut_until = NONE, None
        self.server.arrive(everything=True)
        for number in range(CALM_PASSES):
            self.now += timedelta(minutes=16)
            before = self._picture()
            self._operator_decides()
            self._work()
            self.office.keeper.repair(self.now)
            self.office.reconciler.sweep(self.now)
            self._work(sync=False)
            if number and self._picture() == before:
                return  # the second pass has read what the first one wrote

    # What clients do

    def client_books(self) -> None:
        hold = self._hold()
        self._book(hold)

    def client_holds(self) -> None:
        hold = self._hold()
        self.held[hold] = self.now + timedelta(minutes=10)

    def client_books_a_hold(self) -> None:
        if not self.held:
            raise Nothing
        hold = self.rng.choice(sorted(self.held))
        expires = self.held.pop(hold)
        try:
            self._book(hold)
        except (HoldExpired, UnknownHold):
            if max(self.now, self.fastest) < expires:  # a clock that is ahead ends holds early, and does no other harm
                self.broken.append(f"{hold} A LIVE HOLD WAS LOST")

    def _hold(self) -> str:
        form = self.rng.choice([Form.IN_PERSON, Form.PHONE])
        return self.office.hold(self._slot(), self.rng.choice([*PEOPLE, None]), form=form, now=self.now).booking.id

    def _book(self, hold: str) -> None:
        made = self.office.desk.book(CLIENT, hold, f"citizen {hold}", self.now)
        story = Story(made.booking.id, made.meeting.id, {made.meeting.interval})
        self.stories[made.booking.id] = story
        start = f"{made.meeting.interval.start:%d %H:%M}"
        self._note(story, f"booked {made.meeting.caseworker} {start} {made.meeting.form} {made.meeting.room}")

    def client_moves(self) -> None:
        story = self._some_story(of_client=True)
        before = self.office.meeting(story.meeting)
        person = self.rng.choice([None, None, *PEOPLE])
        made = self.office.desk.reschedule(CLIENT, story.booking, self._slot(), person, None, self.now)
        if made.meeting == before:
            return
        self._decided(story, before, made.meeting)
        self._note(story, f"moved by client to {made.meeting.caseworker} {made.meeting.interval.start:%d %H:%M}")

    def _decided(self, story: Story, before: Meeting, after: Meeting) -> None:
        """A client, or staff, changed the meeting; what a human did unseen meanwhile may still come first."""
        unseen = {time for time in story.allowed if time != before.interval}
        story.allowed = {after.interval} | unseen
        if story.must_end:
            story.must_end = None  # removed by a human, but nobody had seen it yet when the citizen chose

    def client_cancels(self) -> None:
        story = self._some_story(of_client=True)
        self.office.desk.cancel(CLIENT, story.booking, self.now)
        story.must_end = True
        self._note(story, "cancelled by client")

    # What people do in their calendars

    def human_drags(self) -> None:
        story, meeting, keys = self._some_standing()
        far = meeting.interval.start + timedelta(minutes=15 * self.rng.randint(-20, 60))
        start = self.rng.choice([self._slot(), far])
        target = Interval.at(max(start, self.now + timedelta(hours=2)), self.rng.choice([30, 45, 60]))
        things = self.server.inner._calendar(meeting.caseworker).things
        if target in {o.interval for key in keys for o in things[key].occurrences}:
            return  # it stands there already: nothing to see
        plain = self._plain(meeting, keys)
        self.disturbed = True
        self.server.inner.edit(meeting.caseworker, meeting.uid, interval=target)
        story.allowed = {target} if plain else {*story.allowed, target}
        self._note(story, f"dragged to {target.start:%d %H:%M} plain={plain}")

    def human_deletes(self) -> None:
        story, meeting, keys = self._some_standing()
        plain = self._plain(meeting, keys) and (self._seen(meeting) or self._told_of(meeting, keys[0]))
        self.disturbed = True
        self.server.inner.remove(meeting.caseworker, keys[0])
        if not story.must_end:
            story.must_end = True if plain else None
        if not plain:
            story.allowed |= {meeting.interval}  # a move nobody saw goes with the entry
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
            self.disturbed = True
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

    def server_is_restored(self) -> None:
        """One calendar is again what it was at its last backup: moves are undone, meetings gone or back."""
        if not self.server.backup:
            raise Nothing
        mailbox = self.rng.choice([*PEOPLE, *ROOMS])
        self.server.restore(mailbox)
        self.restored.add(mailbox)
        self.disturbed = True
        self.log.append(f"{self.now:%d %H:%M:%S} calendar of {mailbox} restored")
        for story in self.stories.values():
            self._accept_what_stands(story)

    def database_is_backed_up(self) -> None:
        self.snapshot = remembered(self.store)

    def database_is_restored(self) -> None:
        """The database is again what it was; what was promised since, only the calendars can know."""
        if self.snapshot is None or self.depth > 1:
            raise Nothing
        recalled(self.store, self.snapshot)
        self.office = self._office()
        self.read = {}
        self.held = {}
        self.log.append(f"{self.now:%d %H:%M:%S} database restored")
        for name, story in list(self.stories.items()):
            self._reconsider(name, story)

    def _reconsider(self, name: str, story: Story) -> None:
        """What can still be expected of a booking after a restored database."""
        meeting = self._known(story)
        standing = [box for box in PEOPLE if self._keys(box, f"{story.meeting}@syncd")]
        if meeting is None or meeting.desired_generation == 0:
            if not standing or story.must_end is not False:
                del self.stories[name]  # nobody knows of it, or nobody wants it: that much is lost with a database
                return
            story.restored = True
        else:
            story.must_end = None
        self._accept_what_stands(story)
        # What comes late may be newer than all that stands: it was asked for last, and nobody knows of anything else.
        newest = self._newest(f"{story.meeting}@syncd")
        coming = self.server.under_way(f"{story.meeting}@syncd")
        story.allowed |= {draft.interval for draft in coming if draft.stamp.generation > newest}
        self._note(story, f"reconsidered, stands in {standing}")

    def _newest(self, uid: str) -> int:
        """The newest generation that stands in a caseworker's calendar."""
        calendars = {box: self.server.inner._calendar(box).things for box in PEOPLE}
        drafts = (calendars[box][key].draft for box in PEOPLE for key in self._keys(box, uid))
        return max((draft.stamp.generation for draft in drafts if draft is not None), default=0)

    def _accept_what_stands(self, story: Story) -> None:
        """After a restore nobody can say which of the times that are known was the last; and what is gone may end."""
        meeting = self._known(story)
        uid = f"{story.meeting}@syncd"
        keys = {box: self._keys(box, uid) for box in PEOPLE}
        for box, held in keys.items():
            drafts = (self.server.inner._calendar(box).things[key].draft for key in held)
            story.allowed |= {draft.interval for draft in drafts if draft is not None}
        if meeting is None or meeting.desired_generation == 0:
            return
        newer = {
            box: {
                draft.interval
                for key in held
                if (draft := self.server.inner._calendar(box).things[key].draft)
                and draft.stamp.generation > meeting.desired_generation
            }
            for box, held in keys.items()
        }
        # What is newer than the database is the last that was promised, and must not be lost; a colleague's calendar
        # may know of a later promise than the caseworker's, or not have been read yet.
        if (hers := newer[meeting.caseworker]) and meeting.wanted:
            story.allowed, story.must_end = set().union(*newer.values()), False
        story.allowed |= set() if hers else {meeting.interval}
        ended = self.state(story) is BookingState.CANCELLED
        if not ended and (story.must_end or not keys[meeting.caseworker]):
            story.must_end = None

    # What the program does

    def program_works(self) -> None:
        skew = self.rng.choice([timedelta(), timedelta(), timedelta(minutes=-10), timedelta(minutes=10)])
        self._work(skew=skew)

    def _work(self, *, sync: bool = True, skew: timedelta = timedelta()) -> None:
        """One pass of sync over some calendars and of reconcile over what is due; a crash ends it."""
        now = self.now + skew
        self.fastest = max(self.fastest, now)
        before, outer, self.disturbed = self._unsettled(), self.disturbed, False
        try:
            if sync:
                self._sync(now)
            self.office.reconciler.run_due(now, 30)
        except Crash:
            self.log.append(f"{self.now:%d %H:%M:%S} crashed")
        if not self.disturbed:
            self._demand_truth(before)
        self._demand_due()
        self.disturbed |= outer  # a look inside another one: what disturbed it disturbed that one too

    def _unsettled(self) -> set[str]:
        with self.office.store.read() as tx:
            return set(tx.session.scalars(_LAGGING))

    def _demand_due(self) -> None:
        """Whatever is owed is written down as owed: after a crash nothing else remembers it."""
        with self.office.store.read() as tx:
            lost = tx.session.scalars(_FORGOTTEN, {"now": int(self.now.timestamp())})
            self.broken += [f"{meeting} IS OWED, but nobody will ever look" for meeting in lost]

    def _demand_truth(self, before: set[str]) -> None:
        """What is newly called done, with nobody interfering, must be so on the server itself."""
        done = before - self._unsettled()
        for story in [story for story in self.stories.values() if story.meeting in done]:
            meeting = self.office.meeting(story.meeting)
            if not meeting.wanted:
                continue
            for mailbox in [meeting.caseworker, *([meeting.room] if meeting.room else [])]:
                entries = self.office.entries(mailbox, meeting)
                if meeting.interval not in [entry.interval for entry in entries]:
                    self.broken.append(f"{story.booking} CALLED DONE but does not stand in {mailbox}")

    def _sync(self, now: datetime) -> None:
        """One pass over the calendars in which something changed, and now and then over another one."""
        missing = self._missing()
        for mailbox in (*PEOPLE, *ROOMS):
            newest = max(self.server.inner._calendar(mailbox).log.values(), default=0)
            if newest != self.read.get(mailbox) or mailbox in missing or self.rng.random() < 0.1:
                outcome = self.office.engine.sync_mailbox(mailbox, now, force=True)
                self.read[mailbox] = newest if outcome.problem is None else -1

    def _missing(self) -> set[str]:
        with self.office.store.read() as tx:
            return set(tx.session.scalars(_MISSING))

    def _pass(self, point: str) -> None:
        if self.server.faults is not NONE and self.fate.random() < 0.01:
            raise Crash(point)

    def _meanwhile(self, kind: str, uid: str) -> None:
        """While a write is on its way, something else happens: another worker, a client, a human."""
        if self.depth > 1:
            return
        acts = [self.client_moves, self.client_cancels, self.human_drags, self.human_drags, self.human_deletes]
        acts.append(self.program_works)
        self.about = [story for story in self.stories.values() if f"{story.meeting}@syncd" == uid]
        self.creating = kind == "create"
        self._happen(self.rng.choice(acts))
        self.about, self.creating = [], False

    def _happen(self, action: Callable[[], None]) -> None:
        self.depth += 1
        with contextlib.suppress(BookingError, StoreError, Nothing):
            action()
        self.depth -= 1

    def _operator_decides(self) -> None:
        """A person looks at what was refused, finds it right, and lets it go on."""
        with self.office.store.read() as tx:
            statuses = tx.mailboxes.statuses()
        for mailbox, status in sorted(statuses.items()):
            if status.refused:
                if mailbox in self.restored:
                    self.office.reconciler.write_again(mailbox, "cli:operator", self.now)
                self.office.engine.sync_mailbox(mailbox, self.now, accept_loss=True)
        self.office.reconciler.release_brake("cli:operator", self.now)

    # What there is

    def _slot(self) -> datetime:
        """A time that may be on offer, on one of two days: crowded, so that people meet."""
        return town.at(8, day=self.rng.choice([24, 25])) + timedelta(minutes=15 * self.rng.randint(0, 20))

    def _some_story(self, of_client: bool = False) -> Story:
        known = [story for story in self.about or self.stories.values() if not (of_client and story.restored)]
        live = [story for story in known if story.must_end is not True]
        if not live:
            raise Nothing
        story = self.rng.choice(live)
        if story.restored and self._known(story) is None:
            raise Nothing  # only the calendars know of it, for now
        return story

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
        if len(keys) != 1 or self.creating or self.server.pending(meeting.caseworker, meeting.uid):
            return False
        thing = self.server.inner._calendar(meeting.caseworker).things[keys[0]]
        assert thing.draft is not None
        record = self._record(meeting)
        return thing.draft.stamp.generation >= record

    def _seen(self, meeting: Meeting) -> bool:
        return self._record(meeting) > 0

    def _told_of(self, meeting: Meeting, key: str) -> bool:
        """Whether the server will tell that what is wanted now was created and removed, though we never saw it.

        It knows creations only: an older entry that was brought up to date, unseen, is not told of.
        """
        draft = self.server.inner._calendar(meeting.caseworker).things[key].draft
        assert draft is not None
        wanted = meeting.desired_generation
        created = (meeting.caseworker, meeting.uid, wanted) in self.server.made
        return self.server.tells and created and draft.stamp.generation == wanted

    def _record(self, meeting: Meeting) -> int:
        with self.office.store.read() as tx:
            known = {one.mailbox: one for one in tx.meetings.entries(meeting.id)}
        return known[meeting.caseworker].generation if meeting.caseworker in known else 0

    def _picture(self) -> object:
        """Everything that may still change."""
        with self.office.store.read() as tx:
            meetings = tx.session.execute(_PICTURE).all()
        things = [self.server.inner._calendar(mailbox).log.values() for mailbox in (*PEOPLE, *ROOMS)]
        return meetings, [sorted(numbers) for numbers in things]

    def _note(self, story: Story, text: str) -> None:
        line = f"{self.now:%d %H:%M:%S} {story.booking}/{story.meeting} {text}"
        story.log.append(line)
        self.log.append(line)

    def _known(self, story: Story) -> Meeting | None:
        with self.office.store.read() as tx:
            return tx.meetings.get(story.meeting)

    def state(self, story: Story) -> BookingState:
        """The booking's state in the database; of a restored one, that of the seat found for it."""
        if story.restored:
            with self.office.store.read() as tx:
                states = [booking.state for booking in tx.bookings.of(story.meeting)]
            return next((one for one in states if one in BOOKED), states[-1])
        with self.office.store.read() as tx:
            booking = tx.bookings.get(story.booking, CLIENT)
        assert booking is not None
        return booking.state


def hasty(store: Store) -> Store:
    """The store, not waiting for the disk: processes crash here, machines do not."""

    @event.listens_for(store._writer, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    return store
