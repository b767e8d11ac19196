"""Who looked at or changed what of a citizen's, in the transaction of the fact itself."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from syncd.model.event import OUTWARD
from syncd.store import meeting_rows as rows
from syncd.store.events import Events
from syncd.store.instants import epoch
from syncd.store.prepared import prepared
from syncd.store.settings import Settings
from syncd.store.straight import later
from syncd.store.tables import AuditRow, Setting

KEY = "audit_key"
"""Name of the setting that holds the key of citizens' digests."""
_COUNTED = prepared(
    select(AuditRow.meeting, func.count().label("number"))
    .where(AuditRow.action.in_(bindparam("some", expanding=True)), AuditRow.at >= bindparam("since"))
    .group_by(AuditRow.meeting)
)


class Audit:
    """The table ``audit``, seen from inside one write transaction; rows are only ever added."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._made = False

    def add(
        self,
        actor: str,
        action: str,
        *,
        now: datetime,
        booking: str | None = None,
        meeting: str | None = None,
        citizen: str | None = None,
        purpose: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Write one row; what the outside is to hear of becomes an event too (`syncd.model.event.OUTWARD`).

        :param actor: ``client:NAME``, ``cli:USER``, ``calendar:MAILBOX`` (a human's hand) or ``syncd``.
        :param action: what was done, ``noun.verb`` (``booking.read``).
        :param citizen: the client's reference; only its keyed digest is stored.
        :param detail: what a reader needs besides; never a citizen's data.
        """
        digest = None if citizen is None else self.citizen_digest(citizen)
        later(
            self._session,
            rows.ADD_AUDIT,
            {
                "at": epoch(now),
                "actor": actor,
                "action": action,
                "booking": booking,
                "meeting": meeting,
                "citizen": digest,
                "purpose": purpose,
                "detail": detail,
            },
        )
        kind = OUTWARD.get(action)
        if kind is not None:
            cause = actor.partition(":")[0]
            Events(self._session).emit(kind, now, cause=cause, booking=booking, meeting=None if booking else meeting)

    def citizen_digest(self, citizen: str) -> str:
        """HMAC-SHA-256 of the reference with a key of this installation: a bare hash of ten digits is soon undone."""
        return self.digester()(citizen)

    def digester(self) -> Callable[[str], str]:
        """The function behind `citizen_digest`, for many references; the key is looked up once."""
        key = self._key()
        return lambda citizen: hmac.new(key, citizen.encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        """The installation's key; of several who make it at once, one wins and all use the winner's.

        It never changes in a database, so each connection reads it once.
        """
        info = cast(Connection, self._session.get_bind()).info
        if KEY in info:
            return cast(bytes, info[KEY])
        settings = Settings(self._session)
        found = settings.value(KEY)
        if found is not None and not self._made:  # what was made here may be rolled back
            info[KEY] = bytes.fromhex(found)
        if found is None:
            self._made = True
            insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
            row = insert(Setting).values(name=KEY, value=secrets.token_hex(32))
            self._session.execute(row.on_conflict_do_nothing())
            found = settings.secret(KEY)
        return bytes.fromhex(found)

    def meetings(self, actions: tuple[str, ...], since: datetime) -> dict[str, int]:
        """How many rows with these actions each meeting has, written at or after *since*."""
        found = self._session.execute(_COUNTED, {"some": list(actions), "since": epoch(since)})
        return {row.meeting: row.number for row in found}

    def actors(self, action: str, meeting: str, detail: str, since: datetime) -> list[str]:
        """Who did this to a meeting at or after *since*, with exactly this detail."""
        same = (AuditRow.action == action, AuditRow.meeting == meeting, AuditRow.detail == detail)
        question = select(AuditRow.actor).where(AuditRow.at >= epoch(since), *same).order_by(AuditRow.id)
        return list(self._session.scalars(question))
