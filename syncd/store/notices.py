"""Subscriptions to changes of calendars in the cloud: whose they are, how long they last, and what they told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Index, Table, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from syncd.model.directory import MailboxId
from syncd.store.instants import epoch, moment
from syncd.store.tables import Base, MailboxRow


class SubscriptionRow(Base):
    """One subscription at Microsoft Graph."""

    __tablename__ = "subscriptions"
    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    mailbox: Mapped[str]
    digest: Mapped[str]
    """SHA-256 (hex) of the word that its notifications must bring (clientState)."""
    expires: Mapped[int]
    told: Mapped[int]
    """When it last said that something changed."""

    __table_args__ = (Index(None, "mailbox"),)


_ROWS = cast(Table, SubscriptionRow.__table__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A subscription as we know it."""

    id: str
    account: str
    mailbox: MailboxId
    expires: datetime


def kept(session: Session) -> list[Kept]:
    """All of them."""
    return [Kept(row.id, row.account, row.mailbox, moment(row.expires)) for row in session.execute(select(*_ROWS.c))]


def add(session: Session, one: Kept, digest: str, now: datetime) -> None:
    """Know a new one; what happened while it was made is looked up at once."""
    row = {"id": one.id, "account": one.account, "mailbox": one.mailbox, "digest": digest}
    session.execute(insert(_ROWS), row | {"expires": epoch(one.expires), "told": epoch(now)})


def renewed(session: Session, which: str, expires: datetime) -> None:
    """It lasts longer."""
    session.execute(update(_ROWS).where(_ROWS.c.id == which).values(expires=epoch(expires)))


def forget(session: Session, ids: Collection[str]) -> None:
    """They are no more."""
    session.execute(delete(_ROWS).where(_ROWS.c.id.in_(ids)))


def digests(session: Session, ids: Collection[str]) -> Mapping[str, str]:
    """Digests of those of *ids* that are ours."""
    found = session.execute(select(_ROWS.c.id, _ROWS.c.digest).where(_ROWS.c.id.in_(ids)))
    return {row.id: row.digest for row in found}


def tell(session: Session, ids: Collection[str], now: datetime) -> None:
    """Mark the calendars of these: something may have changed."""
    session.execute(update(_ROWS).where(_ROWS.c.id.in_(ids)).values(told=epoch(now)))


def marked(session: Session) -> list[tuple[str, MailboxId]]:
    """Account and id of calendars of which was told something since the last look at them began."""
    boxes = cast(Table, MailboxRow.__table__)
    looked = func.coalesce(boxes.c.as_of, 0)
    found = select(_ROWS.c.account, _ROWS.c.mailbox).join(boxes, boxes.c.id == _ROWS.c.mailbox)
    rows = session.execute(found.where(_ROWS.c.told >= looked, boxes.c.problem.is_(None)).distinct())
    return [(row.account, row.mailbox) for row in rows]
