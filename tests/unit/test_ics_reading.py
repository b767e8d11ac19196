"""What reading keeps and what it drops, beyond the shapes of tests/corpus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.adapters.caldav.ics import Unparsable, busy, open_hours, read_object, read_outside, recall_object
from syncd.model.busy import BusyType, Stamp
from syncd.model.interval import Interval

ZONE = "Europe/Copenhagen"
WINDOW = Interval(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
NEXT_YEAR = Interval(WINDOW.start + timedelta(days=365), WINDOW.end + timedelta(days=365))
STAMP = Stamp("i" * 8, "m1", 3, "d" * 16)


def text(*lines: str, name: str = "VEVENT") -> bytes:
    body = "\r\n".join([f"BEGIN:{name}", *lines, f"END:{name}"])
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}\r\nEND:VCALENDAR\r\n".encode()


def single(*lines: str) -> bytes:
    return text("UID:u1", "DTSTART:20261005T080000Z", "DTEND:20261005T090000Z", *lines)


def test_memory_and_occurrences_hold_nothing_that_people_wrote() -> None:
    words = "Hemmelig", "Lokale", "Hansen", "ida@example.org", "bo@example.org", "Sygdom", "https"
    data = text(
        "UID:u1",
        'DTSTART;TZID=Europe/Copenhagen;X-NOTE="Hemmelig":20261005T080000',
        "DTEND;TZID=Europe/Copenhagen:20261005T090000",
        "RRULE:FREQ=DAILY;COUNT=3;X-WHY=HEMMELIG",
        "SUMMARY:Hemmelig",
        "DESCRIPTION:Hemmelig",
        "LOCATION:Lokale 1",
        "COMMENT:Hemmelig",
        "CONTACT:Hansen",
        "URL:https://example.org",
        "X-ALT-DESC:Hemmelig",
        "X-SYNCD-BUSY:free",
        "CATEGORIES:Sygdom,Self-booking",
        "ORGANIZER;CN=Hansen:mailto:bo@example.org",
        "ATTENDEE;CN=Hansen;PARTSTAT=TENTATIVE:mailto:ida@example.org",
        "BEGIN:VALARM",
        "DESCRIPTION:Hemmelig",
        "END:VALARM",
    )

    read = read_object(data, ZONE, WINDOW, owner="ida@example.org", obeyed={"self-booking"})

    kept = read.memory.decode() + repr(read.occurrences)
    assert not [word for word in words if word.lower() in kept.lower()]
    assert {BusyType.TENTATIVE} == {o.busy for o in read.occurrences}
    assert {("Self-booking",)} == {o.categories for o in read.occurrences}
    assert read == recall_object(read.memory, ZONE, WINDOW)


def test_a_category_may_say_more_after_a_colon() -> None:
    data = single("CATEGORIES:SELVBOOK : Jobsamtale,Selvbooking,Sygdom: Selvbook", "CATEGORIES:selvbook")

    read = read_object(data, ZONE, WINDOW, obeyed={"Selvbook"})

    assert [("SELVBOOK : Jobsamtale", "selvbook")] == [o.categories for o in read.occurrences]
    assert read.occurrences == recall_object(read.memory, ZONE, WINDOW).occurrences


def test_stamp_is_read_also_from_memory() -> None:
    read = read_object(single(f"X-SYNCD-STAMP:{STAMP.encode()}"), ZONE, WINDOW)
    escaped = read_object(single("X-SYNCD-STAMP:" + STAMP.encode().replace(";", "\\;")), ZONE, WINDOW)

    assert [STAMP] == [o.stamp for o in read.occurrences]
    assert read.occurrences == escaped.occurrences == recall_object(read.memory, ZONE, WINDOW).occurrences


def test_a_server_cannot_speak_in_our_name() -> None:
    found = read_object(single("X-SYNCD-BUSY:free", "X-SYNCD-CATEGORY:obeyed"), ZONE, WINDOW, obeyed={"obeyed"})

    assert [(BusyType.BUSY, ())] == [(o.busy, o.categories) for o in found.occurrences]


@pytest.mark.parametrize("memory", [b"", b"BEGIN:VCALENDAR\nX-SYNCD-MEMORY:1\nEND:VCALENDAR\n", single()])
def test_memory_of_another_version_is_refused(memory: bytes) -> None:
    with pytest.raises(Unparsable, match="fetch it again"):
        recall_object(memory, ZONE, WINDOW)


def test_occurrences_say_where_the_rule_put_them() -> None:
    data = (
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u1\nDTSTART:20261005T080000Z\nDTEND:20261005T090000Z\n"
        b"RRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\nBEGIN:VEVENT\nUID:u1\nRECURRENCE-ID:20261006T080000Z\n"
        b"DTSTART:20261008T080000Z\nDTEND:20261008T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )

    read = read_object(data, ZONE, WINDOW)

    days = [(o.original_start and o.original_start.day, o.interval.start.day, o.recurring) for o in read.occurrences]
    assert [(5, 5, True), (6, 8, True)] == days
    assert ("u1", None) == (read.uid, read_object(single(), ZONE, WINDOW).occurrences[0].original_start)


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        ("FREQ=DAILY", None),
        ("FREQ=DAILY;COUNT=100000", None),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=900", None),
        ("FREQ=DAILY;COUNT=3", datetime(2026, 10, 7, 9, tzinfo=UTC)),
        ("FREQ=DAILY;UNTIL=20261009T080000Z", datetime(2026, 10, 9, 9, tzinfo=UTC)),
    ],
)
def test_a_finite_series_ends_and_an_endless_one_does_not(rule: str, last: datetime | None) -> None:
    read = read_object(single(f"RRULE:{rule}"), ZONE, WINDOW)

    assert datetime(2026, 10, 5, 8, tzinfo=UTC) == read.first
    if last is None or read.last is None:
        assert last is read.last
    else:
        assert last <= read.last < last + timedelta(days=5)


def test_an_object_without_events_is_readable_and_nowhere() -> None:
    read = read_object(text("UID:t", "DUE:20261005T080000Z", name="VTODO"), ZONE, WINDOW)

    assert ((), datetime(1970, 1, 1, tzinfo=UTC)) == (read.occurrences, read.last)


def test_merged_spans_are_disjoint_within_their_type_and_clipped() -> None:
    data = single() + text("UID:u2", "DTSTART:20260930T230000Z", "DTEND:20261005T083000Z")
    data += text("UID:u3", "DTSTART:20261005T083000Z", "DTEND:20261005T100000Z", "STATUS:TENTATIVE")

    plain, merged = busy(data, ZONE, WINDOW), busy(data, ZONE, WINDOW, merged=True)

    assert 3 == len(plain)
    assert [
        (Interval(WINDOW.start, datetime(2026, 10, 5, 9, tzinfo=UTC)), BusyType.BUSY),
        (Interval(datetime(2026, 10, 5, 8, 30, tzinfo=UTC), datetime(2026, 10, 5, 10, tzinfo=UTC)), BusyType.TENTATIVE),
    ] == merged


def test_open_hours_are_what_availability_leaves() -> None:
    monday = Interval(datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC))
    hours = text(
        "UID:a",
        "BEGIN:AVAILABLE",
        "UID:b",
        "DTSTART;TZID=Europe/Copenhagen:20260105T090000",
        "DTEND;TZID=Europe/Copenhagen:20260105T150000",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU",
        "END:AVAILABLE",
        name="VAVAILABILITY",
    )

    nine_to_three = Interval(datetime(2026, 10, 5, 7, tzinfo=UTC), datetime(2026, 10, 5, 13, tzinfo=UTC))
    assert [nine_to_three] == open_hours(hours, ZONE, monday)
    assert open_hours(single(), ZONE, monday) is None
    assert read_object(hours, ZONE, monday) == recall_object(read_object(hours, ZONE, monday).memory, ZONE, monday)


@pytest.mark.parametrize("broken", ["RRULE:FREQ=NEVER", "EXDATE:x", "RRULE:FREQ=DAILY;INTERVAL=0"])
def test_readable_dates_prove_that_an_unreadable_event_is_far_away(broken: str) -> None:
    later, earlier = single(broken).replace(b"2026", b"2029"), single(broken).replace(b"2026", b"2020")

    assert read_outside(single(broken), ZONE, WINDOW) is None
    assert read_outside(later, ZONE, WINDOW) is not None
    assert (read_outside(earlier, ZONE, WINDOW) is None) == ("RRULE" in broken)


def test_what_is_proven_now_is_judged_again_when_the_window_comes_near() -> None:
    far = read_outside(single("RRULE:FREQ=NEVER").replace(b"2026", b"2027"), ZONE, WINDOW)

    assert far is not None
    assert WINDOW.end < far.first < NEXT_YEAR.end
    with pytest.raises(Unparsable):
        recall_object(far.memory, ZONE, NEXT_YEAR)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        single().replace(b"2026", b"2029")[:-20],
        single().replace(b"DTSTART:2026", b"DTSTART:x029"),
        single("RDATE:20261006T080000Z", "RRULE:FREQ=NEVER").replace(b"DTSTART:2026", b"DTSTART:2029"),
        text("FREEBUSY:20290101T080000Z/PT1H", name="VFREEBUSY"),
        text("UID:a", name="VEVENT"),
    ],
)
def test_nothing_is_proven_by_a_text_that_may_hide_more(data: bytes) -> None:
    assert read_outside(data, ZONE, WINDOW) is None


def test_whose_meeting_it_is_is_told_of_marked_events_only_and_remembered() -> None:
    def guests(organizer: str, category: str = "CATEGORIES:Lokale") -> list[bool]:
        lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:u", "DTSTART:20260302T090000Z", "DTEND:20260302T100000Z"]
        text = "\r\n".join([*lines, organizer, category, "END:VEVENT", "END:VCALENDAR", ""]).encode()
        window = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
        read = read_object(text, "UTC", window, owner="anna@example.dk", obeyed=("Lokale",))
        again = recall_object(read.memory, "UTC", window)
        assert read.occurrences == again.occurrences
        return [one.guest for one in read.occurrences]

    assert [True] == guests("ORGANIZER;CN=Bo:mailto:bo@example.dk")
    assert [False] == guests("ORGANIZER:MAILTO:Anna@example.dk")
    assert [False] == guests("X-NOBODY:1")
    assert [False] == guests("ORGANIZER;CN=Bo:mailto:bo@example.dk", "CATEGORIES:Ferie")
