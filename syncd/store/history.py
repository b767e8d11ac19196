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

    :param actor: ``client:NAME``, ``cli:USER``, ``calendar:MAILBOX`` or ``syncd``. :param action: such as
        ``booking.made``.
    """

    at: datetime
    actor: str
    action: str


def steps_of(session: Session, meeting: str, bookings: Collection[str]) -> list[Step]:
    """All that is known, the oldest first."""
    asked = or_(AuditRow.meeting == meeting, AuditRow.booking.in_(bookings))
    question = select(AuditRow.at, AuditRow.actor, AuditRow.action).where(asked).order_by(AuditRow.id)
    return [Step(moment(at), actor, action) for at, actor, action in session.execute(question)]
