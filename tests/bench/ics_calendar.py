"""A calendar of about 2,000 events in the mix that real ones have (reference: 1,600 single, 250 series, overrides)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from syncd.model.interval import Interval

WINDOW = Interval(datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC))
"""Eight weeks with the end of summer time inside."""

ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Copenhagen
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""

_RULES = (
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;WKST=MO",
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYMONTHDAY=15",
    "FREQ=WEEKLY;COUNT=200",
    "FREQ=WEEKLY;UNTIL=20261031T225959Z",
    "FREQ=YEARLY",
)


def calendar(singles: int = 1600, series: int = 250, seed: int = 11) -> list[bytes]:
    """One text per resource, each with its VTIMEZONE, a summary, a description and an alarm."""
    rng = random.Random(seed)
    texts = [_resource([_event(rng, f"single-{n}", _around(rng))]) for n in range(singles)]
    return texts + [_resource(_series(rng, f"series-{n}")) for n in range(series)]


def changed(text: bytes) -> bytes:
    """The same event half an hour longer."""
    return text.replace(b"DTEND", b"X-WAS-DTEND", 1).replace(b"BEGIN:VALARM", b"DURATION:PT90M\r\nBEGIN:VALARM", 1)


def _around(rng: random.Random) -> datetime:
    """A quarter of an hour in office time, in the months around the window."""
    day = datetime(2026, 8, 1) + timedelta(days=rng.randrange(180))
    return day + timedelta(minutes=15 * rng.randrange(28, 64))


def _series(rng: random.Random, uid: str) -> list[str]:
    rule = rng.choice(_RULES)
    start = (
        datetime(2026, 8, 3) - timedelta(days=7 * rng.randrange(150)) + timedelta(minutes=15 * rng.randrange(28, 64))
    )
    if "BYDAY=2TU" in rule:
        start = start.replace(day=8) + timedelta(days=(1 - start.replace(day=8).weekday()) % 7)
    elif "BYMONTHDAY" in rule:
        start = start.replace(day=15)
    elif "BYDAY=TU" in rule:
        start += timedelta(days=1)
    lines = [f"RRULE:{rule}"]
    weekly = rule in _RULES[:1]
    if weekly and rng.random() < 0.8:
        skipped = start + timedelta(weeks=(datetime(2026, 10, 12) - start).days // 7)
        lines.append(f"EXDATE;TZID=Europe/Copenhagen:{skipped:%Y%m%dT%H%M%S}")
    events = [_event(rng, uid, start, *lines)]
    if weekly or rng.random() < 0.85:
        original = start + timedelta(weeks=(datetime(2026, 11, 9) - start).days // 7)
        if weekly or "BYDAY=MO,TU" in rule:
            moved = original + timedelta(hours=rng.randrange(1, 4))
            events.append(_event(rng, uid, moved, f"RECURRENCE-ID;TZID=Europe/Copenhagen:{original:%Y%m%dT%H%M%S}"))
    return events


def _event(rng: random.Random, uid: str, start: datetime, *lines: str) -> str:
    end = start + timedelta(minutes=rng.choice((30, 45, 60, 90)))
    kind = rng.choice(("OPAQUE",) * 9 + ("TRANSPARENT",))
    return "\n".join(
        [
            "BEGIN:VEVENT",
            f"UID:{uid}@bench.example",
            "DTSTAMP:20260901T080000Z",
            f"SUMMARY:Talk number {rng.randrange(10**6)} with somebody",
            "DESCRIPTION:A few lines about what this is for\\, as people write them\\nwith a second line and an ",
            " address that goes over the fold https://meet.example/" + "x" * 40,
            "LOCATION:Room 12\\, second floor",
            f"DTSTART;TZID=Europe/Copenhagen:{start:%Y%m%dT%H%M%S}",
            f"DTEND;TZID=Europe/Copenhagen:{end:%Y%m%dT%H%M%S}",
            *lines,
            f"TRANSP:{kind}",
            "CLASS:PUBLIC",
            "SEQUENCE:1",
            "ORGANIZER;CN=Some Body:mailto:some.body@example.org",
            "ATTENDEE;CN=Other Body;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:other@example.org",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT15M",
            "DESCRIPTION:Reminder",
            "END:VALARM",
            "END:VEVENT",
        ]
    )


def _resource(events: list[str]) -> bytes:
    body = "\n".join(events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//bench//EN\n{ZONE}{body}\nEND:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()
