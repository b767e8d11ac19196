"""Holds and bookings as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncd.booking.announce import site_of
from syncd.booking.results import Appointment
from syncd.booking.states import TABLE, standing
from syncd.model.booking import BookingState, Meeting, RoomState
from syncd.model.directory import Directory
from syncd.model.offer import Form
from syncd.publish.standing import announced
from syncd.store import Tx
from syncd.web.deps import Service


def hold_content(found: Appointment, directory: Directory, *, announced: bool = False) -> dict[str, Any]:
    """What a client may know of a hold. :param announced: whether that includes the room."""
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
        "room": _room(meeting, directory, announced=announced),
        "moves": booking.moves,
        "topic": booking.topic or None,
        "partners": list(meeting.partners),
        "created": booking.created.replace(microsecond=0),
    }
    if booking.state is BookingState.HELD and booking.expires is not None:
        content["expires"] = booking.expires.replace(microsecond=0)
    return content


def booking_content(
    found: Appointment, directory: Directory, now: datetime, *, announced: bool = False
) -> dict[str, Any]:
    """What a client may know of a booking; `syncd.booking.states` says what each standing means."""
    meeting = found.meeting
    stands = standing(found.booking, meeting, now)
    shown = TABLE[stands]
    return hold_content(found, directory, announced=announced) | {
        "calendars": "written" if meeting.settled else "owed",
        "standing": stands,
        "say": {"da": shown.da, "en": shown.en} if shown.da else None,
        "video": (directory.video(meeting.caseworker) or meeting.link) if meeting.form is Form.VIDEO else None,
        "conflict": meeting.conflict,
        "attention": meeting.attention is not None,
    }


def _room(meeting: Meeting, directory: Directory, *, announced: bool) -> dict[str, Any]:
    """Until rooms are announced citizens get the house and where to report; the room may still be another one."""
    person = directory.caseworkers.get(meeting.caseworker)
    room = directory.rooms.get(meeting.room) if meeting.room and announced else None
    site = directory.sites.get(room.site if room else person.site if person else "")
    content: dict[str, Any] = {"state": meeting.room_state}
    if meeting.room is not None:
        content |= {"announced": announced} | ({"id": room.id, "name": room.name} if room else {})
    if meeting.room_state is not RoomState.NONE and site is not None:
        content |= {"site": site.name} | ({"reception": site.reception} if site.reception else {})
    return content


def room_told(service: Service, meeting: Meeting, tx: Tx | None = None) -> bool:
    """Whether the citizen may know the room now. :param tx: an open transaction, so that none is opened beside it."""
    site = site_of(service.directory(), meeting.caseworker, meeting.room) if meeting.room else None
    if site is None:
        return False
    rules = service.rulebook() if tx is None else service.publisher.rules.within(tx)
    return announced(site, meeting.interval, rules, service.clock.now())
