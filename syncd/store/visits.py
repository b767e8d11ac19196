"""Browsers' visits: server-side, bounded in time, known to the browser by a random cookie only."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, update
from sqlalchemy.orm import Session

from syncd.model.role import Role
from syncd.store.instants import epoch, moment
from syncd.store.page_tables import VisitRow

LARGEST = 400_000
"""Characters of what a visit may keep: more than the largest form makes."""
WEEKEND = timedelta(days=4)
"""So long a visit that ran out is known for: from a form left open on Friday until it is sent."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One browser's visit. :param subject: who it is; None before signing in. :param kept: JSON values."""

    digest: str
    subject: str | None
    name: str
    roles: frozenset[Role]
    language: str
    csrf: str
    began: datetime
    seen: datetime
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a visit lasts. :param idle: without a click, :param whole: in any case."""

    idle: timedelta = timedelta(minutes=30)
    whole: timedelta = timedelta(hours=10)

    def over(self, visit: Visit, now: datetime) -> bool:
        """Whether it has run out."""
        return now - visit.seen > self.idle or now - visit.began > self.whole


class Visits:
    """The table ``visits``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        now: datetime,
        *,
        subject: str | None = None,
        name: str = "",
        roles: frozenset[Role] = frozenset(),
        language: str = "",
        kept: Mapping[str, Any] | None = None,
    ) -> str:
        """A new visit; returns the cookie's value (256 random bits), which is not kept.

        :raises ValueError: *kept* is larger than a visit may keep.
        """
        cookie = secrets.token_urlsafe(32)
        self._session.add(
            VisitRow(
                digest=_digest(cookie),
                subject=subject,
                name=name,
                roles=" ".join(sorted(roles)),
                language=language,
                csrf=secrets.token_urlsafe(24),
                began=epoch(now),
                seen=epoch(now),
                kept=_written(kept or {}),
            )
        )
        self._session.flush()
        return cookie

    def find(self, cookie: str) -> Visit | None:
        """The visit of that cookie, run out or not; None when there is none."""
        row = self._session.get(VisitRow, _digest(cookie))
        return None if row is None else _visit(row)

    def seen(self, visit: Visit, now: datetime) -> None:
        """Note a click."""
        self._change(visit, seen=epoch(now))

    def speak(self, visit: Visit, language: str) -> None:
        """Note the language somebody chose."""
        self._change(visit, language=language)

    def keep(self, visit: Visit, kept: Mapping[str, Any]) -> None:
        """Replace what the visit keeps.

        :raises ValueError: it is larger than a visit may keep.
        """
        self._change(visit, kept=_written(kept))

    def end(self, visit: Visit) -> None:
        """Forget the visit."""
        self._session.execute(delete(VisitRow).where(VisitRow.digest == visit.digest))

    def sweep(self, now: datetime, lifetime: Lifetime) -> None:
        """Forget visits that ran out; who was signed in stays known over a weekend, for a form sent then."""
        self._session.execute(delete(VisitRow).where(VisitRow.subject.is_(None), _before(now, lifetime)))
        self._session.execute(delete(VisitRow).where(_before(now - WEEKEND, lifetime)))
        self._session.execute(update(VisitRow).where(_before(now, lifetime)).values(kept="{}"))

    def _change(self, visit: Visit, **values: object) -> None:
        change = update(VisitRow).where(VisitRow.digest == visit.digest).values(**values)
        self._session.execute(change.execution_options(synchronize_session=False))


def _before(at: datetime, lifetime: Lifetime) -> ColumnElement[bool]:
    """Visits that ran out before *at*."""
    return or_(VisitRow.seen < epoch(at - lifetime.idle), VisitRow.began < epoch(at - lifetime.whole))


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def _written(kept: Mapping[str, Any]) -> str:
    text = json.dumps(kept, ensure_ascii=False)
    if len(text) > LARGEST:
        raise ValueError(f"a visit keeps at most {LARGEST} characters")
    return text


def _visit(row: VisitRow) -> Visit:
    known = {role.value for role in Role}
    roles = frozenset(Role(role) for role in row.roles.split() if role in known)
    began, seen = moment(row.began), moment(row.seen)
    return Visit(row.digest, row.subject, row.name, roles, row.language, row.csrf, began, seen, json.loads(row.kept))
