"""The calendar port over CalDAV."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from syncd.adapters.caldav.changes import Fetched, Look, Token, content_version, fetch, look
from syncd.adapters.caldav.client import CaldavAccount, Client
from syncd.adapters.caldav.discovery import Discovery, Place
from syncd.adapters.caldav.entries import Entries
from syncd.adapters.caldav.glance import Glance
from syncd.adapters.caldav.hours import KEY, OpeningHours
from syncd.adapters.caldav.ics import ReadObject, Unparsable, read_object, read_outside, recall_object
from syncd.adapters.caldav.known import OF_SERVER, Known
from syncd.adapters.caldav.survey import invited, survey
from syncd.clock import Clock, SystemClock
from syncd.errors import CalendarError, CalendarNotFound
from syncd.model.delta import Delta, Group, GroupKey, Since, Unreadable, Version
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval, subtract
from syncd.ports import CheckResult, Glimpse, Memory


class CaldavCalendar:
    """The calendars of one account on a CalDAV server; implements `syncd.ports.CalendarPort` and `Glancing`.

    Safe to be called by several threads at once.

    :param obeyed: names of the categories that mean something to us; all others are dropped on reading.
    """

    def __init__(self, account: CaldavAccount, *, obeyed: Collection[str] = (), clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._client = Client(account, self._clock)
        self._discovery = Discovery(self._client)
        self._glance = Glance(self._client, self._discovery)
        self._hours = OpeningHours(self._client)
        self._known = Known()
        self._obeyed = frozenset(obeyed)

    def close(self) -> None:
        """Let go of kept connections."""
        self._client.close()

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """See `CalendarPort.changes`.

        A token that the server has forgotten is answered by a full listing at once. ``Since`` with a token of None
        asks for a full listing too, and still expands anew only what touches the part of *window* not covered yet.
        """
        with self._client.call() as call:
            place = self._discovery.place(mailbox)
            ctag = self._glance.take(place)
            since = _believed(since, place)
            try:
                fresh = since is None and self._known.syncs and not memory.versions()
                seen = look(self._client, place, since.token if since else None, fresh=fresh)
            except CalendarNotFound:
                self._discovery.forget(mailbox)
                raise
            if seen.token.ctag is None:
                seen.token = replace(seen.token, ctag=ctag)
            reading = Reading(self._client, place, mailbox, window, self._obeyed)
            if place.hours:
                reading.take_hours(seen, self._hours.text(place), memory)
            reading.renew(seen, since.covered if since else None, memory)
            return reading.delta(seen, call.requests)

    def glance(self, asked: Collection[tuple[Mailbox, Since]]) -> Glimpse:
        """See `Glancing.glance`; one request for each calendar home that holds several of *asked*."""
        if self._client.account.opening_hours:
            return Glimpse(frozenset(), 0)  # no mark of a calendar tells of its owner's hours
        with self._client.call() as call:
            return Glimpse(self._glance.unchanged(asked), call.requests)

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """See `CalendarPort.find`."""
        with self._client.call():
            return self._entries(mailbox).find(uid)

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """See `CalendarPort.create`."""
        with self._client.call():
            return self._entries(mailbox).create(draft)

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """See `CalendarPort.update`."""
        with self._client.call():
            return self._entries(mailbox).update(entry, draft)

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """See `CalendarPort.delete`."""
        with self._client.call():
            self._entries(mailbox).delete(entry)

    def check(self, mailbox: Mailbox) -> CheckResult:
        """See `CalendarPort.check`."""
        try:
            with self._client.call():
                place = self._discovery.place(mailbox)
                found = survey(self._client, place, self._known, self._clock.now())
                if mailbox.invited:
                    return invited(place, found)
                return self._with_hours(place, found) if place.hours else found
        except CalendarError as error:
            return CheckResult(ok=False, says=str(error), facts={"error": type(error).__name__})

    def of_server(self, found: CheckResult) -> Mapping[str, str]:
        """See `syncd.ports.Learning.of_server`."""
        return {name: found.facts[name] for name in OF_SERVER if name in found.facts}

    def remember(self, facts: Mapping[str, str]) -> None:
        """See `syncd.ports.Learning.remember`."""
        self._known.remember(facts)

    def answers(self, room: Mailbox) -> bool:
        """See `syncd.ports.Inviting.answers`."""
        return room.kind is MailboxKind.ROOM and room.invited

    def silence(self, room: Mailbox) -> str:
        """See `syncd.ports.Inviting.silence`."""
        return (
            f"{room.address} was invited and has not answered yet. Somebody or something must answer for it; "
            'otherwise set rooms = "write" in its account.'
        )

    def _with_hours(self, place: Place, found: CheckResult) -> CheckResult:
        """*found*, and whether the calendar's owner has set opening hours."""
        has = self._hours.text(place) is not None
        told = "its owner's opening hours are followed" if has else "its owner has set no opening hours"
        facts = {**found.facts, "opening_hours": "set" if has else "none"}
        return CheckResult(found.ok, f"{found.says.removesuffix('.')}; {told}.", facts)

    def _entries(self, mailbox: Mailbox) -> Entries:
        return Entries(self._client, self._discovery.place(mailbox), mailbox, self._clock, self._known)


@dataclass(slots=True)
class Reading:
    """One pass over one calendar: fetches what is new, expands what the window needs, and sums up.

    :param hours: its owner's opening hours, as they are on the server now.
    """

    client: Client
    place: Place
    mailbox: Mailbox
    window: Interval
    obeyed: frozenset[str]
    groups: dict[GroupKey, Group] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    gone: set[GroupKey] = field(default_factory=set)
    hours: Fetched | None = None

    def renew(self, seen: Look, covered: Interval | None, memory: Memory) -> None:
        """Fetch what *seen* says is new, and expand from *memory* what reaches into the uncovered window."""
        wanted = [key for key in seen.versions if key != KEY]
        if wanted:
            held = memory.versions()
            # SOGo repeats what did not change; a full listing names everything.
            wanted = [key for key in wanted if not seen.versions[key] or held.get(key) != seen.versions[key]]
        lost = self._recall(seen, set(wanted), covered, memory)
        for fetched in fetch(self.client, self.place, sorted({*wanted, *lost} - {KEY})):
            self._take(fetched)
        if self.hours is not None and KEY in lost:
            self._take(self.hours)

    def take_hours(self, seen: Look, text: bytes | None, memory: Memory) -> None:
        """Let the owner's opening hours stand in the mirror like an object of the calendar."""
        held = memory.versions().get(KEY)
        if text is None:
            seen.gone |= {KEY} if held else set()
            return
        self.hours = Fetched(KEY, content_version(text), text)
        if seen.complete:
            seen.versions[KEY] = self.hours.version
        if held != self.hours.version:
            self._take(self.hours)

    def delta(self, seen: Look, requests: int) -> Delta:
        """The sum of it."""
        present = frozenset(seen.versions.keys() - self.gone) if seen.complete else None
        return Delta(
            groups=tuple(self.groups.values()),
            gone=tuple(sorted(seen.gone | self.gone)),
            present=present,
            covers=self.window,
            token=seen.token.encode(),
            unreadable=tuple(self.unreadable),
            requests=requests,
        )

    def _recall(
        self, seen: Look, fetched: set[GroupKey], covered: Interval | None, memory: Memory
    ) -> Iterable[GroupKey]:
        """Expand remembered groups into the new parts of the window; keys whose memory is of no use any more."""
        fresh = subtract(self.window, [covered]) if covered else [self.window]
        keys = {key for span in fresh for key in memory.touching(span)} - fetched - seen.gone - self.groups.keys()
        if seen.complete:
            keys &= seen.versions.keys()
        useless: list[GroupKey] = []
        for key, kept in memory.recall(sorted(keys)).items() if keys else ():
            try:
                read = recall_object(kept.memory, self.mailbox.zone, self.window)
            except Unparsable:
                useless.append(key)
                continue
            if any(o.interval.overlaps(span) for o in read.occurrences for span in fresh):
                self.groups[key] = _group(key, kept.version, read)
        return useless

    def _take(self, fetched: Fetched) -> None:
        """Read one object; one that cannot be understood does not keep the others from being read."""
        key, version, data = fetched.key, fetched.version, fetched.data
        if fetched.refused:
            digest = sha256(f"{key} {version}".encode()).hexdigest()
            self.unreadable.append(Unreadable(key, version, digest, fetched.refused))
        elif data is None:
            self.gone.add(key)
        else:
            try:
                read = read_object(data, self.mailbox.zone, self.window, owner=self.mailbox.address, obeyed=self.obeyed)
            except Unparsable as error:
                outside = read_outside(data, self.mailbox.zone, self.window)
                if outside is None:
                    self.unreadable.append(Unreadable(key, version, sha256(data).hexdigest(), error.reason))
                    return
                read = outside
            self.groups[key] = _group(key, version, read)


def _believed(since: Since | None, place: Place) -> Since | None:
    """*since*, unless its token is of another calendar or an older way of reading: then nothing read counts."""
    if since is None or since.token is None or Token.decode(since.token, place) is not None:
        return since
    return None


def _group(key: GroupKey, version: Version, read: ReadObject) -> Group:
    return Group(key, version, read.occurrences, read.memory, read.first, read.last)
