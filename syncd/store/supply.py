"""What slots rest on, read in few queries as plain epoch seconds; nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState
from syncd.model.busy import Stamp
from syncd.model.directory import MailboxId
from syncd.store.chunks import chunks
from syncd.store.tables import Base, BookingRow, ClosureRow, MeetingRow

_OCCURRENCES = Base.metadata.tables["occurrences"].c
_CLAIMS = Base.metadata.tables["claims"].c
_LIVE = (BookingState.HELD.value, BookingState.PENDING.value, BookingState.CONFIRMED.value)


class EventFields(NamedTuple):
    """One mirrored occurrence.

    :param meeting: the meeting of our stamp, when this installation wrote it; see `Supply.own`.
    """

    start: int
    end: int
    busy: str
    all_day: bool
    recurring: bool
    categories: str
    uid: str
    meeting: str | None


class OwnMeeting(NamedTuple):
    """What our rows say of a meeting whose stamp was met."""

    uid: str
    wanted: bool


class ClaimFields(NamedTuple):
    """Time one of our meetings takes, buffers included; *expires* is None once it is booked."""

    start: int
    end: int
    meeting: str
    expires: int | None


@dataclass(frozen=True, slots=True)
class MeetingStart:
    """A live meeting or hold, for caps."""

    caseworker: MailboxId
    offer: str
    start: int
    meeting: str
    expires: int | None


class Supply:
    """Reads for `syncd.publish`, inside one transaction."""

    def __init__(self, session: Session, installation: str) -> None:
        self._session = session
        self._installation = installation

    def events(self, ids: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, list[EventFields]]:
        """The occurrences that touch *start* to *end*, by mailbox; every id has an entry."""
        found: dict[MailboxId, list[EventFields]] = {mailbox: [] for mailbox in ids}
        table = _OCCURRENCES
        query = select(
            table.mailbox,
            table.start,
            table.end,
            table.busy,
            table.all_day,
            table.recurring,
            table.categories,
            table.uid,
            table.stamp,
        ).where(table.start < end, table.end > start)
        for mailbox, *fields, stamp in self._rows(query, table.mailbox, ids):
            found[mailbox].append(EventFields._make((*fields, self._ours(stamp) if stamp else None)))
        return found

    def _ours(self, stamp: str) -> str | None:
        """The meeting of our own stamp; another installation's entry is simply busy time (decision 5)."""
        mark = Stamp.decode(stamp)
        return mark.meeting if mark is not None and mark.installation == self._installation else None

    def claims(self, ids: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, list[ClaimFields]]:
        """The claims that touch *start* to *end*, expired holds' too, by mailbox and in order."""
        found: dict[MailboxId, list[ClaimFields]] = {mailbox: [] for mailbox in ids}
        query = (
            select(_CLAIMS.mailbox, _CLAIMS.id, _CLAIMS.start, _CLAIMS.end, _CLAIMS.meeting, *_seat())
            .outerjoin(BookingRow, and_(BookingRow.meeting == _CLAIMS.meeting, BookingRow.state.in_(_LIVE)))
            .where(_CLAIMS.start < end, _CLAIMS.end > start)
            .order_by(_CLAIMS.start, _CLAIMS.id)
        )
        seats: dict[int, list[tuple[str | None, int | None]]] = {}
        claims: dict[int, tuple[MailboxId, int, int, str]] = {}
        for mailbox, number, begin, until, meeting, state, expires in self._rows(query, _CLAIMS.mailbox, ids):
            claims[number] = (mailbox, begin, until, meeting)
            seats.setdefault(number, []).append((state, expires))
        for number, (mailbox, begin, until, meeting) in claims.items():
            found[mailbox].append(ClaimFields(begin, until, meeting, _given_back(seats[number])))
        return found

    def meetings(self, ids: Collection[MailboxId], start: int, end: int) -> list[MeetingStart]:
        """Live meetings and holds of these caseworkers that begin in *start* ≤ t < *end*, expired holds too."""
        query = (
            select(MeetingRow.caseworker, MeetingRow.offer, MeetingRow.start, MeetingRow.id, *_seat())
            .join(BookingRow, BookingRow.meeting == MeetingRow.id)
            .where(BookingRow.state.in_(_LIVE), MeetingRow.start >= start, MeetingRow.start < end)
        )
        seats: dict[tuple[MailboxId, str, int, str], list[tuple[str | None, int | None]]] = {}
        for caseworker, offer, begin, meeting, state, expires in self._rows(query, MeetingRow.caseworker, ids):
            seats.setdefault((caseworker, offer, begin, meeting), []).append((state, expires))
        return [MeetingStart(*key, _given_back(listed)) for key, listed in seats.items()]

    def own(self, meetings: Collection[str]) -> dict[str, OwnMeeting]:
        """Those of these meetings that we know, by id.

        An entry is ours by stamp and UID together: a copy that a human made has our stamp under another UID.
        """
        found: dict[str, OwnMeeting] = {}
        for some in chunks(meetings):
            query = select(MeetingRow.id, MeetingRow.uid, MeetingRow.wanted).where(MeetingRow.id.in_(some))
            found |= {meeting: OwnMeeting(uid, wanted) for meeting, uid, wanted in self._session.execute(query)}
        return found

    def closures(self, rooms: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, list[tuple[int, int]]]:
        """Spans in which rooms cannot be used, by room; every id has an entry."""
        found: dict[MailboxId, list[tuple[int, int]]] = {room: [] for room in rooms}
        query = select(ClosureRow.room, ClosureRow.start, ClosureRow.end).where(
            ClosureRow.start < end, ClosureRow.end > start
        )
        for room, begin, until in self._rows(query, ClosureRow.room, rooms):
            found[room].append((begin, until))
        return found

    def _rows(self, query: Any, column: Any, ids: Collection[MailboxId]) -> Iterable[Any]:
        """The rows of *query* for these ids; one id is asked for by equality, which indexes like best."""
        for some in chunks(ids):
            condition = column == some[0] if len(some) == 1 else column.in_(some)
            yield from self._session.execute(query.where(condition))


def _seat() -> tuple[Any, Any]:
    return BookingRow.state, BookingRow.expires


def _given_back(seats: Iterable[tuple[str | None, int | None]]) -> int | None:
    """When the last hold runs out; None as soon as one seat is booked, or when there is none at all.

    A claim without any live booking belongs to a meeting that only the calendars know; its time is taken.
    """
    listed = list(seats)
    if any(state != BookingState.HELD.value or expires is None for state, expires in listed):
        return None
    return max(expires for _, expires in listed if expires is not None)
