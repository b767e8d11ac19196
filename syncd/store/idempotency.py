"""Stored answers to POSTs, so that a repeated request gets the first one's answer, byte for byte.

The row is claimed in the same transaction as the action it guards: both happen, or neither does
(draft-ietf-httpapi-idempotency-key-header-07).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import BindParameter, Table, and_, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from syncd.errors import KeyInProgress, KeyReused
from syncd.store.instants import epoch
from syncd.store.prepared import prepared
from syncd.store.straight import later
from syncd.store.tables import IdempotencyRow

KEPT = timedelta(days=14)
"""How long an answer is replayed; after that the key may be used anew."""
_LOCK_NOT_AVAILABLE = "55P03"

_ROWS = cast(Table, IdempotencyRow.__table__)
_CLAIMED: dict[str, BindParameter[object]] = {name: bindparam(name) for name in ("client", "key", "digest", "created")}
_CLAIM_SQLITE = prepared(sqlite.insert(_ROWS).values(_CLAIMED).on_conflict_do_nothing().returning(_ROWS.c.key))
_CLAIM_POSTGRESQL = prepared(postgresql.insert(_ROWS).values(_CLAIMED).on_conflict_do_nothing().returning(_ROWS.c.key))
_THIS = and_(_ROWS.c.client == bindparam("of"), _ROWS.c.key == bindparam("which"))
_STORED = prepared(select(*_ROWS.c).where(_THIS))
_FORGET = prepared(delete(_ROWS).where(_THIS))
_ANSWER = prepared(update(_ROWS).where(_THIS).values({name: bindparam(name) for name in ("status", "body", "booking")}))


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer given to the first request with a key.

    :param booking: id of the booking it is about, so that erasing the booking erases the answer.
    """

    status: int
    body: bytes
    booking: str | None


class Idempotency:
    """The table ``idempotency``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, client: str, key: str, digest: str, now: datetime) -> Stored | None:
        """Take *key* for this transaction, or return the answer stored for it.

        A request that meets the same key in another open transaction waits for that one to end.

        :param digest: hash of method, path and body.
        :raises KeyReused: the key was used with another digest.
        :raises KeyInProgress: the first request still runs after `engines.LOCK_MS`.
        """
        if self._insert(client, key, digest, now):
            return None
        row = self._session.execute(_STORED, {"of": client, "which": key}).one()
        if row.created < epoch(now - KEPT):
            self._session.execute(_FORGET, {"of": client, "which": key})
            return self.claim(client, key, digest, now)
        if row.digest != digest:
            raise KeyReused(
                "This Idempotency-Key was used before for another request. Nothing was changed; use a new key."
            )
        if row.status is None or row.body is None:
            raise _in_progress()
        return Stored(row.status, row.body, row.booking)

    def store(self, client: str, key: str, answer: Stored) -> None:
        """Keep the answer under the key that this transaction claimed."""
        told = {"status": answer.status, "body": answer.body, "booking": answer.booking}
        later(self._session, _ANSWER, {"of": client, "which": key} | told)

    def purge(self, now: datetime) -> int:
        """Remove answers older than `KEPT`; returns how many."""
        old = delete(IdempotencyRow).where(IdempotencyRow.created < epoch(now - KEPT))
        return len(list(self._session.scalars(old.returning(IdempotencyRow.key))))

    def _insert(self, client: str, key: str, digest: str, now: datetime) -> bool:
        """Whether our row went in. RETURNING tells; rowcount does not (psycopg answers -1 either way)."""
        postgres = self._session.get_bind().dialect.name == "postgresql"
        values = {"client": client, "key": key, "digest": digest, "created": epoch(now)}
        try:
            return self._session.scalar(_CLAIM_POSTGRESQL if postgres else _CLAIM_SQLITE, values) is not None
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise _in_progress() from error
            raise


def _in_progress() -> KeyInProgress:
    return KeyInProgress(
        "The first request with this Idempotency-Key is still being worked on. Nothing was done twice; "
        "send the same request again in a moment."
    )
