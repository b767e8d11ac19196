"""How a booking stands, in one table: what the API, the caseworker, the citizen and the staff's pages show of it.

`docs/reference/states.md` is made from this table (``python -m syncd.booking.states``), and a test holds both together.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.booking import Booking, BookingState, Meeting, RoomState


class Standing(StrEnum):
    """How a booking stands, as people see it; of several that apply, the one that matters most."""

    HELD = "held"
    PENDING = "pending"
    ROOM_PENDING = "room-pending"
    CONFIRMED = "confirmed"
    MOVED = "moved"
    ROOM_MISSING = "room-missing"
    CONFLICT = "conflict"
    ATTENTION = "needs-attention"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no-show"


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the table.

    :param when: what is the case.
    :param api: fields of the booking's answer, by name; a room's state is ``room.state``.
    :param caseworker: what stands in the calendar.
    :param da, en: what a portal tells the citizen; empty when nothing is to be told.
    :param page: the word on the staff's pages and in lists.
    :param then: what follows, and who must do something.
    """

    when: str
    api: Mapping[str, str]
    caseworker: str
    da: str
    en: str
    page: str
    then: str


TABLE: Mapping[Standing, Shown] = {
    Standing.HELD: Shown(
        when="A time is kept for some minutes.",
        api={"state": "held"},
        caseworker="nothing",
        da="Tiden er reserveret til dig i nogle minutter.",
        en="The time is kept for you for some minutes.",
        page="reserveret",
        then="It is booked, given back, or runs out by itself.",
    ),
    Standing.PENDING: Shown(
        when="Booked and durable; not every calendar was seen to hold it yet.",
        api={"state": "pending", "calendars": "owed"},
        caseworker="the entry, within seconds",
        da="Din tid er bestilt.",
        en="Your time is booked.",
        page="booket, skrives i kalenderen",
        then="syncd writes until the calendars hold it; after 15 minutes without success a task tells a person.",
    ),
    Standing.ROOM_PENDING: Shown(
        when="Booked; a room is chosen and its own calendar has not been seen to hold it yet, or the room declined and "
        "the next one is asked.",
        api={"state": "pending", "room.state": "pending"},
        caseworker="the entry, with the room and '(kan ændres)'",
        da="Din tid er bestilt. Du får besked, når lokalet er på plads; meld dig ellers i receptionen.",
        en="Your time is booked. You will hear when the room is settled; otherwise report at the reception.",
        page="booket, lokale afventer",
        then="A room that declines is left for the next one that suits; when none is left, the room is missing.",
    ),
    Standing.CONFIRMED: Shown(
        when="Every calendar it belongs in was seen to hold it.",
        api={"state": "confirmed", "calendars": "written"},
        caseworker="the entry",
        da="Din tid er bekræftet.",
        en="Your time is confirmed.",
        page="bekræftet",
        then="syncd goes on looking until the meeting is over.",
    ),
    Standing.MOVED: Shown(
        when="Time, caseworker, form or room changed after it was booked; the calendars follow.",
        api={"state": "pending", "calendars": "owed"},
        caseworker="the entry at its new place",
        da="Din tid er ændret. Se den nye tid her.",
        en="Your time has changed. See the new time here.",
        page="flyttet, skrives i kalenderen",
        then="Confirmed again once the calendars hold it; clients hear of it at once (`booking.moved`).",
    ),
    Standing.ROOM_MISSING: Shown(
        when="It needs a room and none could be had.",
        api={"room.state": "missing"},
        caseworker="the entry, with 'Lokale mangler'",
        da="Din tid er bestilt. Meld dig i receptionen; de viser dig vej.",
        en="Your time is booked. Report at the reception; they show you the way.",
        page="lokale mangler",
        then="syncd takes a room as soon as one comes free; a task asks a person to find one or move the meeting.",
    ),
    Standing.CONFLICT: Shown(
        when="A human put the meeting, or something else, so that both overlap.",
        api={"conflict": "true"},
        caseworker="both entries, as the human left them",
        da="Din tid er bestilt.",
        en="Your time is booked.",
        page="overlapper",
        then="Nothing is moved back; a task asks a person once. It goes when either event does.",
    ),
    Standing.ATTENTION: Shown(
        when="Something else needs a person: a calendar lags for 15 minutes, was restored, or is fought over.",
        api={"attention": "true"},
        caseworker="whatever the calendar holds",
        da="Din tid er bestilt.",
        en="Your time is booked.",
        page="kræver et menneske",
        then="A task says in plain words what is wrong and what to do; syncd goes on trying all the same.",
    ),
    Standing.FAILED: Shown(
        when="The meeting is over and its entry never reached the calendar.",
        api={"state": "pending", "calendars": "owed"},
        caseworker="nothing",
        da="",
        en="",
        page="nåede ikke kalenderen",
        then="A task asks a person to look at the calendar's access; the booking is kept as it was made.",
    ),
    Standing.CANCELLED: Shown(
        when="Given up by the citizen, the staff, or a human who deleted the entry (a second look agreed).",
        api={"state": "cancelled"},
        caseworker="nothing; the entry is removed without mailing anybody",
        da="Din tid er aflyst.",
        en="Your time is cancelled.",
        page="aflyst",
        then="An entry that cannot be removed for 15 minutes becomes a task.",
    ),
    Standing.EXPIRED: Shown(
        when="A hold ran out before it was booked.",
        api={"state": "expired"},
        caseworker="nothing",
        da="Reservationen er udløbet. Vælg en tid igen.",
        en="The reservation has run out. Choose a time again.",
        page="udløbet",
        then="The time is on offer again; the row is forgotten after a day.",
    ),
    Standing.NO_SHOW: Shown(
        when="The caseworker marked the entry: the citizen did not come.",
        api={"state": "no-show"},
        caseworker="the entry, with her mark",
        da="Du er registreret som udeblevet. Kontakt os, hvis det ikke er rigtigt.",
        en="You are registered as not having come. Contact us if that is wrong.",
        page="udeblevet",
        then="Taking the mark away takes it back.",
    ),
}
"""Every standing has a row; the order is that of the page."""

_BY_STATE = {
    BookingState.HELD: Standing.HELD,
    BookingState.CANCELLED: Standing.CANCELLED,
    BookingState.EXPIRED: Standing.EXPIRED,
    BookingState.NO_SHOW: Standing.NO_SHOW,
}


def standing(booking: Booking, meeting: Meeting, now: datetime) -> Standing:
    """The one standing that matters most."""
    if booking.state in _BY_STATE:
        return _BY_STATE[booking.state]
    if meeting.interval.end <= now and meeting.applied_generation == 0:
        return Standing.FAILED
    if meeting.conflict:
        return Standing.CONFLICT
    if meeting.room_state is RoomState.MISSING:
        return Standing.ROOM_MISSING
    if meeting.attention is not None:
        return Standing.ATTENTION
    if booking.state is BookingState.CONFIRMED:
        return Standing.CONFIRMED
    if meeting.applied_generation > 0:
        return Standing.MOVED
    return Standing.ROOM_PENDING if meeting.room is not None else Standing.PENDING


def page() -> str:
    """The reference page, in Markdown."""
    lines = [
        "# States of a booking",
        "",
        "Every booking stands in exactly one of these at a time; the API names it in `standing`.",
        "When several apply, the one that matters most is told:",
        "what has ended, then what failed, overlaps, lacks a room or needs a person, then the rest.",
        "This page is made from the table in the code (`syncd/booking/states.py`).",
        "",
    ]
    for one, row in TABLE.items():
        api = ", ".join(f"`{name}: {value}`" for name, value in row.api.items())
        lines += [
            f"## `{one}`",
            "",
            row.when,
            "",
            "| | |",
            "|---|---|",
            f"| API | `standing: {one}`, {api} |",
            f"| the caseworker's calendar | {row.caseworker} |",
            f"| the portal tells the citizen | {row.da or 'nothing'} |",
            f"| in English | {row.en or 'nothing'} |",
            f"| pages and lists | {row.page} |",
            f"| what follows | {row.then} |",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
