"""Believable calendars of the demonstration town, the same every time for one day and seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from random import Random

from syncd.demo.event import AWAY, CANCELLED, ELSEWHERE, FREE, PRIVATE, TENTATIVE, Client, Event, text
from syncd.demo.people import CASEWORKERS, DOMAIN, ROOMS, TEAMS, DemoRoom, Person, team

WEEKS = 4
"""This week and the three that follow."""

_TEAM_DAY = {"job": 1, "syge": 2, "unge": 3}
_DAYS = ("MO", "TU", "WE", "TH", "FR")


def calendars(today: date, seed: int = 1) -> Mapping[str, Mapping[str, str]]:
    """Everybody's calendar: owner's id → file name → text of one calendar object."""
    return {
        owner: {f"{event.uid.partition('@')[0]}.ics": text(event) for event in events}
        for owner, events in entries(today, seed).items()
    }


def entries(today: date, seed: int = 1) -> Mapping[str, tuple[Event, ...]]:
    """Everybody's entries: owner's id → what stands in that calendar."""
    monday = today - timedelta(days=today.weekday())
    people = {person.id: tuple(_person(person, monday, seed)) for person in CASEWORKERS}
    return people | {room.id: tuple(_room(room, monday, seed)) for room in ROOMS}


def _person(person: Person, monday: date, seed: int) -> Iterator[Event]:
    chance = Random(f"{seed}/{person.id}")
    yield _team_meeting(person.team, monday)
    yield _house_meeting(monday)
    yield from _habits(person, monday)
    away = _leave(person, monday, chance)
    yield from away
    gone = {away[0].day + timedelta(days=n) for n in range(away[0].minutes // 1440)} if away else set()
    for day in _workdays(monday):
        if day not in gone:
            yield from _citizens(person, day, chance)
    yield from _odds_and_ends(person, monday, chance)


def _workdays(monday: date) -> Iterator[date]:
    for n in range(7 * WEEKS):
        day = monday + timedelta(days=n)
        if day.weekday() < 5:
            yield day


def _team_meeting(name: str, monday: date) -> Event:
    """Weekly for months, invited by the first of the team; next week it is cancelled, the week after moved."""
    weekday = monday + timedelta(days=_TEAM_DAY[name])
    members = team(name)
    people = [
        f"ORGANIZER;CN={members[0].name}:mailto:{members[0].address}",
        *(f"ATTENDEE;CN={one.name};PARTSTAT=ACCEPTED:mailto:{one.address}" for one in members),
    ]
    third = weekday + timedelta(days=14)
    return Event(
        uid=f"teammoede-{name}@{DOMAIN}",
        summary=f"Teammøde, {TEAMS[name]}",
        day=weekday - timedelta(weeks=20),
        starts=time(9),
        minutes=60,
        rule=f"FREQ=WEEKLY;BYDAY={_DAYS[_TEAM_DAY[name]]}",
        skipped=(weekday + timedelta(days=7),),
        moved=((third, third - timedelta(days=1), time(13)),),
        extra=(*people, f"LOCATION:{ROOMS[5].name}"),
        client=Client.OUTLOOK,
    )


def _house_meeting(monday: date) -> Event:
    first = (monday - timedelta(weeks=30)).replace(day=1)
    thursday = first + timedelta(days=(3 - first.weekday()) % 7)
    return Event(
        uid=f"faellesmoede@{DOMAIN}",
        summary="Fællesmøde for hele huset, kantinen",
        day=thursday,
        starts=time(8, 30),
        minutes=45,
        rule="FREQ=MONTHLY;BYDAY=1TH",
        client=Client.OUTLOOK,
    )


def _habits(person: Person, monday: date) -> Iterator[Event]:
    begun = monday - timedelta(weeks=40)
    yield Event(f"frokost-{person.id}@{DOMAIN}", "Frokost", begun, time(12), 30, rule="FREQ=DAILY", extra=FREE)
    if person.home_weekday is not None:
        yield Event(
            uid=f"hjemme-{person.id}@{DOMAIN}",
            summary="Arbejder hjemme",
            day=begun + timedelta(days=person.home_weekday),
            starts=None,
            minutes=1440,
            rule=f"FREQ=WEEKLY;BYDAY={_DAYS[person.home_weekday]}",
            extra=ELSEWHERE,
            client=Client.OUTLOOK,
        )
    yield Event(
        uid=f"supervision-{person.id}@{DOMAIN}",
        summary="Supervision",
        day=begun + timedelta(days=4),
        starts=time(10, 30),
        minutes=90,
        rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=FR",
        skipped=(monday + timedelta(days=18),),
    )


def _leave(person: Person, monday: date, chance: Random) -> list[Event]:
    """Every third person is away for some whole days."""
    if CASEWORKERS.index(person) % 3 != 2:
        return []
    day = monday + timedelta(days=7 + chance.choice((0, 2, 7, 8)))
    days = chance.choice((2, 3))
    return [Event(f"ferie-{person.id}@{DOMAIN}", "Ferie", day, None, 1440 * days, extra=AWAY, client=Client.OUTLOOK)]


def _citizens(person: Person, day: date, chance: Random) -> Iterator[Event]:
    """None to three talks a day, on half hours, named by case number only."""
    hours = chance.sample((time(9, 30), time(10), time(11), time(13), time(13, 30), time(14)), k=4)
    for starts in sorted(hours[: chance.choice((0, 1, 1, 2, 3))]):
        case = chance.randrange(10_000, 99_999)
        yield Event(
            uid=f"samtale-{person.id}-{day:%m%d}-{starts:%H%M}@{DOMAIN}",
            summary=f"Samtale, sag {case}",
            day=day,
            starts=starts,
            minutes=chance.choice((30, 45)),
            extra=PRIVATE if chance.random() < 0.3 else (),
            client=chance.choice((Client.OUTLOOK, Client.OUTLOOK, Client.THUNDERBIRD)),
        )


def _odds_and_ends(person: Person, monday: date, chance: Random) -> Iterator[Event]:
    """What makes calendars untidy: private, tentative, free, cancelled entries, a birthday, a visit outside."""

    def some_day() -> date:
        return monday + timedelta(days=7 * chance.randrange(WEEKS) + chance.randrange(5))

    private = Event("tandlaege", "Tandlæge", some_day(), time(8), 60, extra=(*PRIVATE, *AWAY), client=Client.PHONE)
    visit = Event("besoeg", "Evt. virksomhedsbesøg, havnen", some_day(), time(13), 120, extra=TENTATIVE)
    phone = Event("telefontid", "Telefontid (kan bookes)", some_day(), time(9), 60, extra=FREE, client=Client.OUTLOOK)
    off = Event("aflyst", "Aflyst: netværksmøde", some_day(), time(10), 120, extra=CANCELLED)
    course = Event("kursus", "Kursus, rådhuset", some_day(), time(8, 30), 240, extra=AWAY, client=Client.OUTLOOK)
    birthday = Event("foedselsdag", "Fødselsdag", some_day(), None, 1440, rule="FREQ=YEARLY", extra=FREE)
    for event in (private, visit, phone, off, course, birthday):
        yield replace(event, uid=f"{event.uid}-{person.id}@{DOMAIN}")


def _room(room: DemoRoom, monday: date, seed: int) -> Iterator[Event]:
    """Weekly cleaning, and what staff reserved by hand."""
    chance = Random(f"{seed}/{room.id}")
    yield Event(
        uid=f"rengoering-{room.id}@{DOMAIN}",
        summary="Rengøring",
        day=monday - timedelta(weeks=50) + timedelta(days=4),
        starts=time(14),
        minutes=45,
        rule="FREQ=WEEKLY;BYDAY=FR",
    )
    for day in _workdays(monday):
        if chance.random() < 0.4:
            owner = chance.choice(CASEWORKERS)
            yield Event(
                uid=f"reserveret-{room.id}-{day:%m%d}@{DOMAIN}",
                summary=f"Reserveret, {owner.name}",
                day=day,
                starts=chance.choice((time(9), time(10), time(13))),
                minutes=chance.choice((60, 90)),
                client=Client.OUTLOOK,
            )
