"""What slots rest on, read in few queries as plain epoch seconds; nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Text, bindparam, case, cast, func, select
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState
from syncd.model.busy import Stamp
from syncd.model.directory import MailboxId
from syncd.model.mirror import MailboxStatus
from syncd.model.offer import RoomRequirement
from syncd.store.chunks import chunks
from syncd.store.instants import maybe, span
from syncd.store.meeting_rows import asks
from syncd.store.most import STATE
from syncd.store.prepared import prepared
from syncd.store.tables import (
    HERS,
    Base,
    BookingRow,
    ClosureRow,
    EntryRow,
    MeetingRow,
    RoomPinRow,
)

_OCCURRENCES = Base.metadata.tables["occurrences"].c
_CLAIMS = Base.metadata.tables["claims"].c
# Plain tables: what is asked at every hold shall not pay for objects that nobody makes.
_BOOKINGS = Base.metadata.tables["bookings"].c
_MAILBOXES = Base.metadata.tables["mailboxes"].c
_UNREADABLE = Base.metadata.tables["unreadable"].c
_ABSENCES = Base.metadata.tables["absences"].c
_LIVE = (BookingState.HELD.value, BookingState.PENDING.value, BookingState.CONFIRMED.value)
AWAY = "(away)"
"""What stands in place of a meeting's id where an absence takes the time; no id has brackets."""
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
    """What our rows say of a meeting whose stamp was met.

    :param leaving: calendars its entry is on its way out of, because it has another room or caseworker now.
    :param hers: calendars in which what stands under its UID is their owner's own.
    """

    uid: str
    wanted: bool
    leaving: frozenset[MailboxId] = frozenset()
    hers: frozenset[MailboxId] = frozenset()


class Place(NamedTuple):
    """Where and when a meeting of ours is, as our rows have it; start and end without buffers."""

    offer: str
    form: str
    caseworker: MailboxId
    room: MailboxId | None
    start: int
    end: int
    asks: RoomRequirement | None = None
    """What it asks of a room when that is not its offer's to say."""


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
    minutes: int
    expires: int | None


class Statuses:
    """Remembers how mailboxes stood, so that an unchanged row is not made into a value again."""

    def __init__(self) -> None:
        self._kept: dict[MailboxId, tuple[Any, MailboxStatus]] = {}

    def of(self, row: Any) -> MailboxStatus:
        """The status a row tells; the same object while it tells the same."""
        told = tuple(row)
        kept = self._kept.get(row.id)
        if kept is None or kept[0] != told:
            covered = None if row.covered_start is None else span(row.covered_start, row.covered_end)
            status = MailboxStatus(
                row.id,
                covered=covered,
                as_of=maybe(row.as_of),
                refused=row.refused,
                unreadable=row.unreadable or 0,
                revision=row.revision,
            )
            kept = self._kept[row.id] = (told, status)
        return kept[1]


class _About:
    """A question about mailboxes, put together once; the mailbox's id is its first column.

    Its bounds ``since`` and ``until`` are epoch seconds.
    """

    def __init__(self, query: Any, column: Any) -> None:
        self._one = prepared(query.where(column == bindparam("one")))
        self._some = prepared(query.where(column.in_(bindparam("some", expanding=True))))
        self._all = prepared(query)

    def rows(self, session: Session, ids: Collection[MailboxId], **bounds: int) -> Sequence[Any]:
        """The rows for these ids; one is asked for by equality, which indexes like best."""
        if not ids:
            return ()
        if len(ids) == 1:
            return session.execute(self._one, {"one": next(iter(ids)), **bounds}).all()
        if len(ids) <= FEW:
            return session.execute(self._some, {"some": list(ids), **bounds}).all()
        wanted = frozenset(ids)
        return [row for row in session.execute(self._all, bounds).all() if row[0] in wanted]


def _touching(query: Any, table: Any) -> Any:
    return query.where(table.start < bindparam("until"), table.end > bindparam("since"))


_SEAT = (BookingRow.state, BookingRow.expires)
_KIND = (
    _OCCURRENCES.busy,
    _OCCURRENCES.all_day,
    _OCCURRENCES.recurring,
    _OCCURRENCES.categories,
    case((_OCCURRENCES.stamp.is_(None), ""), else_=_OCCURRENCES.uid),
    _OCCURRENCES.stamp,
)
_EDGES = func.aggregate_strings(cast(_OCCURRENCES.start, Text) + " " + cast(_OCCURRENCES.end, Text), " ")
_EVENTS = _About(
    _touching(select(_OCCURRENCES.mailbox, *_KIND, _EDGES), _OCCURRENCES).group_by(_OCCURRENCES.mailbox, *_KIND),
    _OCCURRENCES.mailbox,
)
_LINE = cast(_CLAIMS.id, Text) + " " + cast(_CLAIMS.start, Text) + " " + cast(_CLAIMS.end, Text) + " " + _CLAIMS.meeting
_TAKEN = _About(
    _touching(select(_CLAIMS.mailbox, func.aggregate_strings(_LINE, "\n")), _CLAIMS).group_by(_CLAIMS.mailbox),
    _CLAIMS.mailbox,
)
_HELD = prepared(select(_BOOKINGS.meeting, _BOOKINGS.expires).where(_BOOKINGS.state == BookingState.HELD.value))
_STARTS = _About(
    select(MeetingRow.caseworker, MeetingRow.offer, MeetingRow.start, MeetingRow.id, MeetingRow.end, *_SEAT)
    .join(BookingRow, BookingRow.meeting == MeetingRow.id)
    .where(STATE.in_(_LIVE), MeetingRow.start >= bindparam("since"), MeetingRow.start < bindparam("until")),
    MeetingRow.caseworker,
)
_BROKEN = (
    select(_UNREADABLE.mailbox, func.count().label("unreadable"))
    .where(_UNREADABLE.acknowledged.is_(False))
    .group_by(_UNREADABLE.mailbox)
    .subquery()
)
_STATUSES = _About(
    select(
        _MAILBOXES.id,
        _MAILBOXES.covered_start,
        _MAILBOXES.covered_end,
        _MAILBOXES.as_of,
        _MAILBOXES.refused,
        _MAILBOXES.revision,
        _BROKEN.c.unreadable,
    ).select_from(Base.metadata.tables["mailboxes"].outerjoin(_BROKEN, _BROKEN.c.mailbox == _MAILBOXES.id)),
    _MAILBOXES.id,
)
_CLOSURES = _About(_touching(select(ClosureRow.room, ClosureRow.start, ClosureRow.end), ClosureRow), ClosureRow.room)
_SOME: BindParameter[Any] = bindparam("some", expanding=True)
_MEETINGS = prepared(select(MeetingRow.id, MeetingRow.uid, MeetingRow.wanted).where(MeetingRow.id.in_(_SOME)))
_LEAVING = prepared(
    select(EntryRow.meeting, EntryRow.mailbox, HERS).where(EntryRow.meeting.in_(_SOME), ~EntryRow.wanted)
)
_PLACES = prepared(
    select(
        MeetingRow.id,
        MeetingRow.offer,
        MeetingRow.form,
        MeetingRow.caseworker,
        MeetingRow.room,
        MeetingRow.start,
        MeetingRow.end,
        MeetingRow.asks,
    ).where(MeetingRow.id.in_(_SOME))
)
_BOOKED_OF = prepared(select(_BOOKINGS.meeting).where(_BOOKINGS.meeting.in_(_SOME), _BOOKINGS.state.in_(_LIVE[1:])))
_PINNED = prepared(select(RoomPinRow.meeting))


_AWAY = prepared(
    select(_ABSENCES.caseworker, _ABSENCES.start, _ABSENCES.end).where(
        _ABSENCES.end > bindparam("since"), _ABSENCES.start < bindparam("until")
    )
)


class Supply:
    """Reads for `syncd.publish`, inside one transaction."""

    def __init__(self, session: Session, installation: str) -> None:
        self._session = session
        self._installation = installation

    def statuses(self, ids: Collection[MailboxId], remembered: Statuses) -> dict[MailboxId, MailboxStatus]:
        """How these mailboxes stand, as far as slots care; unknown ones are left out."""
        return {row.id: remembered.of(row) for row in _STATUSES.rows(self._session, ids)}

    def events(self, ids: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, list[Bundle]]:
        """The occurrences that touch *start* to *end*, by mailbox; every id has an entry.

        The database joins alike ones into one text, which is several times faster than a row for each.
        """
        found: dict[MailboxId, list[Bundle]] = {mailbox: [] for mailbox in ids}
        for row in _EVENTS.rows(self._session, ids, since=start, until=end):
            mailbox, busy, all_day, recurring, categories, uid, stamp, edges = row
            meeting = self._ours(stamp) if stamp else None
            what = Kind(busy, bool(all_day), bool(recurring), categories, uid, meeting)
            found[mailbox].append(Bundle(what, [int(edge) for edge in edges.split()]))
        return found

    def _ours(self, stamp: str) -> str | None:
        """The meeting of our own stamp; another installation's entry is simply busy time (decision 5)."""
        mark = Stamp.decode(stamp)
        return mark.meeting if mark is not None and mark.installation == self._installation else None

    def claims(self, ids: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, list[ClaimFields]]:
        """The claims that touch *start* to *end*, expired holds' too, by mailbox and in order.

        An absence takes its caseworker's time like a claim, of the meeting `AWAY`.
        """
        holds = self.holds()
        return {mailbox: claims_in(text, holds) for mailbox, text in self.claim_texts(ids, start, end).items()}

    def claim_texts(self, ids: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, str]:
        """The same as text, one per mailbox, for `claims_in`; every id has an entry.

        An equal text means equal claims, so whoever remembers what he made of it need not do so again. The database
        joins the rows, which is several times faster than one object for each.
        """
        texts = dict.fromkeys(ids, "")
        for mailbox, text in _TAKEN.rows(self._session, ids, since=start, until=end):
            texts[mailbox] = text
        for caseworker, begin, until in self._session.execute(_AWAY, {"since": start, "until": end}):
            if caseworker in texts:
                texts[caseworker] += f"\n0 {begin} {until} {AWAY}"
        return texts

    def holds(self) -> dict[str, int]:
        """When the last hold of a meeting runs out; only meetings in which no seat is booked yet."""
        found: dict[str, int] = {}
        for meeting, expires in self._session.execute(_HELD):
            if expires is not None:
                found[meeting] = max(expires, found.get(meeting, 0))
        for some in chunks(found):
            for meeting in self._session.scalars(_BOOKED_OF, {"some": some}):
                found.pop(meeting, None)
        return found

    def meetings(self, ids: Collection[MailboxId], start: int, end: int) -> list[MeetingStart]:
        """Live meetings and holds of these caseworkers that begin in *start* ≤ t < *end*, expired holds too."""
        seats: dict[tuple[MailboxId, str, int, str, int], list[tuple[str | None, int | None]]] = {}
        for row in _STARTS.rows(self._session, ids, since=start, until=end):
            caseworker, offer, begin, meeting, ends, state, expires = row
            key = (caseworker, offer, begin, meeting, (ends - begin) // 60)
            seats.setdefault(key, []).append((state, expires))
        return [MeetingStart(*key, _given_back(listed)) for key, listed in seats.items()]

    def own(self, meetings: Collection[str]) -> dict[str, OwnMeeting]:
        """Those of these meetings that we know, by id.

        An entry is ours by stamp and UID together: a copy that a human made has our stamp under another UID.
        """
        found: dict[str, OwnMeeting] = {}
        for some in chunks(meetings):
            leaving, kept = defaultdict[str, set[MailboxId]](set), defaultdict[str, set[MailboxId]](set)
            for meeting, mailbox, hers in self._session.execute(_LEAVING, {"some": some}):
                (kept if hers else leaving)[meeting].add(mailbox)
            found |= {
                meeting: OwnMeeting(uid, wanted, frozenset(leaving[meeting]), frozenset(kept[meeting]))
                for meeting, uid, wanted in self._session.execute(_MEETINGS, {"some": some})
            }
        return found

    def places(self, meetings: Collection[str]) -> dict[str, Place]:
        """Where and when these meetings are, by id."""
        found: dict[str, Place] = {}
        for some in chunks(meetings):
            found |= {
                row.id: Place(row.offer, row.form, row.caseworker, row.room, row.start, row.end, asks(row.asks))
                for row in self._session.execute(_PLACES, {"some": some})
            }
        return found

    def pinned(self) -> frozenset[str]:
        """All meetings whose room staff want to keep."""
        return frozenset(self._session.scalars(_PINNED))

    def closures(self, rooms: Collection[MailboxId], start: int, end: int) -> dict[MailboxId, list[tuple[int, int]]]:
        """Spans in which rooms cannot be used, by room; every id has an entry."""
        found: dict[MailboxId, list[tuple[int, int]]] = {room: [] for room in rooms}
        for room, begin, until in _CLOSURES.rows(self._session, rooms, since=start, until=end):
            found[room].append((begin, until))
        return found


def claims_in(text: str, holds: Mapping[str, int]) -> list[ClaimFields]:
    """The claims of a text of `Supply.claim_texts`, in order.

    A claim without any live booking belongs to a meeting that only the calendars know; its time is taken.

    :param holds: see `Supply.holds`.
    """
    rows = [line.split(" ", 3) for line in text.splitlines() if line]
    ordered = sorted((int(start), int(number), int(end), meeting) for number, start, end, meeting in rows)
    return [ClaimFields(start, end, meeting, holds.get(meeting)) for start, _, end, meeting in ordered]


def _given_back(seats: Iterable[tuple[str | None, int | None]]) -> int | None:
    """When the last hold runs out; None as soon as one seat is booked."""
    listed = list(seats)
    if any(state != BookingState.HELD.value or expires is None for state, expires in listed):
        return None
    return max(expires for _, expires in listed if expires is not None)
