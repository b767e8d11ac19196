"""What the outside is to hear: events written with the facts, and deliveries owed to each receiver."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from syncd.model.event import Delivery, Event, EventKind
from syncd.store.instants import epoch, moment
from syncd.store.outward_tables import DeliveryRow, EventRow
from syncd.store.prepared import prepared
from syncd.store.straight import later

_EVENTS = cast(Table, EventRow.__table__)
_DELIVERIES = cast(Table, DeliveryRow.__table__)
_ADD = prepared(insert(_EVENTS).inline())
_OWE = prepared(insert(_DELIVERIES).inline())
_WAITING = prepared(select(*_EVENTS.c).order_by(_EVENTS.c.number).limit(bindparam("most")))
_DUE = prepared(
    select(_DELIVERIES.c.id)
    .where(_DELIVERIES.c.receiver == bindparam("who"), _DELIVERIES.c.due <= bindparam("now"))
    .limit(1)
)
_FIRST_DUE = (
    select(_DELIVERIES.c.id)
    .where(_DELIVERIES.c.receiver == bindparam("who"), _DELIVERIES.c.due <= bindparam("now"))
    .order_by(_DELIVERIES.c.due, _DELIVERIES.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_LEASE = prepared(
    update(_DELIVERIES)
    .where(_DELIVERIES.c.id == _FIRST_DUE)
    .values(due=bindparam("until"), attempts=_DELIVERIES.c.attempts + 1)
    .returning(*_DELIVERIES.c)
)


class Events:
    """The tables ``events`` and ``deliveries``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def emit(
        self,
        kind: EventKind,
        now: datetime,
        *,
        cause: str,
        booking: str | None = None,
        meeting: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Note an event in the transaction of the fact itself.

        :param cause: who did it, by kind: ``client``, ``calendar``, ``cli`` or ``syncd``.
        :param facts: more of what is JSON; ids and times, nothing about a citizen.
        """
        row = {"id": f"evt_{secrets.token_hex(12)}", "at": epoch(now), "kind": kind.value, "cause": cause}
        told = json.dumps(dict(facts or {}), ensure_ascii=False, separators=(",", ":"))
        later(self._session, _ADD, row | {"booking": booking, "meeting": meeting, "facts": told})

    def waiting(self, limit: int) -> list[Event]:
        """Events that nobody has taken up yet, the oldest first."""
        found = self._session.execute(_WAITING, {"most": limit})
        return [
            Event(
                row.id, EventKind(row.kind), moment(row.at), row.cause, row.booking, row.meeting, json.loads(row.facts)
            )
            for row in found
        ]

    def take_up(self, event: str) -> bool:
        """Remove an event, for its deliveries are owed now; False when another process did it before."""
        gone = delete(EventRow).where(EventRow.id == event).returning(EventRow.number)
        return self._session.scalar(gone) is not None

    def owe(self, receiver: str, event: Event, body: bytes, now: datetime) -> None:
        """Owe *receiver* an event."""
        made = {
            "receiver": receiver,
            "event": event.id,
            "kind": event.kind.value,
            "body": body,
            "made": epoch(event.at),
        }
        self._session.execute(_OWE, made | {"attempts": 0, "due": epoch(now), "buried": None})

    def anything_due(self, receiver: str, now: datetime) -> bool:
        """Whether *receiver* is owed something by now; a look that locks nothing."""
        return self._session.execute(_DUE, {"who": receiver, "now": epoch(now)}).first() is not None

    def lease(self, receiver: str, now: datetime, until: datetime) -> Delivery | None:
        """The delivery that waited longest for *receiver*, counted as tried; nobody else gets it before *until*."""
        found = self._session.execute(_LEASE, {"who": receiver, "now": epoch(now), "until": epoch(until)})
        row = found.one_or_none()
        return None if row is None else _delivery(row)

    def taken(self, delivery: int) -> None:
        """The receiver has it."""
        self._session.execute(delete(DeliveryRow).where(DeliveryRow.id == delivery))

    def again(self, delivery: int, due: datetime) -> None:
        """The receiver did not take it; try at *due*."""
        self._session.execute(update(DeliveryRow).where(DeliveryRow.id == delivery).values(due=epoch(due)))

    def bury(self, delivery: int, why: str) -> None:
        """Give it up, and keep it for a person to look at."""
        self._session.execute(update(DeliveryRow).where(DeliveryRow.id == delivery).values(due=None, buried=why))

    def buried(self, receiver: str | None = None) -> list[Delivery]:
        """Deliveries that were given up, the oldest first."""
        question = select(*_DELIVERIES.c).where(_DELIVERIES.c.buried.is_not(None)).order_by(_DELIVERIES.c.id)
        if receiver is not None:
            question = question.where(_DELIVERIES.c.receiver == receiver)
        return [_delivery(row) for row in self._session.execute(question)]

    def revive(self, delivery: int, now: datetime) -> bool:
        """Try a delivery that was given up once more, from the beginning; False when there is none of that number."""
        change = (
            update(DeliveryRow)
            .where(DeliveryRow.id == delivery, DeliveryRow.buried.is_not(None))
            .values(due=epoch(now), attempts=0, buried=None)
            .returning(DeliveryRow.id)
        )
        return self._session.scalar(change) is not None

    def standing(self) -> dict[str, tuple[int, int]]:
        """By receiver: how many deliveries are on their way, and how many were given up."""
        question = select(DeliveryRow.receiver, func.count(), func.count(DeliveryRow.buried)).group_by(
            DeliveryRow.receiver
        )
        return {who: (total - dead, dead) for who, total, dead in self._session.execute(question)}


def _delivery(row: object) -> Delivery:
    one = cast(DeliveryRow, row)
    return Delivery(one.id, one.receiver, one.event, one.kind, one.body, moment(one.made), one.attempts, one.buried)
