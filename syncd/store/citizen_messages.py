"""Receipts and reminders: owed first, taken by one node before anything is handed over, and never sent twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from syncd.model.booking import Booking, BookingState, Meeting
from syncd.model.message import Channel, Concerned, Kind, Message, Progress, Said
from syncd.model.offer import Form
from syncd.store import meeting_rows as rows
from syncd.store.instants import epoch, moment
from syncd.store.message_tables import CitizenMessageRow, CitizenSilenceRow
from syncd.store.most import STATE
from syncd.store.tables import BookingRow, ContactRow, MeetingRow

PATIENCE = timedelta(minutes=10)
"""Sending takes no longer; what is still being sent then was broken off, and nobody knows how far it came."""
_STATES = tuple(state.value for state in (BookingState.PENDING, BookingState.CONFIRMED, BookingState.CANCELLED))
_MET = (MeetingRow.start, MeetingRow.form, MeetingRow.zone, MeetingRow.caseworker, MeetingRow.room)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try came out. :param problem: a code or the class of an error. :param again: when it is tried again."""

    progress: Progress
    problem: str | None = None
    again: datetime | None = None


class CitizenMessages:
    """The tables ``citizen_messages`` and ``citizen_silences``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def concerned(self, now: datetime, without: Collection[str] = ()) -> list[Concerned]:
        """Bookings with contact data whose meeting is ahead; what is only held is left out.

        :param without: clients whose bookings do not count.
        """
        question = (
            select(BookingRow.id, BookingRow.state, BookingRow.created, *_MET)
            .join(MeetingRow, MeetingRow.id == BookingRow.meeting)
            .join(ContactRow, ContactRow.booking == BookingRow.id)
            .where(MeetingRow.start > epoch(now), STATE.in_(_STATES), BookingRow.citizen.is_not(None))
            .where(BookingRow.client.not_in(sorted(without)))
        )
        return [
            Concerned(
                row.id, row.state == BookingState.CANCELLED.value, moment(row.created), moment(row.start),
                Form(row.form), row.zone, row.caseworker, row.room,
            )
            for row in self._session.execute(question)
        ]  # fmt: skip

    def told(self, now: datetime) -> Mapping[str, list[Message]]:
        """All messages about meetings that are ahead, by booking, in their order."""
        ahead = select(BookingRow.id).join(MeetingRow, MeetingRow.id == BookingRow.meeting)
        ahead = ahead.where(MeetingRow.start > epoch(now), BookingRow.id == CitizenMessageRow.booking)
        return self._by_booking(ahead.exists())

    def of(self, booking: str) -> list[Message]:
        """All messages about one booking, in their order."""
        return self._by_booking(CitizenMessageRow.booking == booking).get(booking, [])

    def seat(self, booking: str) -> tuple[Booking, Meeting] | None:
        """A booking with its meeting, whichever client's it is; None when it is gone."""
        both = select(*BookingRow.__table__.c, *MeetingRow.__table__.c)
        both = both.join(MeetingRow, MeetingRow.id == BookingRow.meeting).where(BookingRow.id == booking)
        found = self._session.execute(both).one_or_none()
        return None if found is None else rows.seat(found)

    def owe(self, message: Message, due: datetime) -> bool:
        """Note that it is owed; False when another node was faster."""
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        values = {
            "booking": message.booking, "number": message.number, "kind": message.kind.value,
            "channel": message.channel.value, "start": epoch(message.said.start), "form": message.said.form.value,
            "site": message.said.site, "progress": message.progress.value, "due": epoch(due), "attempts": 0,
            "at": epoch(message.at), "problem": None,
        }  # fmt: skip
        made = insert(CitizenMessageRow).values(values).on_conflict_do_nothing()
        return self._session.scalar(made.returning(CitizenMessageRow.number)) is not None

    def withdraw(self, message: Message, now: datetime) -> None:
        """Send it no more, unless it is being sent already."""
        change = update(CitizenMessageRow).where(_is(message), CitizenMessageRow.progress == Progress.WAITING.value)
        self._session.execute(change.values(progress=Progress.WITHDRAWN.value, at=epoch(now)))

    def take(self, now: datetime, channels: Collection[Channel]) -> Message | None:
        """The next message that is due on one of *channels*, taken for sending; None when none is."""
        waits = CitizenMessageRow.progress == Progress.WAITING.value
        due = select(CitizenMessageRow.booking, CitizenMessageRow.number).where(
            waits, CitizenMessageRow.due <= epoch(now), CitizenMessageRow.channel.in_([one.value for one in channels])
        )
        first = due.order_by(CitizenMessageRow.due, CitizenMessageRow.booking).limit(1)
        found = self._session.execute(first.with_for_update(skip_locked=True)).one_or_none()
        if found is None:
            return None
        key = tuple_(CitizenMessageRow.booking, CitizenMessageRow.number) == tuple_(*found)
        values = {"progress": Progress.SENDING.value, "at": epoch(now), "attempts": CitizenMessageRow.attempts + 1}
        row = self._session.scalar(
            update(CitizenMessageRow).where(key, waits).values(values).returning(CitizenMessageRow)
        )
        return None if row is None else _message(row)

    def stand(self, message: Message, outcome: Outcome, now: datetime) -> None:
        """Note how it came out."""
        values = {"progress": outcome.progress.value, "at": epoch(now), "problem": outcome.problem}
        values |= {"due": epoch(outcome.again)} if outcome.again else {}
        self._session.execute(update(CitizenMessageRow).where(_is(message)).values(values))

    def give_up(self, now: datetime) -> list[Message]:
        """Count what was broken off while it was being sent as unknown, and return it."""
        broken = (CitizenMessageRow.progress == Progress.SENDING.value, CitizenMessageRow.at < epoch(now - PATIENCE))
        values = {"progress": Progress.UNKNOWN.value, "at": epoch(now), "problem": "broken off"}
        change = update(CitizenMessageRow).where(*broken).values(values).returning(CitizenMessageRow)
        return [_message(row) for row in self._session.scalars(change)]

    def waiting(self, now: datetime) -> int:
        """How many should have been sent by now, those that wait for another try among them."""
        was_due = (CitizenMessageRow.due <= epoch(now)) | (CitizenMessageRow.attempts > 0)
        waiting = (CitizenMessageRow.progress == Progress.WAITING.value, was_due)
        return self._session.scalar(select(func.count()).select_from(CitizenMessageRow).where(*waiting)) or 0

    def silence(self, client: str, citizen: str, now: datetime, *, on: bool) -> None:
        """Send this citizen of *client* nothing any more, or again."""
        who = (CitizenSilenceRow.client == client, CitizenSilenceRow.citizen == citizen)
        self._session.execute(delete(CitizenSilenceRow).where(*who))
        if on:
            self._session.add(CitizenSilenceRow(client=client, citizen=citizen, at=epoch(now)))
            self._session.flush()

    def silent(self, client: str, citizen: str) -> bool:
        """Whether she wants none."""
        return self._session.get(CitizenSilenceRow, (client, citizen)) is not None

    def forget(self, before: datetime, most: int) -> int:
        """Remove messages of meetings that were over *before*, and of bookings that are gone; returns how many."""
        kept = select(BookingRow.id).join(MeetingRow, MeetingRow.id == BookingRow.meeting)
        kept = kept.where(BookingRow.id == CitizenMessageRow.booking, MeetingRow.end >= epoch(before))
        old = self._session.scalars(select(CitizenMessageRow.booking).where(~kept.exists()).distinct().limit(most))
        gone = delete(CitizenMessageRow).where(CitizenMessageRow.booking.in_(old.all()))
        return len(self._session.scalars(gone.returning(CitizenMessageRow.number)).all())

    def forget_silences(self) -> int:
        """Remove the wishes of citizens of whom no booking is known any more; returns how many."""
        same = (BookingRow.client == CitizenSilenceRow.client, BookingRow.citizen == CitizenSilenceRow.citizen)
        gone = delete(CitizenSilenceRow).where(~select(BookingRow.id).where(*same).exists())
        return len(self._session.scalars(gone.returning(CitizenSilenceRow.at)).all())

    def _by_booking(self, *where: ColumnElement[bool]) -> dict[str, list[Message]]:
        question = select(*CitizenMessageRow.__table__.c).where(*where)
        found: dict[str, list[Message]] = defaultdict(list)
        for row in self._session.execute(question.order_by(CitizenMessageRow.booking, CitizenMessageRow.number)):
            found[row.booking].append(_message(row))
        return found


def _is(message: Message) -> ColumnElement[bool]:
    return (CitizenMessageRow.booking == message.booking) & (CitizenMessageRow.number == message.number)


def _message(row: Any) -> Message:
    said = Said(moment(row.start), Form(row.form), row.site)
    kind, channel, progress = Kind(row.kind), Channel(row.channel), Progress(row.progress)
    return Message(row.booking, row.number, kind, channel, said, progress, moment(row.at), row.attempts)
