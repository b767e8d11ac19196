"""Sealed contact data, by booking; what they say only `syncd.booking.contacts` can tell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from syncd.store.instants import epoch
from syncd.store.tables import ContactRow


class SealedContacts:
    """The table ``contacts``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, booking: str, key: str, sealed: bytes, now: datetime) -> None:
        """Keep sealed contact data, in place of what was kept."""
        self._session.execute(delete(ContactRow).where(ContactRow.booking == booking))
        self._session.add(ContactRow(booking=booking, key=key, sealed=sealed, at=epoch(now)))
        self._session.flush()

    def get(self, booking: str) -> tuple[str, bytes] | None:
        """The name of the key and what it sealed; None when nothing is kept."""
        row = self._session.execute(
            select(ContactRow.key, ContactRow.sealed).where(ContactRow.booking == booking)
        ).one_or_none()
        return None if row is None else (row.key, row.sealed)
