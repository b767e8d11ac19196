"""The hand of a person in a calendar, the same gestures for every kind of server."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from syncd.adapters.memory import MemoryCalendar
from syncd.model.busy import BusyType, Occurrence
from syncd.model.interval import Interval
from syncd.model.zones import whole_days
from tests.servers.dav import DavServer

ZONE = "Europe/Copenhagen"


class Hand(Protocol):
    """What people and their programs do to one calendar, behind syncd's back."""

    def put(self, name: str, interval: Interval) -> None:
        """Store a single event, new or changed, in object *name*."""
        ...

    def put_days(self, name: str, first: date, last: date) -> None:
        """Store an event that lasts whole days."""
        ...

    def put_weekly(self, name: str, first: Interval, times: int, skip: int, moved: int, to: Interval) -> None:
        """Store a weekly series on the wall clock, with instance *skip* cancelled and instance *moved* elsewhere."""
        ...

    def spoil(self, name: str) -> None:
        """Store something that no program can understand."""
        ...

    def remove(self, name: str) -> None: ...

    def move(self, uid: str, interval: Interval) -> None:
        """Drag one of our entries to another time."""
        ...

    def rename(self, uid: str, name: str) -> None:
        """Let a program store one of our entries under another name."""
        ...

    def forget_history(self) -> str:
        """A change token that the server does not know."""
        ...


class MemoryHand:
    """Hand in a `MemoryCalendar`."""

    def __init__(self, server: MemoryCalendar, mailbox: str) -> None:
        self.server = server
        self.mailbox = mailbox

    def put(self, name: str, interval: Interval) -> None:
        self.server.put(self.mailbox, name, [Occurrence(name, None, interval, BusyType.BUSY)])

    def put_days(self, name: str, first: date, last: date) -> None:
        span = whole_days(first, last, ZONE)
        self.server.put(self.mailbox, name, [Occurrence(name, None, span, BusyType.BUSY, all_day=True)])

    def put_weekly(self, name: str, first: Interval, times: int, skip: int, moved: int, to: Interval) -> None:
        spans = {n: weeks_later(first, n) for n in range(times) if n != skip}
        instances = [
            Occurrence(name, span.start, to if n == moved else span, BusyType.BUSY, recurring=True)
            for n, span in spans.items()
        ]
        self.server.put(self.mailbox, name, instances)

    def spoil(self, name: str) -> None:
        self.server.spoil(self.mailbox, name)

    def remove(self, name: str) -> None:
        self.server.remove(self.mailbox, name)

    def move(self, uid: str, interval: Interval) -> None:
        self.server.edit(self.mailbox, uid, interval=interval)

    def rename(self, uid: str, name: str) -> None:
        self.server.edit(self.mailbox, uid, key=name)

    def forget_history(self) -> str:
        self.server.forget_history()
        return "0:0"


class DavHand:
    """Hand on a CalDAV server: plain .ics files over plain HTTP."""

    def __init__(self, server: DavServer, path: str, garbage: str = "") -> None:
        self.server = server
        self.path = path
        self.garbage = garbage
        self._edits = count(1)

    def put(self, name: str, interval: Interval) -> None:
        self.server.put(self._object(name), calendar_text(event_text(name, interval, f"SEQUENCE:{next(self._edits)}")))

    def put_days(self, name: str, first: date, last: date) -> None:
        end = last + timedelta(days=1)
        times = f"DTSTART;VALUE=DATE:{first:%Y%m%d}\r\nDTEND;VALUE=DATE:{end:%Y%m%d}"
        self.server.put(self._object(name), calendar_text(lines_text(name, times)))

    def put_weekly(self, name: str, first: Interval, times: int, skip: int, moved: int, to: Interval) -> None:
        skipped, replaced = weeks_later(first, skip), weeks_later(first, moved)
        rule = f"RRULE:FREQ=WEEKLY;COUNT={times}\r\nEXDATE{local(skipped.start)}"
        other = event_text(name, to, f"RECURRENCE-ID{local(replaced.start)}")
        self.server.put(self._object(name), calendar_text(event_text(name, first, rule) + other))

    def spoil(self, name: str) -> None:
        # What every server stores, and no sane program expands: an instance each second for ever.
        times = "DTSTART:20261201T090000Z\r\nDTEND:20261201T090030Z\r\nRRULE:FREQ=SECONDLY"
        self.server.put(self._object(name), calendar_text(lines_text(name, times)))

    def remove(self, name: str) -> None:
        self.server.delete(self._object(name))

    def move(self, uid: str, interval: Interval) -> None:
        path = self._object(uid)
        kept = self._lines(path)
        edited = []
        for line in kept:
            if line.startswith("DTSTART"):
                edited.append(f"DTSTART{local(interval.start)}")
            elif line.startswith("DTEND"):
                edited.append(f"DTEND{local(interval.end)}")
            else:
                edited.append(line)
        # The zone's own rules have a DTSTART too; they must stay.
        zone = kept.index("BEGIN:VEVENT")
        self.server.put(path, "\r\n".join([*kept[:zone], *edited[zone:], ""]))

    def rename(self, uid: str, name: str) -> None:
        text = "\r\n".join([*self._lines(self._object(uid)), ""])
        self.server.delete(self._object(uid))
        self.server.put(self._object(name), text)

    def edit(self, uid: str, *changes: tuple[str, str]) -> None:
        """Replace whole lines of the VEVENT of *uid* by their beginning."""
        lines = self._lines(self._object(uid))
        inside = lines.index("BEGIN:VEVENT")
        for start, new in changes:
            kept = [line for line in lines[inside:] if not line.startswith(start)]
            lines = [*lines[:inside], kept[0], *([new] if new else []), *kept[1:]]
        self.server.put(self._object(uid), "\r\n".join([*lines, ""]))

    def forget_history(self) -> str:
        return self.garbage

    def _object(self, name: str) -> str:
        return f"{self.path}{quote(name)}.ics"

    def _lines(self, path: str) -> list[str]:
        text = self.server.get(path)
        assert text is not None
        return text.replace("\r\n", "\n").replace("\n ", "").strip().split("\n")


def weeks_later(interval: Interval, weeks: int) -> Interval:
    """The same wall-clock time some weeks later."""
    zone = ZoneInfo(ZONE)
    start = (interval.start.astimezone(zone) + timedelta(weeks=weeks)).astimezone(UTC)
    return Interval(start, start + interval.duration)


def local(moment: datetime) -> str:
    """The value of a DTSTART-like property, with its zone."""
    return f";TZID={ZONE}:{moment.astimezone(ZoneInfo(ZONE)):%Y%m%dT%H%M%S}"


def lines_text(uid: str, *lines: str) -> str:
    """A VEVENT of these lines."""
    body = "\r\n".join(lines)
    return f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{body}\r\nSUMMARY:Privat\r\nEND:VEVENT\r\n"


def event_text(uid: str, interval: Interval, *lines: str) -> str:
    """A VEVENT with a time on the wall clock of `ZONE`."""
    return lines_text(uid, f"DTSTART{local(interval.start)}", f"DTEND{local(interval.end)}", *lines)


def calendar_text(events: str) -> str:
    """A whole object, with the zone as programs write it."""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//hand//EN\r\n{COPENHAGEN}{events}END:VCALENDAR\r\n"


COPENHAGEN = """BEGIN:VTIMEZONE
TZID:Europe/Copenhagen
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
END:STANDARD
END:VTIMEZONE
""".replace("\n", "\r\n")
