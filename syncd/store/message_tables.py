"""Tables of receipts and reminders to citizens."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base


class CitizenMessageRow(Base):
    """One message to one booking's citizen: written before it is sent, so that it is never sent twice.

    Nothing of it says who she is or how she is reached; that is looked up under seal when it is sent.
    """

    __tablename__ = "citizen_messages"
    booking: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """1 for the first about the booking."""
    kind: Mapped[str]
    channel: Mapped[str]
    start: Mapped[int]
    """When the meeting was to begin, as the message says."""
    form: Mapped[str]
    site: Mapped[str]
    """Where to come; empty for talks at a distance."""
    progress: Mapped[str]
    due: Mapped[int]
    attempts: Mapped[int]
    at: Mapped[int]
    """Since when it stands so."""
    problem: Mapped[str | None]
    """What the last try met: a code or the class of an error."""

    __table_args__ = (Index(None, "progress", "due"),)


class CitizenSilenceRow(Base):
    """A citizen who wants no messages, as the client knows her; another client may call somebody else so."""

    __tablename__ = "citizen_silences"
    client: Mapped[str] = mapped_column(primary_key=True)
    citizen: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int]
