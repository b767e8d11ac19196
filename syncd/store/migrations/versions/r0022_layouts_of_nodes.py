"""Know which layout of the database each node needs, so that none is taken away from under it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; nodes of before know the layout of before."""
    op.add_column("nodes", sa.Column("layout", sa.Text(), nullable=False, server_default="0021"))
