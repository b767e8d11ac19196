"""Erases a citizen: from bookings and from stored answers, and again after a restore.

A ledger outside the database and its backups holds a keyed digest of each erased reference, one a line. After a
restore it is replayed, so that the erased stay erased. The audit log keeps its digests: it must tell who looked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update

from syncd.errors import StoreError
from syncd.model.booking import BookingState
from syncd.store.chunks import chunks
from syncd.store.instants import epoch
from syncd.store.session import Tx
from syncd.store.tables import BookingRow, IdempotencyRow, MeetingRow

GONE = 410
ANSWER = json.dumps(
    {
        "type": "/problems/erased",
        "title": "Erased",
        "status": GONE,
        "detail": "The answer to this request was erased together with the citizen's data.",
    }
).encode()
"""What a repeated request gets in place of the stored answer (RFC 9457)."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased.

    :param bookings: ids of bookings that no longer say whose they are.
    :param answers: stored answers that were replaced by a refusal.
    :param live: ids of bookings of this citizen that are still ahead; nothing of them was touched. Cancel them first.
    """

    bookings: tuple[str, ...]
    answers: int
    live: tuple[str, ...]


def erase(tx: Tx, citizen: str, now: datetime, actor: str, client: str | None = None) -> Erased:
    """Forget whose bookings these were, unless a meeting is still ahead; both are reported.

    :param client: only what this API client booked; None for all clients.
    :param actor: who did it, for the audit log (``cli:USER``).
    """
    whose = [BookingRow.citizen == citizen, *([BookingRow.client == client] if client else [])]
    found = tx.session.scalars(select(BookingRow.id).where(*whose).order_by(BookingRow.id)).all()
    erased = _erase(tx, found, now)
    tx.audit.add(actor, "citizen.erase", citizen=citizen, detail=f"{len(erased.bookings)} booking(s)", now=now)
    return erased


def replay(tx: Tx, digests: Collection[str], now: datetime) -> Erased:
    """Erase again, after a restore, everybody whose digest is in the ledger."""
    wanted = frozenset(digests)
    rows = tx.session.execute(select(BookingRow.id, BookingRow.citizen).where(BookingRow.citizen.is_not(None))).all()
    found = [booking for booking, citizen in rows if citizen and tx.audit.citizen_digest(citizen) in wanted]
    return _erase(tx, sorted(found), now)


def _erase(tx: Tx, bookings: Collection[str], now: datetime) -> Erased:
    live = _live(tx, bookings, now)
    over = [booking for booking in bookings if booking not in live]
    answers = 0
    for some in chunks(over):
        tx.session.execute(update(BookingRow).where(BookingRow.id.in_(some)).values(citizen=None))
        told = update(IdempotencyRow).where(IdempotencyRow.booking.in_(some)).values(status=GONE, body=ANSWER)
        answers += len(tx.session.scalars(told.returning(IdempotencyRow.key)).all())
    return Erased(tuple(over), answers, tuple(sorted(live)))


def _live(tx: Tx, bookings: Collection[str], now: datetime) -> set[str]:
    states = (BookingState.HELD.value, BookingState.PENDING.value, BookingState.CONFIRMED.value)
    ahead = select(BookingRow.id).join(MeetingRow, MeetingRow.id == BookingRow.meeting)
    ahead = ahead.where(BookingRow.state.in_(states), MeetingRow.end > epoch(now))
    return {
        booking for some in chunks(bookings) for booking in tx.session.scalars(ahead.where(BookingRow.id.in_(some)))
    }


def remember(ledger: Path, digest: str) -> None:
    """Add a digest to the ledger, on disk before this returns; do it before `erase` commits.

    :raises StoreError: the ledger cannot be written; erase nothing then.
    """
    try:
        handle = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{digest}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"The ledger {ledger} cannot be written ({error.strerror}). Nothing was erased.") from error


def remembered(ledger: Path) -> frozenset[str]:
    """The digests in the ledger; none when there is no ledger yet.

    :raises StoreError: the ledger cannot be read.
    """
    try:
        return frozenset(ledger.read_text(encoding="ascii").split())
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"The ledger {ledger} cannot be read ({error}). Nobody was erased.") from error
