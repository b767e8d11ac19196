"""The server's memory: mailboxes, who may do what, versions of items, and messages under way."""

from __future__ import annotations

import heapq
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.exchange.ids import ItemKey, change_key, mailbox_mark, new_uid, version_of
from tests.servers.exchange.model import Address, Deviation, Entry, Sight, Values
from tests.servers.exchange.wire import EwsError
from tests.servers.exchange.zones import DEFAULT

FOLDERS = ("calendar", "inbox", "sentitems", "deleteditems", "drafts")
CALENDAR = "calendar"
_KEPT = 20_000


@dataclass
class RoomPolicy:
    """Set-CalendarProcessing of a room, with Exchange's defaults.

    :param processing: AutoAccept, AutoUpdate (tentative, nobody answers) or None (the request lies in the inbox).
    :param delay: seconds from the request's arrival to the answer.
    :param silent: the attendant is ill: nothing happens at all.
    :param organizer_in_subject: AddOrganizerToSubject; the subject itself is gone either way (DeleteSubject).
    """

    processing: str = "AutoAccept"
    delay: float = 0.0
    silent: bool = False
    organizer_in_subject: bool = True
    allow_conflicts: bool = False
    conflict_percentage: int = 0
    max_conflicts: int = 0
    booking_window_days: int = 180
    max_minutes: int = 1440
    enforce_horizon: bool = True
    only_work_hours: bool = False
    book_in_policy: tuple[str, ...] | None = None


@dataclass
class Mailbox:
    """One mailbox.

    :param policy: makes it a room.
    :param backend: the server of the farm that holds it.
    :param shelves: the same entries by folder.
    :param mark: stands for it in ids; it outlives a change of the address.
    """

    address: Address
    zone: str = DEFAULT
    policy: RoomPolicy | None = None
    backend: str = "BE01"
    entries: dict[int, Entry] = field(default_factory=dict)
    shelves: dict[str, dict[int, Entry]] = field(default_factory=dict)
    tombstones: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    last_change: dict[str, int] = field(default_factory=dict)
    sync_epoch: int = 0
    configurations: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    oldest_sync: int = 0
    mark: bytes = b""

    def __post_init__(self) -> None:
        self.mark = self.mark or mailbox_mark(self.address.email)

    def folder(self, name: str) -> Iterator[Entry]:
        """Items of a folder, oldest first."""
        return iter(list(self.shelves.get(name, {}).values()))

    def by_uid(self, uid: str) -> Entry | None:
        """The calendar item of a UID; the newest if there are several."""
        found = [entry for entry in self.folder(CALENDAR) if entry.uid == uid and entry.kind == "CalendarItem"]
        return found[-1] if found else None


@dataclass
class Account:
    """Who logs in.

    :param impersonates: has the ApplicationImpersonation role.
    :param full_access: addresses that it may open without it; ``*`` for all.
    :param application: comes with a token of its own and must always say for whom it asks.
    """

    name: str
    password: str
    address: str = ""
    impersonates: bool = False
    full_access: tuple[str, ...] = ()
    application: bool = False


@dataclass(order=True)
class Due:
    """Something that happens at its time, in order of sending."""

    at: datetime
    order: int
    act: Callable[[], None] = field(compare=False)


@dataclass(frozen=True)
class Change:
    """One change of a folder, for those who listen."""

    mailbox: Mailbox
    folder: str
    event: str
    key: ItemKey
    version: int
    at: datetime
    old: tuple[ItemKey, str] | None = None


class World:
    """Everything behind one address; each public use holds `lock`.

    :param clock: the present instant, UTC.
    :param seed: makes UIDs and chances the same again.

    `post_delay` is how many seconds a message travels.
    With `fidget` set, assistants of the server touch each new or changed item once more after so many seconds: nothing
    of it looks different, but it has another change key.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.seed = seed
        self.dice = random.Random(seed)
        self.boxes: dict[str, Mailbox] = {}
        self.marks: dict[bytes, Mailbox] = {}
        self.aliases: dict[str, str] = {}
        self.accounts: dict[str, Account] = {}
        self.groups: dict[str, tuple[Address, list[str]]] = {}
        self.room_lists: dict[str, tuple[Address, list[str]]] = {}
        self.post_delay = 0.0
        self.fidget: float | None = None
        self.posted: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.listeners: list[Callable[[Change], None]] = []
        self._queue: list[Due] = []
        self._changes = 0
        self._numbers = 0

    # Who and where

    def now(self) -> datetime:
        """The present second, UTC."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def add_mailbox(self, email: str, name: str = "", **more: Any) -> Mailbox:
        """A new, empty mailbox."""
        box = Mailbox(Address(email, name or email.partition("@")[0].title()), **more)
        self.boxes[email.lower()] = box
        self.marks[box.mark] = box
        return box

    def rename_mailbox(self, email: str, new: str) -> None:
        """Give a mailbox another primary address; the old one still leads to it, and ids stay good."""
        box = self.box(email)
        del self.boxes[box.address.email.lower()]
        self.aliases[box.address.email.lower()] = new.lower()
        box.address = Address(new, box.address.name)
        self.boxes[new.lower()] = box

    def remove_mailbox(self, email: str) -> None:
        """Take a mailbox away; its ids and its address mean nothing any more."""
        box = self.box(email)
        del self.boxes[box.address.email.lower()], self.marks[box.mark]

    def find(self, email: str) -> Mailbox | None:
        """The mailbox of an address, primary or not; None if nobody has it."""
        wanted = email.lower()
        while wanted in self.aliases:
            wanted = self.aliases[wanted]
        return self.boxes.get(wanted)

    def box(self, email: str) -> Mailbox:
        """The mailbox of an address.

        :raises EwsError: ErrorNonExistentMailbox.
        """
        found = self.find(email)
        if found is None:
            raise EwsError("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
        return found

    def named(self, email: str, name: str = "") -> Address:
        """An address as the directory knows it."""
        found = self.find(email)
        return found.address if found else Address(email, name or email, "OneOff")

    # Items

    def entry(self, key: ItemKey) -> tuple[Mailbox, Entry]:
        """The item of a key.

        :raises EwsError: ErrorItemNotFound.
        """
        box = self.marks.get(key.mark)
        entry = box.entries.get(key.number) if box else None
        if box is None or entry is None:
            raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
        return box, entry

    def sight(self, key: ItemKey) -> tuple[Mailbox, Sight]:
        """The item or occurrence of a key.

        :raises EwsError: ErrorItemNotFound.
        """
        box, entry = self.entry(key)
        seen = entry.occurrence(key.original) if key.original and entry.recurrence else entry.whole()
        if seen is None:
            raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
        return box, seen

    def key(self, box: Mailbox, sight: Sight) -> ItemKey:
        """What to call an item or occurrence."""
        dated = sight.original if sight.dated in ("Occurrence", "Exception") else None
        return ItemKey(box.mark, sight.entry.number, dated)

    def version_text(self, entry: Entry) -> str:
        """Its ChangeKey."""
        return change_key(entry.number, entry.changed)

    def stale(self, entry: Entry, key: str) -> bool:
        """Whether a ChangeKey names an older version."""
        return version_of(key) != entry.changed

    def add(self, box: Mailbox, folder: str, kind: str, values: Values) -> Entry:
        """Store a new item; the caller fills it before anybody else holds `lock`."""
        entry = self._store(box, folder, kind, values)
        self._tell(box, entry, "Created")
        if folder == "inbox":
            self._tell(box, entry, "NewMail")
        return entry

    def _store(self, box: Mailbox, folder: str, kind: str, values: Values) -> Entry:
        self._numbers += 1
        now = self.now()
        base = {"DateTimeCreated": now, "LastModifiedTime": now, "Sensitivity": "Normal", "Importance": "Normal"}
        entry = Entry(self._numbers, kind, folder, {**base, **values})
        if kind == "CalendarItem" and not entry.uid:
            entry.values["UID"] = new_uid(self.seed, self._numbers)
        box.entries[entry.number] = box.shelves.setdefault(folder, {})[entry.number] = entry
        entry.created = entry.changed = self._next(box, folder)
        return entry

    def touch(self, box: Mailbox, entry: Entry, *fields: str) -> None:
        """Give an item its next version."""
        entry.changed = self._next(box, entry.folder)
        entry.values["LastModifiedTime"] = self.now()
        for one in fields:
            entry.field_changes[one] = entry.changed
        self._tell(box, entry, "Modified")

    def remove(self, box: Mailbox, entry: Entry, to: str | None = None) -> None:
        """Take an item out of its folder; it may lie in another one afterwards, under another id."""
        del box.entries[entry.number], box.shelves[entry.folder][entry.number]
        box.tombstones[entry.number] = (entry.folder, entry.created, self._next(box, entry.folder))
        if to is None:
            self._tell(box, entry, "Deleted")
            return
        moved = self._store(box, to, entry.kind, dict(entry.values))
        moved.extended, moved.recurrence = dict(entry.extended), entry.recurrence
        moved.exceptions, moved.original = dict(entry.exceptions), entry.original
        self._tell(box, moved, "Moved", (ItemKey(box.mark, entry.number), entry.folder))

    def assist(self, box: Mailbox, entry: Entry) -> None:
        """Let the server's assistants come back to an item, if they fidget."""
        if self.fidget is not None:
            self.later(self.fidget, lambda: self.touch(box, entry) if entry.number in box.entries else None)

    def change_at(self, entry: Entry, original: datetime) -> Deviation:
        """The exception at a date, new if there was none."""
        return entry.exceptions.setdefault(original, Deviation())

    def _next(self, box: Mailbox, folder: str) -> int:
        self._changes += 1
        box.last_change[folder] = self._changes
        return self._changes

    def _tell(self, box: Mailbox, entry: Entry, event: str, old: tuple[ItemKey, str] | None = None) -> None:
        key = ItemKey(box.mark, entry.number)
        change = Change(box, entry.folder, event, key, entry.changed, self.now(), old)
        for listener in self.listeners:
            listener(change)

    # Time

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        self._changes += 1
        heapq.heappush(self._queue, Due(self.clock() + timedelta(seconds=seconds), self._changes, act))

    def settle(self) -> None:
        """Let everything happen whose time has come."""
        while self._queue and self._queue[0].at <= self.clock():
            heapq.heappop(self._queue).act()

    def pending(self) -> int:
        """How many things are still to happen."""
        return len(self._queue)
