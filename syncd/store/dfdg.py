"""DFDG's records, messages and deadlines as we know them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from syncd.model.dfdg import About, Change, Class, Deadline, Entity, Message, Record, Said
from syncd.store import jobnet_rows as rows
from syncd.store.dfdg_tables import DfdgDeadlineRow, DfdgMessageRow, DfdgRecordRow
from syncd.store.instants import epoch, maybe, moment, optional
from syncd.store.jobnet_tables import JobnetLinkRow
from syncd.store.tables import BookingRow, MeetingRow

_CHANGED = (
    select(DfdgRecordRow.id)
    .join(JobnetLinkRow, JobnetLinkRow.indkaldelse == DfdgRecordRow.id)
    .join(BookingRow, BookingRow.id == JobnetLinkRow.booking)
    .join(MeetingRow, MeetingRow.id == BookingRow.meeting)
    .where(DfdgRecordRow.alive, MeetingRow.desired_generation != DfdgRecordRow.generation)
)


class Dfdg:
    """The tables ``dfdg_…``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name

    def get(self, record: str, *, lock: bool = False) -> Record | None:
        """The record of that id; with *lock* nobody else changes it until the transaction ends."""
        row = self._session.execute(
            rows.RECORD_LOCKED if lock else rows.RECORD, {"which": record.lower()}
        ).one_or_none()
        return None if row is None else _record(row)

    def note(self, record: Record) -> None:
        """Keep a record as it is now; when a report is sent next stays as it was."""
        row = self._session.execute(rows.RECORD, {"which": record.id}).one_or_none()
        self._keep(record, row, {"due": row.due, "alive": row.alive} if row is not None else {})

    def save(self, record: Record, *, due: datetime | None = None, alive: bool = True) -> None:
        """Keep a record as it is now. :param due: when the next report is sent. :param alive: whether to go on."""
        row = self._session.execute(rows.RECORD, {"which": record.id}).one_or_none()
        self._keep(record, row, {"due": optional(due), "alive": alive})

    def _keep(self, record: Record, row: Row[Any] | None, more: dict[str, object]) -> None:
        told = {"start": 0, "gone": False} if row is None else {"start": row.start, "gone": row.gone}
        values = {"id": record.id, "due": None, "alive": True} | told | _values(record) | more
        self._session.execute(rows.keep(self._dialect, of="dfdg_records"), values)

    def changed(self, limit: int) -> list[str]:
        """Ids of records whose meeting changed since it was compared last."""
        return list(self._session.scalars(_CHANGED.limit(limit)))

    def lease(self, now: datetime, until: datetime) -> Record | None:
        """The record whose report waits longest, counted as tried; nobody else gets it before *until*."""
        first = select(DfdgRecordRow.id).where(DfdgRecordRow.due <= epoch(now)).order_by(DfdgRecordRow.due)
        which = first.limit(1).with_for_update(skip_locked=True).scalar_subquery()
        change = update(DfdgRecordRow).where(DfdgRecordRow.id == which)
        change = change.values(due=epoch(until), attempts=DfdgRecordRow.attempts + 1)
        found = self._session.scalar(change.returning(DfdgRecordRow.id).execution_options(synchronize_session=False))
        return None if found is None else self.get(found)

    def anything_due(self, now: datetime) -> bool:
        """Whether a report waits to be sent; a look that locks nothing."""
        return (
            self._session.scalar(select(DfdgRecordRow.id).where(DfdgRecordRow.due <= epoch(now)).limit(1)) is not None
        )

    def owed(self) -> tuple[int, datetime | None]:
        """How many reports are owed and not refused, and since when the oldest is."""
        question = select(func.count(), func.min(DfdgRecordRow.owed_since))
        row = self._session.execute(
            question.where(DfdgRecordRow.owed_since.is_not(None), DfdgRecordRow.refused.is_(None))
        ).one()
        return int(row[0]), maybe(row[1])

    def refused(self) -> list[Record]:
        """What DFDG did not take."""
        question = select(DfdgRecordRow).where(DfdgRecordRow.refused.is_not(None)).order_by(DfdgRecordRow.owed_since)
        return [_record(row) for row in self._session.scalars(question)]

    def unseen(self, before: datetime, limit: int) -> list[str]:
        """Records of Jobnet bookings that DFDG was not seen to hold since they were made, before that instant."""
        question = select(DfdgRecordRow.id).where(
            DfdgRecordRow.alive, ~DfdgRecordRow.seen, DfdgRecordRow.registered <= epoch(before)
        )
        return list(self._session.scalars(question.order_by(DfdgRecordRow.registered).limit(limit)))

    def known_before(self, citizen: str, record: str) -> bool:
        """Whether another talk of the citizen is known that was registered before, annulled ones left out."""
        question = select(DfdgRecordRow.id).where(
            DfdgRecordRow.citizen == citizen, DfdgRecordRow.id != record, ~DfdgRecordRow.gone
        )
        return self._session.scalar(question.limit(1)) is not None

    def starting(self, start: datetime, end: datetime) -> Iterator[Record]:
        """Records whose talk begins in that span and was not annulled."""
        question = select(DfdgRecordRow).where(
            DfdgRecordRow.start >= epoch(start), DfdgRecordRow.start < epoch(end), ~DfdgRecordRow.gone
        )
        yield from (_record(row) for row in self._session.scalars(question.order_by(DfdgRecordRow.start)))

    def earliest(self) -> datetime | None:
        """When the first record was registered that we know."""
        return maybe(self._session.scalar(select(func.min(DfdgRecordRow.registered))))

    def receive(self, message: Message, now: datetime) -> bool:
        """Keep a message to be handled; whether it is new."""
        values = {
            "id": message.id,
            "entity": int(message.entity),
            "change": int(message.change),
            "about": message.about,
            "citizen": message.citizen,
            "received": epoch(now),
            "due": epoch(now),
            "attempts": 0,
        }
        return self._session.scalar(rows.receive(self._dialect), values) is not None

    def next_message(self, now: datetime, until: datetime) -> Message | None:
        """The message that waits longest; nobody else gets it before *until*."""
        found = self._session.execute(rows.NEXT_MESSAGE, {"now": epoch(now), "later": epoch(until)}).one_or_none()
        if found is None:
            return None
        return Message(found.id, Entity(found.entity), Change(found.change), found.about, found.citizen)

    def messages_waiting(self, now: datetime) -> int:
        """How many messages wait to be handled by now."""
        question = select(func.count()).where(DfdgMessageRow.due <= epoch(now))
        return self._session.scalar(question) or 0

    def attempts_of(self, message: str) -> int:
        """How often handling a message was begun."""
        return self._session.scalar(select(DfdgMessageRow.attempts).where(DfdgMessageRow.id == message)) or 0

    def handled(self, message: Message, before: datetime, now: datetime) -> None:
        """Note that this message, and those received before that instant about the same, were handled by one look."""
        about = {"which": message.id, "same": message.about, "before": epoch(before), "now": epoch(now)}
        self._session.execute(rows.HANDLED, about)

    def again(self, message: str, due: datetime) -> None:
        """Handle a message later."""
        change = update(DfdgMessageRow).where(DfdgMessageRow.id == message).values(due=epoch(due))
        self._session.execute(change.execution_options(synchronize_session=False))

    def last_message(self) -> datetime | None:
        """When the last message came."""
        return maybe(self._session.scalar(select(func.max(DfdgMessageRow.received))))

    def keep_deadline(self, deadline: Deadline, now: datetime) -> None:
        """Keep a deadline as it is now."""
        values = asdict(deadline) | {
            "until": deadline.until.isoformat(),
            "latest": deadline.latest.isoformat(),
            "seen": epoch(now),
        }
        self._session.execute(rows.keep(self._dialect, of="dfdg_deadlines"), values)

    def deadlines(self, *, since: date, only_open: bool = True) -> list[Deadline]:
        """Deadlines that end on that day or later, the earliest first."""
        question = select(DfdgDeadlineRow).where(DfdgDeadlineRow.until >= since.isoformat())
        if only_open:
            question = question.where(DfdgDeadlineRow.open)
        ordered = question.order_by(DfdgDeadlineRow.until, DfdgDeadlineRow.id)
        return [_deadline(row) for row in self._session.scalars(ordered)]

    def deadline_of(self, citizen: str, kind: int) -> Deadline | None:
        """The citizen's newest deadline for talks of this type, met or not."""
        question = select(DfdgDeadlineRow).where(DfdgDeadlineRow.citizen == citizen, DfdgDeadlineRow.kind == kind)
        row = self._session.scalar(question.order_by(DfdgDeadlineRow.until.desc()).limit(1))
        return None if row is None else _deadline(row)

    def erase(self, bookings: Collection[str]) -> None:
        """Let records about these bookings no longer say whose they were; nothing more is reported of them."""
        linked = select(JobnetLinkRow.indkaldelse).where(JobnetLinkRow.booking.in_(bookings))
        change = update(DfdgRecordRow).where(DfdgRecordRow.id.in_(linked))
        change = change.values(citizen="", alive=False, due=None)
        self._session.execute(change.execution_options(synchronize_session=False))

    def forget(self, before: datetime, portion: int) -> int:
        """Remove handled messages and ended deadlines older than that, and whose talk was long ago; how many rows."""
        limit, day = epoch(before), before.date().isoformat()
        gone = 0
        for key, where in (
            (DfdgMessageRow.id, (DfdgMessageRow.received < limit, DfdgMessageRow.done.is_not(None))),
            (DfdgDeadlineRow.id, (DfdgDeadlineRow.until < day,)),
        ):
            ids = list(self._session.scalars(select(key).where(*where).limit(portion)))
            self._session.execute(delete(key.class_).where(key.in_(ids)))
            gone += len(ids)
        old = select(DfdgRecordRow.id).where(DfdgRecordRow.start < limit, DfdgRecordRow.citizen != "").limit(portion)
        change = update(DfdgRecordRow).where(DfdgRecordRow.id.in_(old)).values(citizen="", alive=False, due=None)
        done = self._session.scalars(change.returning(DfdgRecordRow.id).execution_options(synchronize_session=False))
        return gone + len(done.all())


def text_of(said: Said | None) -> str | None:
    """What a record says, as JSON."""
    if said is None:
        return None
    facts = asdict(said) | {"start": epoch(said.start), "end": epoch(said.end)}
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def said_of(text: str | None) -> Said | None:
    """`text_of`, backwards."""
    if text is None:
        return None
    facts = json.loads(text)
    return Said(**facts | {"start": moment(facts["start"]), "end": moment(facts["end"])})


def _values(record: Record) -> dict[str, object]:
    newest = record.sent or record.known
    told = {"start": epoch(newest.start), "gone": newest.gone} if newest is not None else {}
    return told | {
        "citizen": record.citizen,
        "kind": record.about.kind,
        "group": record.about.group,
        "self_booked": record.about.self_booked,
        "standing": record.class_.value,
        "first": record.first,
        "registered": epoch(record.registered),
        "known": text_of(record.known),
        "sent": text_of(record.sent),
        "request": record.request,
        "generation": record.generation,
        "attempts": record.attempts,
        "owed_since": optional(record.owed_since),
        "refused": record.refused,
        "seen": record.seen,
        "latest": record.latest.isoformat() if record.latest else None,
    }


def _record(row: Row[Any] | DfdgRecordRow) -> Record:
    return Record(
        id=row.id,
        about=About(row.kind, row.self_booked, row.group),
        known=said_of(row.known),
        registered=moment(row.registered),
        citizen=row.citizen,
        sent=said_of(row.sent),
        request=row.request,
        generation=row.generation,
        attempts=row.attempts,
        owed_since=maybe(row.owed_since),
        refused=row.refused,
        seen=row.seen,
        latest=date.fromisoformat(row.latest) if row.latest else None,
        class_=Class(row.standing),
        first=row.first,
    )


def _deadline(row: DfdgDeadlineRow) -> Deadline:
    until, latest = date.fromisoformat(row.until), date.fromisoformat(row.latest)
    return Deadline(row.id, row.citizen, row.kind, until, latest, row.immediate, row.open)
