"""Holds and bookings as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncd.booking.results import Appointment
from syncd.booking.states import TABLE, standing
from syncd.model.booking import BookingState, Meeting
from syncd.model.directory import Directory
from syncd.model.offer import Form


def hold_content(found: Appointment, directory: Directory) -> dict[str, Any]:
    """What a client may know of a hold."""
    booking, meeting = found.booking, found.meeting
    content: dict[str, Any] = {
        "id": booking.id,
        "code": found.reference,
        "offer": meeting.offer,
        "caseworker": meeting.caseworker,
        "form": meeting.form,
        "start": meeting.interval.start,
        "end": meeting.interval.end,
        "zone": meeting.zone,
        "state": booking.state,
        "room": _room(meeting, directory),
        "moves": booking.moves,
        "topic": booking.topic or None,
        "partners": list(meeting.partners),
        "created": booking.created.replace(microsecond=0),
    }
    if booking.state is BookingState.HELD and booking.expires is not None:
        content["expires"] = booking.expires.replace(microsecond=0)
    return content


def booking_content(found: Appointment, directory: Directory, now: datetime) -> dict[str, Any]:
    """What a client may know of a booking; `syncd.booking.states` says what each standing means."""
    meeting = found.meeting
    stands = standing(found.booking, meeting, now)
    shown = TABLE[stands]
    return hold_content(found, directory) | {
        "calendars": "written" if meeting.settled else "owed",
        "standing": stands,
        "say": {"da": shown.da, "en": shown.en} if shown.da else None,
        "video": directory.video(meeting.caseworker) if meeting.form is Form.VIDEO else None,
        "conflict": meeting.conflict,
        "attention": meeting.attention is not None,
    }


def _room(meeting: Meeting, directory: Directory) -> dict[str, Any]:
    room = directory.rooms.get(meeting.room) if meeting.room else None
    known = {"id": meeting.room} if meeting.room else {}
    return {"state": meeting.room_state, **known} | ({"name": room.name} if room else {})
