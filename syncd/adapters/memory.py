"""A calendar server inside the process: for trials, tests and the simulation; as honest as a real one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from threading import RLock
from uuid import uuid4

from syncd.errors import CalendarError, CalendarNotFound, HostedElsewhere, TokenExpired, VersionConflict
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.delta import ChangeToken, Delta, Group, GroupKey, Since, Unreadable
from syncd.model.directory import Mailbox, MailboxId
from syncd.model.entry import Entry, EntryDraft, digest
from syncd.model.interval import Interval, subtract
from syncd.ports import CheckResult, Glimpse, Member, Memory

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a calendar.

    :param number: counts every change of the server; the object's version.
    :param occurrences: all its instances, whatever the window.
    :param draft: set when syncd wrote it; a person may have changed it since.
    :param unreadable: why it cannot be understood; None when it can.
    """

    number: int
    occurrences: tuple[Occurrence, ...]
    draft: EntryDraft | None = None
    cancelled: bool = False
    unreadable: str | None = None


@dataclass(slots=True)
class Calendar:
    """One mailbox: what stands there, and every key with the number of its last change."""

    things: dict[GroupKey, Thing] = field(default_factory=dict)
    log: dict[GroupKey, int] = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    """What the next calls of *method* shall meet.

    :param error: raised instead of an answer.
    :param done: the call is carried out before its answer is lost.
    :param times: how many calls it meets.
    """

    method: str
    error: CalendarError
    done: bool = False
    times: int = 1


class MemoryCalendar:
    """Implements `syncd.ports.CalendarPort`, `Glancing` and `GroupSource`; safe to be used by several threads.

    Beside the port it has the hands of people (`put`, `remove`, `edit`, `spoil`) and of fate (`fail`,
    `forget_history`).

    :param mailboxes: ids of those that exist; None lets every mailbox exist.
    """

    def __init__(self, mailboxes: Collection[MailboxId] | None = None) -> None:
        self._exist = set(mailboxes) if mailboxes is not None else None
        self._away: set[MailboxId] = set()
        self._calendars: dict[MailboxId, Calendar] = {}
        self._faults: list[Fault] = []
        self._number = 0
        self._history = uuid4().hex[:8]
        self._lock = RLock()
        self.groups: dict[str, dict[str, str]] = {}
        """Distribution groups: names by address, by the group's address."""

    # The port

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """See `CalendarPort.changes`."""
        with self._turn("changes", mailbox) as calendar:
            number = self._since(since)
            touched = {key for key, at in calendar.log.items() if number is None or at > number}
            gone = touched - calendar.things.keys()
            wanted = self._unlike(touched & calendar.things.keys(), calendar, memory, number)
            groups = {
                key: _group(key, calendar.things[key], window)
                for key in wanted
                if calendar.things[key].unreadable is None
            }
            kept = calendar.things.keys() - wanted
            groups |= _recalled(kept, window, since.covered if since else None, memory)
            return Delta(
                groups=tuple(groups.values()),
                gone=tuple(sorted(gone)) if number is not None else (),
                present=frozenset(calendar.things) if number is None else None,
                covers=window,
                token=f"{self._history}:{self._number}",
                unreadable=tuple(_unreadable(k, calendar.things[k]) for k in sorted(wanted) if k not in groups),
                requests=1,
            )

    def glance(self, asked: Collection[tuple[Mailbox, Since]]) -> Glimpse:
        """See `syncd.ports.Glancing.glance`."""
        with self._lock:
            now = {mailbox.id: max(self._calendar(mailbox.id).log.values(), default=0) for mailbox, _ in asked}
            return Glimpse(frozenset(m.id for m, since in asked if self._knows(since.token, now[m.id])), 1)

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """See `CalendarPort.find`."""
        with self._turn("find", mailbox) as calendar:
            return tuple(_entry(k, t) for k, t in sorted(calendar.things.items()) if t.draft and t.draft.uid == uid)

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """See `CalendarPort.create`."""
        with self._turn("create", mailbox) as calendar:
            for key, thing in calendar.things.items():
                if thing.draft and thing.draft.uid == draft.uid:
                    return _entry(key, thing)
            return self._store(calendar, draft.uid, _written(draft))

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """See `CalendarPort.update`."""
        with self._turn("update", mailbox) as calendar:
            _demand(calendar, entry)
            return self._store(calendar, entry.key, _written(draft))

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """See `CalendarPort.delete`."""
        with self._turn("delete", mailbox) as calendar:
            if entry.key in calendar.things:
                _demand(calendar, entry)
                self._remove(calendar, entry.key)

    def check(self, mailbox: Mailbox) -> CheckResult:
        """See `CalendarPort.check`."""
        try:
            with self._turn("check", mailbox) as calendar:
                count = len(calendar.things)
        except CalendarError as error:
            return CheckResult(ok=False, says=str(error), facts={"error": type(error).__name__})
        return CheckResult(ok=True, says=f"kept in memory, {count} objects", facts={"changes": "own log"})

    def close(self) -> None:
        """Nothing is held open."""

    def expand_group(self, address: str) -> tuple[Member, ...]:
        """See `syncd.ports.GroupSource.expand_group`."""
        with self._lock:
            fault = self._fault("expand_group")
            if fault:
                raise fault.error
            if address not in self.groups:
                raise CalendarNotFound(f"There is no group {address!r} in memory.")
            people = {mail.lower(): name for mail, name in self.groups[address].items()}
            return tuple(Member(mail, people[mail]) for mail in sorted(people))

    # The hands of people

    def put(self, mailbox: MailboxId, key: GroupKey, occurrences: Iterable[Occurrence]) -> None:
        """A person stores an event (one occurrence) or a series (all its dated instances) under *key*."""
        with self._lock:
            self._store(self._calendar(mailbox), key, Thing(0, tuple(occurrences)))

    def remove(self, mailbox: MailboxId, key: GroupKey) -> None:
        """A person removes what stands under *key*."""
        with self._lock:
            self._remove(self._calendar(mailbox), key)

    def spoil(self, mailbox: MailboxId, key: GroupKey, reason: str = "the object is broken") -> None:
        """An object that cannot be understood turns up under *key*."""
        with self._lock:
            self._store(self._calendar(mailbox), key, Thing(0, (), unreadable=reason))

    def edit(
        self,
        mailbox: MailboxId,
        uid: str,
        *,
        interval: Interval | None = None,
        summary: str | None = None,
        location: str | None = None,
        cancelled: bool = False,
        categories: tuple[str, ...] | None = None,
        key: GroupKey | None = None,
    ) -> None:
        """A person changes one of our entries: moves, rewords, categorises or cancels it, or moves it to *key*."""
        with self._lock:
            calendar = self._calendar(mailbox)
            old, thing = next((k, t) for k, t in calendar.things.items() if t.draft and t.draft.uid == uid)
            draft = thing.draft
            assert draft is not None
            changed = replace(
                draft,
                interval=interval or draft.interval,
                summary=draft.summary if summary is None else summary,
                location=draft.location if location is None else location,
                categories=draft.categories if categories is None else categories,
            )
            if key is not None and key != old:
                self._remove(calendar, old)
            self._store(calendar, key or old, replace(_written(changed), cancelled=cancelled))

    # The hands of fate

    def fail(self, method: str, error: CalendarError, *, done: bool = False, times: int = 1) -> None:
        """Let the next *times* calls of *method* raise *error*; with *done* the work happens and its answer is lost."""
        with self._lock:
            self._faults.append(Fault(method, error, done, times))

    def forget_history(self) -> None:
        """No token given so far is known any more."""
        with self._lock:
            self._history = uuid4().hex[:8]

    def move_to(self, other: MemoryCalendar, mailbox: MailboxId) -> None:
        """The mailbox moves to another server, where everything in it has other keys."""
        with self._lock, other._lock:
            self._away.add(mailbox)
            other._away.discard(mailbox)
            if other._exist is not None:
                other._exist.add(mailbox)
            for key, thing in self._calendars.pop(mailbox, Calendar()).things.items():
                other._store(other._calendar(mailbox), f"{key}-{uuid4().hex[:8]}", thing)

    @contextmanager
    def _turn(self, method: str, mailbox: Mailbox) -> Iterator[Calendar]:
        """One call at a time; faults strike before the work, or after it when it is ``done``."""
        with self._lock:
            fault = self._fault(method)
            if fault and not fault.done:
                raise fault.error
            if mailbox.id in self._away or (self._exist is not None and mailbox.id not in self._exist):
                raise HostedElsewhere(f"There is no calendar of {mailbox.id!r} in memory.")
            yield self._calendar(mailbox.id)
            if fault:
                raise fault.error

    def _fault(self, method: str) -> Fault | None:
        fault = next((f for f in self._faults if f.method == method), None)
        if fault:
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
        return fault

    def _calendar(self, mailbox: MailboxId) -> Calendar:
        return self._calendars.setdefault(mailbox, Calendar())

    def _store(self, calendar: Calendar, key: GroupKey, thing: Thing) -> Entry:
        self._number += 1
        calendar.things[key] = numbered = replace(thing, number=self._number)
        calendar.log[key] = self._number
        return _entry(key, numbered)

    def _remove(self, calendar: Calendar, key: GroupKey) -> None:
        self._number += 1
        calendar.things.pop(key, None)
        calendar.log[key] = self._number

    def _since(self, since: Since | None) -> int | None:
        """The number *since* stands for; None asks for everything."""
        if since is None or since.token is None:
            return None
        return self._parse(since.token)

    def _parse(self, token: ChangeToken) -> int:
        history, _, number = token.partition(":")
        if history != self._history or not number.isdigit() or int(number) > self._number:
            raise TokenExpired("The calendar in memory does not know this token any more; read everything.")
        return int(number)

    def _knows(self, token: ChangeToken | None, number: int) -> bool:
        """Whether *token* was given after change *number*."""
        try:
            return token is not None and self._parse(token) >= number
        except TokenExpired:
            return False

    @staticmethod
    def _unlike(keys: set[GroupKey], calendar: Calendar, memory: Memory, number: int | None) -> set[GroupKey]:
        """Those whose version is not held; a full listing need not repeat the others."""
        if number is not None:
            return keys
        held = memory.versions()
        return {key for key in keys if held.get(key) != str(calendar.things[key].number)}


def _demand(calendar: Calendar, entry: Entry) -> None:
    """The object must stand as it was read."""
    thing = calendar.things.get(entry.key)
    if thing is None or str(thing.number) != entry.version:
        raise VersionConflict(f"The entry {entry.uid} was changed or removed since it was read.")


def _written(draft: EntryDraft) -> Thing:
    occurrence = Occurrence(draft.uid, None, draft.interval, draft.busy, categories=draft.categories, stamp=draft.stamp)
    return Thing(0, (occurrence,), draft)


def _entry(key: GroupKey, thing: Thing) -> Entry:
    draft = thing.draft
    if draft is None:
        return Entry(key, str(thing.number), "", None, "", None, "")
    return Entry(
        key=key,
        version=str(thing.number),
        uid=draft.uid,
        interval=draft.interval,
        location=draft.location,
        stamp=draft.stamp,
        digest=digest(draft.interval, draft.summary, draft.location),
        categories=draft.categories,
        cancelled=thing.cancelled,
        room_answer="ACCEPTED" if draft.room else None,
    )


def _group(key: GroupKey, thing: Thing, window: Interval) -> Group:
    shown = () if thing.cancelled else thing.occurrences
    return _expanded(key, str(thing.number), shown, window)


def _expanded(key: GroupKey, version: str, occurrences: tuple[Occurrence, ...], window: Interval) -> Group:
    spans = [o.interval for o in occurrences]
    return Group(
        key=key,
        version=version,
        occurrences=tuple(o for o in occurrences if o.interval.overlaps(window)),
        memory=json.dumps([_kept(o) for o in occurrences]).encode(),
        first=min((s.start for s in spans), default=NEVER),
        last=max((s.end for s in spans), default=NEVER),
    )


def _unreadable(key: GroupKey, thing: Thing) -> Unreadable:
    text = f"{key} {thing.unreadable}".encode()
    return Unreadable(key, str(thing.number), sha256(text).hexdigest(), thing.unreadable or "")


def _recalled(
    keys: Collection[GroupKey], window: Interval, covered: Interval | None, memory: Memory
) -> dict[GroupKey, Group]:
    """Groups we need not send again, expanded anew where they reach into the part of the window not yet covered."""
    fresh = subtract(window, [covered]) if covered else [window]
    touching = {key for span in fresh for key in memory.touching(span)}
    found: dict[GroupKey, Group] = {}
    for key, kept in memory.recall(sorted(touching & set(keys))).items():
        occurrences = tuple(_restored(fields) for fields in json.loads(kept.memory))
        found[key] = _expanded(key, kept.version, occurrences, window)
    return found


def _kept(o: Occurrence) -> list[object]:
    """What the port gives to be remembered: times and ids, as everywhere."""
    original = o.original_start.timestamp() if o.original_start else None
    stamp = o.stamp.encode() if o.stamp else None
    times = [o.interval.start.timestamp(), o.interval.end.timestamp()]
    return [o.uid, original, *times, o.busy.value, o.all_day, o.recurring, list(o.categories), stamp]


def _restored(fields: list[object]) -> Occurrence:
    uid, original, start, end, busy, all_day, recurring, categories, stamp = fields
    return Occurrence(
        uid=str(uid),
        original_start=_moment(original) if original is not None else None,
        interval=Interval(_moment(start), _moment(end)),
        busy=BusyType(str(busy)),
        all_day=bool(all_day),
        recurring=bool(recurring),
        categories=tuple(categories) if isinstance(categories, list) else (),
        stamp=Stamp.decode(str(stamp)) if stamp else None,
    )


def _moment(seconds: object) -> datetime:
    return datetime.fromtimestamp(float(str(seconds)), UTC)
