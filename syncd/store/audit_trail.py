"""What the audit log says about one citizen, as she may hear it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from syncd.store.instants import moment
from syncd.store.session import Tx
from syncd.store.tables import AuditRow, BookingRow

KINDS = {"cli": "staff", "user": "staff", "calendar": "caseworker", "client": "portal", "syncd": "syncd"}
"""Actors in kind: a citizen hears that staff looked, not who; who it was, the organisation may add."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look or change.

    :param who: a kind of actor, or the actor as logged where staff may be shown.
    """

    at: datetime
    action: str
    who: str
    purpose: str | None


def trail(tx: Tx, citizen: str, *, staff: bool) -> list[Look]:
    """Every row about the citizen or a booking that is still known as hers, the oldest first."""
    bookings = select(BookingRow.id).where(BookingRow.citizen == citizen)
    about = or_(AuditRow.citizen == tx.audit.citizen_digest(citizen), AuditRow.booking.in_(bookings))
    rows = tx.session.scalars(select(AuditRow).where(about).order_by(AuditRow.at, AuditRow.id))
    return [Look(moment(row.at), row.action, _who(row.actor, staff=staff), row.purpose) for row in rows]


def _who(actor: str, *, staff: bool) -> str:
    kind = actor.partition(":")[0]
    return actor if staff else KINDS.get(kind, "staff")
