"""Tables behind the pages: who is signed in."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base


class VisitRow(Base):
    """A browser's visit; before signing in it holds what has to outlast that."""

    __tablename__ = "visits"
    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the cookie: whoever reads the database cannot take a visit over."""
    subject: Mapped[str | None]
    """Who; None before signing in."""
    name: Mapped[str]
    roles: Mapped[str]
    """Joined by blanks."""
    language: Mapped[str]
    csrf: Mapped[str]
    began: Mapped[int]
    seen: Mapped[int]
    kept: Mapped[str]
    """JSON: what a sign-in under way needs, and a form that was sent after the visit had run out."""

    __table_args__ = (Index(None, "seen"),)
