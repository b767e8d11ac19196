"""How rooms were used, what had no room, and what other rooms would have made of it: from our rows, without persons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property, partial

from syncd.model.directory import Directory, MailboxId, Room
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.model.zones import clock, days, instant, wall_clock, whole_days
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import DAY
from syncd.roomalloc.demand import Outcome, Outlook, Point, Wish, curve, what_if
from syncd.roomalloc.layout import Space
from syncd.roomalloc.timetable import minutes
from syncd.roomalloc.usage import Held, Usage, Use, measure
from syncd.slots.hours import closed_because
from syncd.store import Tx
from syncd.store.instants import epoch, moment
from syncd.store.rooms import Used


@dataclass(frozen=True)
class Ground:
    """What the figures are read from. :param window: meetings that begin in it."""

    tx: Tx
    directory: Directory
    rulebook: Rulebook
    window: Interval

    @cached_property
    def used(self) -> list[Used]:
        """Every meeting's time in any room, read once."""
        return self.tx.rooms.used(self.window)

    def zone(self, room: Room) -> str:
        """The zone of the room's site."""
        return self.directory.sites[room.site].zone

    def rooms(self, site: str | None = None) -> list[Room]:
        """The rooms of a site, or all."""
        return [room for room in self.directory.rooms.values() if site in (None, room.site)]


def usage(ground: Ground, site: str | None = None) -> Usage:
    """The figures of the rooms of a site, or of all; cancelled meetings count as released."""
    rooms = ground.rooms(site)
    return measure([Space.of(room) for room in rooms], uses_of(ground, rooms), dict(open_minutes(ground, rooms)))


def uses_of(ground: Ground, rooms: Iterable[Room]) -> Iterator[Use]:
    """Every meeting's time in one of these rooms."""
    here = {room.id for room in rooms}
    clocks = {site.zone: _Clock(site.zone) for site in ground.directory.sites.values()}
    return (
        _use(ground, one, clocks[ground.zone(ground.directory.rooms[one.room])])
        for one in ground.used
        if one.room in here
    )


class _Clock:
    """Days and minutes on the clocks of a zone, for very many instants: each day is looked up once."""

    def __init__(self, zone: str) -> None:
        self._zone, self._wholes = zone, dict[date, Interval]()
        self._clock = clock(zone)

    def day(self, at: datetime) -> date:
        """The local date of an instant."""
        return at.astimezone(self._clock).date()

    def minutes(self, day: date, interval: Interval) -> tuple[int, int]:
        """The interval in minutes of a local day."""
        whole = self._wholes.get(day)
        if whole is None:
            whole = self._wholes[day] = whole_days(day, day, self._zone)
        return minutes(whole, interval)


def _use(ground: Ground, one: Used, clocks: _Clock) -> Use:
    day = clocks.day(one.interval.start)
    start, end = clocks.minutes(day, one.interval)
    offer, person = ground.rulebook.offers.get(one.offer), ground.directory.caseworkers.get(one.caseworker)
    return Use(
        one.room,
        day,
        start,
        end,
        party=offer.room.seats if offer else 1,
        features=offer.room.features if offer else frozenset(),
        floor=person.floor if person else ground.directory.rooms[one.room].floor,
        held=Held.RELEASED if not one.wanted else Held.NO_SHOW if one.missed else Held.HELD,
        lead_days=(day - clocks.day(moment(one.created))).days,
        moves=one.moves,
        told=one.told,
    )


def open_minutes(ground: Ground, rooms: Sequence[Room]) -> Iterator[tuple[tuple[MailboxId, date], int]]:
    """Minutes that each room can be booked on each working day: its hours, without closures, closing days, holidays."""
    closures, book = ground.tx.meetings.closures([room.id for room in rooms], ground.window), ground.rulebook
    for room in rooms:
        zone = ground.zone(room)
        for day in days(ground.window, zone):
            if day.weekday() < 5 and not _shut(day, book):
                hours = whole_days(day, day, zone)
                span_of = room.open_on(day.weekday())
                if span_of is None:
                    continue
                opens = instant(day, span_of[0], zone) if span_of[0] else hours.start
                closes = instant(day, span_of[1], zone) if span_of[1] else hours.end
                shut = [part for span in closures[room.id] if (part := span.clip(Interval(opens, closes)))]
                left = closes - opens - sum((part.duration for part in shut), timedelta())
                yield (room.id, day), max(0, left // timedelta(minutes=1))


def _shut(day: date, book: Rulebook) -> bool:
    return closed_because(day, book.closings, book.holidays) is not None


def wishes(ground: Ground, site: str) -> list[Wish]:
    """Meetings that had a room at a site, and times that had none, in the order in which they came up."""
    zone, found = ground.directory.sites[site].zone, []
    for one in ground.used:
        offer = ground.rulebook.offers.get(one.offer)
        room, person = ground.directory.rooms.get(one.room), ground.directory.caseworkers.get(one.caseworker)
        if one.wanted and offer and room and room.site == site:
            start, length = epoch(one.interval.start), one.interval.duration // timedelta(minutes=1)
            wish = Wish(*_when(start, zone), length, offer.room, Outcome.MET, person.floor if person else 0)
            found.append((one.created, wish))
    for missed in ground.tx.rooms.shortages(ground.window):
        offer = ground.rulebook.offers.get(missed.offer)
        if missed.site == site and offer:
            asked = (*_when(missed.start, zone), missed.minutes, offer.room)
            found.append((missed.start, Wish(*asked, Outcome.WITHHELD)))
            found += [(missed.start, Wish(*asked, Outcome.REFUSED))] * missed.refused
    return [wish for _, wish in sorted(found, key=lambda pair: pair[0])]


def _when(at: int, zone: str) -> tuple[int, int, int]:
    """Day, weekday and minute of the day on the site's clocks."""
    local = wall_clock(moment(at), zone)
    return local.date().toordinal(), local.weekday(), local.hour * 60 + local.minute


def outlook(
    ground: Ground, site: str, *, without: Collection[MailboxId] = (), like: MailboxId | None = None, more: int = 0
) -> Outlook:
    """Replay a site's demand with other rooms: all met wishes, and each withheld time as if somebody had wanted it.

    :param without: rooms to leave out. :param like, more: so many rooms more like this one.
    """
    rooms = [room for room in ground.rooms(site) if room.id not in without]
    spaces = [Space.of(room) for room in rooms]
    if like is not None:
        model = Space.of(ground.directory.rooms[like])
        spaces += [replace(model, id=f"{like}+{n}") for n in range(1, more + 1)]
    hours = {space.id: [_hours(ground.directory.rooms[space.id.partition("+")[0]])] for space in spaces}
    asked = [replace(wish, outcome=Outcome.REFUSED) for wish in wishes(ground, site)]
    return what_if(spaces, asked, hours, Policy())


def play(ground: Ground, site: str) -> Callable[[Callable[[float], None]], list[Point]]:
    """What would have fitted with one room more or less of each class (`syncd.roomalloc.demand.curve`).

    All is read at once. What is returned works it out, which may take a minute: not inside a transaction, please.
    """
    rooms = ground.rooms(site)
    asked = [replace(wish, outcome=Outcome.REFUSED) for wish in wishes(ground, site)]
    hours = {room.id: [_hours(room)] for room in rooms}
    return partial(curve, [Space.of(room) for room in rooms], asked, hours, Policy())


def _hours(room: Room) -> tuple[int, int]:
    opens = room.opens.hour * 60 + room.opens.minute if room.opens else 0
    return opens, room.closes.hour * 60 + room.closes.minute if room.closes else DAY
