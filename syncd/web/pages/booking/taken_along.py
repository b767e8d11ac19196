"""A meeting for the citizen's own calendar (RFC 5545); it says what stands on her page, and names nobody."""

from __future__ import annotations

from datetime import datetime

from icalendar import Calendar, Event

from syncd.booking.results import Appointment
from syncd.model.booking import BookingState


def taken_along(found: Appointment, title: str, place: str, organisation: str, now: datetime) -> bytes:
    """The calendar file; of a meeting that was moved the same event with a higher SEQUENCE, so that it is replaced."""
    meeting, event = found.meeting, Event()
    event.add("UID", f"{found.booking.id}@syncd")
    event.add("DTSTAMP", now.replace(microsecond=0))
    event.add("SEQUENCE", max(0, meeting.desired_generation - 1))
    event.add("DTSTART", meeting.interval.start)
    event.add("DTEND", meeting.interval.end)
    event.add("SUMMARY", f"{title} · {organisation}")
    event.add("STATUS", "CANCELLED" if found.booking.state is BookingState.CANCELLED else "CONFIRMED")
    event.add("CLASS", "PRIVATE")
    if place:
        event.add("LOCATION", place)
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//syncd//booking//DA")
    calendar.add("METHOD", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
