"""What every page about a meeting says of it: what, when, where, and what its citizen may still do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncd.booking.allowed import may_cancel, may_move
from syncd.booking.results import Appointment
from syncd.errors import NotAllowed
from syncd.model.booking import BookingState
from syncd.model.directory import Directory
from syncd.model.offer import Form, Offer
from syncd.web.appointments import room_told
from syncd.web.pages.booking.words import FORMS, title_of
from syncd.web.pages.visiting import Visitor

BOOKED = (BookingState.PENDING, BookingState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Mine:
    """What a link leads to. :param offer: None when it is not in force any more."""

    secret: str
    found: Appointment
    offer: Offer | None

    @property
    def address(self) -> str:
        """Of its page."""
        return f"/book/{self.secret}"


def told(visitor: Visitor, mine: Mine) -> dict[str, Any]:
    """The values of the templates; never a name, the caseworker's or the citizen's."""
    deps, booking, meeting, offer = visitor.deps, mine.found.booking, mine.found.meeting, mine.offer
    directory, now = deps.directory(), deps.clock.now()
    return {
        "address": mine.address,
        "reference": mine.found.reference,
        "state": booking.state.value,
        "booked": booking.state in BOOKED,
        "meeting": meeting,
        "title": title_of(visitor, offer, meeting.offer),
        "how": visitor.say(FORMS[meeting.form]),
        "zone": meeting.zone,
        "place": place_of(mine.found, directory, announced=room_told(deps, meeting)),
        "video": (directory.video(meeting.caseworker) or meeting.link) if meeting.form is Form.VIDEO else None,
        "topic": booking.topic,
        "may_move": offer is not None and _allowed(lambda: may_move(booking, meeting, offer, now)),
        "may_cancel": _allowed(lambda: may_cancel(booking, meeting, offer, now)),
    }


def place_of(found: Appointment, directory: Directory, *, announced: bool) -> str:
    """Where to come: the house, and the room once it is told, or whom to ask; empty when nobody need come.

    :param announced: whether citizens may know the room now.
    """
    meeting = found.meeting
    person, room = directory.caseworkers.get(meeting.caseworker), directory.rooms.get(meeting.room or "")
    site = directory.sites.get(room.site if room else person.site if person else "")
    if meeting.form is not Form.IN_PERSON or site is None:
        return ""
    further = room.name if room and announced else site.reception
    return f"{site.name}, {further}" if further else site.name


def _allowed(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except NotAllowed:
        return False
    return True
