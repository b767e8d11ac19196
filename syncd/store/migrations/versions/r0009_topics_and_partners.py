"""Remember what a citizen wants to talk about, and who else takes part in a meeting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns; nobody chose a topic yet, and nobody else takes part."""
    op.add_column("bookings", sa.Column("topic", sa.Text(), nullable=False, server_default=""))
    op.add_column("meetings", sa.Column("partners", sa.Text(), nullable=False, server_default=""))
