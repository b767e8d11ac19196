"""What a record at DFDG should say of a meeting, as far as people were told."""

from __future__ import annotations

from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.dfdg import Said, Words
from syncd.model.directory import Directory
from syncd.model.offer import Form
from syncd.store import Tx

ENDED = (BookingState.CANCELLED, BookingState.EXPIRED)


def saying(
    tx: Tx, directory: Directory, words: Words, meeting: Meeting, booking: Booking | None, known: Said | None
) -> Said:
    """What DFDG should hold of a meeting now.

    What we do not decide stays as *known* says: a place, while no room was announced; a code of a form that is ours in
    another shade; a link.
    """
    form = _code(words, meeting.form, known)
    return Said(
        start=meeting.interval.start,
        end=meeting.interval.end,
        caseworker=words.outside(meeting.caseworker),
        form=form,
        place=_place(tx, directory, meeting, known),
        link=_link(directory, meeting, known),
        gone=not meeting.wanted or (booking is not None and booking.state in ENDED),
    )


def _code(words: Words, form: Form, known: Said | None) -> int:
    if known is not None and words.form(known.form) in (form, None):
        return known.form
    return words.forms[form]


def _place(tx: Tx, directory: Directory, meeting: Meeting, known: Said | None) -> str:
    """The room that people were told; a room that was not announced may change unheard."""
    if meeting.form is not Form.IN_PERSON:
        return ""
    notice = tx.rooms.notice(meeting.id)
    room = directory.rooms.get(notice.room) if notice is not None and notice.room is not None else None
    if room is not None:
        return f"{room.name}, {directory.sites[room.site].name}"
    if notice is not None and (person := directory.caseworkers.get(meeting.caseworker)) is not None:
        site = directory.sites[person.site]  # they were told a room, and there is none any more
        return site.reception or site.name
    return known.place if known is not None else ""


def _link(directory: Directory, meeting: Meeting, known: Said | None) -> str:
    if meeting.form is not Form.VIDEO:
        return ""
    if known is not None and known.link:
        return known.link
    person = directory.caseworkers.get(meeting.caseworker)
    return (person.video if person is not None else None) or meeting.link or ""
