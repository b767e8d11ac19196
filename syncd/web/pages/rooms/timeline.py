"""Draws days of rooms: where on a line each bar stands, and what it says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache

from markupsafe import Markup, escape

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

    def svg(self, *, links: bool, labels: bool) -> str:
        """The bar as shapes; made here and not in a template, because a week has thousands."""
        marks = " ↷" * self.moved + " ⚲" * self.pinned
        words, shapes = _shapes(self.kind, self.x, self.width, self.words, f"{self.label}{marks}" if labels else None)
        if self.meeting and links:
            return f'<a href="/rooms/meeting/{escape(self.meeting)}" aria-label="{words}" class="bar-link">{shapes}</a>'
        return f'<g role="img" aria-label="{words}">{shapes}</g>'


@lru_cache(maxsize=8192)
def _shapes(kind: Kind, x: str, width: str, words: str, label: str | None) -> tuple[str, str]:
    """The escaped words and the shapes of a bar: the meetings of many rooms look the same."""
    said, released = str(escape(words)), kind is Kind.RELEASED
    y, height = ("72%", "22%") if released else ("10%", "80%")
    text = ""
    if label is not None and not released:
        place = f'x="{x}" dx="6" y="50%" dy=".35em" class="on-{kind.value}" aria-hidden="true"'
        text = f"<text {place}>{escape(label)}</text>"
    rect = f'<rect class="bar-{kind.value}" x="{x}" width="{width}" y="{y}" height="{height}" rx="4"/>'
    return said, f"<title>{said}</title>{rect}{text}"


@dataclass(frozen=True, slots=True)
class Line:
    """One room on one day. :param shut: when it is not open, as (x, width) in per cent."""

    room: Room
    day: date
    known: bool
    bars: tuple[Drawn, ...]
    shut: tuple[tuple[str, str], ...]

    def svg(self, *, links: bool = True, labels: bool = True) -> Markup:
        """The whole line. :param links: each meeting leads to its page. :param labels: bars say when they begin."""
        whole = 'y="0" height="100%"/>'
        parts = [f'<rect class="shut" x="{x}" width="{width}" {whole}' for x, width in self.shut]
        parts += [] if self.known else [f'<rect class="unknown" x="0" width="100%" {whole}']
        parts += [bar.svg(links=links, labels=labels) for bar in self.bars]
        return Markup("".join(parts))  # noqa: S704 - made above of shapes and escaped text


@dataclass(frozen=True)
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

    @cached_property
    def _places(self) -> dict[tuple[datetime, datetime], tuple[str, str] | None]:
        """Where spans stand, as far as asked: the meetings of many rooms begin and end together."""
        return {}

    @cached_property
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
        key = (span.start, span.end)
        if key not in self._places:
            self._places[key] = self._placed(*key)
        return self._places[key]

    def _placed(self, start: datetime, end: datetime) -> tuple[str, str] | None:
        whole = self.whole
        start, end = max(start, whole.start), min(end, whole.end)
        if start >= end:
            return None
        length = whole.duration
        return _percent((start - whole.start) / length), _percent((end - start) / length)

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


class Saying:
    """What bars say in one language; what recurs on every line is said once.

    :param names: what our people are called; empty for whoever may not know.
    """

    def __init__(self, speaking: Language, zone: str, names: Mapping[MailboxId, str]) -> None:
        self._speaking, self._zone, self._names = speaking, zone, names
        self._kinds = {kind: speaking.say(words) for kind, words in SPOKEN.items()}
        self._moved, self._pinned = speaking.say(N_("was moved")), speaking.say(N_("stays in this room"))
        self._clock: dict[datetime, str] = {}
        self._said: dict[tuple[object, ...], str] = {}

    def clock(self, at: datetime) -> str:
        """When it is on the site's clocks."""
        found = self._clock.get(at)
        if found is None:
            found = self._clock[at] = self._speaking.clock(at, self._zone)
        return found

    def words(self, bar: Bar) -> str:
        """Everything about a bar."""
        name = self._names.get(bar.caseworker or "", "")
        key = (bar.interval.start, bar.interval.end, bar.kind, name, bar.reason, bar.moved, bar.pinned)
        found = self._said.get(key)
        if found is None:
            found = self._said[key] = self._words(bar, name)
        return found

    def _words(self, bar: Bar, name: str) -> str:
        words = [f"{self.clock(bar.interval.start)}–{self.clock(bar.interval.end)}", self._kinds[bar.kind]]
        words += [name] if name else []
        words += [bar.reason] if bar.reason else []
        words += [self._moved] if bar.moved else []
        words += [self._pinned] if bar.pinned else []
        return ", ".join(words)


def line(board: RoomBoard, scale: Scale, site: Site, saying: Saying, most: int = 200) -> Line:
    """One room's line."""
    bars = [drawn for bar in board.bars[:most] if (drawn := _drawn(bar, scale, saying))]
    ordered = sorted(bars, key=lambda one: one.kind is Kind.RELEASED)
    return Line(board.room, scale.day, board.known, tuple(ordered), _shut(board.room, scale, site))


def _shut(room: Room, scale: Scale, site: Site) -> tuple[tuple[str, str], ...]:
    """What is not within the room's hours."""
    hours, whole = hours_of(room, site, scale.day), scale.whole
    if hours is None:
        return ((_percent(0), _percent(1)),)
    edges = [(whole.start, min(hours.start, whole.end)), (max(hours.end, whole.start), whole.end)]
    found = (scale.place(Interval(start, end)) for start, end in edges if start < end)
    return tuple(place for place in found if place)


def _drawn(bar: Bar, scale: Scale, saying: Saying) -> Drawn | None:
    place = scale.place(bar.interval)
    if place is None:
        return None
    label = bar.reason or saying.clock(bar.interval.start)
    return Drawn(bar.kind, *place, saying.words(bar), label, bar.meeting, bar.moved, bar.pinned)
