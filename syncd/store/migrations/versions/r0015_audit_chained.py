"""Chain the rows of the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of links; the daemon chains what is in the log already."""
    op.create_table(
        "audit_links",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("audit", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=True),
        sa.Column("personal", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_links"),
        sa.UniqueConstraint("audit", name="uq_audit_links_audit"),
    )
