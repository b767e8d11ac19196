"""Input that wants to harm: each ends soon, in bounded memory, with a reason that does not quote it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from syncd.adapters.caldav.ics import Unparsable, read_object, recall_object
from syncd.model.interval import Interval

ZONE = "Europe/Copenhagen"
WINDOW = Interval(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
SECRET = "Samtale med Ida Hansen 010190-1234"
SLOWEST = 10.0
"""CPU seconds; far above what is needed here, far below a stand-still."""


def event(*lines: str, start: str = "DTSTART:20261005T080000Z") -> bytes:
    body = "\r\n".join(["BEGIN:VEVENT", "UID:u", start, "DTEND:20261005T090000Z", *lines, "END:VEVENT"])
    return f"BEGIN:VCALENDAR\r\n{body}\r\nEND:VCALENDAR\r\n".encode()


BOMBS: dict[str, Callable[[], bytes]] = {
    "one instance each second": lambda: event("RRULE:FREQ=SECONDLY"),
    "one instance each minute": lambda: event("RRULE:FREQ=MINUTELY"),
    "a billion counted seconds": lambda: event(
        "RRULE:FREQ=SECONDLY;COUNT=1000000000", start="DTSTART:19700101T000000Z"
    ),
    "every second of every day": lambda: event(
        "RRULE:FREQ=DAILY;BYHOUR={};BYMINUTE={};BYSECOND={}".format(
            ",".join(map(str, range(24))), ",".join(map(str, range(60))), ",".join(map(str, range(60)))
        )
    ),
    "fifty megabytes of one line": lambda: event("DESCRIPTION:" + "x" * 50_000_000),
    "fifty megabytes of events": lambda: event() * 500_000,
    "a million short lines": lambda: event(*["UID:"] * 1_000_000),
    "a thousand levels": lambda: event(*["BEGIN:X"] * 1000, *["END:X"] * 1000),
    "a rule longer than any": lambda: event("RRULE:FREQ=DAILY;BYSETPOS=" + ",".join(["1"] * 10_000)),
    "sixty thousand extra dates": lambda: event("RDATE:" + ",".join(["20261005T080000Z"] * 60_000)),
    "a zone that changes each second": lambda: event(
        "END:VEVENT", "BEGIN:VTIMEZONE", "TZID:Weird", "BEGIN:STANDARD", "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "RRULE:FREQ=SECONDLY", "END:STANDARD", "END:VTIMEZONE",
        "BEGIN:VEVENT", "DTSTART;TZID=Weird:20261005T080000",
    ),
    "the year 10000": lambda: event("DURATION:P99999W", start="DTSTART:99991231T235959").replace(b"DTEND", b"X-END"),
    "dates of Arabic digits": lambda: event(start="DTSTART:\u0662\u0660\u0662\u0666\u0661\u0660\u0660\u0665"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_soon_and_silently(name: str) -> None:
    data = BOMBS[name]()
    begun = time.process_time()

    with pytest.raises(Unparsable) as refusal:
        read_object(data, ZONE, WINDOW)

    assert time.process_time() - begun < SLOWEST
    assert len(refusal.value.reason) < 120


HARMLESS: dict[str, Callable[[], bytes]] = {
    "ten thousand exceptions": lambda: event(
        "RRULE:FREQ=DAILY", *[f"EXDATE:{1990 + n // 300}{n % 12 + 1:02}{n % 28 + 1:02}T080000Z" for n in range(10_000)]
    ),
    "a rule that never comes true": lambda: event("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5"),
    "a day rule that never comes true": lambda: event("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5"),
    "rare seconds": lambda: event("RRULE:FREQ=SECONDLY;BYHOUR=9;BYMINUTE=0;BYSECOND=0"),
    "every four-hundredth year": lambda: event("RRULE:FREQ=YEARLY;INTERVAL=400", start="DTSTART:16260101T000000Z"),
    "control characters": lambda: event("SUMMARY:a\x00b\x01c\x7f\u2028d", "X-\x00:1"),
    "a broken encoding": lambda: event().replace(b"UID:u", b"UID:u\xff\xfe\xc3\x28"),
    "a path as a zone": lambda: event("DTSTART;TZID=../../etc/passwd:20261005T080000").replace(
        b"DTSTART:20261005T080000Z\r\n", b""
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_strange_object_is_read_soon(name: str) -> None:
    data = HARMLESS[name]()
    begun = time.process_time()

    read = read_object(data, ZONE, WINDOW)

    assert time.process_time() - begun < SLOWEST
    assert read == recall_object(read.memory, ZONE, WINDOW)


@pytest.mark.parametrize(
    "line",
    [
        f"DTEND:{SECRET}",
        f"DURATION:{SECRET}",
        f"RRULE:FREQ=DAILY;{SECRET}",
        f"RRULE:FREQ={SECRET}",
        f"EXDATE:{SECRET}",
        f"RDATE:20261005T080000Z/{SECRET}",
        f"RECURRENCE-ID:{SECRET}",
        f"BEGIN:{SECRET}",
    ],
)
def test_refusal_never_quotes_the_object(line: str) -> None:
    data = event().replace(b"DTEND:20261005T090000Z", line.encode())

    with pytest.raises(Unparsable) as refusal:
        read_object(data, ZONE, WINDOW)

    assert "Ida" not in str(refusal.value)
    assert "010190" not in str(refusal.value)


def test_memory_stays_bounded_on_the_largest_object_that_is_read() -> None:
    script = (
        "import resource\n"
        "from tests.unit.test_ics_hostile import WINDOW, ZONE, event\n"
        "from syncd.adapters.caldav.ics import Unparsable, read_object\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for data in (event(*['UID:'] * 500_000), event() * 5_000, event('SUMMARY:' + 'x' * 16_000_000)):\n"
        "    try:\n"
        "        read_object(data, ZONE, WINDOW)\n"
        "    except Unparsable:\n"
        "        pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=True)

    assert int(done.stdout) < 300 * 1024  # KiB


def test_control_characters_in_the_uid_of_a_free_busy_object_are_dropped_for_good() -> None:
    text = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VFREEBUSY\r\nUID:f\x00\x00\r\n"
        b"FREEBUSY:20261006T080000Z/PT1H\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    window = Interval(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    read = read_object(text, "Europe/Copenhagen", window)

    assert "f" == read.uid
    assert read == recall_object(read.memory, "Europe/Copenhagen", window)
