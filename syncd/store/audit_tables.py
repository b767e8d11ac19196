"""The table that chains the rows of the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base


class AuditLinkRow(Base):
    """One row of the audit log in the order in which it was chained; it outlives that row by being a hash."""

    __tablename__ = "audit_links"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1, 2, 3 … without a gap."""
    audit: Mapped[int] = mapped_column(BigInteger)
    """``id`` of the row it stands for."""
    at: Mapped[int]
    """That row's time, to tell what may be forgotten."""
    salt: Mapped[str | None]
    """Makes what the digest says about a citizen impossible to guess; gone once that was erased."""
    personal: Mapped[str]
    """Digest of the salt and the columns that say something about a citizen."""
    link: Mapped[str]
    """SHA-256 over the link before, the row's other columns and ``personal``."""

    __table_args__ = (UniqueConstraint("audit"),)
