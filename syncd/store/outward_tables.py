"""Tables about the outside: what it hears and saw, and who it says is in a group."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base, Serial


class EventRow(Base):
    """What happened and the outside may want to hear; written with the fact, gone when its deliveries are."""

    __tablename__ = "events"
    number: Mapped[int] = mapped_column(Serial, primary_key=True)
    id: Mapped[str]
    """What receivers know it by: random, for numbers begin anew in a restored database."""
    at: Mapped[int]
    kind: Mapped[str]
    cause: Mapped[str]
    booking: Mapped[str | None]
    meeting: Mapped[str | None]
    facts: Mapped[str]


class DeliveryRow(Base):
    """An event owed to one receiver; it goes when it was taken, and stays when it was given up."""

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    receiver: Mapped[str]
    event: Mapped[str]
    kind: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[int]
    attempts: Mapped[int]
    due: Mapped[int | None]
    """When it is tried next; None once it was given up."""
    buried: Mapped[str | None]

    __table_args__ = (Index(None, "receiver", "due"),)


class SupplyRow(Base):
    """What one offer's one form had on one UTC day from an instant on; rows are only ever added."""

    __tablename__ = "supply"
    number: Mapped[int] = mapped_column(Serial, primary_key=True)
    offer: Mapped[str]
    form: Mapped[str]
    day: Mapped[int]
    """Days since 1970."""
    at: Mapped[int]
    starts: Mapped[bytes] = mapped_column(LargeBinary)
    """Minutes of the day, two bytes each (`syncd.model.evidence.packed`)."""

    __table_args__ = (Index(None, "offer", "day", "at"),)


class StandingRow(Base):
    """How one offer stood as a whole from an instant on; rows are only ever added."""

    __tablename__ = "supply_standing"
    number: Mapped[int] = mapped_column(Serial, primary_key=True)
    offer: Mapped[str]
    at: Mapped[int]
    standing: Mapped[str]
    notice: Mapped[int]
    rules: Mapped[int]
    closed: Mapped[str]

    __table_args__ = (Index(None, "offer", "at"),)


class WatchRow(Base):
    """A span in which the record was kept: what it says of other times is not known."""

    __tablename__ = "supply_watches"
    number: Mapped[int] = mapped_column(Serial, primary_key=True)
    began: Mapped[int]
    seen: Mapped[int]

    __table_args__ = (Index(None, "seen"),)


class FeedRow(Base):
    """An address at which a calendar program may read somebody's free and busy time."""

    __tablename__ = "feeds"
    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the secret part of the address; the address itself is known to those who were given it."""
    kind: Mapped[str]
    subject: Mapped[str]
    created: Mapped[int]
    actor: Mapped[str]
    revoked: Mapped[int | None]


class MemberRow(Base):
    """Somebody a distribution group of the calendar server holds, or held."""

    __tablename__ = "members"
    group: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    """The caseworker's id, the same in every group."""
    name: Mapped[str]
    joined: Mapped[int]
    left: Mapped[int | None]
