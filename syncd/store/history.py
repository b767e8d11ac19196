"""What happened to one meeting and its bookings, by the audit log; never with whose they were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from syncd.store.instants import moment
from syncd.store.tables import AuditRow


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done.

    :param actor: ``client:NAME``, ``staff:SUBJECT``, ``cli:USER``, ``calendar:MAILBOX`` or ``syncd``.
    :param action: such as ``booking.made``. :param detail, purpose: as in the audit log.
    """

    at: datetime
    actor: str
    action: str
    detail: str | None
    purpose: str | None


def steps_of(session: Session, meeting: str, bookings: Collection[str]) -> list[Step]:
    """All that is known, the oldest first."""
    asked = or_(AuditRow.meeting == meeting, AuditRow.booking.in_(bookings))
    found = (AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.detail, AuditRow.purpose)
    rows = session.execute(select(*found).where(asked).order_by(AuditRow.id))
    return [Step(moment(row.at), row.actor, row.action, row.detail, row.purpose) for row in rows]
