"""Caseworkers' absences, as given by people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.orm import Session

from syncd.model.absence import Absence
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store.instants import epoch, span
from syncd.store.prepared import prepared
from syncd.store.settings import Settings
from syncd.store.tables import AbsenceRow

_ABSENCES = cast(Table, AbsenceRow.__table__).c
_AWAY = prepared(
    select(_ABSENCES.caseworker).where(
        _ABSENCES.caseworker.in_(bindparam("some", expanding=True)),
        _ABSENCES.start < bindparam("until"),
        _ABSENCES.end > bindparam("since"),
    )
)


class Absences:
    """The table ``absences``, seen from inside one transaction."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings

    def add(self, caseworker: MailboxId, away: Interval, *, reachable: bool, actor: str, now: datetime) -> Absence:
        """Keep a new absence; the caseworker's slots in it are gone with this commit."""
        row = AbsenceRow(
            caseworker=caseworker,
            start=epoch(away.start),
            end=epoch(away.end),
            reachable=reachable,
            actor=actor,
            at=epoch(now),
        )
        self._session.add(row)
        self._session.flush()
        self._settings.bump()
        return _absence(row)

    def end(self, absence: int) -> bool:
        """Forget an absence, so that its time is offered again; whether there was one."""
        gone = delete(AbsenceRow).where(AbsenceRow.id == absence).returning(AbsenceRow.id)
        found = self._session.scalar(gone.execution_options(synchronize_session=False)) is not None
        if found:
            self._settings.bump()
        return found

    def get(self, absence: int) -> Absence | None:
        """The absence, or None."""
        row = self._session.get(AbsenceRow, absence)
        return None if row is None else _absence(row)

    def coming(self, now: datetime) -> list[Absence]:
        """All that are not over, the earliest first."""
        question = select(AbsenceRow).where(AbsenceRow.end > epoch(now)).order_by(AbsenceRow.start, AbsenceRow.id)
        return [_absence(row) for row in self._session.scalars(question)]

    def away(self, caseworkers: Collection[MailboxId], window: Interval) -> frozenset[MailboxId]:
        """Who of these is away in some part of *window*."""
        which = {"some": list(caseworkers), "since": epoch(window.start), "until": epoch(window.end)}
        return frozenset(row.caseworker for row in self._session.execute(_AWAY, which))


def _absence(row: AbsenceRow) -> Absence:
    return Absence(row.id, row.caseworker, span(row.start, row.end), row.reachable, row.actor)
