"""What the buttons of the stage do, as citizens, staff and operators would, and what was then seen where."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from time import monotonic, sleep
from typing import Any, TypeVar

import httpx2

from syncd.demo.desk import Desk, Entry, House
from syncd.demo.people import CASEWORKERS, ROOMS, SITE, ZONE, DemoRoom, Person
from syncd.demo.portal import Portal, Refused, Time, start_of
from syncd.demo.program import Program
from syncd.demo.tour import seen as waited
from syncd.demo.window import Window
from syncd.model.interval import Interval
from syncd.model.zones import instant, wall_clock

T = TypeVar("T")
MARK = "Selvbook"
_DAYS = 21
_LATE = time(15, 45)
"""When somebody opens time outside the working hours, on the town's clocks."""
_TRIES, _PAUSE_SECONDS = 8, 3
PATIENCE_SECONDS = 100
"""A second look comes a minute after the first one; a busy machine takes its time, too."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was seen. :param place: where. :param seconds: after the button was pressed."""

    place: tuple[str, str]
    said: tuple[str, str]
    seconds: float


CITIZEN, CALENDAR, ROOM_CALENDAR = ("Borger", "Citizen"), ("Kalender", "Calendar"), ("Lokalets kalender", "The room")
SYNCD, MANAGER = ("syncd", "syncd"), ("Koordinator", "Coordinator")


@dataclass
class Acts:
    """The town in a visitor's hands. :param now: reads a clock. :param booking: the meeting everything is about."""

    portal: Portal
    window: Window
    house: House
    daemon: Program
    now: Callable[[], datetime]
    booking: str = ""
    uid: str = ""
    span: Interval | None = None
    person: Person = CASEWORKERS[0]
    room: DemoRoom = ROOMS[0]
    lines: list[Line] = field(default_factory=list)
    _began: float = 0.0
    _desks: dict[str, Desk] = field(default_factory=dict)

    def every(self) -> Mapping[str, Callable[[], None]]:
        """The acts by the name of their button."""
        return {
            "book": self.book,
            "drag": self.drag,
            "mark": self.mark,
            "sick": self.sick,
            "close": self.close_room,
            "off": self.switch_off,
            "on": self.switch_on,
            "kill": self.kill,
        }

    def act(self, name: str) -> list[Line]:
        """Do it; what was seen, in order. What cannot be seen is told as the last line."""
        self.lines, self._began = [], monotonic()
        try:
            self.every()[name]()
        except Exception as failure:  # noqa: BLE001 - a visitor is told what failed, and the stage stands
            self._tell(SYNCD, f"Det lykkedes ikke: {failure}", f"That did not work: {failure}")
        return self.lines

    @property
    def off(self) -> bool:
        """Whether the calendar server is switched off."""
        return self.house.switch is not None and self.house.switch.off

    def desk(self, owner: str) -> Desk:
        """*owner*'s calendar."""
        if owner not in self._desks:
            self._desks[owner] = self.house.desk(owner)
        return self._desks[owner]

    def book(self) -> None:
        """A citizen books the first time of whoever has most."""
        self._take()
        where, there = self.room.name, self.person.name
        self._tell(CITIZEN, f"Booket {_da(self._start())} hos {there}", f"Booked {_en(self._start())} with {there}")
        self._settle()
        self._tell(CALENDAR, f"{there} har mødet, med {where}", f"{there} has the meeting, in {where}")
        self._tell(ROOM_CALENDAR, f"{where} er optaget", f"{where} is taken")

    def drag(self) -> None:
        """The caseworker drags the meeting to another day in her calendar program."""
        self._need()
        item, before = self._entry(self.person.id), self.room
        free = [one for one in self._times() if self.person.id in one.caseworkers]
        later = [one for one in free if abs(one.interval.start - self._start()) > timedelta(hours=12)]
        target = later[0].interval
        self.desk(self.person.id).move(item, target, ZONE)
        self._began = monotonic()
        name, when = self.person.name, target.start
        self._tell(CALENDAR, f"{name} trak mødet til {_da(when)}", f"{name} dragged it to {_en(when)}")
        self.span = target
        self._follow(lambda one: start_of(one) == target.start)
        kept = ("beholdt", "kept") if before == self.room else (f"er nu {self.room.name}", f"is {self.room.name} now")
        self._tell(
            SYNCD, "Bookingen fulgte med; intet blev trukket tilbage", "The booking followed; nothing was undone"
        )
        self._tell(ROOM_CALENDAR, f"Lokalet {kept[0]}", f"The room {kept[1]}")

    def mark(self) -> None:
        """A caseworker opens time after hours by an event with a category of her own."""
        span = self._after_hours()
        self.desk(self.person.id).add(span, "Åben for borgere", ZONE, (MARK,))
        name = self.person.name
        self._tell(CALENDAR, f"{name} mærkede {_da(span.start)} «{MARK}»", f"{name} marked {_en(span.start)} “{MARK}”")
        seen("the marked time on offer", lambda: self._offered(span.start))
        self._tell(CITIZEN, f"{_da(span.start)} kan nu bookes", f"{_en(span.start)} can be booked now")

    def sick(self) -> None:
        """The caseworker is ill; one confirmation finds somebody for each of her meetings of the day."""
        self._need()
        day = wall_clock(self._start(), ZONE).date()
        away = {"from": _iso(day, 7), "to": _iso(day, 17)}
        given = self.portal.post("/api/v1/absences", {"caseworker": self.person.id, **away})
        name = self.person.name
        self._tell(MANAGER, f"{name} er meldt syg {day:%d.%m.}", f"{name} is reported ill on {day:%d %b}")
        found = self.portal.get(f"/api/v1/absences/{given['id']}")["proposals"]
        choices = [_choice(one) for one in found]
        self.portal.post(f"/api/v1/absences/{given['id']}/settle", {"choices": choices})
        number = len(choices)
        words = ("samtale fik", "talk") if number == 1 else ("samtaler fik", "talks")
        self._tell(MANAGER, f"{number} {words[0]} en løsning i ét trin", f"{number} {words[1]} settled in one step")
        before = (self.person.id, self._start())
        self._follow(lambda one: (one["caseworker"], start_of(one)) != before)
        when, who = self._start(), self.person.name
        self._tell(CITIZEN, f"Mødet holdes {_da(when)} med {who}", f"It is held {_en(when)} with {who}")

    def close_room(self) -> None:
        """Facilities close the meeting's room for the day; its meetings get others."""
        self._need()
        before, day = self.room, wall_clock(self._start(), ZONE).date()
        form = {"site": SITE, "day": day.isoformat(), "room": before.id, "reason": "Maling af vægge"}
        form |= {"from": f"{day}T07:00", "to": f"{day}T17:00"}
        self.window.send("/rooms/day/close", f"/rooms/day?site={SITE}&day={day}", form)
        self._tell(
            ("Lokaler", "Facilities"),
            f"{before.name} er lukket {day:%d.%m.}",
            f"{before.name} is closed on {day:%d %b}",
        )
        self._follow(lambda one: (one["room"] or {}).get("id") != before.id)
        self._tell(ROOM_CALENDAR, f"Mødet er nu i {self.room.name}", f"The meeting is in {self.room.name} now")
        self._tell(CALENDAR, f"{self.person.name} ser det nye lokale", f"{self.person.name} sees the new room")

    def switch_off(self) -> None:
        """The calendar server is gone: what is not known is not free."""
        switch = self.house.switch
        if switch is None or switch.off:
            self._tell(SYNCD, "Denne kalenderserver kan ikke slukkes her", "This calendar server has no switch here")
            return
        times = self._times()
        switch.turn(on=False)
        self._tell(("Drift", "Operator"), "Kalenderserveren er slukket", "The calendar server is off")
        # What was read less than ten seconds ago still counts; each try is on a day of its own, beside the others.
        days = {wall_clock(one.interval.start, ZONE).date(): one for one in reversed(times)}
        for chosen in [days[day] for day in sorted(days)][:_TRIES]:
            try:
                self._hold(chosen)
                sleep(_PAUSE_SECONDS)
            except Refused as refused:
                said = _detail(refused)
                danish, english = (refused.say.get(code, said) for code in ("da", "en"))
                self._tell(CITIZEN, f"Får at vide: {danish}", f"Is told: {english}")
                return
        self._tell(CITIZEN, "Kunne stadig holde en tid", "Could still hold a time")

    def switch_on(self) -> None:
        """The calendar server is back; everything is read again, nothing was lost."""
        switch = self.house.switch
        if switch is None or not switch.off:
            self._tell(SYNCD, "Kalenderserveren er tændt", "The calendar server is on")
            return
        switch.turn(on=True)
        self._tell(("Drift", "Operator"), "Kalenderserveren er tændt igen", "The calendar server is on again")
        # To keep a time syncd looks into the calendar itself, so that one kept is one read.
        seen("a time kept", _patient(lambda: self._hold(self._times()[-1])))
        self._tell(CITIZEN, "Alle tider er på tilbud igen", "All times are on offer again")

    def kill(self) -> None:
        """kill -9 in the moment after a booking was acknowledged; afterwards the meeting is there exactly once."""
        self._take()
        self.daemon.kill()
        self._tell(
            CITIZEN, f"Booket {_da(self._start())}; svaret kom", f"Booked {_en(self._start())}; it was acknowledged"
        )
        self._tell(("Drift", "Operator"), "syncd fik kill -9 i samme øjeblik", "syncd got kill -9 in that moment")
        self.daemon.start()
        seen("syncd again", _patient(lambda: bool(self.portal.booking(self.booking))))
        self._tell(("Drift", "Operator"), "syncd er startet igen", "syncd has started again")
        self._settle()
        counts = [self._count(owner) for owner in (self.person.id, self.room.id)]
        self._tell(CALENDAR, f"Mødet står der {counts[0]} gang", f"The meeting is there {counts[0]} time")
        self._tell(ROOM_CALENDAR, f"… og her {counts[1]} gang", f"… and here {counts[1]} time")

    def _take(self) -> None:
        """Hold and book."""
        times = [one for one in self._times() if one.interval.start > self.now() + timedelta(hours=20)]
        counts = {one.id: sum(one.id in t.caseworkers for t in times) for one in CASEWORKERS}
        self.person = max(CASEWORKERS, key=lambda one: counts[one.id])
        chosen = next(one for one in times if self.person.id in one.caseworkers)
        # A server that was away a moment ago may be left in peace a little longer.
        kept = seen("a time kept", _patient(lambda: self._hold(chosen)))
        self._began = monotonic()
        made = self.portal.book(kept["id"], f"borger-{uuid.uuid4().hex[:8]}")
        self.booking, self.span, self.uid = made["id"], chosen.interval, ""
        self._read(made)

    def _hold(self, chosen: Time) -> dict[str, Any]:
        whom = self.person.id if self.person.id in chosen.caseworkers else chosen.caseworkers[0]
        return self.portal.hold(chosen, whom)

    def _need(self) -> None:
        """A meeting to do something with; booked first when there is none that stands."""
        if not self.booking or self.portal.booking(self.booking)["state"] == "cancelled":
            self.book()
        self._began = monotonic()

    def _settle(self) -> None:
        """Wait until both calendars were seen to have it."""
        self._follow(lambda one: one["state"] == "confirmed")

    def _follow(self, right: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the booking is as it should be, and written everywhere."""

        def look() -> dict[str, Any] | None:
            one = self.portal.booking(self.booking)
            return one if right(one) and one["calendars"] == "written" else None

        before = self.person
        self._read(seen("the booking settled", look))
        if self.person != before:  # Microsoft 365 gives the entry in another mailbox another UID
            self.uid = ""
        self.uid = self._entry(self.person.id).uid

    def _read(self, booking: dict[str, Any]) -> None:
        self.person = next((one for one in CASEWORKERS if one.id == booking["caseworker"]), self.person)
        room = (booking["room"] or {}).get("id")
        self.room = next((one for one in ROOMS if one.id == room), self.room)
        start = start_of(booking)
        self.span = Interval(start, start + (self.span.duration if self.span else timedelta(minutes=45)))

    def _start(self) -> datetime:
        assert self.span is not None, "something was booked before"
        return self.span.start

    def _entry(self, owner: str) -> Entry:
        start = self._start()

        def look() -> Entry | None:
            items = self.desk(owner).items(Interval.at(start, 1))
            return next((one for one in items if one.start == start and one.rooms and self.uid in ("", one.uid)), None)

        return seen(f"the meeting in {owner}'s calendar", look)

    def _count(self, owner: str) -> int:
        return sum(one.uid == self.uid for one in self.desk(owner).items(Interval.at(self._start(), 1)))

    def _times(self) -> list[Time]:
        return self.portal.times(self._ahead())

    def _ahead(self) -> Interval:
        now = self.now().replace(microsecond=0)
        return Interval(now, now + timedelta(days=_DAYS))

    def _offered(self, start: datetime) -> bool:
        return any(one.interval.start == start and self.person.id in one.caseworkers for one in self._times())

    def _after_hours(self) -> Interval:
        """A quarter to four on a day on which she has nothing then."""
        day = wall_clock(self.now(), ZONE).date()
        for _ in range(_DAYS):
            day += timedelta(days=1)
            start = instant(day, _LATE, ZONE)
            span = Interval.at(start, 75)
            if day.weekday() < 4 and not self.desk(self.person.id).items(span):
                return span
        raise Refused("every afternoon is taken")

    def _tell(self, place: tuple[str, str], danish: str, english: str) -> None:
        self.lines.append(Line(place, (danish, english), monotonic() - self._began))


def seen(what: str, look: Callable[[], T | None]) -> T:
    """What *look* sees, as soon as it sees something; see `syncd.demo.tour.seen`."""
    return waited(what, look, lambda: "nothing of the kind yet", PATIENCE_SECONDS)


def _patient(look: Callable[[], T]) -> Callable[[], T | None]:
    """*look*, but what does not answer yet is waited for."""

    def again() -> T | None:
        with suppress(httpx2.HTTPError, Refused, ValueError):
            return look()
        return None

    return again


def _choice(proposal: dict[str, Any]) -> dict[str, Any]:
    """What is proposed for a meeting, as what was decided for it."""
    said = {"meeting": "meeting", "remedy": "remedy", "to": "to", "start": "new_start"}
    return {key: proposal[name] for key, name in said.items() if proposal[name] is not None}


def _detail(refused: Exception) -> str:
    return str(refused).partition(": ")[2] or str(refused)


def _iso(day: date, hour: int) -> str:
    return instant(day, time(hour), ZONE).isoformat()


_DANISH = ("man.", "tirs.", "ons.", "tors.", "fre.", "lør.", "søn.")


def _da(at: datetime) -> str:
    local = wall_clock(at, ZONE)
    return f"{_DANISH[local.weekday()]} {local.day}.{local.month}. kl. {local:%H.%M}"


def _en(at: datetime) -> str:
    return f"{wall_clock(at, ZONE):%a %d %b %H:%M}"
