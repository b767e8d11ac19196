"""A meeting for the citizen's own calendar (RFC 5545); it says what stands on her page, and names nobody."""

from __future__ import annotations

from datetime import datetime

from icalendar import Calendar, Event, vCalAddress

from syncd.booking.results import Appointment
from syncd.model.booking import BookingState


def taken_along(
    found: Appointment, title: str, place: str, organisation: str, now: datetime, sender: str = ""
) -> bytes:
    """The calendar file; of a meeting that was moved the same event with a higher SEQUENCE, so that it is replaced.

    :param sender: the address it is mailed from: then it is a whole iTIP message, which names its organizer and, of
        a cancelled meeting, takes the event away again (RFC 5546 3.2.1, 3.2.5, 4.1.3).
    """
    meeting, event = found.meeting, Event()
    gone = found.booking.state is BookingState.CANCELLED
    event.add("UID", f"{found.booking.id}@syncd")
    event.add("DTSTAMP", now.replace(microsecond=0))
    # One seat of a group given up leaves the meeting as it is, so that alone must count.
    event.add("SEQUENCE", max(0, meeting.desired_generation - 1) + gone)
    event.add("DTSTART", meeting.interval.start)
    event.add("DTEND", meeting.interval.end)
    event.add("SUMMARY", f"{title} · {organisation}")
    event.add("STATUS", "CANCELLED" if gone else "CONFIRMED")
    event.add("CLASS", "PRIVATE")
    if place:
        event.add("LOCATION", place)
    if sender:
        event.add("ORGANIZER", vCalAddress(f"mailto:{sender}"), parameters={"CN": organisation})
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//syncd//booking//DA")
    calendar.add("METHOD", "CANCEL" if sender and gone else "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
