"""Group meetings and the seats taken in them, as answers and holds rest on them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState
from syncd.model.directory import MailboxId
from syncd.model.offer import Form
from syncd.store.chunks import chunks
from syncd.store.most import STATE
from syncd.store.tables import BookingRow, MeetingRow

TAKEN = (BookingState.HELD.value, BookingState.PENDING.value, BookingState.CONFIRMED.value)


class Group(NamedTuple):
    """A group meeting as our rows have it, in epoch seconds.

    :param taken: for each seat that is taken when its hold runs out; None for one that is booked.
    """

    meeting: str
    caseworker: MailboxId
    form: Form
    start: int
    end: int
    conflict: bool
    taken: tuple[int | None, ...]


_COLUMNS = (
    MeetingRow.id,
    MeetingRow.caseworker,
    MeetingRow.form,
    MeetingRow.start,
    MeetingRow.end,
    MeetingRow.conflict,
    BookingRow.state,
    BookingRow.expires,
)


def groups(session: Session, offer: str, people: Collection[MailboxId], start: int, end: int, now: int) -> list[Group]:
    """Meetings of *offer* with *people* between *start* and *end* in which somebody has a seat at *now*."""
    seats: dict[tuple[str, MailboxId, str, int, int, bool], list[int | None]] = {}
    for some in chunks(people):
        query = (
            select(*_COLUMNS)
            .join(BookingRow, BookingRow.meeting == MeetingRow.id)
            .where(MeetingRow.offer == offer, MeetingRow.caseworker.in_(some), STATE.in_(TAKEN))
            .where(MeetingRow.start >= start, MeetingRow.end <= end)
        )
        for row in session.execute(query):
            key = (row.id, row.caseworker, row.form, row.start, row.end, row.conflict)
            if row.state != BookingState.HELD.value:
                seats.setdefault(key, []).append(None)
            elif row.expires is not None and row.expires > now:
                seats.setdefault(key, []).append(row.expires)
    return [
        Group(meeting, caseworker, Form(form), begin, until, bool(conflict), tuple(taken))
        for (meeting, caseworker, form, begin, until, conflict), taken in seats.items()
    ]
