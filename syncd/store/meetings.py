"""Meetings, the time they claim, and where they stand in calendars."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from syncd.model.booking import BookingState, EntryRecord, Meeting
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store import drift
from syncd.store import meeting_rows as rows
from syncd.store.instants import epoch, span
from syncd.store.most import STATE
from syncd.store.prepared import prepared
from syncd.store.straight import later, send
from syncd.store.tables import BookingRow, ClaimRow, ClosureRow, EntryRow, MeetingRow, OccurrenceRow

AT_ONCE = 0
"""Value of ``due`` that comes before every instant."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A span of a person's or room's time that a meeting takes.

    :param active: False when a human made it overlap with another meeting of ours.
    """

    mailbox: MailboxId
    interval: Interval
    active: bool


_LONGEST_WAITING = (
    select(MeetingRow.id)
    .where(MeetingRow.due <= bindparam("now"))
    .order_by(MeetingRow.due, MeetingRow.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_LEASE = prepared(
    update(MeetingRow)
    .where(MeetingRow.id == _LONGEST_WAITING)
    .values(due=bindparam("until"), lease=MeetingRow.lease + 1, leased_by=bindparam("by"))
    .returning(MeetingRow.id, MeetingRow.lease)
    .execution_options(synchronize_session=False)
)
_LOOK = select(MeetingRow.lease).where(MeetingRow.id == bindparam("of"))
_ONCE_MORE = (
    update(MeetingRow)
    .where(MeetingRow.id == bindparam("of_meeting"))
    .values(due=AT_ONCE, lease=MeetingRow.lease + 1)
    .execution_options(synchronize_session=False)
)
_CLAIMS = prepared(
    select(ClaimRow.mailbox, ClaimRow.start, ClaimRow.end, ClaimRow.active)
    .where(ClaimRow.meeting == bindparam("id"))
    .order_by(ClaimRow.mailbox)
)

_AHEAD = select(OccurrenceRow.id).where(
    OccurrenceRow.mailbox == MeetingRow.caseworker,
    OccurrenceRow.uid == MeetingRow.uid,
    OccurrenceRow.start > bindparam("now"),
)
_TOUCH = prepared(
    update(MeetingRow)
    .where(
        MeetingRow.id.in_(bindparam("some", expanding=True)),
        MeetingRow.desired_generation > 0,
        or_(~MeetingRow.wanted, MeetingRow.end > bindparam("now"), _AHEAD.exists()),
    )
    .values(due=AT_ONCE)
    .execution_options(synchronize_session=False)
)
_TAKEN, _SEATS = cast(Table, ClaimRow.__table__).c, cast(Table, BookingRow.__table__).c
_MEETINGS = cast(Table, MeetingRow.__table__).c
_BUSY = prepared(
    select(_TAKEN.mailbox, _TAKEN.start, _TAKEN.end)
    .where(
        _TAKEN.mailbox.in_(bindparam("some", expanding=True)),
        _TAKEN.start < bindparam("until"),
        _TAKEN.end > bindparam("begin"),
        _TAKEN.meeting != bindparam("ignoring"),
    )
    .order_by(_TAKEN.start, _TAKEN.end)
)
_EXPIRED = select(_SEATS.id).where(
    _SEATS.meeting == _TAKEN.meeting,
    _SEATS.state == BookingState.HELD.value,
    _SEATS.expires <= bindparam("now"),
)
_BUSY_NOW = prepared(_BUSY.where(~_EXPIRED.exists()))
_RELEASE = prepared(delete(cast(Table, ClaimRow.__table__)).where(_TAKEN.meeting == bindparam("of")))
_RELEASE_SOME = prepared(_RELEASE.where(_TAKEN.mailbox.in_(bindparam("some", expanding=True))))
_STARTING = prepared(
    select(MeetingRow.caseworker, func.count(MeetingRow.id.distinct()).label("number"))
    .join(BookingRow, BookingRow.meeting == MeetingRow.id)
    .where(
        MeetingRow.caseworker.in_(bindparam("some", expanding=True)),
        MeetingRow.start >= bindparam("begin"),
        MeetingRow.start < bindparam("until"),
        MeetingRow.id != bindparam("ignoring"),
        or_(
            STATE.in_((BookingState.PENDING.value, BookingState.CONFIRMED.value)),
            and_(STATE.in_((BookingState.HELD.value,)), BookingRow.expires > bindparam("now")),
        ),
    )
    .group_by(MeetingRow.caseworker)
)
_IN_ROOMS = prepared(
    select(*_MEETINGS)
    .where(
        _MEETINGS.start >= bindparam("begin"),
        _MEETINGS.start < bindparam("until"),
        _MEETINGS.room.is_not(None),
        _MEETINGS.wanted,
    )
    .order_by(_MEETINGS.start, _MEETINGS.id)
)
_CLOSURES = prepared(
    select(ClosureRow.room, ClosureRow.start, ClosureRow.end)
    .where(
        ClosureRow.room.in_(bindparam("some", expanding=True)),
        ClosureRow.start < bindparam("until"),
        ClosureRow.end > bindparam("begin"),
    )
    .order_by(ClosureRow.start)
)
_MIRRORED = prepared(
    select(OccurrenceRow.id)
    .where(OccurrenceRow.mailbox == bindparam("of"), OccurrenceRow.uid == bindparam("uid"))
    .limit(1)
)
_STILL_AHEAD = prepared(_AHEAD.where(MeetingRow.id == bindparam("of")).limit(1))
_KNOWN = prepared(
    select(EntryRow.meeting).where(EntryRow.meeting == bindparam("of"), EntryRow.mailbox == bindparam("there"))
)


class Meetings:
    """The tables ``meetings``, ``claims`` and ``entries``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, meeting: Meeting, now: datetime) -> None:
        """Keep a new meeting; nothing is owed to the calendars until `save` says so."""
        fresh = {"id": meeting.id, "uid": meeting.uid, "created": epoch(now), "due": None}
        later(self._session, rows.ADD_MEETING, fresh | rows.meeting_values(meeting))

    def get(self, meeting_id: str, *, lock: bool = False) -> Meeting | None:
        """The meeting, or None; with *lock* nobody else changes it until the transaction ends."""
        row = self._session.execute(rows.MEETING_LOCKED if lock else rows.MEETING, {"id": meeting_id}).one_or_none()
        return None if row is None else rows.meeting(row)

    def save(self, meeting: Meeting, due: datetime | int | None) -> None:
        """Store *meeting* as it is now; *due* is when reconcile looks next (`AT_ONCE`, an instant, or None)."""
        when = epoch(due) if isinstance(due, datetime) else due
        later(self._session, rows.SAVE_MEETING, {"which": meeting.id, "due": when} | rows.meeting_values(meeting))

    def due(self, now: datetime, limit: int) -> list[str]:
        """Ids of meetings that reconcile must look at, the longest waiting first."""
        question = select(MeetingRow.id).where(MeetingRow.due <= epoch(now)).order_by(MeetingRow.due, MeetingRow.id)
        return list(self._session.scalars(question.limit(limit)))

    def lease(self, now: datetime, until: datetime, by: str | None = None) -> tuple[str, int] | None:
        """Take the meeting that waits longest, so that nobody else looks at it before *until*; None when none waits.

        A lease only spares double work: should its holder die or dawdle, another one looks.

        :param by: the node that looks, so that others know what it leaves behind.
        :returns: the meeting, and the number of this look for `outrun`.
        """
        found = self._session.execute(_LEASE, {"now": epoch(now), "until": epoch(until), "by": by}).one_or_none()
        return None if found is None else (found.id, found.lease)

    def outrun(self, meeting_id: str, lease: int) -> bool:
        """Whether a later look at a meeting has begun; then this one's knowledge is old, and one more look is due.

        What this look wrote into calendars is thus always looked at again, by a look that began afterwards.
        """
        if self._session.scalar(_LOOK, {"of": meeting_id}) == lease:
            return False
        self._session.execute(_ONCE_MORE, {"of_meeting": meeting_id})
        return True

    def postpone(self, meeting_id: str, until: datetime) -> None:
        """Let nobody look at the meeting before *until*, unless something new is wished."""
        change = update(MeetingRow).where(MeetingRow.id == meeting_id, MeetingRow.due.is_not(None))
        self._session.execute(change.values(due=epoch(until)).execution_options(synchronize_session=False))

    def mirrored(self, uid: str, mailbox: MailboxId) -> bool:
        """Whether the mirror of this calendar holds an entry of that UID."""
        return self._session.scalar(_MIRRORED, {"of": mailbox, "uid": uid}) is not None

    def ahead(self, meeting_id: str, now: datetime) -> bool:
        """Whether the mirror of its caseworker's calendar has the meeting at a time to come, whatever we know."""
        return self._session.scalar(_STILL_AHEAD, {"of": meeting_id, "now": epoch(now)}) is not None

    def hurry(self) -> int:
        """Let reconcile look at once at everything still owed; returns how much.

        For a start: whoever held a lease or waited for a pause to end was another process.
        """
        owed = MeetingRow.desired_generation != MeetingRow.applied_generation
        change = update(MeetingRow).where(owed, MeetingRow.due.is_not(None)).values(due=AT_ONCE)
        return len(list(self._session.scalars(change.returning(MeetingRow.id))))

    def touch(self, meeting_ids: Collection[str], now: datetime) -> None:
        """Let reconcile look at these meetings at once; unknown ids are ignored, over meetings too.

        What is over by our rows, and stands ahead in its caseworker's calendar, was moved there and is looked at.
        """
        self._session.execute(_TOUCH, {"some": list(meeting_ids), "now": epoch(now)})

    def claim(self, meeting_id: str, mailbox: MailboxId, interval: Interval, *, active: bool = True) -> None:
        """Take a span (buffers included) of a person's or room's time.

        :raises IntegrityError: it overlaps another active claim; the transaction must be given up
            (or the savepoint around it).
        """
        times = {"start": epoch(interval.start), "end": epoch(interval.end)}
        later(self._session, rows.ADD_CLAIM, {"meeting": meeting_id, "mailbox": mailbox, "active": active, **times})
        send(self._session)

    def release(self, meeting_id: str, *mailboxes: MailboxId) -> None:
        """Give back the time a meeting took of these mailboxes; of all when none is named."""
        self._session.execute(_RELEASE_SOME if mailboxes else _RELEASE, {"of": meeting_id, "some": mailboxes})

    def drop_inactive(self, meeting_id: str) -> None:
        """Forget the time a meeting takes besides another one: it has been claimed properly."""
        gone = delete(ClaimRow).where(ClaimRow.meeting == meeting_id, ClaimRow.active.is_(False))
        self._session.execute(gone.execution_options(synchronize_session=False))

    def claims(self, meeting_id: str) -> list[Claim]:
        """The time a meeting takes."""
        found = self._session.execute(_CLAIMS, {"id": meeting_id})
        return [Claim(row.mailbox, span(row.start, row.end), row.active) for row in found]

    def busy(
        self,
        mailboxes: Collection[MailboxId],
        window: Interval,
        now: datetime | None = None,
        ignoring: str | None = None,
    ) -> dict[MailboxId, list[Interval]]:
        """What meetings and holds take of each mailbox inside *window*, buffers included, sorted by start.

        Time that a human made overlap counts too.

        :param now: holds that ran out before it are left out; None counts every hold.
        :param ignoring: id of a meeting to leave out.
        """
        where = {"some": list(mailboxes), "begin": epoch(window.start), "until": epoch(window.end)}
        which = {"ignoring": ignoring or "", "now": None if now is None else epoch(now)}
        taken: dict[MailboxId, list[Interval]] = {mailbox: [] for mailbox in mailboxes}
        for mailbox, start, end in self._session.execute(_BUSY if now is None else _BUSY_NOW, where | which):
            taken[mailbox].append(span(start, end))
        return taken

    def of_caseworker(self, caseworker: MailboxId, window: Interval, now: datetime) -> list[Meeting]:
        """Meetings to be held by *caseworker* that touch *window* and are not over, the earliest first."""
        question = select(*MeetingRow.__table__.c).where(
            MeetingRow.caseworker == caseworker,
            MeetingRow.beside.is_(None),
            MeetingRow.wanted,
            MeetingRow.start < epoch(window.end),
            MeetingRow.end > max(epoch(window.start), epoch(now)),
        )
        found = self._session.execute(question.order_by(MeetingRow.start, MeetingRow.id))
        return [rows.meeting(row) for row in found]

    def starting(
        self, caseworkers: Collection[MailboxId], window: Interval, now: datetime, ignoring: str | None = None
    ) -> dict[MailboxId, int]:
        """How many meetings and live holds of each caseworker begin inside *window*."""
        within = {"some": list(caseworkers), "begin": epoch(window.start), "until": epoch(window.end)}
        found = self._session.execute(_STARTING, within | {"ignoring": ignoring or "", "now": epoch(now)})
        counted: dict[str, int] = {row.caseworker: row.number for row in found}
        return {caseworker: counted.get(caseworker, 0) for caseworker in caseworkers}

    def in_rooms(self, window: Interval) -> list[Meeting]:
        """Meetings that begin inside *window* and have a room, the earliest first."""
        within = {"begin": epoch(window.start), "until": epoch(window.end)}
        return [rows.meeting(row) for row in self._session.execute(_IN_ROOMS, within)]

    def forget_entries(self, mailbox: MailboxId, now: datetime) -> list[str]:
        """Count our future meetings as never seen in this calendar, so that they are written; returns their ids."""
        return list(self._session.scalars(rows.FORGET_ENTRIES, {"of": mailbox, "now": epoch(now)}))

    def strayed(self, now: datetime, limit: int) -> list[str]:
        """Settled meetings whose calendars, by the mirror, lack them, or hold what should not be there."""
        return list(self._session.scalars(drift.STRAYED, {"now": epoch(now), "limit": limit}))

    def overlaid(self, now: datetime, limit: int) -> list[str]:
        """Settled meetings without a known conflict on whose time the mirror shows an event that is not ours.

        Whether the event really stands in the way is for the rules to say.
        """
        return list(self._session.scalars(drift.OVERLAID, {"now": epoch(now), "limit": limit}))

    def closures(self, rooms: Collection[MailboxId], window: Interval) -> dict[MailboxId, list[Interval]]:
        """When rooms cannot be used inside *window*; every room has an entry."""
        closed: dict[MailboxId, list[Interval]] = {room: [] for room in rooms}
        within = {"some": list(rooms), "begin": epoch(window.start), "until": epoch(window.end)}
        for room, start, end in self._session.execute(_CLOSURES, within):
            closed[room].append(span(start, end))
        return closed

    def entries(self, meeting_id: str) -> list[EntryRecord]:
        """What is known of the meeting in each calendar it is, or was, in; sorted by mailbox."""
        return [rows.entry(row) for row in self._session.execute(rows.ENTRIES, {"id": meeting_id})]

    def want(self, meeting_id: str, mailboxes: Collection[MailboxId], *, fresh: bool = False) -> None:
        """Say in which calendars the meeting should stand; from all others it must be cleaned away.

        :param fresh: no calendar can hold it yet, so nothing needs to be looked up.
        """
        known = {} if fresh else {record.mailbox: record for record in self.entries(meeting_id)}
        for mailbox in sorted(set(mailboxes) | known.keys()):
            before = known.get(mailbox)
            after = replace(before or EntryRecord(mailbox, wanted=False), wanted=mailbox in mailboxes)
            if before is not None and after.wanted and not before.wanted:
                # It was being cleaned away: should it be gone there, we removed it, and no human did.
                after = replace(after, generation=0, digest=None, missing_since=None)
            if before != after:
                self._save(meeting_id, after, known=before is not None)

    def note(self, meeting_id: str, record: EntryRecord) -> None:
        """Store what is known of the meeting in one calendar."""
        self._save(meeting_id, record, known=None)

    def _save(self, meeting_id: str, record: EntryRecord, known: bool | None) -> None:
        """:param known: whether there is a row already; None when that must be found out."""
        facts = rows.entry_values(record)
        if known is None:
            known = self._session.scalar(_KNOWN, {"of": meeting_id, "there": record.mailbox}) is not None
        if known:
            later(self._session, rows.SAVE_ENTRY, {"of_meeting": meeting_id, "of_mailbox": record.mailbox} | facts)
        else:
            later(self._session, rows.ADD_ENTRY, {"meeting": meeting_id, "mailbox": record.mailbox} | facts)


def alive(now: datetime) -> ColumnElement[bool]:
    """SQL condition on `BookingRow`: booked, or held and not run out."""
    booked = BookingRow.state.in_((BookingState.PENDING, BookingState.CONFIRMED))
    return or_(booked, and_(BookingRow.state == BookingState.HELD, BookingRow.expires > epoch(now)))
