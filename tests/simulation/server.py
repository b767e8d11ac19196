"""A calendar server that loses answers, applies late, throttles, lies, and comes back from a backup.

Its truth is a `MemoryCalendar`; it never imagines entries, it only tells about them badly. Two kinds: one that knows
an entry by our UID and writes it once (CalDAV, Graph), and one that makes a second copy of whatever is created again
(EWS). Some of each kind can tell that an entry was written before and has been removed since (Graph by its
transactionId, EWS by the deleted items). Changing and deleting always demand the version that was read, as all three
protocols let us.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from syncd.adapters.memory import Calendar, MemoryCalendar, _entry, _written
from syncd.errors import (
    CalendarError,
    EntryRemoved,
    OutcomeUnknown,
    Throttled,
    TokenExpired,
    Transient,
    VersionConflict,
)
from syncd.model.delta import Delta, Since
from syncd.model.directory import Mailbox
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval
from syncd.ports import CheckResult, Memory

LIAR_RESTS = timedelta(minutes=10)
"""A calendar that told an untruth tells none again for this long: our model of a server, not of an enemy."""


@dataclass
class Faults:
    """How often each thing happens, per call."""

    transient: float = 0.06
    throttled: float = 0.02
    lost_before: float = 0.05
    lost_after: float = 0.06
    late: float = 0.05
    lie: float = 0.03
    token: float = 0.05
    meanwhile: float = 0.3


NONE = Faults(0, 0, 0, 0, 0, 0, 0, 0)


@dataclass
class Late:
    """A write that the server will carry out after we gave up on it."""

    at: datetime
    mailbox: str
    uid: str
    work: Callable[[], object]
    draft: EntryDraft | None = None


@dataclass
class Server:
    """Implements `CalendarPort` badly.

    :param before_write: hears of each write as it leaves the program.
    :param meanwhile: something else that happens while a write is on its way.
    :param tells: it knows of entries that were removed.
    :param made: mailbox, UID and generation of all that was created.
    :param declined: rooms that said no, with the UID of the meeting.
    :param cut_until: when the network is back.
    """

    rng: Random
    clock: Callable[[], datetime]
    once_by_uid: bool
    demand_version: bool = True
    tells: bool = False
    made: set[tuple[str, str, int]] = field(default_factory=set)
    faults: Faults = field(default_factory=Faults)
    inner: MemoryCalendar = field(default_factory=MemoryCalendar)
    late: list[Late] = field(default_factory=list)
    before_write: Callable[[str, str], None] = lambda _kind, _uid: None
    meanwhile: Callable[[str, str], None] = lambda _kind, _uid: None
    lied: dict[str, datetime] = field(default_factory=dict)
    copies: int = 0
    backup: dict[str, Calendar] = field(default_factory=dict)
    declined: set[tuple[str, str]] = field(default_factory=set)
    cut_until: datetime | None = None

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """What changed; sometimes the token is forgotten, sometimes a full listing lacks an entry."""
        self._trouble()
        if since is not None and self._happens(self.faults.token):
            raise TokenExpired("The server has forgotten the token.")
        delta = self.inner.changes(mailbox, window, since, memory)
        if delta.present and self._lies(mailbox):
            unsaid = self.rng.choice(sorted(delta.present))
            groups = tuple(group for group in delta.groups if group.key != unsaid)
            return replace(delta, present=delta.present - {unsaid}, groups=groups)
        return delta

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """Our entries; sometimes there seem to be none."""
        self._trouble()
        found = self.inner.find(mailbox, uid)
        if (mailbox.id, uid) in self.declined:
            found = tuple(replace(entry, room_answer="DECLINED") for entry in found)
        return () if found and self._lies(mailbox) else found

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """Write an entry: once by its UID, or every time anew."""
        return self._write("create", mailbox, draft.uid, lambda: self._create(mailbox, draft), draft)

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """Change the entry that was read."""
        return self._write("update", mailbox, draft.uid, lambda: self._update(mailbox, entry, draft), draft)

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """Delete the entry that was read."""
        self._write("delete", mailbox, entry.uid, lambda: self._delete(mailbox, entry))

    def check(self, mailbox: Mailbox) -> CheckResult:
        """See `CalendarPort.check`."""
        return self.inner.check(mailbox)

    def arrive(self, everything: bool = False) -> None:
        """Carry out the late writes whose time has come."""
        due = [late for late in self.late if everything or late.at <= self.clock()]
        self.late = [late for late in self.late if late not in due]
        for late in sorted(due, key=lambda one: one.at):
            try:
                late.work()
            except CalendarError:
                continue  # refused, as any write may be: nobody hears of it

    def pending(self, mailbox: str, uid: str) -> bool:
        """Whether a write is still on its way."""
        return any(late.mailbox == mailbox and late.uid == uid for late in self.late)

    def under_way(self, uid: str) -> list[EntryDraft]:
        """What writes still on their way will bring."""
        return [late.draft for late in self.late if late.uid == uid and late.draft is not None]

    def decline(self, mailbox: str, uid: str, key: str) -> None:
        """The room says no; its answer changes the entry."""
        self.declined.add((mailbox, uid))
        calendar = self.inner._calendar(mailbox)
        self.inner._store(calendar, key, calendar.things[key])

    def remembers(self, wish: tuple[str, str, int]) -> bool:
        """Whether it will tell that this was created before, though it is gone."""
        return self.tells and wish in self.made

    def back_up(self) -> None:
        """Remember everything as it is now."""
        self.backup = deepcopy(self.inner._calendars)

    def restore(self, mailbox: str) -> None:
        """One calendar is again what it was at the last backup."""
        old = deepcopy(self.backup.get(mailbox, Calendar()))
        lost = self.inner._calendar(mailbox).things.keys() - old.things.keys()
        for key in sorted(lost):
            self.inner.remove(mailbox, key)
        for key, thing in sorted(old.things.items()):
            self.inner._store(self.inner._calendar(mailbox), key, thing)
        self.inner.forget_history()

    def _create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        wish = (mailbox.id, draft.uid, draft.stamp.generation)
        if self.remembers(wish) and not self.inner.find(mailbox, draft.uid):
            raise EntryRemoved("It was written before, and is gone.")
        self.made.add(wish)
        if self.once_by_uid:
            return self.inner.create(mailbox, draft)
        self.copies += 1
        return self.inner._store(self.inner._calendar(mailbox.id), f"{draft.uid}-{self.copies}", _written(draft))

    def _delete(self, mailbox: Mailbox, entry: Entry) -> None:
        self.inner.delete(mailbox, entry)
        self.declined.discard((mailbox.id, entry.uid))

    def _update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        if self.demand_version:
            return self.inner.update(mailbox, entry, draft)
        things = self.inner._calendar(mailbox.id).things
        if entry.key not in things:
            raise VersionConflict("It is gone.")
        return self.inner.update(mailbox, _entry(entry.key, things[entry.key]), draft)

    def _write(
        self,
        kind: str,
        mailbox: Mailbox,
        uid: str,
        work: Callable[[], Entry | None],
        draft: EntryDraft | None = None,
    ) -> Entry:
        self.before_write(kind, uid)
        self._trouble()
        if self._happens(self.faults.meanwhile):
            self.meanwhile(kind, uid)
        if self._happens(self.faults.lost_before):
            raise OutcomeUnknown("The connection broke.")
        if self._happens(self.faults.late):
            at = self.clock() + timedelta(seconds=self.rng.randint(5, 600))
            self.late.append(Late(at, mailbox.id, uid, work, draft))
            raise OutcomeUnknown("The server did not answer in time.")
        done = work()
        if self._happens(self.faults.lost_after):
            raise OutcomeUnknown("The answer was lost.")
        return done  # type: ignore[return-value]  # delete returns nothing, and nobody asks

    def _trouble(self) -> None:
        if self.cut_until is not None and self.clock() < self.cut_until:
            raise Transient("The server cannot be reached.")
        if self._happens(self.faults.transient):
            raise Transient("The server is away.")
        if self._happens(self.faults.throttled):
            raise Throttled("Slow down.", self.rng.choice([1, 30, 120]))

    def _lies(self, mailbox: Mailbox) -> bool:
        now = self.clock()
        if not self._happens(self.faults.lie):
            return False
        if mailbox.id in self.lied and now - self.lied[mailbox.id] < LIAR_RESTS:
            return False
        self.lied[mailbox.id] = now
        return True

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.rng.random() < chance
