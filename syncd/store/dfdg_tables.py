"""Tables about DFDG: its records and what we owe them, its messages, its deadlines."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base

ALIVE = text("alive")
WAITING = text("done IS NULL")


class DfdgRecordRow(Base):
    """A record at DFDG: what it was last known to say, what we owe it, and what statistics ask of it."""

    __tablename__ = "dfdg_records"
    id: Mapped[str] = mapped_column(primary_key=True)
    """The IndkaldelseId, lower case."""
    citizen: Mapped[str]
    """Reference; empty when nobody told."""
    kind: Mapped[int]
    group: Mapped[str]
    self_booked: Mapped[bool]
    standing: Mapped[str]
    """Whether the citizen could book when it was made: ``open``, ``barred`` or ``unknown``."""
    first: Mapped[bool]
    """It is the first talk of the citizen that we know of."""
    registered: Mapped[int]
    start: Mapped[int]
    """Of what DFDG was last known to hold, or should hold."""
    known: Mapped[str | None]
    """JSON of `syncd.model.dfdg.Said`; NULL: DFDG has none yet."""
    sent: Mapped[str | None]
    request: Mapped[str | None]
    generation: Mapped[int]
    attempts: Mapped[int]
    due: Mapped[int | None]
    owed_since: Mapped[int | None]
    refused: Mapped[str | None]
    seen: Mapped[bool]
    gone: Mapped[bool]
    alive: Mapped[bool]
    """False once both sides are done with it, so that nobody looks any more."""
    latest: Mapped[str | None]
    """ISO date."""

    __table_args__ = (
        Index(None, "citizen"),
        Index(None, "due"),
        Index(None, "start"),
        Index("ix_dfdg_records_alive", "id", sqlite_where=ALIVE, postgresql_where=ALIVE),
    )


class DfdgMessageRow(Base):
    """A message of DFDG's; a second one with the same id is forgotten."""

    __tablename__ = "dfdg_messages"
    id: Mapped[str] = mapped_column(primary_key=True)
    entity: Mapped[int]
    change: Mapped[int]
    about: Mapped[str]
    citizen: Mapped[str]
    received: Mapped[int]
    due: Mapped[int | None]
    """When it is handled next; NULL once it was."""
    attempts: Mapped[int]
    done: Mapped[int | None]

    __table_args__ = (Index(None, "due"), Index(None, "received"))


class DfdgDeadlineRow(Base):
    """A deadline by which a citizen must book."""

    __tablename__ = "dfdg_deadlines"
    id: Mapped[str] = mapped_column(primary_key=True)
    citizen: Mapped[str]
    kind: Mapped[int]
    until: Mapped[str]
    latest: Mapped[str]
    immediate: Mapped[bool]
    open: Mapped[bool]
    seen: Mapped[int]

    __table_args__ = (Index(None, "citizen"), Index(None, "until"))
