"""Bookings of one citizen that are worth a look: reported to a person, never refused."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.model.booking import Booking, Meeting
from syncd.model.offer import CitizenLimit, Rulebook
from syncd.model.task import Facts, TaskKind
from syncd.store import Tx

DIGEST = 16
"""Characters of the citizen's keyed digest that tell tasks apart; the reference itself is never in one."""


def report(tx: Tx, rules: Rulebook, booking: Booking, meeting: Meeting, now: datetime) -> None:
    """Raise a task for each limit that the citizen has passed with this booking."""
    for limit in rules.limits:
        if booking.citizen is not None and (not limit.offers or meeting.offer in limit.offers):
            _report(tx, limit, booking, booking.citizen, meeting, now)


def _report(tx: Tx, limit: CitizenLimit, booking: Booking, citizen: str, meeting: Meeting, now: datetime) -> None:
    person = meeting.caseworker if limit.per_caseworker else None
    since = now - timedelta(days=limit.days)
    if tx.bookings.made(booking.client, citizen, since, limit.offers, person) <= limit.most:
        return
    about = f"citizen:{tx.audit.citizen_digest(citizen)[:DIGEST]}"
    facts: Facts = {
        "most": limit.most,
        "days": limit.days,
        "booking": booking.id,
        "whom_en": f" with {person}" if person else "",
        "whom": f" hos {person}" if person else "",
    }
    tx.tasks.raise_(TaskKind.MANY_BOOKINGS, f"{about}:{person}" if person else about, facts, now)
