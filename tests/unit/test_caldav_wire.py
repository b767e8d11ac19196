"""Our own entries as iCalendar, and what people make of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from syncd.adapters.caldav.vtimezone import vtimezone
from syncd.adapters.caldav.wire import answer_of, read_entry, sequence_of, write_entry
from syncd.model.busy import BusyType, Stamp
from syncd.model.entry import EntryDraft, Resource, same_text, same_time, stamped
from syncd.model.interval import Interval
from syncd.model.zones import whole_days

ZONE = "Europe/Copenhagen"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NINE = Interval.at(datetime(2026, 12, 1, 8, tzinfo=UTC), 45)
DRAFT = stamped(
    EntryDraft(
        uid="m1@syncd.test",
        interval=NINE,
        zone=ZONE,
        summary="Samtale; om job, og \\ mere",
        description="Linje 1\nLinje 2",
        location="Lokale 2.04",
        stamp=Stamp("inst", "m1", 3, ""),
        room=Resource("r204@syncd.test", 'Lokale "2.04", 1. sal'),
        categories=("Selvbooking",),
    )
)
INVITING = replace(DRAFT, room=Resource("r204@syncd.test", "Lokale 2.04", invited=True))


def written(draft: EntryDraft = DRAFT, **how) -> str:
    return write_entry(draft, "anna@syncd.test", NOW, **how).decode()


def read(text: str):
    return read_entry(text.encode(), DRAFT.uid, "k", "v", ZONE)


def edited(*changes: tuple[str, str]) -> str:
    """The written entry with whole lines of its VEVENT replaced by their beginning."""
    head, _, event = written().replace("\r\n ", "").partition("BEGIN:VEVENT")
    lines = event.split("\r\n")
    for start, new in changes:
        lines = [new if line.startswith(start) else line for line in lines]
    return head + "BEGIN:VEVENT" + "\r\n".join(lines)


def test_what_is_written_is_read_back_the_same():
    entry = read(written())

    assert entry.interval == NINE
    assert entry.digest == DRAFT.stamp.digest
    assert entry.stamp == DRAFT.stamp
    assert (entry.location, entry.categories, entry.cancelled) == ("Lokale 2.04", ("Selvbooking",), False)
    assert entry.room_answer == "ACCEPTED"


def test_the_object_is_what_other_programs_expect():
    calendar = icalendar.Calendar.from_ical(written(sequence=3))
    [event] = calendar.walk("VEVENT")

    assert "METHOD" not in calendar
    assert event["DTSTART"].params["TZID"] == ZONE
    assert event["CLASS"] == "PRIVATE"
    assert (event["TRANSP"], event["X-MICROSOFT-CDO-BUSYSTATUS"]) == ("OPAQUE", "BUSY")
    assert event["SEQUENCE"] == 3
    assert event["ORGANIZER"] == "mailto:anna@syncd.test"
    assert [tz["TZID"] for tz in calendar.walk("VTIMEZONE")] == [ZONE]
    assert len(recurring_ical_events.of(calendar).between(date(2026, 12, 1), date(2026, 12, 2))) == 1


def test_a_room_is_booked_by_us_or_invited_by_the_server():
    booked = icalendar.Calendar.from_ical(written()).walk("VEVENT")[0]["ATTENDEE"]
    invited = icalendar.Calendar.from_ical(written(INVITING)).walk("VEVENT")[0]["ATTENDEE"]

    assert (booked.params["CUTYPE"], booked.params["SCHEDULE-AGENT"]) == ("ROOM", "NONE")
    assert (invited.params["CUTYPE"], invited.params["PARTSTAT"]) == ("ROOM", "NEEDS-ACTION")
    assert "SCHEDULE-AGENT" not in invited.params


def test_without_a_room_nobody_is_invited():
    text = written(replace(DRAFT, room=None))

    assert "ATTENDEE" not in text
    assert "ORGANIZER" not in text
    assert read(text).room_answer is None


@pytest.mark.parametrize("kind", list(BusyType))
def test_every_busy_type_can_be_written(kind):
    text = written(replace(DRAFT, busy=kind))

    assert ("TRANSP:TRANSPARENT" in text) == (kind is BusyType.FREE)


def test_a_moved_entry_shows_its_new_time_and_the_old_stamp():
    entry = read(edited(("DTSTART", "DTSTART:20261202T130000Z"), ("DTEND", "DTEND:20261202T133000Z")))
    assert entry.interval == Interval.at(datetime(2026, 12, 2, 13, tzinfo=UTC), 30)
    assert entry.stamp == DRAFT.stamp
    assert not same_time(entry.digest, DRAFT.stamp.digest)
    assert same_text(entry.digest, DRAFT.stamp.digest)


def test_an_entry_made_to_last_all_day_covers_the_day_in_the_mailboxs_zone():
    entry = read(edited(("DTSTART", "DTSTART;VALUE=DATE:20261202"), ("DTEND", "DTEND;VALUE=DATE:20261204")))

    assert entry.interval == whole_days(date(2026, 12, 2), date(2026, 12, 3), ZONE)


def test_an_entry_with_a_duration_has_an_end():
    entry = read(edited(("DTEND", "DURATION:PT1H30M")))

    assert entry.interval == Interval.at(NINE.start, 90)


def test_a_floating_entry_is_read_in_the_mailboxs_zone():
    entry = read(edited(("DTSTART", "DTSTART:20261201T090000"), ("DTEND", "DTEND:20261201T094500")))

    assert entry.interval == NINE


def test_an_entry_made_to_repeat_stands_at_its_first_time_and_is_not_what_we_wrote():
    entry = read(edited(("STATUS", "RRULE:FREQ=WEEKLY;COUNT=4")))

    assert (True, False) == (entry.series, read(edited()).series)
    assert entry.interval == NINE
    assert entry.digest != DRAFT.stamp.digest


def test_a_cancelled_entry_says_so():
    assert read(edited(("STATUS", "STATUS:CANCELLED"))).cancelled


@pytest.mark.parametrize(
    "changes",
    [
        [("DTSTART", "DTSTART:nonsense")],
        [("DTSTART", "X-NOTHING:1")],
        [("DTEND", "DTEND:20261101T080000Z")],
        [("DTSTART", "DTSTART;VALUE=DATE:20261202")],
    ],
    ids=["nonsense", "missing", "backwards", "mixed"],
)
def test_a_time_that_is_no_use_is_none(changes):
    assert read(edited(*changes)).interval is None


def test_an_answer_of_the_room_is_read():
    text = written(INVITING).replace("\r\n ", "").replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=DECLINED")

    assert read(text).room_answer == "DECLINED"
    assert read(text).rooms == (("r204@syncd.test", "DECLINED"),)
    assert read(written()).rooms == ()


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda draft: draft, "ACCEPTED"),
        (lambda draft: replace(draft, summary="Noget andet"), "ACCEPTED"),
        (lambda draft: replace(draft, interval=Interval.at(NINE.end, 45)), None),
        (lambda draft: replace(draft, room=Resource("other@syncd.test", "Andet lokale", invited=True)), None),
        (lambda draft: DRAFT, None),
    ],
)
def test_an_answer_is_kept_while_the_same_room_is_asked_for_the_same_time(change, kept):
    there = written(INVITING, answer="ACCEPTED").encode()

    assert read(written(INVITING, answer="ACCEPTED")).room_answer == "ACCEPTED"
    assert answer_of(there, change(INVITING)) == kept
    assert answer_of(b"nonsense", INVITING) is None


def test_other_objects_hold_no_entry_of_ours():
    assert read_entry(b"", "m1@syncd.test", "k", "v", ZONE) is None
    assert read_entry(written().encode(), "m1@syncd", "k", "v", ZONE) is None


def test_a_broken_copy_of_our_entry_is_there_without_a_time():
    entry = read("BEGIN:VCALENDAR\r\nUID:m1@syncd.test\r\nEND:VEVENT\r\n")

    assert entry is not None
    assert entry.interval is None


def test_the_sequence_of_what_is_replaced_can_be_read():
    assert sequence_of(written(sequence=7).encode()) == 7
    assert sequence_of(b"nonsense") == 0


def test_the_second_half_past_two_is_written_so_that_nobody_reads_the_first():
    night = Interval.at(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 30)

    assert read(written(replace(DRAFT, interval=night))).interval == night


@pytest.mark.parametrize(
    "zone", ["Europe/Copenhagen", "Atlantic/Faroe", "America/Nuuk", "America/New_York", "Asia/Tokyo"]
)
def test_the_zone_component_agrees_with_the_zone(zone):
    text = b"BEGIN:VCALENDAR\r\n" + vtimezone(zone, 2026).replace(zone.encode(), b"Own") + b"END:VCALENDAR\r\n"
    [component] = icalendar.Calendar.from_ical(text).walk("VTIMEZONE")
    assert isinstance(component, icalendar.Timezone)
    own = component.to_tz(lookup_tzid=False)
    tz = ZoneInfo(zone)

    for month in range(1, 13):
        for day in (1, 28):
            local = datetime(2026, month, day, 12)
            assert local.replace(tzinfo=own).utcoffset() == local.replace(tzinfo=tz).utcoffset(), (zone, local)


def test_the_change_of_clocks_is_a_yearly_rule_at_the_hour_shown_before():
    text = vtimezone(ZONE, 2026).decode()

    assert "DTSTART:20250330T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n" in text
    assert "DTSTART:20251026T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n" in text
