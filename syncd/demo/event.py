"""Calendar entries as the clients of an office write them: ordinary .ics text (RFC 5545), one object a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import Enum

from syncd.demo.people import ZONE


class Client(Enum):
    """The program that wrote an entry; each has its own way of naming the zone."""

    THUNDERBIRD = ("-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN", ZONE)
    OUTLOOK = ("-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN", "Romance Standard Time")
    PHONE = ("-//Apple Inc.//iPhone OS 18.1//EN", ZONE)

    @property
    def product(self) -> str:
        """PRODID."""
        return str(self.value[0])

    @property
    def zone(self) -> str:
        """TZID; Outlook names zones as Windows does."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Event:
    """One entry, or a series; times are wall-clock times of the town.

    :param starts: None for an all-day entry.
    :param minutes: length; whole days of 1440 for all-day entries.
    :param rule: RRULE value; None for a single entry.
    :param skipped: days on which the series does not take place (EXDATE).
    :param moved: other place in time of single days: original day → (day, start).
    :param extra: further property lines, such as ``STATUS:TENTATIVE``.
    """

    uid: str
    summary: str
    day: date
    starts: time | None
    minutes: int
    rule: str | None = None
    skipped: tuple[date, ...] = ()
    moved: tuple[tuple[date, date, time], ...] = ()
    extra: tuple[str, ...] = ()
    client: Client = Client.THUNDERBIRD


TENTATIVE = ("STATUS:TENTATIVE", "TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE")
FREE = ("TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE")
AWAY = ("TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:OOF")
ELSEWHERE = ("TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE")
PRIVATE = ("CLASS:PRIVATE",)
CANCELLED = ("STATUS:CANCELLED",)

_TIMEZONE = """BEGIN:VTIMEZONE
TZID:{zone}
BEGIN:DAYLIGHT
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""


def text(event: Event) -> str:
    """The calendar object of *event*: CRLF line ends, lines folded at 75 octets."""
    zone = event.client.zone
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{event.client.product}",
        *(_TIMEZONE.format(zone=zone).splitlines() if event.starts is not None else ()),
        *_component(event, event.day, event.starts, _recurrence(event)),
    ]
    for original, day, starts in event.moved:
        lines += _component(event, day, starts, [f"RECURRENCE-ID{_at(original, event.starts, zone)}"])
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _component(event: Event, day: date, starts: time | None, recurrence: list[str]) -> list[str]:
    zone = event.client.zone
    return [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        # written some days before it takes place, as calendars are
        f"DTSTAMP:{event.day - timedelta(days=9):%Y%m%d}T081500Z",
        f"SUMMARY:{_escaped(event.summary)}",
        f"DTSTART{_at(day, starts, zone)}",
        f"DTEND{_end(day, starts, event.minutes, zone)}",
        *recurrence,
        *event.extra,
        "END:VEVENT",
    ]


def _recurrence(event: Event) -> list[str]:
    rule = [f"RRULE:{event.rule}"] if event.rule else []
    return rule + [f"EXDATE{_at(day, event.starts, event.client.zone)}" for day in event.skipped]


def _at(day: date, starts: time | None, zone: str) -> str:
    if starts is None:
        return f";VALUE=DATE:{day:%Y%m%d}"
    return f";TZID={zone}:{day:%Y%m%d}T{starts:%H%M}00"


def _end(day: date, starts: time | None, minutes: int, zone: str) -> str:
    """DTEND is exclusive (RFC 5545 3.6.1); wall-clock arithmetic, for no entry of the town spans a clock change."""
    begin = 0 if starts is None else 60 * starts.hour + starts.minute
    days, rest = divmod(begin + minutes, 24 * 60)
    last = day + timedelta(days=days)
    return _at(last, None if starts is None else time(rest // 60, rest % 60), zone)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> Iterator[str]:
    """RFC 5545 3.1: no line longer than 75 octets; never cut inside a character."""
    part = ""
    for character in line:
        if len((part + character).encode()) > 75:
            yield part
            part = " "
        part += character
    yield part
