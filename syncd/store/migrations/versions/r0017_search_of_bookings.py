"""Find meetings by time whoever holds them, and what happened to one, without walking all."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two indexes."""
    op.create_index("ix_meetings_start", "meetings", ["start"])
    op.create_index("ix_audit_meeting", "audit", ["meeting"])
