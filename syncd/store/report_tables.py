"""The table of reports that were sent by schedule."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base


class ReportRow(Base):
    """One report for one period to one recipient: written before it is sent, so that it is never sent twice."""

    __tablename__ = "reports"
    name: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    """``2026-W49`` or ``2026-12``."""
    recipient: Mapped[str] = mapped_column(primary_key=True)
    """A mail address, or ``folder``."""
    state: Mapped[str]
    at: Mapped[int]
    """Since when it stands so."""
    attempts: Mapped[int]
    problem: Mapped[str | None]
