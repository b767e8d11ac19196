"""Keep the link to meet by that a calendar server makes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("meetings", sa.Column("link", sa.Text(), nullable=True))
