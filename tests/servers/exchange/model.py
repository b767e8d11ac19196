"""What a mailbox holds: items, series with exceptions, attendees; and how they look at one date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

from tests.servers.exchange.recurrence import Recurrence
from tests.servers.exchange.zones import from_wall, wall

Values: TypeAlias = dict[str, Any]
"""Element name of the schema → value; ``Attendees`` holds all three lists."""
ExtendedKey: TypeAlias = tuple[str, str, str]
"""(property set or tag, name or id, type)"""

FREE = frozenset({"Free", "WorkingElsewhere", "NoData"})


@dataclass(frozen=True)
class Address:
    """A mail address with its display name."""

    email: str
    name: str = ""
    kind: str = "Mailbox"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self.email.lower() == other.email.lower()

    def __hash__(self) -> int:
        return hash(self.email.lower())


@dataclass(frozen=True)
class Attendee:
    """Somebody invited.

    :param role: RequiredAttendees, OptionalAttendees or Resources.
    :param response: Unknown, NoResponseReceived, Tentative, Accept or Decline, as the organiser knows it.
    """

    address: Address
    role: str
    response: str = "Unknown"
    replied: datetime | None = None


@dataclass
class Deviation:
    """One date of a series that differs, or is deleted."""

    values: Values = field(default_factory=dict)
    extended: dict[ExtendedKey, Any] = field(default_factory=dict)
    deleted: bool = False


@dataclass
class Entry:
    """One item of a folder; a series is one item.

    :param kind: the element's name, such as CalendarItem, Message or MeetingRequest.
    :param original: the date of a series to which somebody was invited without the rest of it.
    :param created: number of the change that made it, and *changed* of the latest; for sync states.
    """

    number: int
    kind: str
    folder: str
    values: Values
    extended: dict[ExtendedKey, Any] = field(default_factory=dict)
    recurrence: Recurrence | None = None
    exceptions: dict[datetime, Deviation] = field(default_factory=dict)
    original: datetime | None = None
    created: int = 0
    changed: int = 0
    field_changes: dict[str, int] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        return str(self.values.get("UID", ""))

    @property
    def zone(self) -> str:
        return str(self.values.get("StartTimeZone", "UTC"))

    @property
    def organizer(self) -> Address | None:
        found = self.values.get("Organizer")
        return found if isinstance(found, Address) else None

    @property
    def attendees(self) -> tuple[Attendee, ...]:
        return tuple(self.values.get("Attendees", ()))

    def whole(self) -> Sight:
        """The item itself; the master of a series."""
        return Sight(self, self.original, self.values, self.extended, "RecurringMaster" if self.recurrence else "")

    def originals(self) -> Iterator[datetime]:
        """Original starts of the series, in order and perhaps without end; deleted ones are among them."""
        if self.recurrence is None:
            return
        at = wall(self.values["Start"], self.zone).time()
        for day in self.recurrence.dates():
            yield from_wall(datetime.combine(day, at), self.zone)

    def occurrence(self, original: datetime) -> Sight | None:
        """The series at the date that began as *original*; None if that date is deleted."""
        change = self.exceptions.get(original)
        if change is not None and change.deleted:
            return None
        start, end = self._times(original)
        values = {**self.values, "Start": start, "End": end, **(change.values if change else {})}
        extended = {**self.extended, **(change.extended if change else {})}
        return Sight(self, original, values, extended, "Exception" if change else "Occurrence")

    def _times(self, original: datetime) -> tuple[datetime, datetime]:
        """The series keeps its wall clock, at both ends."""
        first, last = wall(self.values["Start"], self.zone), wall(self.values["End"], self.zone)
        return original, from_wall(wall(original, self.zone) + (last - first), self.zone)

    def between(self, start: datetime, end: datetime) -> list[Sight]:
        """Everything dated of it that touches the span, in order; an entry without length touches at its start.

        A corrupt one shows nowhere: no view tells that something is missing.
        """
        if self.values.get("Corrupt"):
            return []
        if self.recurrence is None:
            return [one for one in (self.whole(),) if one.touches(start, end)]
        found = [one for one in map(self.occurrence, self._near(start, end)) if one and one.touches(start, end)]
        return sorted(found, key=lambda one: (one.start, one.original))

    def _near(self, start: datetime, end: datetime) -> list[datetime]:
        length = self.values["End"] - self.values["Start"] + timedelta(hours=2)
        dates: set[datetime] = {one for one, change in self.exceptions.items() if not change.deleted}
        for original in self.originals():
            if original >= end:
                break
            if original + length >= start:
                dates.add(original)
        return sorted(dates)

    def copy(self) -> Entry:
        """A snapshot, as a message carries it."""
        return deepcopy(self)


@dataclass(frozen=True)
class Sight:
    """An item as a reader sees it: whole, or at one date of a series.

    :param dated: Occurrence or Exception, RecurringMaster, or nothing for a single item.
    """

    entry: Entry
    original: datetime | None
    values: Mapping[str, Any]
    extended: Mapping[ExtendedKey, Any]
    dated: str

    @property
    def start(self) -> datetime:
        start = self.values["Start"]
        assert isinstance(start, datetime)
        return start

    @property
    def end(self) -> datetime:
        end = self.values["End"]
        assert isinstance(end, datetime)
        return end

    @property
    def attendees(self) -> tuple[Attendee, ...]:
        return tuple(self.values.get("Attendees", ()))

    @property
    def kind(self) -> str:
        """CalendarItemType of the schema."""
        if not self.dated and self.original is not None:
            return "Exception"
        return self.dated or "Single"

    @property
    def busy(self) -> bool:
        """Whether it takes time in free/busy."""
        return not self.values.get("IsCancelled") and self.values.get("LegacyFreeBusyStatus", "Busy") not in FREE

    def touches(self, start: datetime, end: datetime) -> bool:
        if self.start == self.end:
            return start <= self.start < end
        return self.start < end and self.end > start


def utc(moment: datetime) -> datetime:
    """The same instant in UTC, without fractions of a second; clients' own kinds of datetime become plain ones."""
    return datetime.fromtimestamp(int(moment.timestamp()), UTC)


def day_of(moment: datetime, zone: str) -> date:
    """The date that calendars in *zone* show."""
    return wall(moment, zone).date()
