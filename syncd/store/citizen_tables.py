"""Tables behind what citizens do themselves, without Jobnet."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base


class BookingLinkRow(Base):
    """A personal link to a booking; only its digest is kept, so that whoever reads the database cannot follow it."""

    __tablename__ = "booking_links"
    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the secret in the link."""
    booking: Mapped[str]
    created: Mapped[int]
    language: Mapped[str]
    """In which the citizen booked: ``da`` or ``en``."""

    __table_args__ = (Index(None, "booking"),)
