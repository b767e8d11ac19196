"""Addresses of feeds: unguessable, kept as digests only, and revocable."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import false, or_, select, update
from sqlalchemy.orm import Session

from syncd.store.instants import epoch, maybe, moment
from syncd.store.outward_tables import FeedRow

SHOWN = 8
"""How many digits of the digest name a feed among people."""


class FeedKind(StrEnum):
    """Whose time a feed shows."""

    CASEWORKER = "caseworker"
    TEAM = "team"
    ROOM = "room"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed. :param name: short, to speak of it; :param revoked: since when it shows nothing."""

    name: str
    kind: FeedKind
    subject: str
    created: datetime
    actor: str
    revoked: datetime | None


class Feeds:
    """The table ``feeds``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, kind: FeedKind, subject: str, actor: str, now: datetime) -> str:
        """A new secret (256 random bits); it is told once and not kept."""
        secret = secrets.token_urlsafe(32)
        row = FeedRow(
            digest=_digest(secret), kind=kind.value, subject=subject, created=epoch(now), actor=actor, revoked=None
        )
        self._session.add(row)
        return secret

    def open(self, secret: str) -> Feed | None:
        """The feed of that secret; None when there is none, or it was revoked."""
        row = self._session.get(FeedRow, _digest(secret))
        return None if row is None or row.revoked is not None else _feed(row)

    def all(self) -> list[Feed]:
        """Every feed, the oldest first."""
        return [_feed(row) for row in self._session.scalars(select(FeedRow).order_by(FeedRow.created, FeedRow.digest))]

    def revoke(self, name: str, now: datetime) -> list[Feed]:
        """Close the feed of that name, or all of that caseworker or team; returns those that were open."""
        named = FeedRow.digest.startswith(name, autoescape=True) if len(name) >= SHOWN else false()
        mine = or_(named, FeedRow.subject == name)
        change = update(FeedRow).where(mine, FeedRow.revoked.is_(None)).values(revoked=epoch(now)).returning(FeedRow)
        return [_feed(row) for row in self._session.scalars(change)]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _feed(row: FeedRow) -> Feed:
    return Feed(row.digest[:SHOWN], FeedKind(row.kind), row.subject, moment(row.created), row.actor, maybe(row.revoked))
