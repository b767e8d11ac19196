"""Which reports were sent to whom; a row is taken before anything is sent, by one node only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from syncd.store.instants import epoch, moment
from syncd.store.report_tables import ReportRow

PATIENCE = timedelta(minutes=10)
"""Sending takes no longer; what is still being sent then was broken off, and nobody knows how far it came."""
PAUSE = timedelta(minutes=15)
"""Between two tries."""


class Standing(StrEnum):
    """How far a report is."""

    SENDING = "sending"
    WAITING = "waiting"
    """It was certainly not taken; it is tried again."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """It may have been taken; it is not sent again unless somebody says so."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One report to one recipient. :param problem: what the last try met."""

    name: str
    period: str
    recipient: str
    standing: Standing
    at: datetime
    attempts: int
    problem: str | None


class Reports:
    """The table ``reports``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, name: str, period: str, recipient: str, now: datetime) -> bool:
        """Take the report for sending; False when it is sent, being sent, unknown, or to be tried later."""
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        key = {"name": name, "period": period, "recipient": recipient}
        fresh = {"state": Standing.SENDING.value, "at": epoch(now), "attempts": 1, "problem": None}
        made = insert(ReportRow).values(**key, **fresh).on_conflict_do_nothing().returning(ReportRow.name)
        if self._session.scalar(made) is not None:
            return True
        again = update(ReportRow).where(*_is(name, period, recipient), ReportRow.state == Standing.WAITING.value)
        again = again.where(ReportRow.at <= epoch(now - PAUSE))
        values = {"state": Standing.SENDING.value, "at": epoch(now), "attempts": ReportRow.attempts + 1}
        return self._session.scalar(again.values(values).returning(ReportRow.name)) is not None

    def stand(
        self, name: str, period: str, recipient: str, standing: Standing, now: datetime, problem: str | None = None
    ) -> None:
        """Note how it came out."""
        change = update(ReportRow).where(*_is(name, period, recipient))
        self._session.execute(change.values(state=standing.value, at=epoch(now), problem=problem))

    def give_up(self, now: datetime) -> int:
        """Count what was broken off while it was being sent as unknown; returns how many."""
        broken = (ReportRow.state == Standing.SENDING.value, ReportRow.at < epoch(now - PATIENCE))
        change = update(ReportRow).where(*broken).values(state=Standing.UNKNOWN.value, problem="broken off")
        return len(self._session.scalars(change.returning(ReportRow.name)).all())

    def again(self, name: str, period: str) -> int:
        """Let what is unknown or waits be sent anew; returns how many."""
        open_ = or_(ReportRow.state == Standing.UNKNOWN.value, ReportRow.state == Standing.WAITING.value)
        gone = delete(ReportRow).where(ReportRow.name == name, ReportRow.period == period, open_)
        return len(self._session.scalars(gone.returning(ReportRow.name)).all())

    def unknown(self) -> int:
        """Of how many nobody knows whether they arrived."""
        question = select(func.count()).where(ReportRow.state == Standing.UNKNOWN.value)
        return self._session.scalar(question.select_from(ReportRow)) or 0

    def newest(self, most: int = 50) -> list[Dispatch]:
        """The newest first."""
        rows = self._session.scalars(select(ReportRow).order_by(ReportRow.at.desc(), ReportRow.recipient).limit(most))
        return [
            Dispatch(
                row.name, row.period, row.recipient, Standing(row.state), moment(row.at), row.attempts, row.problem
            )
            for row in rows
        ]


def _is(name: str, period: str, recipient: str) -> tuple[ColumnElement[bool], ...]:
    return ReportRow.name == name, ReportRow.period == period, ReportRow.recipient == recipient
