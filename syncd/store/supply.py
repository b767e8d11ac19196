"""What slots rest on, read in few queries as plain epoch seconds; nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Text, and_, case, cast, func, select
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState
from syncd.model.busy import Stamp
from syncd.model.directory import MailboxId
from syncd.model.mirror import MailboxStatus
from syncd.store.chunks import chunks
from syncd.store.instants import maybe, span
from syncd.store.settings import GENERATION
from syncd.store.tables import Base, BookingRow, ClosureRow, MailboxRow, MeetingRow, RevisionRow, Setting, UnreadableRow

_OCCURRENCES = Base.metadata.tables["occurrences"].c
_CLAIMS = Base.metadata.tables["claims"].c
_LIVE = (BookingState.HELD.value, BookingState.PENDING.value, BookingState.CONFIRMED.value)
FEW = 300
"""More mailboxes than this are read by reading all, which is cheaper than naming them."""


class Kind(NamedTuple):
    """What occurrences have in common as far as they block.

    :param uid, meeting: set when our stamp is on it; see `Supply.own`.
    """

    busy: str
    all_day: bool
    recurring: bool
    categories: str
    uid: str
    meeting: str | None


class Bundle(NamedTuple):
    """All occurrences of one kind in one mailbox: start, end, start, end … in no order."""

    kind: Kind
    edges: list[int]


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


class Statuses:
    """Remembers how mailboxes stood, so that an unchanged row is not made into a value again."""

    def __init__(self) -> None:
        self._kept: dict[MailboxId, tuple[Any, MailboxStatus]] = {}

    def of(self, row: Any, unreadable: int) -> MailboxStatus:
        """The status a row tells; the same object while it tells the same."""
        told = (tuple(row), unreadable)
        kept = self._kept.get(row.id)
        if kept is None or kept[0] != told:
            covered = None if row.covered_start is None else span(row.covered_start, row.covered_end)
            status = MailboxStatus(
                row.id,
                covered=covered,
                as_of=maybe(row.as_of),
                refused=row.refused,
                unreadable=unreadable,
                revision=row.revision,
            )
            kept = self._kept[row.id] = (told, status)
        return kept[1]


def head(session: Session) -> tuple[int, int]:
    """The generation and the number of the rules in force (0 before the first), in one look."""
    newest = select(func.coalesce(func.max(RevisionRow.number), 0)).scalar_subquery()
    generation, number = session.execute(select(Setting.value, newest).where(Setting.name == GENERATION)).one()
    return int(generation), int(number)


class Supply:
    """Reads for `syncd.publish`, inside one transaction."""

    def __init__(self, session: Session, installation: str) -> None:
        self._session = session
        self._installation = installation

    def statuses(self, ids: Collection[MailboxId], remembered: Statuses) -> dict[MailboxId, MailboxStatus]:
        """How these mailboxes stand, as far as slots care; unknown ones are left out."""
        counted = select(UnreadableRow.mailbox, func.count()).where(UnreadableRow.acknowledged.is_(False))
        rows = self._session.execute(counted.group_by(UnreadableRow.mailbox))
        broken = {row[0]: row[1] for row in rows}
        query = select(
            MailboxRow.id,
            MailboxRow.covered_start,
            MailboxRow.covered_end,
            MailboxRow.as_of,
            MailboxRow.refused,
            MailboxRow.revision,
        )
        found = self._rows(query, MailboxRow.id, ids)
        return {row.id: remembered.of(row, broken.get(row.id, 0)) for row in found}

    def events(self, ids: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, list[Bundle]]:
        """The occurrences that touch *start* to *end*, by mailbox; every id has an entry.

        The database joins alike ones into one text, which is several times faster than a row for each.
        """
        table = _OCCURRENCES
        stamped = case((table.stamp.is_(None), ""), else_=table.uid)
        kind = (table.busy, table.all_day, table.recurring, table.categories, stamped, table.stamp)
        both = cast(table.start, Text) + " " + cast(table.end, Text)
        query = (
            select(table.mailbox, *kind, func.aggregate_strings(both, " "))
            .where(table.start < end, table.end > start)
            .group_by(table.mailbox, *kind)
        )
        found: dict[MailboxId, list[Bundle]] = {mailbox: [] for mailbox in ids}
        for mailbox, busy, all_day, recurring, categories, uid, stamp, edges in self._rows(query, table.mailbox, ids):
            meeting = self._ours(stamp) if stamp else None
            what = Kind(busy, bool(all_day), bool(recurring), categories, uid, meeting)
            found[mailbox].append(Bundle(what, [int(edge) for edge in edges.split()]))
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
        """The rows of *query* for these ids; one is asked for by equality, which indexes like best."""
        if len(ids) == 1:
            return self._session.execute(query.where(column == next(iter(ids)))).all()
        if len(ids) <= FEW:
            return self._session.execute(query.where(column.in_(list(ids)))).all() if ids else ()
        wanted = frozenset(ids)
        return [row for row in self._session.execute(query).all() if row[0] in wanted]  # the id always comes first


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
