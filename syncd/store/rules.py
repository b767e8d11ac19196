"""Numbered revisions of the rules, as the TOML text they were applied from; nothing is ever overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from syncd.store.instants import epoch, moment
from syncd.store.prepared import prepared
from syncd.store.settings import MAINTENANCE, Settings
from syncd.store.tables import RevisionRow, Setting

FILE_DIGEST = "rules_file"
"""Name of the setting that holds the digest of the rules file applied last."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision, without its text. :param actor: who applied it."""

    number: int
    applied: datetime
    actor: str


_REVISIONS = cast(Table, RevisionRow.__table__)
# No LIMIT: SQLite plans a statement anew for each value that is given for one.
_NEWEST = prepared(
    select(
        select(func.max(_REVISIONS.c.number)).scalar_subquery().label("number"),
        select(Setting.value).where(Setting.name == MAINTENANCE).scalar_subquery().label("maintenance"),
    )
)
"""Both are asked for in every transaction that offers or takes a time."""


class Rules:
    """The table ``revisions``, seen from inside one transaction."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._number: int | None = None

    def number(self) -> int:
        """Number of the revision in force; 0 before the first. One and the same for the whole transaction."""
        if self._number is None:
            found = self._session.execute(_NEWEST).one()
            self._number = found.number or 0
            self._settings.note(MAINTENANCE, found.maintenance)
        return self._number

    def newest(self) -> tuple[int, str] | None:
        """Number and text of the revision in force; None before the first."""
        row = self._session.scalar(select(RevisionRow).order_by(RevisionRow.number.desc()).limit(1))
        return None if row is None else (row.number, row.text)

    def text(self, number: int) -> str | None:
        """The text of a revision; None when there is none of that number."""
        return self._session.scalar(select(RevisionRow.text).where(RevisionRow.number == number))

    def history(self) -> list[Revision]:
        """All revisions, the newest first."""
        rows = self._session.execute(
            select(RevisionRow.number, RevisionRow.applied, RevisionRow.actor).order_by(RevisionRow.number.desc())
        )
        return [Revision(number, moment(applied), actor) for number, applied, actor in rows]

    def add(self, text: str, actor: str, now: datetime) -> int:
        """Put *text*, which was parsed without a problem, in force; returns its number.

        :param actor: who did it: ``cli:USER``, ``file:NAME``.
        :raises IntegrityError: another process added one at the same moment; run it again.
        """
        number = self.number() + 1
        self._session.add(RevisionRow(number=number, text=text, applied=epoch(now), actor=actor))
        self._session.flush()
        self._number = number
        self._settings.bump()
        return number

    def applied_digest(self) -> str | None:
        """Digest of the rules file that was applied last; None when none ever was."""
        return self._settings.value(FILE_DIGEST)

    def remember_digest(self, digest: str) -> None:
        """Keep the digest of the rules file just applied."""
        self._settings.put(FILE_DIGEST, digest)
