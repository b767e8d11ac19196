"""Remember what stands beside caseworkers' own events, and who organises those that carry a mark."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MARKED = sa.text("categories != ''")


def upgrade() -> None:
    """Add the columns and the index that finds marked entries."""
    op.add_column("occurrences", sa.Column("guest", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_occurrences_marked", "occurrences", ["end"], sqlite_where=MARKED, postgresql_where=MARKED)
    for name in ("beside", "asks", "note"):
        op.add_column("meetings", sa.Column(name, sa.Text(), nullable=True))
