"""A calendar server with rough habits, for tests of the sync engine: forgets tokens, truncates, breaks, goes away.

It shares no code with the adapters, so that a mistake in one of them cannot hide here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from syncd.errors import TokenExpired
from syncd.model.busy import BusyType, Occurrence, Stamp
from syncd.model.delta import Delta, Group, Since, Unreadable
from syncd.model.directory import Directory, Mailbox, MailboxKind
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval
from syncd.ports import CheckResult, Memory

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def mailbox(name: str = "kim", **fields: Any) -> Mailbox:
    """A caseworker's calendar on the account ``test``."""
    defaults = {"account": "test", "address": f"{name}@example.org", "zone": "Europe/Copenhagen"} | fields
    return Mailbox(name, MailboxKind.PERSON, **defaults)


def directory(*mailboxes: Mailbox) -> Directory:
    """A directory that knows only mailboxes."""
    return Directory("Test", {}, {}, {}, mailboxes={one.id: one for one in mailboxes or (mailbox(),)})


def busy(start: datetime, minutes: int = 60, *, uid: str = "x", stamp: Stamp | None = None) -> Occurrence:
    """A busy hour, or as many minutes."""
    return Occurrence(uid, None, Interval.at(start, minutes), BusyType.BUSY, stamp=stamp)


@dataclass
class Item:
    """One object on the server; without occurrences and broken, it cannot be understood."""

    occurrences: tuple[Occurrence, ...]
    version: int
    broken: bool = False


@dataclass
class RoughServer:
    """One calendar, as a `CalendarPort` that only reads."""

    items: dict[str, Item] = field(default_factory=dict)
    serial: int = 0
    log: list[tuple[int, str]] = field(default_factory=list)
    oldest_token: int = 0
    has_tokens: bool = True
    hidden: frozenset[str] = frozenset()
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    calls: list[Since | None] = field(default_factory=list)

    def put(self, key: str, *occurrences: Occurrence, broken: bool = False) -> None:
        """Create or replace an object."""
        self.serial += 1
        self.items[key] = Item(occurrences, self.serial, broken)
        self.log.append((self.serial, key))

    def remove(self, key: str) -> None:
        """Delete an object; afterwards only a tombstone tells of it."""
        self.serial += 1
        del self.items[key]
        self.log.append((self.serial, key))

    def forget_tokens(self) -> None:
        """Let every token handed out so far expire."""
        self.serial += 1
        self.oldest_token = self.serial

    def truth(self, window: Interval) -> set[tuple[str, Occurrence]]:
        """What a perfect mirror of *window* holds."""
        return {
            (key, o)
            for key, item in self.items.items()
            if not item.broken
            for o in item.occurrences
            if o.interval.overlaps(window)
        }

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """What a server would say, lies included."""
        self.calls.append(since)
        self.before()
        if since is not None and since.token is not None and int(since.token) < self.oldest_token:
            raise TokenExpired("The change token is not known any more.")
        delta = self._delta(window, since, memory)
        self.after()
        return delta

    def _delta(self, window: Interval, since: Since | None, memory: Memory) -> Delta:
        visible = {key: item for key, item in self.items.items() if key not in self.hidden}
        if since is not None and since.token is not None:
            named = {key for serial, key in self.log if serial > int(since.token)}
            present = None
        else:
            held = memory.versions()
            named = {key for key, item in visible.items() if since is None or held.get(key) != str(item.version)}
            present = frozenset(visible)
        grown = {key for key in memory.touching(window) if key in visible} if _grew(window, since) else set()
        changed = {key: visible[key] for key in (named | grown) if key in visible}
        return Delta(
            groups=tuple(_group(key, item, window) for key, item in changed.items() if not item.broken),
            gone=tuple(sorted(named - visible.keys())) if present is None else (),
            present=present,
            covers=window,
            token=str(self.serial) if self.has_tokens else None,
            unreadable=tuple(_broken(key, item) for key, item in changed.items() if item.broken),
            requests=1,
        )

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """Nothing of ours is here."""
        return ()

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """The engine must never write."""
        raise AssertionError("the sync engine wrote to a calendar")

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """The engine must never write."""
        raise AssertionError("the sync engine wrote to a calendar")

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """The engine must never write."""
        raise AssertionError("the sync engine wrote to a calendar")

    def check(self, mailbox: Mailbox) -> CheckResult:
        """Always well."""
        return CheckResult(True, "well", {})


def _grew(window: Interval, since: Since | None) -> bool:
    return since is not None and not since.covered.contains(window)


def _group(key: str, item: Item, window: Interval) -> Group:
    spans = [o.interval for o in item.occurrences]
    return Group(
        key=key,
        version=str(item.version),
        occurrences=tuple(o for o in item.occurrences if o.interval.overlaps(window)),
        memory=key.encode(),
        first=min((span.start for span in spans), default=NOW),
        last=max((span.end for span in spans), default=NOW),
    )


def _broken(key: str, item: Item) -> Unreadable:
    return Unreadable(key, str(item.version), sha256(repr(item.occurrences).encode()).hexdigest(), "it has no start")


def hours(start: datetime, numbers: Iterable[int]) -> list[Occurrence]:
    """A busy hour *n* hours after *start*, for each number."""
    return [busy(start + timedelta(hours=n)) for n in numbers]
