"""Erases a citizen: from bookings and from stored answers, and again after a restore.

A ledger outside the database and its backups holds a keyed digest of each erased reference and when it was erased,
one a line. It is replayed after a restore and every hour, so that the erased stay erased, and so that what was still
ahead goes as soon as it is over. The audit log keeps its digests: it must tell who looked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select, update

from syncd.errors import StoreError
from syncd.model.booking import BookingState
from syncd.store.chunks import chunks
from syncd.store.citizen_tables import BookingLinkRow
from syncd.store.instants import epoch
from syncd.store.jobnet_tables import JobnetLinkRow
from syncd.store.message_tables import CitizenMessageRow, CitizenSilenceRow
from syncd.store.outward_tables import DeliveryRow, EventRow
from syncd.store.session import Store, Tx
from syncd.store.tables import BookingRow, ContactRow, IdempotencyRow, MeetingRow

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
    :param contacts: bookings whose contact data went.
    :param letters: notices about these bookings that were still owed to clients, or had come back.
    :param live: ids of bookings of this citizen that are still ahead; nothing of them was touched. Cancel them first.
    """

    bookings: tuple[str, ...]
    answers: int
    live: tuple[str, ...]
    contacts: int = 0
    letters: int = 0


NOBODY = Erased((), 0, ())
"""Nothing was to be erased."""


def erase(tx: Tx, citizen: str, now: datetime, actor: str, client: str | None = None) -> Erased:
    """Forget whose bookings these were, unless a meeting is still ahead; both are reported.

    :param client: only what this API client booked; None for all clients.
    :param actor: who did it, for the audit log (``cli:USER``).
    """
    whose = [BookingRow.citizen == citizen, *([BookingRow.client == client] if client else [])]
    found = tx.session.scalars(select(BookingRow.id).where(*whose).order_by(BookingRow.id)).all()
    erased = _erase(tx, found, now)
    if not erased.live:
        tx.jobnet.erase(citizen)
        hers = [CitizenSilenceRow.citizen == citizen, *([CitizenSilenceRow.client == client] if client else [])]
        tx.session.execute(delete(CitizenSilenceRow).where(*hers))
    tx.audit.add(actor, "citizen.erase", citizen=citizen, detail=f"{len(erased.bookings)} booking(s)", now=now)
    return erased


def named(citizen: str, client: str | None) -> str:
    """What the ledger keeps the digest of: a reference, or one client's only (others may call somebody else so)."""
    return citizen if client is None else f"{client}\n{citizen}"


def replay(store: Store, ledger: Path, now: datetime) -> Erased:
    """Erase again everybody in the ledger: after a restore, and once what was still ahead is over.

    What a citizen booked after being erased is theirs again and stays.

    :raises StoreError: the ledger cannot be read, or the database cannot be used; nothing was erased.
    """
    entries = remembered(ledger)
    if not entries:
        return NOBODY
    with store.read() as tx:
        found = _in_ledger(tx, entries)
    # Looked up without a write transaction, so that nobody waits while a large database is gone through.
    return store.run(lambda tx: _erase(tx, found, now)) if found else NOBODY


def _in_ledger(tx: Tx, entries: Mapping[str, int]) -> list[str]:
    """Bookings of citizens who were erased after they were made."""
    columns = (BookingRow.id, BookingRow.citizen, BookingRow.client, BookingRow.created)
    question = select(*columns).where(BookingRow.citizen.is_not(None))
    digest = tx.audit.digester()
    found = []
    for booking, citizen, client, created in tx.session.execute(question):
        erased = max(entries.get(digest(str(citizen)), -1), entries.get(digest(named(str(citizen), client)), -1))
        if created <= erased:
            found.append(booking)
    return sorted(found)


def _erase(tx: Tx, bookings: Collection[str], now: datetime) -> Erased:
    live = _live(tx, bookings, now)
    over = [booking for booking in bookings if booking not in live]
    answers = contacts = letters = 0
    for some in chunks(over):
        tx.session.execute(update(BookingRow).where(BookingRow.id.in_(some)).values(citizen=None))
        told = update(IdempotencyRow).where(IdempotencyRow.booking.in_(some)).values(status=GONE, body=ANSWER)
        answers += len(tx.session.scalars(told.returning(IdempotencyRow.key)).all())
        gone = delete(ContactRow).where(ContactRow.booking.in_(some))
        contacts += len(tx.session.scalars(gone.returning(ContactRow.booking)).all())
        letters += _letters(tx, some)
        tx.session.execute(delete(BookingLinkRow).where(BookingLinkRow.booking.in_(some)))
        tx.session.execute(delete(CitizenMessageRow).where(CitizenMessageRow.booking.in_(some)))
        tx.dfdg.erase(some)
        tx.session.execute(delete(JobnetLinkRow).where(JobnetLinkRow.booking.in_(some)))
    return Erased(tuple(over), answers, tuple(sorted(live)), contacts, letters)


def _letters(tx: Tx, bookings: Collection[str]) -> int:
    """Drop notices about these bookings that wait for a client or came back from one; they name them by id."""
    events = delete(EventRow).where(EventRow.booking.in_(bookings)).returning(EventRow.number)
    count = len(tx.session.scalars(events).all())
    marks = [booking.encode() for booking in bookings]
    rows = tx.session.execute(select(DeliveryRow.id, DeliveryRow.body)).all()
    found = [row.id for row in rows if any(mark in row.body for mark in marks)]
    for some in chunks(found):
        tx.session.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(some)))
    return count + len(found)


def _live(tx: Tx, bookings: Collection[str], now: datetime) -> set[str]:
    states = (BookingState.HELD.value, BookingState.PENDING.value, BookingState.CONFIRMED.value)
    ahead = select(BookingRow.id).join(MeetingRow, MeetingRow.id == BookingRow.meeting)
    ahead = ahead.where(BookingRow.state.in_(states), MeetingRow.end > epoch(now))
    return {
        booking for some in chunks(bookings) for booking in tx.session.scalars(ahead.where(BookingRow.id.in_(some)))
    }


def remember(ledger: Path, digest: str, now: datetime) -> None:
    """Add a digest to the ledger, on disk before this returns; do it before `erase` commits.

    :raises StoreError: the ledger cannot be written; erase nothing then.
    """
    try:
        handle = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{digest} {epoch(now)}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"The ledger {ledger} cannot be written ({error.strerror}). Nothing was erased.") from error


def remembered(ledger: Path) -> Mapping[str, int]:
    """The digests in the ledger, each with when it was erased last (epoch seconds); none when there is no ledger yet.

    :raises StoreError: the ledger cannot be read, or was damaged.
    """
    try:
        lines = [line.split() for line in ledger.read_text(encoding="ascii").splitlines() if line.strip()]
        return {digest: int(at) for digest, at in sorted(lines, key=lambda line: int(line[1]))}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"The ledger {ledger} cannot be read ({error.strerror}). Nobody was erased.") from error
    except (ValueError, IndexError) as error:
        raise StoreError(f"The ledger {ledger} is damaged: {error}. Nobody was erased; mend or replace it.") from error
