"""The guided tour: eight things that must be seen to happen, each told in one line with what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from syncd.demo.desk import Desk, Entry
from syncd.demo.people import CASEWORKERS, ROOMS, ZONE, DemoRoom, Person
from syncd.demo.portal import Portal, Time, start_of
from syncd.model.interval import Interval
from syncd.model.zones import wall_clock

T = TypeVar("T")
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 30


class NotSeen(Exception):
    """What should have been seen was not; the text says what was looked for, and what was there instead."""


@dataclass(slots=True)
class Tour:
    """One citizen's meeting from the first look to the cancellation.

    :param window: the span in which times are looked for.
    :param open_calendar: opens the calendar of a caseworker or room with that owner's own password.
    """

    portal: Portal
    window: Interval
    open_calendar: Callable[[str], Desk]
    booking: str = ""
    uid: str = ""
    chosen: Time | None = None
    person: Person = CASEWORKERS[0]
    room: DemoRoom = ROOMS[0]
    opened: dict[str, Desk] = field(default_factory=dict)

    def steps(self) -> Mapping[str, Callable[[], str]]:
        """What happens → the step that sees to it and answers what it saw."""
        return {
            "Slots are published": self.published,
            "A slot is held and booked over HTTP": self.booked,
            "The caseworker's calendar has the meeting": self.in_the_calendar,
            "The room's calendar has it too": self.in_the_room,
            "The slot is gone from the next answer": self.gone,
            "An event from somebody's phone removes slots": self.foreign_event,
            "Moved in the calendar, the booking follows": self.moved,
            "Cancelled over HTTP, both calendars are clean": self.cancelled,
        }

    def published(self) -> str:
        """Times are on offer, from calendars that were all read."""

        def look() -> dict[str, Any] | None:
            answer = self.portal.search(self.window)
            return answer if answer["slots"] and not answer["closed"] else None

        answer = seen("slots, with no caseworker left out", look, lambda: _short(self.portal.search(self.window)))
        servers = {name for slot in answer["slots"] for name in slot["caseworkers"]}
        first = self.portal.times(self.window)[0]
        return f"{len(answer['slots'])} times with {len(servers)} caseworkers, the first {when(first.interval.start)}"

    def booked(self) -> str:
        """The caseworker with most time gets the meeting, not before tomorrow."""
        times = self.portal.times(self.window)
        counts = {one.id: sum(one.id in t.caseworkers for t in times) for one in CASEWORKERS}
        self.person = max(CASEWORKERS, key=lambda one: counts[one.id])
        self.chosen = self._times()[0]
        hold = self.portal.hold(self.chosen, self.person.id)
        booking = self.portal.book(hold["id"])
        self.booking = booking["id"]
        self.room = self._room(booking)
        where = f"{self.person.name} in {self.room.name}"
        return f"{when(start_of(booking))} with {where}; the answer said {booking['state']}"

    def in_the_calendar(self) -> str:
        """An independent GET shows the meeting, its room in LOCATION and as attendee."""
        item = self._find(self.person.id, self._start(), self.room)
        self.uid = item.uid
        if self.room.name not in item.location:
            raise NotSeen(f"LOCATION is {item.location!r}, without {self.room.name}")
        return f"LOCATION is “{item.location}”, invited room is {', '.join(item.rooms)}"

    def in_the_room(self) -> str:
        """The room's own calendar shows the same UID at the same time."""
        item = self._find(self.room.id, self._start(), None)
        state = seen("the booking confirmed", self._confirmed, lambda: self.portal.booking(self.booking))
        shown = f"“{item.summary}”" if item.summary else "busy, without a subject,"
        return f"{shown} {when(self._start())}; the booking is {state} now"

    def gone(self) -> str:
        """Nobody is offered the same caseworker at the same time again."""
        still = [one for one in self._times() if one.interval.overlaps(self._chosen().interval)]
        if still:
            raise NotSeen(f"{self.person.name} is still offered at {when(still[0].interval.start)}")
        others = sum(one.interval == self._chosen().interval for one in self.portal.times(self.window))
        return f"{self.person.name} is not offered then any more; {'others are' if others else 'nor is anybody else'}"

    def foreign_event(self) -> str:
        """An event that syncd did not write takes times away within one pass."""
        before = self._times()
        day = self._another_day(before)
        span = Interval(day.interval.start, day.interval.end + timedelta(hours=1))
        taken = [one for one in before if one.interval.overlaps(span)]
        self._calendar(self.person.id).add(span, "Tandlæge", ZONE)
        began = time.monotonic()

        def look() -> bool:
            return not any(one.interval.overlaps(span) for one in self._times())

        seen(f"no time of {self.person.name} at {when(span.start)}", look, lambda: len(self._times()))
        seconds = time.monotonic() - began
        return f"{len(taken)} times of {self.person.name} {when(span.start)} were gone after {seconds:.1f} s"

    def moved(self) -> str:
        """The caseworker drags the meeting; the booking has the new time and a room, in every calendar."""
        old = self._start()
        item = self._find(self.person.id, old, self.room)
        self.chosen = self._another_day(self._times())
        self._calendar(self.person.id).move(item, self._chosen().interval, ZONE)

        def look() -> dict[str, Any] | None:
            booking = self.portal.booking(self.booking)
            settled = start_of(booking) == self._start() and booking["calendars"] == "written"
            return booking if settled and booking["room"]["state"] == "accepted" else None

        began = time.monotonic()
        booking = seen("the booking at its new time", look, lambda: self.portal.booking(self.booking))
        seconds, former = time.monotonic() - began, self.room
        self.room = self._room(booking)
        self._find(self.person.id, self._start(), self.room)
        self._find(self.room.id, self._start(), None)
        self._clean(former.id, old)
        kept = "kept" if former == self.room else f"is {self.room.name} now"
        return f"from {when(old)} to {when(start_of(booking))} after {seconds:.1f} s; the room {kept}"

    def cancelled(self) -> str:
        """The meeting is in neither calendar, and its time is on offer again."""
        answer = self.portal.cancel(self.booking)
        for owner in (self.person.id, self.room.id):
            self._clean(owner, self._start())

        def look() -> bool:
            return any(one.interval == self._chosen().interval for one in self._times())

        seen(f"{when(self._start())} on offer again", look, lambda: len(self._times()))
        return f"the booking is {answer['state']}; neither calendar has it, and {when(self._start())} is on offer again"

    def close(self) -> None:
        """Let go of all calendars."""
        for calendar in self.opened.values():
            calendar.close()

    def _confirmed(self) -> str | None:
        booking = self.portal.booking(self.booking)
        return str(booking["state"]) if booking["state"] == "confirmed" else None

    def _chosen(self) -> Time:
        if self.chosen is None:
            raise NotSeen("a booking: the step before failed")
        return self.chosen

    def _start(self) -> datetime:
        return self._chosen().interval.start

    def _times(self) -> list[Time]:
        """The person's times, tomorrow and later."""
        tomorrow = self.window.start + timedelta(days=1)
        times = self.portal.times(self.window)
        return [one for one in times if self.person.id in one.caseworkers and one.interval.start > tomorrow]

    def _another_day(self, times: list[Time]) -> Time:
        later = [one for one in times if one.interval.start > self._start() + timedelta(hours=12)]
        if not later:
            raise NotSeen(f"another day with a time of {self.person.name}; {len(times)} times are offered")
        return later[0]

    def _calendar(self, owner: str) -> Desk:
        if owner not in self.opened:
            self.opened[owner] = self.open_calendar(owner)
        return self.opened[owner]

    def _find(self, owner: str, start: datetime, room: DemoRoom | None) -> Entry:
        """The meeting's entry in *owner*'s calendar, once it is there; with *room* invited, if one is given."""
        calendar, span = self._calendar(owner), Interval.at(start, 1)

        def look() -> Entry | None:
            found = [i for i in calendar.items(span) if i.start == start and self.uid in ("", i.uid)]
            return next((i for i in found if room is None or room.address in i.rooms), None)

        def there() -> object:
            return [(item.summary, item.start, item.rooms) for item in calendar.items(span)]

        return seen(f"the meeting in the calendar of {owner} at {when(start)}", look, there)

    def _room(self, booking: dict[str, Any]) -> DemoRoom:
        """The meeting's room: a portal hears of it once rooms are announced, and before it stands in her entry."""
        if "id" in booking["room"]:
            return room_of(booking["room"]["id"])

        def invited() -> DemoRoom | None:
            addresses = self._find(self.person.id, self._start(), None).rooms
            return next((room for room in ROOMS if room.address in addresses), None)

        return seen("a room in her entry", invited, lambda: booking["room"])

    def _clean(self, owner: str, start: datetime) -> None:
        calendar = self._calendar(owner)

        def look() -> bool:
            return all(item.uid != self.uid for item in calendar.items(Interval.at(start, 1)))

        seen(f"the calendar of {owner} without the meeting at {when(start)}", look, lambda: "it is still there")


def seen(what: str, look: Callable[[], T | None], instead: Callable[[], object], patience: float | None = None) -> T:
    """What *look* sees, as soon as it sees something.

    :raises NotSeen: it saw nothing for *patience* seconds, which are `_PATIENCE_SECONDS` if None.
    """
    seconds = _PATIENCE_SECONDS if patience is None else patience
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise NotSeen(f"not seen within {seconds} s: {what}; there was: {instead()}")
        time.sleep(_LOOK_SECONDS)
    return found


def room_of(identity: str | None) -> DemoRoom:
    """The room of that id.

    :raises NotSeen: the town has none.
    """
    for room in ROOMS:
        if room.id == identity:
            return room
    raise NotSeen(f"a room of the town; the booking has {identity!r}")


def when(moment: datetime) -> str:
    """A moment as the town's clocks show it."""
    return f"{wall_clock(moment, ZONE):%a %d %b %H:%M}"


def _short(answer: dict[str, Any]) -> str:
    return f"{len(answer['slots'])} slots, status {answer['status']}, left out: {answer['closed']}"
