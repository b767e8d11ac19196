"""What the service remembers: mailboxes, their events and the history that delta queries walk along."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.servers.graph import recurrence as rule
from tests.servers.graph.wire import GraphError, midnight, not_found, opened, sealed, zone

Values = dict[str, Any]


@dataclass
class RoomPolicy:
    """Set-CalendarProcessing of a room.

    :param delay: seconds from the invitation to the answer.
    :param silent: it never answers.
    :param book_in_policy: who may book it; None for all. Others are declined, and the create says nothing of it.
    """

    delay: float = 0.0
    silent: bool = False
    book_in_policy: tuple[str, ...] | None = None
    capacity: int = 6


@dataclass
class Event:
    """A single event or a whole series.

    :param values: as in Graph's JSON, but ``start`` and ``end`` are UTC instants, or dates when it lasts all day.
    :param zone: in which it was made; a series keeps its wall clock.
    :param exceptions: values that differ, by the date the rule gave.
    :param raw: laid over its JSON as it is, to play what no document foresees.
    """

    number: int
    uid: str
    values: Values
    zone: str = "UTC"
    recurrence: Values | None = None
    exceptions: dict[date, Values] = field(default_factory=dict)
    dropped: set[date] = field(default_factory=set)
    extended: dict[str, str] = field(default_factory=dict)
    raw: Values = field(default_factory=dict)
    changed: int = 0
    created: int = 0
    born: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    touched: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def instances(self, start: datetime, end: datetime) -> Iterator[Instance]:
        """What stands between two instants, oldest date first; a single event is its own only instance."""
        if self.recurrence is None:
            one = Instance(self, None, self.values)
            if one.touches(start, end):
                yield one
            return
        for each in rule.dates(self.recurrence):
            if midnight(each, self.zone) > end + timedelta(days=366):
                return
            if each not in self.dropped and (one := self.at(each)).touches(start, end):
                yield one

    def whole(self) -> Instance:
        """The event or series itself."""
        return Instance(self, None, self.values)

    def at(self, original: date) -> Instance:
        """The instance of a date, as its exception has it."""
        return Instance(self, original, {**self.ruled(original), **self.exceptions.get(original, {})})

    def ruled(self, original: date) -> Values:
        """What the rule alone puts on a date."""
        base = self.values
        if isinstance(base["start"], datetime):
            local = base["start"].astimezone(zone(self.zone))
            start = local.replace(year=original.year, month=original.month, day=original.day).astimezone(UTC)
            length = base["end"] - base["start"]
        else:
            return {**base, "start": original, "end": original + (base["end"] - base["start"])}
        return {**base, "start": start, "end": start + length}

    def has(self, original: date) -> bool:
        """Whether the rule has this date and nobody deleted it."""
        if self.recurrence is None or original in self.dropped:
            return False
        return any(one == original for one in _until(rule.dates(self.recurrence), original))


def _until(dates: Iterator[date], last: date) -> Iterator[date]:
    for one in dates:
        if one > last:
            return
        yield one


@dataclass(frozen=True)
class Instance:
    """One dated instance; ``original`` is None for a single event or the series itself."""

    event: Event
    original: date | None
    values: Values

    @property
    def kind(self) -> str:
        """Graph's eventType."""
        if self.original is not None:
            return "exception" if self.original in self.event.exceptions else "occurrence"
        return "seriesMaster" if self.event.recurrence else "singleInstance"

    def span(self) -> tuple[datetime, datetime]:
        """From when to when it lasts; whole days in the zone it was made in."""
        start, end = self.values["start"], self.values["end"]
        if isinstance(start, datetime):
            return start, end
        return midnight(start, self.event.zone), midnight(end, self.event.zone)

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether it lies at least partly between two instants."""
        own = self.span()
        return own[0] < end and (own[1] > start or own[0] >= start)


@dataclass
class Mailbox:
    """One mailbox.

    :param generation: of its delta tokens; older ones are answered by 410.
    :param hosted: ``cloud`` or ``onprem``.
    :param teams: whether its owner may make Teams meetings. :param teams_delay: seconds until a join link is there.
    :param writable: whether the application may change it, if it is *allowed* in.
    :param enabled: whether its account may sign in. :param guest: somebody of another organisation.
    :param place: what Places knows of a room beside its name and seats.
    """

    address: str
    name: str
    zone: str = "Romance Standard Time"
    policy: RoomPolicy | None = None
    hosted: str = "cloud"
    teams: bool = True
    teams_delay: float = 0
    allowed: bool = True
    writable: bool = True
    enabled: bool = True
    guest: bool = False
    place: Values = field(default_factory=dict)
    generation: int = 149
    events: dict[int, Event] = field(default_factory=dict)
    tombstones: list[tuple[int, int, bool]] = field(default_factory=list)


@dataclass(order=True)
class Due:
    """Something that happens at its time, in order of asking."""

    at: datetime
    order: int
    act: Callable[[], None] = field(compare=False)


class World:
    """Everything behind one address; who uses it holds `lock`."""

    def __init__(self, clock: Callable[[], datetime] | None = None, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.dice = random.Random(seed)
        self.boxes: dict[str, Mailbox] = {}
        self.groups: dict[str, list[str]] = {}
        self.room_lists: dict[str, tuple[str, list[str]]] = {}
        self.wide = False
        """Whether the application may open every mailbox, whatever its scope."""
        self.numbers_only = False
        """Whether members of groups are told by their id alone, for want of a permission."""
        self.translations: dict[tuple[str, str], int] = {}
        """Numbers of events by mailbox and the id they had on the premises."""
        self.posted: list[tuple[str, str, str]] = []
        self._numbers = self._changes = 0
        self._queue: list[Due] = []

    def box(self, address: str) -> Mailbox:
        """The mailbox of an address, if Graph may open it.

        :raises GraphError: there is none, it is on-premise, or out of the application's scope.
        """
        box = self.boxes.get(address.lower())
        if box is None:
            raise GraphError(404, "ErrorInvalidUser", f"The requested user '{address}' is invalid.")
        if box.hosted != "cloud":
            text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise GraphError(404, "MailboxNotEnabledForRESTAPI", text)
        if not box.allowed and not self.wide:
            raise GraphError(403, "ErrorAccessDenied", "Access to OData is disabled.")
        return box

    def tick(self) -> int:
        """The next number of the history."""
        self._changes += 1
        return self._changes

    @property
    def changes(self) -> int:
        """The newest number of the history."""
        return self._changes

    def add(self, box: Mailbox, values: Values, made_in: str, uid: str = "", recurrence: Values | None = None) -> Event:
        """Store a new event."""
        self._numbers += 1
        uid = uid or f"040000008200E00074C5B7101A82E008{self.dice.getrandbits(128):032X}{self._numbers:08X}"
        event = Event(self._numbers, uid, values, made_in, recurrence, born=self.clock())
        box.events[event.number] = event
        event.created = self.touch(event)
        return event

    def touch(self, event: Event) -> int:
        """Give an event its next version."""
        event.changed, event.touched = self.tick(), self.clock()
        return event.changed

    def remove(self, box: Mailbox, event: Event) -> None:
        """Delete it; its tombstone remains in the history."""
        del box.events[event.number]
        box.tombstones.append((self.tick(), event.number, event.recurrence is not None))

    def find(self, box: Mailbox, item: str) -> Instance:
        """The event or instance of an id, in either kind of ids.

        :raises GraphError: 404.
        """
        number, _, original = opened(item[4:]).partition("|")[2].partition("|")
        event = box.events.get(int(number)) if number.isdigit() else None
        if event is None or not item.startswith(("AAMk", "AAkA")):
            raise not_found()
        if not original:
            return event.whole()
        if not event.has(date.fromisoformat(original)):
            raise not_found()
        return event.at(date.fromisoformat(original))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._queue, Due(self.clock() + timedelta(seconds=seconds), self.tick(), act))

    def settle(self) -> None:
        """Let everything happen whose time has come."""
        while self._queue and self._queue[0].at <= self.clock():
            heapq.heappop(self._queue).act()


def id_of(box: Mailbox, number: int, original: date | None, immutable: bool) -> str:
    """The id of an event or occurrence: made of the series and the date, so that a moved series has new ones."""
    text = sealed(f"{box.address}|{number}" + (f"|{original}" if original else ""))
    return ("AAkA" if immutable else "AAMk") + text


def etag_of(event: Event) -> str:
    """Its ``@odata.etag``, made of the change key."""
    return f'W/"{change_key(event)}"'


def change_key(event: Event) -> str:
    """Changes with every version."""
    return sealed(f"CK{event.number}.{event.changed}")
