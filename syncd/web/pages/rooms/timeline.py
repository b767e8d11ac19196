"""Draws days of rooms: where on a line each bar stands, and what it says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncd.booking.room_board import Bar, Kind, RoomBoard
from syncd.model.directory import MailboxId, Room, Site
from syncd.model.interval import Interval
from syncd.model.zones import instant, wall_clock
from syncd.web.pages.language import N_, Language
from syncd.web.pages.rooms.standing import hours_of

USUAL = (8, 16)
"""Hours that are shown at least."""
SPOKEN: Mapping[Kind, str] = {
    Kind.CITIZEN: N_("Booked by a citizen"),
    Kind.STAFF: N_("Booked by staff"),
    Kind.DIRECT: N_("Put straight into the room's calendar"),
    Kind.PENDING: N_("Booked; the room has not answered yet"),
    Kind.HELD: N_("Kept while somebody is booking"),
    Kind.CLOSED: N_("Closed"),
    Kind.RELEASED: N_("Given back"),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bar on a line. :param x, width: per cent of the line. :param words: what it says to whoever cannot see it."""

    kind: Kind
    x: str
    width: str
    words: str
    label: str
    meeting: str | None
    moved: bool
    pinned: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One room on one day. :param shut: when it is not open, as (x, width) in per cent."""

    room: Room
    day: date
    known: bool
    bars: tuple[Drawn, ...]
    shut: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """The hours of a day from left to right."""

    day: date
    zone: str
    first: int
    last: int

    @classmethod
    def over(cls, day: date, site: Site, spans: Iterable[Interval]) -> Scale:
        """A scale that shows the usual hours and everything in *spans* that is on this day."""
        first, last = USUAL
        for one in spans:
            start, end = wall_clock(one.start, site.zone), wall_clock(one.end, site.zone)
            if start.date() == day:
                first = min(first, start.hour)
            if end.date() == day:
                last = max(last, end.hour + (end.minute > 0))
        return cls(day, site.zone, first, min(24, last))

    @property
    def whole(self) -> Interval:
        """What is shown."""
        begin = instant(self.day, datetime.min.time().replace(hour=self.first), self.zone)
        return Interval(begin, begin + timedelta(hours=self.last - self.first))

    @property
    def hours(self) -> list[tuple[int, str]]:
        """Full hours and where they stand, in per cent."""
        return [
            (hour, _percent((hour - self.first) / (self.last - self.first))) for hour in range(self.first, self.last)
        ]

    def place(self, span: Interval) -> tuple[str, str] | None:
        """Where the part of *span* that is shown begins and how wide it is; None when nothing of it is."""
        part = span.clip(self.whole)
        if part is None:
            return None
        length = self.whole.duration
        return _percent((part.start - self.whole.start) / length), _percent(part.duration / length)

    def mark(self, at: datetime) -> str | None:
        """Where an instant stands; None when it is not shown."""
        if not self.whole.start <= at < self.whole.end:
            return None
        return _percent((at - self.whole.start) / self.whole.duration)


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"


def scale_of(day: date, site: Site, boards: Sequence[RoomBoard]) -> Scale:
    """One scale for all rooms of a day."""
    hours = [found for board in boards if (found := hours_of(board.room, site, day)) and _kept(found)]
    return Scale.over(
        day, site, [*hours, *(bar.interval for board in boards for bar in board.bars if _kept(bar.interval))]
    )


def _kept(span: Interval) -> bool:
    """Whether a span may stretch the scale: what lasts a day does not."""
    return span.duration < timedelta(hours=16)


def line(
    board: RoomBoard, scale: Scale, site: Site, speaking: Language, names: Mapping[MailboxId, str], most: int = 200
) -> Line:
    """One room's line. :param names: what our people are called; empty for whoever may not know."""
    bars = [drawn for bar in board.bars[:most] if (drawn := _drawn(bar, scale, speaking, names))]
    return Line(
        board.room,
        scale.day,
        board.known,
        tuple(sorted(bars, key=lambda one: one.kind is Kind.RELEASED)),
        _shut(board.room, scale, site),
    )


def _shut(room: Room, scale: Scale, site: Site) -> tuple[tuple[str, str], ...]:
    """What is not within the room's hours."""
    hours, whole = hours_of(room, site, scale.day), scale.whole
    if hours is None:
        return ((_percent(0), _percent(1)),)
    edges = [(whole.start, min(hours.start, whole.end)), (max(hours.end, whole.start), whole.end)]
    found = (scale.place(Interval(start, end)) for start, end in edges if start < end)
    return tuple(place for place in found if place)


def _drawn(bar: Bar, scale: Scale, speaking: Language, names: Mapping[MailboxId, str]) -> Drawn | None:
    place = scale.place(bar.interval)
    if place is None:
        return None
    start, end = (speaking.clock(at, scale.zone) for at in (bar.interval.start, bar.interval.end))
    words = [f"{start}–{end}", speaking.say(SPOKEN[bar.kind])]
    words += [name] if (name := names.get(bar.caseworker or "")) else []
    words += [bar.reason] if bar.reason else []
    words += [speaking.say(N_("was moved"))] if bar.moved else []
    words += [speaking.say(N_("stays in this room"))] if bar.pinned else []
    return Drawn(bar.kind, *place, ", ".join(words), bar.reason or start, bar.meeting, bar.moved, bar.pinned)
